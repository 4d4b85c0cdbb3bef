"""Reports made again: from the sealed admitted rows of their batch, or as of a day that is past (R66).

A batch keeps all that a report follows from: admitted rows, plan, policy tables, contracts. One household of it is
assessed once more in a folder of its own, by the same functions and nothing newer. What is written there is encrypted
under the batch's key, and goes when it was read.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipelines import assess, constants, documents, kept, ledger, plan, report
from pipelines.batch import Batch, write_json
from pipelines.collect import check_source_batch
from pipelines.errors import HeduiError
from pipelines.keys import KeyRing
from pipelines.opening import SealedFields
from pipelines.plan_tables import SELECTION, PlanTables
from pipelines.settings import Workspace
from pipelines.store import ReportRow, Store
from pipelines.warehouse import connect, scan, write_parquet

# What the one household's run makes itself; the rest of the batch's folder is only looked at.
OWN = ("assessed", "facts", "stages", "reports", "quality", "requests.parquet")
PAST = ("open", "superseded", "closed")  # applications that may be looked back at; a withdrawn one may not (R31)


@dataclass(eq=False)
class NotIssuedHereError(HeduiError):
    """This site never issued a report of that id and version."""

    report: str

    zh = "本站没有出具过报告 {report}"
    en = "this site never issued report {report}"
    todo = "give a report's id, such as HD0123456789ABCDEF, or HD0123456789ABCDEF-2 for its second version"
    exit_code = 2


def issued(ws: Workspace, report_id: str, version: int | None = None) -> ReportRow:
    """The store's row of a report; ``HD…-2`` names its second version, ``HD…`` the newest.

    Raises:
        NotIssuedHereError: there is none.
    """
    name, _, number = report_id.partition("-")
    wanted = int(number) if number.isdigit() else version
    store = Store.open(ws.store_url)
    try:
        row = store.report(name, wanted)
    finally:
        store.close()
    if row is None:
        raise NotIssuedHereError(report_id if number or version is None else f"{report_id}-{version}")
    return row


def as_issued(ws: Workspace, row: ReportRow) -> bytes:
    """A version of a report as it was delivered.

    Raises:
        DataKeyDestroyedError: the retention of its batch has ended.
        ReportDeletedError: it was deleted after a withdrawal.
    """
    batch = Batch.open(ws.batches, row.batch_id)
    key = KeyRing.open(ws.settings.keys, ws.root).data_key(batch.source_folder)
    return report.read(batch, key, row.report_id, row.version)


def again(ws: Workspace, row: ReportRow) -> bytes:
    """A version of a report worked out anew from the sealed rows of its batch, under the policy of that batch.

    Args:
        ws: the workspace; neither its pack nor its newer batches are read.
        row: which report.

    Returns:
        The document as it would be delivered; the same bytes, unless rows or program have changed.

    Raises:
        DataKeyDestroyedError: the retention of its batch has ended (R72).
        ReportDeletedError: it was deleted after a withdrawal (R31).
    """
    batch = Batch.open(ws.batches, row.batch_id)
    ring = KeyRing.open(ws.settings.keys, ws.root)
    key = ring.data_key(batch.source_folder)
    report.read(batch, key, row.report_id, row.version)  # nothing is made again of what was deleted
    store = Store.open(ws.store_url)
    ledger.append(store, "recomputed", batch.id, f"{row.report_id}/{row.version}", {"purpose": "audit"})
    store.close()
    with tempfile.TemporaryDirectory(prefix="hedui-again-") as folder:
        copy = linked(batch, Path(folder))
        with connect(key, ws.settings.limits) as con:
            planned = scan(batch.folder / "requests.parquet")
            own = f"SELECT * FROM {planned} WHERE request_id = '{row.request_id}'"
            write_parquet(con, own, copy.folder / "requests.parquet")
        draft = _drafted(copy, with_contracts(ws, copy), row.request_id, row.report_id)
        return report.resigned(batch, key, row, draft)


def look_back(ws: Workspace, request: str, as_of: datetime, source: Batch) -> dict[str, Any]:
    """What a report would have said at a moment that is past; nothing is issued, and nobody is asked.

    Authorisations are those of then; one that was withdrawn since takes its member's items out all the same (R31).

    Args:
        ws: the workspace.
        request: its id.
        as_of: the moment.
        source: the newest batch that had collected by then; its extracts, pack and application are used.

    Returns:
        The report's content without digest, signature and version.

    Raises:
        DataKeyDestroyedError: the retention of that batch has ended.
        PackNotKeptError: its pack was not kept.
        NothingSelectedError: the request was withdrawn since: it is not processed any more.
    """
    ring = KeyRing.open(ws.settings.keys, ws.root)
    key = ring.data_key(source.source_folder)
    store = Store.open(ws.store_url)
    try:
        with tempfile.TemporaryDirectory(prefix="hedui-again-") as folder:
            root = Path(folder)
            then = _with_pack(ws, source, store, root / "policies")
            (root / source.id).symlink_to(source.folder)
            name = hashlib.sha256(f"{source.id} {request} {as_of.isoformat()}".encode()).hexdigest()[:12]
            batch = Batch.create(root, name, as_of, source.epoch, source.id)
            chosen = dict(json.loads((source.folder / SELECTION).read_text("utf-8")))
            write_json(batch.folder / SELECTION, [[request, chosen[request]]])
            entry = {"purpose": "look back", "as_of": as_of.isoformat()}
            ledger.append(store, "looked_back", source.id, f"{request}/{name}", entry)
            with connect(key, ws.settings.limits) as con:
                PlanTables(con, batch, then, ring, store, PAST).fill(lambda done: None)
                _, planned = plan.write(con, batch)
            if not planned["requests"]:
                raise plan.NothingSelectedError("the request was withdrawn")
            check_source_batch(batch, ws, ring)
            draft = _drafted(batch, with_contracts(then, source), request, "")
    finally:
        store.close()
    document: dict[str, Any] = json.loads(draft.before_digest + draft.before_signature + draft.rest(0, None))
    for field in ("report_id", "version", "supersedes"):
        del document[field]
    return document


def linked(batch: Batch, root: Path) -> Batch:
    """The batch in another folder of batches: what it has read is linked, what it made is to be made again."""
    folder = root / batch.id
    folder.mkdir()
    for child in batch.folder.iterdir():
        if child.name not in OWN and not child.name.startswith("."):
            (folder / child.name).symlink_to(child.resolve())
    if batch.admitted_from:
        (root / batch.admitted_from).symlink_to(batch.source_folder.resolve())
    return Batch(folder, batch.id, batch.as_of, batch.epoch, batch.admitted_from)


def _drafted(batch: Batch, ws: Workspace, request: str, report_id: str) -> documents.Draft:
    """Assess the one household of a batch and draft its document."""
    from connectors.contract import load_contracts

    assess.run(batch, ws)
    ring = KeyRing.open(ws.settings.keys, ws.root)
    with connect(ring.data_key(batch.source_folder), ws.settings.limits) as con:
        constants.prepare(con, batch, load_contracts(ws.contracts))
        (folder,) = assess.shards(batch)
        (shard,) = documents.shards(con, folder)
        ids = pa.array([request], pa.string())
        places = pa.table({"request_id": ids, "place": pa.array([0], pa.int64()), "report_id": pa.array([report_id])})
        members = batch.folder / "members.parquet"
        (draft,) = documents.drafts(con, members, shard, places, SealedFields.of(ring, batch))
    return draft


def with_contracts(ws: Workspace, batch: Batch) -> Workspace:
    """The workspace with the contracts of the batch."""
    folder = batch.folder / kept.FOLDER
    return Workspace(ws.root, ws.settings.model_copy(update={"contracts": folder})) if folder.exists() else ws


def _with_pack(ws: Workspace, source: Batch, store: Store, folder: Path) -> Workspace:
    """The workspace with the pack of the batch."""
    pack = kept.put_back(store, source, folder)
    return Workspace(ws.root, ws.settings.model_copy(update={"policy_pack": pack, "policies": folder}))
