"""Issued reports as they lie in their batch: sealed one by one; the signature is put in on the way out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from pipelines import documents as drafting
from pipelines.batch import Batch
from pipelines.errors import HeduiError
from pipelines.keys import DataKeyDestroyedError, KeyRing, derive
from pipelines.sealing import SealBrokenError
from pipelines.settings import Workspace
from pipelines.signing import Seal, Tree
from pipelines.store import ReportRow
from pipelines.warehouse import connect, scan

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


@dataclass(eq=False)
class ReportDeletedError(HeduiError):
    """A report was deleted after a withdrawal; its digest is still under the batch's signature."""

    report_id: str
    version: int

    zh = "报告 {report_id} 第 {version} 版已因撤回授权而删除"
    en = "report {report_id} version {version} was deleted after a withdrawal"
    todo = "only its digest is kept; the ledger has the deletion"
    exit_code = 2


@dataclass(frozen=True)
class Document:
    """One issued report: ``content`` is the canonical JSON as it is delivered."""

    report_id: str
    version: int
    request_id: str
    digest: str
    content: bytes


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


def resigned(batch: Batch, data_key: bytes, row: ReportRow, draft: drafting.Draft) -> bytes:
    """A draft that was made again, as this version of a report, with the signature of its batch (R66).

    Only if it is the draft that was signed do digest and signature belong together: ``signing.check`` tells.
    """
    rest = draft.rest(row.version, row.supersedes)
    head = b'%b"digest":"%b",%b' % (draft.before_digest, digest_of(draft, rest).encode(), draft.before_signature)
    with connect(data_key) as con:
        seal, tree = _sealed(con, batch)
        places = con.execute(f"SELECT report_id, version FROM {scan(*parts(batch))}").fetchall()
    return _signed(head + rest, len(head), seal.field(tree, places.index((row.report_id, row.version))))


def digest_of(draft: drafting.Draft, rest: bytes) -> str:
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
                    if stored:  # deleted after a withdrawal: its digest is a leaf all the same
                        content = _signed(box.open(report_id, version, stored), seam, seal.field(tree, index))
                        yield Document(report_id, version, request_id, found, content)
                    index += 1


def stored_documents(ws: Workspace, ring: KeyRing, rows: Sequence[ReportRow]) -> dict[str, bytes]:
    """Issued documents, without their signatures, by request; those whose batch's key was destroyed are left out."""
    found: dict[str, bytes] = {}
    for batch_id in sorted({row.batch_id for row in rows}):
        batch = Batch.open(ws.batches, batch_id)
        try:
            key = ring.data_key(batch.source_folder)
        except DataKeyDestroyedError:
            continue
        box, versions = Box.of(key), {row.report_id: row.version for row in rows if row.batch_id == batch_id}
        # written out, so that DuckDB reads the documents of these rows only
        wanted = ", ".join(f"'{report_id}'" for report_id in versions)
        query = (
            f"SELECT request_id, report_id, version, document FROM {scan(*parts(batch))} WHERE report_id IN ({wanted})"
        )
        with connect(key) as con:
            for request, report_id, version, sealed in con.execute(query).fetchall():
                if version == versions[report_id] and sealed:
                    found[request] = box.open(report_id, version, sealed)
    return found


def read(batch: Batch, data_key: bytes, report_id: str, version: int) -> bytes:
    """One report as it is delivered.

    Raises:
        ReportNotFoundError: the batch does not hold it.
        ReportDeletedError: it was deleted after a withdrawal.
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
        if not row[2]:
            raise ReportDeletedError(report_id, version)
        seal, tree = _sealed(con, batch)
        return _signed(Box.of(data_key).open(report_id, version, row[2]), row[1], seal.field(tree, row[0]))
