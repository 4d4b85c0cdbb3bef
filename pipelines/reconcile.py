"""Reconcile: who of those in payment is verified again tonight, and why (R73); nobody else is.

In payment is whoever has an open request with a report. All of a division's are collected for in one batch; it is
compared with what each one's last report was made of: who was asked, and the digests of the rows that concern them.
Those whom something has changed for, whose report has reached the pack's age, or who applied anew are verified in a
second batch, on the extracts of the first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import sqlalchemy as sa

from connectors.contract import load_contracts
from pipelines import ledger
from pipelines.admission import current_view_sql
from pipelines.batch import Batch, read_json, write_json
from pipelines.keys import DESTROYED, KeyRing
from pipelines.plan import new_batch
from pipelines.settings import Workspace
from pipelines.store import Store
from pipelines.tables import confirmations, reports, requests
from pipelines.warehouse import connect, scan, sql_text

DUE = "due.json"
_STANDING = pa.schema(
    [("request_id", pa.string()), ("dataset", pa.string()), ("is_covered", pa.bool_()), ("digest", pa.string())]
)
_LAST = pa.schema(
    [
        ("request_id", pa.string()),
        ("issued_on", pa.date32()),
        ("is_same_application", pa.bool_()),
        ("is_readable", pa.bool_()),
    ]
)
# Request → the batch that issued its newest report, and the last one that found that it holds on.
Last = dict[str, tuple[Batch, Batch]]


def divisions(ws: Workspace) -> list[str]:
    """Divisions that have somebody in payment."""
    return sorted({division for division, _ in _in_payment(ws)})


def watch(ws: Workspace, division: str, at: datetime) -> Batch:
    """The batch that collects for everybody in payment in a division."""
    return new_batch(ws, at, [request for own, request in _in_payment(ws) if own == division])


def due(batch: Batch, ws: Workspace) -> dict[str, list[str]]:
    """Requests of a collected batch that are verified again, with the reasons; the ledger has how many for which.

    Args:
        batch: of ``watch``, with its extracts checked.
        ws: the workspace.

    Returns:
        Reasons by request: application, authorisation, source, age, not_comparable.
    """
    file = batch.folder / DUE
    if not file.exists():
        store = Store.open(ws.store_url)
        try:
            last = _last(ws, store, batch)
            found = _compare(batch, ws, last)
            counts = Counter(reason for reasons in found.values() for reason in reasons)
            detail = {"in_payment": len(last), "due": len(found), "reasons": dict(sorted(counts.items()))}
            ledger.append(store, "reconciled", batch.id, "due", detail)
        finally:
            store.close()
        write_json(file, found)
    return dict(read_json(file))


def verify_due(batch: Batch, ws: Workspace) -> Batch | None:
    """The batch of those that are due, on the extracts of the first, through to its reports; None if nobody is due."""
    from pipelines.verify import run_stage

    chosen = sorted(due(batch, ws))
    if not chosen:
        return None
    # Everybody is due: the same requests at the same moment are the same batch.
    second = new_batch(ws, batch.as_of, chosen, batch.id)
    for stage in ("plan", "collect", "check_admitted", "assess", "check_assessed", "report"):
        run_stage(stage, second, ws)
    return second


def _in_payment(ws: Workspace) -> list[tuple[str, str]]:
    """Division and id of every open request that has a report."""
    query = sa.select(requests.c.division, requests.c.request_id).where(
        requests.c.state == "open", requests.c.request_id.in_(sa.select(reports.c.request_id))
    )
    store = Store.open(ws.store_url)
    try:
        with store.read() as connection:
            return [(row.division, row.request_id) for row in connection.execute(query.order_by(sa.text("1, 2")))]
    finally:
        store.close()


def _last(ws: Workspace, store: Store, tonight: Batch) -> Last:
    """For each request of the batch, what its newest report stands on."""
    wanted = sorted(dict(read_json(tonight.folder / "selection.json")))
    newest = {request: row for request, row in store.latest_reports(wanted).items() if row.batch_id != tonight.id}
    with store.read() as connection:
        held = connection.execute(sa.select(confirmations)).all()
    again: dict[tuple[str, int], list[str]] = {}
    for confirmed in held:
        again.setdefault((confirmed.report_id, confirmed.version), []).append(confirmed.batch_id)
    names = {request: [row.batch_id, *again.get((row.report_id, row.version), ())] for request, row in newest.items()}
    opened = {name: Batch.open(ws.batches, name) for name in set().union(*names.values()) if name != tonight.id}
    found = {}
    for request, row in newest.items():
        known = [opened[name] for name in names[request] if name in opened]
        found[request] = (opened[row.batch_id], max(known, key=lambda one: (one.as_of, one.id)))
    return found


def _compare(tonight: Batch, ws: Workspace, last: Last) -> dict[str, list[str]]:
    ring = KeyRing.open(ws.settings.keys, ws.root)
    before = []
    for base in {one.id: one for _, one in last.values()}.values():
        if _readable(base):
            with connect(ring.data_key(base.source_folder), ws.settings.limits) as con:
                own = [request for request, (_, one) in last.items() if one.id == base.id]
                before.append(_standing(con, base, ws, own))
    with connect(ring.data_key(tonight.source_folder), ws.settings.limits) as con:
        now = _standing(con, tonight, ws, list(last))
        for name in ("requests", "policy"):
            con.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS FROM {scan(tonight.folder / f'{name}.parquet')}")
        con.register("standing_now", now)
        con.register("standing_before", pa.concat_tables([_STANDING.empty_table(), *before]))
        con.register("last_reports", pa.Table.from_pylist(list(_rows(tonight, last)), _LAST))
        rows = con.execute(sql_text("reconcile/due.sql"), {"today": tonight.as_of.date()}).fetchall()
    return dict(rows)


def _rows(tonight: Batch, last: Last) -> Iterable[dict[str, object]]:
    applications = dict(read_json(tonight.folder / "selection.json"))
    earlier: dict[str, dict[str, int]] = {}
    for request, (issued, base) in sorted(last.items()):
        if base.id not in earlier:
            chosen = base.folder / "selection.json"
            earlier[base.id] = dict(read_json(chosen)) if chosen.exists() else {}
        yield {
            "request_id": request,
            "issued_on": issued.as_of.date(),
            "is_same_application": earlier[base.id].get(request) in (None, applications[request]),
            "is_readable": _readable(base),
        }


def _readable(batch: Batch) -> bool:
    """Whether what the batch was made of is still there."""
    return not (batch.source_folder / DESTROYED).exists()


def _standing(con: duckdb.DuckDBPyConnection, batch: Batch, ws: Workspace, wanted: Sequence[str]) -> pa.Table:
    """sql/reconcile/standing.sql of some requests of a batch; datasets whose check failed count as not delivered."""
    con.register("wanted", pa.table({"request_id": pa.array(wanted, pa.string())}))
    for name, folder in (("members", batch.folder), ("queries", batch.folder)):
        source = scan(folder / f"{name}.parquet")
        con.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS FROM {source} SEMI JOIN wanted USING (request_id)")
    con.execute(f"CREATE OR REPLACE TEMP VIEW links AS FROM {scan(batch.source_folder / 'links.parquet')}")
    gates = _gates(batch.source_folder)
    failed = [name for name, gate in gates.items() if gate == "fail"]
    coverage = f"FROM {scan(batch.source_folder / 'coverage.parquet')} WHERE NOT list_contains($failed, dataset)"
    con.register("_coverage", con.execute(coverage, {"failed": failed}).to_arrow_table())
    con.execute("CREATE OR REPLACE TEMP VIEW coverage AS FROM _coverage")
    parts = ["SELECT '' AS dataset, CAST(NULL AS UUID) AS person, '' AS row_digest WHERE false"]
    contracts = load_contracts(ws.contracts)
    for dataset, paths in _admitted(batch.source_folder).items():
        if dataset not in contracts or dataset in failed:
            continue
        rows = current_view_sql(contracts[dataset], paths, every_row=True)
        names = ", ".join(f'"{column.name}"' for column in contracts[dataset].subjects)
        parts.append(f"SELECT dataset, unnest([{names}]) AS person, row_digest FROM ({rows})")
    con.execute(f"CREATE OR REPLACE TEMP VIEW delivered_rows AS {' UNION ALL '.join(parts)}")
    return con.execute(sql_text("reconcile/standing.sql")).to_arrow_table().cast(_STANDING)


def _gates(folder: Path) -> dict[str, Any]:
    file = folder / "gates.json"
    return dict(read_json(file)) if file.exists() else {}


def _admitted(folder: Path) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for extract in read_json(folder / "extracts.json"):
        if extract["path"]:
            found.setdefault(extract["dataset"], []).append(folder / extract["path"])
    return found
