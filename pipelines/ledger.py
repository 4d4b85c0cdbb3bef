"""The audit ledger: append-only, each entry holding the hash of the one before.

``hash`` is SHA-256 over the canonical JSON of all other fields, so that an entry that was changed, removed from the
middle or put in between shows at once. The newest hash (``head``) belongs into every signed batch of reports: then
cutting off the end shows as well. Details hold counts, digests and reasons, never personal data (R72).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from pipelines.errors import HeduiError
from pipelines.store import Store, find
from pipelines.tables import ledger

GENESIS = "0" * 64
_PAGE = 20_000


@dataclass(frozen=True)
class Entry:
    """What is to be remembered, once per (kind, batch_id, subject); an empty batch_id means no batch."""

    kind: str
    batch_id: str
    subject: str
    detail: Mapping[str, object]


@dataclass(frozen=True)
class LedgerProblem:
    """The first entry at which the chain breaks; ``reason``: gap, chain or hash."""

    seq: int
    reason: str


@dataclass(eq=False)
class LedgerConflictError(HeduiError):
    """The same thing would be remembered twice, differently."""

    kind: str
    batch_id: str
    subject: str

    zh = "审计账已有 {kind}/{batch_id}/{subject}，内容不同"
    en = "the ledger already has {kind}/{batch_id}/{subject} with another detail"
    todo = "what may differ between two runs belongs in the subject of the entry"


def append(store: Store, kind: str, batch_id: str | None, subject: str, detail: Mapping[str, object]) -> None:
    """Add one entry; the same entry again changes nothing."""
    append_many(store, [Entry(kind, batch_id or "", subject, detail)])


def append_many(store: Store, entries: Sequence[Entry]) -> int:
    """Add entries in their order, in one transaction; returns how many were new."""
    with store.begin() as connection:
        return append_within(connection, entries, store.now())


def append_within(connection: sa.Connection, entries: Sequence[Entry], at: str) -> int:
    """Add entries in the caller's transaction, so that a fact and its entry are written together or not at all.

    Args:
        connection: a write transaction of the store.
        entries: in order; those that are there already are left alone.
        at: the moment, ISO 8601.

    Raises:
        LedgerConflictError: an entry is there already with another detail.
    """
    if connection.dialect.name == "postgresql":
        # Two writers must not both take the same last hash; SQLite has its one write lock already.
        connection.exec_driver_sql("LOCK TABLE ledger IN EXCLUSIVE MODE")
    known = _known(connection, entries)
    seq, previous = _head(connection)
    rows = []
    for entry in entries:
        key = (entry.kind, entry.batch_id, entry.subject)
        detail = _canonical(entry.detail)
        if key in known:
            if known[key] != detail:
                raise LedgerConflictError(*key)
            continue
        known[key] = detail
        seq += 1
        row = _row(seq, at, key, detail, previous)
        previous = str(row["hash"])
        rows.append(row)
    if rows:
        connection.execute(ledger.insert(), rows)
    return len(rows)


def head(store: Store) -> tuple[int, str]:
    """Number and hash of the newest entry; (0, sixty-four zeros) when there is none."""
    with store.read() as connection:
        return _head(connection)


def verify(store: Store) -> LedgerProblem | None:
    """Recompute the whole chain; None when it holds, else the first entry at which it breaks.

    ``gap``: an entry is missing before this one; ``chain``: it does not follow the one before; ``hash``: it was
    changed after it was written.
    """
    expected, previous = 1, GENESIS
    with store.read() as connection:
        while True:
            page = sa.select(ledger).where(ledger.c.seq >= expected).order_by(ledger.c.seq).limit(_PAGE)
            rows = connection.execute(page).all()
            if not rows:
                return None
            for row in rows:
                if row.seq != expected:
                    return LedgerProblem(row.seq, "gap")
                if row.previous_hash != previous:
                    return LedgerProblem(row.seq, "chain")
                key = (row.kind, row.batch_id, row.subject)
                if _row(row.seq, row.at, key, row.detail, previous)["hash"] != row.hash:
                    return LedgerProblem(row.seq, "hash")
                expected, previous = row.seq + 1, row.hash


def _head(connection: sa.Connection) -> tuple[int, str]:
    query = sa.select(ledger.c.seq, ledger.c.hash).order_by(ledger.c.seq.desc()).limit(1)
    row = connection.execute(query).first()
    return (row.seq, row.hash) if row else (0, GENESIS)


def _known(connection: sa.Connection, entries: Sequence[Entry]) -> dict[tuple[str, str, str], str]:
    """Details of the entries that are there already."""
    wanted: dict[tuple[str, str], list[str]] = {}
    for entry in entries:
        wanted.setdefault((entry.kind, entry.batch_id), []).append(entry.subject)
    return {
        (row.kind, row.batch_id, row.subject): row.detail
        for (kind, batch_id), subjects in wanted.items()
        for row in find(connection, ledger, "subject", subjects, ledger.c.kind == kind, ledger.c.batch_id == batch_id)
    }


def _row(seq: int, at: str, key: tuple[str, str, str], detail: str, previous: str) -> dict[str, object]:
    kind, batch_id, subject = key
    row: dict[str, object] = {
        "seq": seq,
        "at": at,
        "kind": kind,
        "batch_id": batch_id,
        "subject": subject,
        "detail": detail,
        "previous_hash": previous,
    }
    return row | {"hash": hashlib.sha256(_canonical(row).encode()).hexdigest()}


def _canonical(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
