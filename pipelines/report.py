"""Report: one sealed, signed document per household and version. It shows evidence; it decides nothing.

Documents are built in shards and written as they come; when the last digest is known, the Merkle root over all of
them is signed once. A stored document lacks only its ``signature``, which ``documents`` and ``read`` put in from the
root and the digests: nothing is written twice, and memory does not grow with the batch.
"""

from __future__ import annotations

import hmac
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pipelines import check_issued, constants
from pipelines import documents as drafting
from pipelines.approvals import rejected
from pipelines.batch import Batch, write_json
from pipelines.consent import ended_since_assessment, held_back
from pipelines.errors import ExpectationFailedError
from pipelines.issued import (
    FOLDER,
    SEAL,
    Box,
    Document,
    ReportNotFoundError,
    digest_of,
    documents,
    parts,
    read,
    resigned,
    stored_documents,
)
from pipelines.keys import KeyRing
from pipelines.ledger import Entry, append_many
from pipelines.settings import Workspace
from pipelines.signing import Seal, Tree
from pipelines.store import ReportRow, Store
from pipelines.versions import holds_on
from pipelines.warehouse import connect, scan, write_table

__all__ = ["Box", "Document", "Issue", "ReportNotFoundError", "documents", "parts", "read", "resigned", "run"]


def run(batch: Batch, workspace: Workspace, progress: Callable[[int], None] = lambda done: None) -> dict[str, object]:
    """Issue the reports of an assessed batch.

    A request whose last report says the same, and is still valid, gets no new version, and nothing is delivered for it:
    the batch confirms that version (R5, R7, R66).

    Args:
        batch: assessed and checked.
        workspace: its keys, store and limits.
        progress: told how many households are done.

    Returns:
        Counts, as left in the stage's mark: reports, new, unchanged, withdrawn, persons.

    Raises:
        CodeWithoutTextError: the assessment uses a code that no reader could be told.
        ExpectationFailedError: a request has no report, or two.
        SealBrokenError: a name or address does not belong to this batch's key.
    """
    if batch.done("report"):
        return batch.summary("report")
    from connectors.contract import load_contracts
    from pipelines.opening import SealedFields

    ring = KeyRing.open(workspace.settings.keys, workspace.root)
    store = Store.open(workspace.store_url)
    try:
        with connect(ring.data_key(batch.source_folder), workspace.settings.limits) as con:
            constants.prepare(con, batch, load_contracts(workspace.contracts))
            box = Box.of(ring.data_key(batch.source_folder))
            issue = Issue(
                con, batch, store, ring.key("report-id"), SealedFields.of(ring, batch), box, progress,
                lambda rows: stored_documents(workspace, ring, rows),
            )  # fmt: skip
            summary = issue.run(ring.signing_key())
        for entry in check_issued.run(batch, store, len(issue.withdrawn)):
            if entry.verdict == "fail":
                raise ExpectationFailedError(batch.id, entry.suite, entry.name, entry.broken)
    finally:
        store.close()
    batch.mark("report", summary)
    return summary


@dataclass(frozen=True)
class _Drafted:
    """A shard's requests: those that get a report, with their drafts, and those that were withdrawn."""

    ids: list[str]
    withdrawn: list[str]
    drafts: Iterator[drafting.Draft]
    persons: int


def _one_ahead(work: Callable[[drafting.Shard], _Drafted], shards: Iterable[drafting.Shard]) -> Iterator[_Drafted]:
    """The work on each shard, in order; the next is begun before this one is used: DuckDB leaves Python free."""
    with ThreadPoolExecutor(1) as worker:
        waiting: Future[_Drafted] | None = None
        for shard in shards:
            begun = worker.submit(work, shard)
            if waiting is not None:
                yield waiting.result()
            waiting = begun
        if waiting is not None:
            yield waiting.result()


class Issue:
    """The issuing of one batch's reports, over an open connection.

    Args:
        con: prepared by ``constants.prepare``.
        batch: the batch.
        store: knows what was issued before, and takes what is issued now.
        id_key: keys the report ids, so that a request id cannot be guessed from one.
        opener: opens sealed fields.
        box: seals the documents.
        progress: told how many households are done.
        earlier: documents that were issued before, by request; with none, every other moment is another version.
    """

    def __init__(
        self, con: duckdb.DuckDBPyConnection, batch: Batch, store: Store, id_key: bytes, opener: drafting.Opener,
        box: Box, progress: Callable[[int], None] = lambda done: None,
        earlier: Callable[[Sequence[ReportRow]], dict[str, bytes]] = lambda rows: {},
    ) -> None:  # fmt: skip
        self._con, self._batch, self._store = con, batch, store
        self._id_key, self._opener, self._box, self._progress = id_key, opener, box, progress
        self._earlier, self._confirmed = earlier, list[ReportRow]()
        self._withdrawn = ended_since_assessment(batch, store)
        # A version whose delivery a person has stopped never reached anybody: there is nothing that could hold on.
        self._rejected = rejected(store)
        self.rows: list[ReportRow] = []
        self.withdrawn: list[str] = []
        self.unchanged = self.persons = self._done = self._part = 0

    def run(self, key: Ed25519PrivateKey) -> dict[str, object]:
        """Build, write, sign; then the store and the ledger take note."""
        from pipelines.assess import shards

        folder = self._batch.folder / FOLDER
        shutil.rmtree(folder, ignore_errors=True)  # what a run that died has left; no mark, so nobody read it
        folders = shards(self._batch)
        if folders:
            constants.check_codes(self._con, folders)
        cut = [shard for assessed in folders for shard in drafting.shards(self._con, assessed)]
        for drafted in _one_ahead(self._drafted, cut):
            self._keep(drafted, folder)
        if self.rows:
            seal = Seal.of(Tree([row.digest for row in self.rows]), key)
            write_json(folder / SEAL, asdict(seal))
        new = self._store.put_reports(self.rows)
        self._store.put_confirmations(self._batch.id, self._confirmed)
        append_many(self._store, self._entries(folder))
        return {
            "reports": len(self.rows), "new": new, "unchanged": self.unchanged, "withdrawn": len(self.withdrawn),
            "persons": self.persons,
        }  # fmt: skip

    def _drafted(self, shard: drafting.Shard) -> _Drafted:
        """The documents of a shard; SQL's part of the work, on this object's connection and on no other."""
        source = scan(shard.folder / "households.parquet")
        asked = self._con.execute(f"SELECT request_id FROM {source} WHERE {shard.condition}").fetchall()
        ids = sorted(request for (request,) in asked if request not in self._withdrawn)
        withdrawn = sorted(request for (request,) in asked if request in self._withdrawn)
        places = pa.table(
            {
                "request_id": pa.array(ids, pa.string()),
                "place": pa.array(range(len(ids)), pa.int64()),
                "report_id": pa.array([self._report_id(request) for request in ids], pa.string()),
            }
        )
        members = self._batch.folder / "members.parquet"
        drafts = drafting.drafts(self._con, members, shard, places, self._opener)
        opened = self._con.execute("SELECT count(*) FROM opened_members WHERE id_number IS NOT NULL").fetchone()
        return _Drafted(ids, withdrawn, drafts, int(opened[0]) if opened else 0)

    def _keep(self, drafted: _Drafted, folder: Path) -> None:
        """Seal and write the documents of a shard, while the next one's are drafted."""
        part = f"part-{self._part:04d}.parquet"
        latest = self._store.latest_reports(drafted.ids)
        issued = self._issue(zip(drafted.ids, drafted.drafts, strict=True), part, latest)
        self.withdrawn += drafted.withdrawn
        self.persons += drafted.persons
        if issued.num_rows:
            with self._con.cursor() as con:
                write_table(con, issued, folder / part)
        self._part += 1
        self._done += len(drafted.ids) + len(drafted.withdrawn)
        self._progress(self._done)

    def _report_id(self, request_id: str) -> str:
        return "HD" + hmac.digest(self._id_key, request_id.encode(), "sha256").hex()[:16].upper()

    def _issue(self, made: Iterable[tuple[str, drafting.Draft]], part: str, latest: dict[str, ReportRow]) -> pa.Table:
        """Give each draft its version and digest; leave out what was issued before.

        Returns:
            The stored form: each document sealed, without its signature, and the byte (``seam``) at which that goes in.
        """
        rows: list[ReportRow] = []
        seams, stored = [], []
        earlier = self._earlier([row for row in latest.values() if row.batch_id != self._batch.id])
        for request_id, draft in made:
            before = latest.get(request_id)
            version, supersedes = (before.version, before.supersedes) if before else (1, None)
            rest = draft.rest(version, supersedes)
            digest = digest_of(draft, rest)
            stands = before and before.batch_id not in {self._batch.id, *self._rejected}
            if before and stands and self._holds(earlier.get(request_id), draft, rest):
                self.unchanged += 1
                self._confirmed.append(before)
                continue
            if before and digest != before.digest:
                version, supersedes = before.version + 1, before.version
                rest = draft.rest(version, supersedes)
                digest = digest_of(draft, rest)
            elif before and before.batch_id != self._batch.id:
                self.unchanged += 1
                self._confirmed.append(before)
                continue
            row = ReportRow(draft.report_id, version, request_id, self._batch.id, digest, part, supersedes)
            head = b'%b"digest":"%b",%b' % (draft.before_digest, digest.encode(), draft.before_signature)
            rows.append(row)
            seams.append(len(head))
            stored.append(self._box.close(row.report_id, version, head + rest))
        self.rows += rows
        return pa.table(
            {
                "report_id": pa.array([row.report_id for row in rows], pa.string()),
                "version": pa.array([row.version for row in rows], pa.int32()),
                "request_id": pa.array([row.request_id for row in rows], pa.string()),
                "digest": pa.array([row.digest for row in rows], pa.string()),
                "seam": pa.array(seams, pa.int32()),
                "document": pa.array(stored, pa.binary()),
            }
        )

    def _holds(self, earlier: bytes | None, draft: drafting.Draft, rest: bytes) -> bool:
        """Whether what was issued before says this already; what is no longer there to be read cannot be compared."""
        made = draft.before_digest + draft.before_signature + rest
        return earlier is not None and holds_on(earlier, made, self._batch.as_of.date())

    def _entries(self, folder: Path) -> list[Entry]:
        """What the ledger keeps: how many persons were opened and why, and what was signed."""
        batch, entries = self._batch.id, held_back(self._batch.id, self.withdrawn)
        if self.persons:
            entries.append(Entry("reidentification", batch, "report", {"purpose": "report", "persons": self.persons}))
        if self._confirmed:
            entries.append(Entry("confirmed", batch, "report", {"reports": len(self._confirmed)}))
        if self.rows:
            seal = json.loads((folder / SEAL).read_text("utf-8"))
            entries.append(Entry("reports", batch, "report", seal))
        return entries
