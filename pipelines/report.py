"""Report: one sealed, signed document per household and version. It shows evidence; it decides nothing.

Documents are built in shards and written as they come; when the last digest is known, the Merkle root over all of
them is signed once. A stored document lacks only its ``signature``, which ``documents`` and ``read`` put in from the
root and the digests: nothing is written twice, and memory does not grow with the batch.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from pipelines import constants
from pipelines import documents as drafting
from pipelines.batch import Batch, write_json
from pipelines.consent import ended_since_assessment, held_back
from pipelines.errors import HeduiError
from pipelines.keys import derive
from pipelines.ledger import Entry, append_many
from pipelines.sealing import SealBrokenError
from pipelines.settings import Workspace
from pipelines.signing import Seal, Tree
from pipelines.store import ReportRow, Store
from pipelines.warehouse import connect, scan, write_table

FOLDER, SEAL = "reports", "seal.json"
ZSTD = pa.Codec("zstd", 1)


@dataclass(eq=False)
class ReportNotFoundError(HeduiError):
    """The batch holds no such report."""

    batch: str
    report_id: str
    version: int

    zh = "批次 {batch} 中没有报告 {report_id} 第 {version} 版"
    en = "batch {batch} holds no report {report_id} version {version}"
    todo = "see the report's versions with: hedui report show REQUEST"
    exit_code = 2


@dataclass(frozen=True)
class Document:
    """One issued report: ``content`` is the canonical JSON as it is delivered."""

    report_id: str
    version: int
    request_id: str
    digest: str
    content: bytes


def run(batch: Batch, workspace: Workspace, progress: Callable[[int], None] = lambda done: None) -> dict[str, object]:
    """Issue the reports of an assessed batch.

    A request whose last report says the same gets no new version, and nothing is delivered for it (R5, R66).

    Args:
        batch: assessed and checked.
        workspace: its keys, store and limits.
        progress: told how many households are done.

    Returns:
        Counts, as left in the stage's mark: reports, new, unchanged, withdrawn, persons.

    Raises:
        CodeWithoutTextError: the assessment uses a code that no reader could be told.
        SealBrokenError: a name or address does not belong to this batch's key.
    """
    if batch.done("report"):
        return batch.summary("report")
    from connectors.contract import load_contracts
    from pipelines.keys import KeyRing
    from pipelines.opening import SealedFields

    ring = KeyRing.open(workspace.settings.keys, workspace.root)
    store = Store.open(workspace.store_url)
    try:
        with connect(ring.data_key(batch.source_folder), workspace.settings.limits) as con:
            constants.prepare(con, batch, load_contracts(workspace.contracts))
            box = Box.of(ring.data_key(batch.source_folder))
            issue = Issue(con, batch, store, ring.key("report-id"), SealedFields.of(ring, batch), box, progress)
            summary = issue.run(ring.signing_key())
    finally:
        store.close()
    batch.mark("report", summary)
    return summary


@dataclass(frozen=True)
class Box:
    """Seals documents: whoever opens the batch's tables to look at counts still reads nobody's report.

    They are compressed first (sealed bytes do not compress), and bound to their report and version.
    """

    cipher: AESSIV

    @classmethod
    def of(cls, data_key: bytes) -> Box:
        """The box of a batch; it closes for ever with the batch's data key."""
        return cls(AESSIV(derive(data_key, "hedui/seal/report", 64)))

    def close(self, report_id: str, version: int, document: bytes) -> bytes:
        """Seal one document."""
        compressed = len(document).to_bytes(4) + ZSTD.compress(document, asbytes=True)
        return self.cipher.encrypt(compressed, [report_id.encode(), b"%d" % version])

    def open(self, report_id: str, version: int, sealed: bytes) -> bytes:
        """Open one document.

        Raises:
            SealBrokenError: it is not this report, or was changed.
        """
        try:
            opened = self.cipher.decrypt(sealed, [report_id.encode(), b"%d" % version])
        except InvalidTag:
            raise SealBrokenError(f"report {report_id}") from None
        size = int.from_bytes(opened[:4])
        return bytes(ZSTD.decompress(memoryview(opened)[4:], size, asbytes=True))


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
    """

    def __init__(
        self, con: duckdb.DuckDBPyConnection, batch: Batch, store: Store, id_key: bytes, opener: drafting.Opener,
        box: Box, progress: Callable[[int], None] = lambda done: None,
    ) -> None:  # fmt: skip
        self._con, self._batch, self._store = con, batch, store
        self._id_key, self._opener, self._box, self._progress = id_key, opener, box, progress
        self._withdrawn = ended_since_assessment(batch, store)
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
        for request_id, draft in made:
            before = latest.get(request_id)
            version, supersedes = (before.version, before.supersedes) if before else (1, None)
            rest = draft.rest(version, supersedes)
            digest = _digest(draft, rest)
            if before and digest != before.digest:
                version, supersedes = before.version + 1, before.version
                rest = draft.rest(version, supersedes)
                digest = _digest(draft, rest)
            elif before and before.batch_id != self._batch.id:
                self.unchanged += 1
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

    def _entries(self, folder: Path) -> list[Entry]:
        """What the ledger keeps: how many persons were opened and why, and what was signed."""
        batch, entries = self._batch.id, held_back(self._batch.id, self.withdrawn)
        if self.persons:
            entries.append(Entry("reidentification", batch, "report", {"purpose": "report", "persons": self.persons}))
        if self.rows:
            seal = json.loads((folder / SEAL).read_text("utf-8"))
            entries.append(Entry("reports", batch, "report", seal))
        return entries


def resigned(batch: Batch, data_key: bytes, row: ReportRow, draft: drafting.Draft) -> bytes:
    """A draft that was made again, as this version of a report, with the signature of its batch (R66).

    Only if it is the draft that was signed do digest and signature belong together: ``signing.check`` tells.
    """
    rest = draft.rest(row.version, row.supersedes)
    head = b'%b"digest":"%b",%b' % (draft.before_digest, _digest(draft, rest).encode(), draft.before_signature)
    with connect(data_key) as con:
        seal, tree = _sealed(con, batch)
        places = con.execute(f"SELECT report_id, version FROM {scan(*parts(batch))}").fetchall()
    return _signed(head + rest, len(head), seal.field(tree, places.index((row.report_id, row.version))))


def _digest(draft: drafting.Draft, rest: bytes) -> str:
    """SHA-256 (hex) of the canonical document without digest and signature."""
    hashed = hashlib.sha256(draft.before_digest)
    hashed.update(draft.before_signature)
    hashed.update(rest)
    return hashed.hexdigest()


def parts(batch: Batch) -> list[Path]:
    """The files that hold the batch's reports, in the order of the tree's leaves."""
    return sorted((batch.folder / FOLDER).glob("part-*.parquet"))


def _sealed(con: duckdb.DuckDBPyConnection, batch: Batch) -> tuple[Seal, Tree]:
    seal = Seal(**json.loads((batch.folder / FOLDER / SEAL).read_text("utf-8")))
    digests = con.execute(f"SELECT digest FROM {scan(*parts(batch))}").to_arrow_table()["digest"].to_pylist()
    return seal, Tree(digests)


def _signed(document: bytes, seam: int, signature: bytes) -> bytes:
    return b'%b"signature":%b,%b' % (document[:seam], signature, document[seam:])


def documents(batch: Batch, data_key: bytes) -> Iterator[Document]:
    """Every report of the batch as it is delivered, in the order of request_id; memory does not grow with the batch."""
    files = parts(batch)
    if not files:
        return
    box = Box.of(data_key)
    with connect(data_key) as con:
        seal, tree = _sealed(con, batch)
        index = 0
        for file in files:
            reader = con.execute(f"SELECT * FROM {scan(file)}").to_arrow_reader(500)
            for rows in reader:
                for report_id, version, request_id, found, seam, stored in zip(
                    *(column.to_pylist() for column in rows.columns), strict=True
                ):
                    content = _signed(box.open(report_id, version, stored), seam, seal.field(tree, index))
                    yield Document(report_id, version, request_id, found, content)
                    index += 1


def read(batch: Batch, data_key: bytes, report_id: str, version: int) -> bytes:
    """One report as it is delivered.

    Raises:
        ReportNotFoundError: the batch does not hold it.
    """
    files = parts(batch)
    if not files:
        raise ReportNotFoundError(batch.id, report_id, version)
    with connect(data_key) as con:
        row = con.execute(
            "SELECT place, seam, document FROM (SELECT row_number() OVER () - 1 AS place, * "
            f"FROM {scan(*files)}) WHERE report_id = ? AND version = ?",
            [report_id, version],
        ).fetchone()
        if row is None:
            raise ReportNotFoundError(batch.id, report_id, version)
        seal, tree = _sealed(con, batch)
        return _signed(Box.of(data_key).open(report_id, version, row[2]), row[1], seal.field(tree, row[0]))
