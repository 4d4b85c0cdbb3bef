"""Retention: what was withdrawn is deleted, what is old is destroyed, and the ledger keeps the proof (R31, R72).

A withdrawal takes what departments sent about the person out of every finished batch, with the tables and reports made
of it; of a whole request, also the sealed application. A batch whose time has passed loses its data key, then its
files; batches that read its extracts go with it. What stays holds no personal data: names of batches, digests, counts,
signed roots. Killed anywhere, the same command goes on.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

import duckdb
import sqlalchemy as sa

from pipelines import tables
from pipelines.batch import Batch
from pipelines.consent import KNOWN
from pipelines.issued import FOLDER as REPORTS
from pipelines.issued import SEAL
from pipelines.keys import DESTROYED, KeyRing, destroy_data_key
from pipelines.ledger import Entry, append_many, append_within
from pipelines.plan_tables import SELECTION
from pipelines.settings import Workspace
from pipelines.store import Store
from pipelines.warehouse import connect, scan, write_parquet

# What stays of a batch: its name and moment, that its key was destroyed, what it counted, which pack, what was signed.
KEPT = ("batch.json", DESTROYED, "stages", "pack.json", REPORTS)
WHOLE_REQUEST = 0


@dataclass
class Done:
    """What a run of retention did, or would do.

    Attributes:
        deleted: withdrawals whose data were deleted.
        waiting: withdrawals that wait for a batch which is still under way.
        destroyed: batches whose key was destroyed and whose files were removed.
        cleared: applications whose sealed document and tokens were removed.
    """

    deleted: int = 0
    waiting: int = 0
    destroyed: list[str] = field(default_factory=list)
    cleared: int = 0

    def document(self) -> dict[str, object]:
        """As JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Withdrawal:
    """A queued deletion; member 0 is the whole request."""

    request_id: str
    application: int
    member_no: int

    @property
    def rows(self) -> str:
        """The rows of plan and coverage that it takes away, as SQL."""
        own = f"request_id = '{self.request_id}'"
        return own if self.member_no == WHOLE_REQUEST else f"{own} AND member_no = {self.member_no}"


def run(ws: Workspace, at: datetime, *, only_tell: bool = False) -> Done:
    """Execute queued deletions, and end the retention of what is old.

    Args:
        ws: its batches and store; ``retention`` of hedui.yaml has the period.
        at: the moment up to which the periods are counted.
        only_tell: change nothing, and tell what would be done.
    """
    done = Done()
    store = Store.open(ws.store_url)
    try:
        batches = [Batch.open(ws.batches, path.parent.name) for path in sorted(ws.batches.glob("*/batch.json"))]
        alive = [batch for batch in batches if not (batch.source_folder / DESTROYED).exists()]
        for withdrawal in _queued(store):
            if any(not batch.done("deliver") and _has(batch, withdrawal) for batch in alive):
                done.waiting += 1
                continue
            done.deleted += 1
            if not only_tell:
                _delete(ws, store, alive, withdrawal)
        for group in _groups(batches):
            if max(batch.as_of for batch in group) < _months_before(at, ws.settings.retention.data_months):
                done.destroyed += [batch.id for batch in group if _destroy(store, batch, only_tell=only_tell)]
        done.cleared = _clear_applications(ws, store, at, only_tell=only_tell)
    finally:
        store.close()
    return done


def _queued(store: Store) -> list[Withdrawal]:
    table = tables.withdrawals
    columns = (table.c.request_id, table.c.application, table.c.member_no)
    with store.read() as connection:
        rows = connection.execute(sa.select(*columns).where(table.c.deleted_at.is_(None)).order_by(*columns))
        return [Withdrawal(*row) for row in rows]


def _has(batch: Batch, withdrawal: Withdrawal) -> bool:
    chosen = batch.folder / SELECTION
    return chosen.exists() and withdrawal.request_id in dict(json.loads(chosen.read_text("utf-8")))


def _delete(ws: Workspace, store: Store, alive: Sequence[Batch], withdrawal: Withdrawal) -> None:
    """Take a withdrawn person, or request, out of every batch; the queue and the ledger note it together."""
    ring = KeyRing.open(ws.settings.keys, ws.root)
    touched = [batch for batch in alive if _has(batch, withdrawal)]
    reports = 0
    for batch in touched:
        with connect(ring.data_key(batch.source_folder), ws.settings.limits) as con:
            _name_persons(con, batch, withdrawal)
            reports += _empty_reports(con, batch, withdrawal)
            for file in _files(batch):
                _take_out(con, file, withdrawal)
    with store.begin() as connection:
        table, now = tables.withdrawals, store.now()
        key = (withdrawal.request_id, withdrawal.application, withdrawal.member_no)
        if withdrawal.member_no == WHOLE_REQUEST:
            _clear(connection, tables.requests.c.request_id == withdrawal.request_id)
        where = [table.c[name] == value for name, value in vars(withdrawal).items()]
        connection.execute(table.update().where(*where).values(deleted_at=now))
        detail = {"batches": len(touched), "reports": reports}
        append_within(connection, [Entry("deletion", "", "/".join(map(str, key)), detail)], now)


def _name_persons(con: duckdb.DuckDBPyConnection, batch: Batch, withdrawal: Withdrawal) -> None:
    """``gone``: tokens of whom nothing may stay; a person who is in another household of the batch stays for that."""
    members = scan(batch.folder / "members.parquet")
    con.execute(
        f"CREATE TABLE gone AS SELECT person FROM {members} WHERE ({withdrawal.rows}) AND person IS NOT NULL "
        f"EXCEPT SELECT person FROM {members} WHERE NOT ({withdrawal.rows}) AND person IS NOT NULL"
    )
    links = batch.source_folder / "links.parquet"
    if links.exists():
        con.execute(
            f"INSERT INTO gone SELECT other FROM {scan(links)} WHERE person IN (SELECT person FROM gone) "
            f"EXCEPT SELECT person FROM {members}"
        )


def _files(batch: Batch) -> list[Path]:
    """The batch's tables; its members last, since they say whom a run that died was about."""
    found = [file for file in batch.folder.rglob("*.parquet") if file.parent.name != REPORTS]
    return sorted(found, key=lambda file: (file.name == "members.parquet", file))


def _take_out(con: duckdb.DuckDBPyConnection, file: Path, withdrawal: Withdrawal) -> None:
    """Write a file anew without the rows of a withdrawal; a file that has none stays as it is.

    Of one member goes what departments sent, and what was assessed of the household with it; what the applicant told of
    its members, and who had authorised what, stays with the application.
    """
    columns = {name for name, *_ in con.execute(f"DESCRIBE SELECT * FROM {scan(file)}").fetchall()}
    if "request_id" in columns:
        if withdrawal.member_no != WHOLE_REQUEST and "assessed" not in file.parts:
            return
        rows = f"request_id = '{withdrawal.request_id}'"
    elif "person" in columns:
        rows = "person IN (SELECT person FROM gone)"
    else:
        return
    found = con.execute(f"SELECT count(*) FROM {scan(file)} WHERE {rows}").fetchone()
    if found and found[0]:
        write_parquet(con, f"SELECT * FROM {scan(file)} WHERE NOT COALESCE({rows}, FALSE)", file)


def _empty_reports(con: duckdb.DuckDBPyConnection, batch: Batch, withdrawal: Withdrawal) -> int:
    """Empty the documents that hold what was withdrawn; digests stay, so that the signed root can be checked."""
    if withdrawal.member_no != WHOLE_REQUEST and _was_withheld(batch, withdrawal):
        return 0
    emptied = 0
    for file in sorted((batch.folder / REPORTS).glob("part-*.parquet")):
        own = f"request_id = '{withdrawal.request_id}' AND octet_length(document) > 0"
        row = con.execute(f"SELECT count(*) FROM {scan(file)} WHERE {own}").fetchone()
        if row and row[0]:
            emptied += int(row[0])
            document = f"CASE WHEN {own} THEN ''::BLOB ELSE document END"
            write_parquet(con, f"SELECT * REPLACE ({document} AS document) FROM {scan(file)}", file)
    return emptied


def _was_withheld(batch: Batch, withdrawal: Withdrawal) -> bool:
    """Whether the batch knew of the withdrawal: then its report shows nothing of the member."""
    known = batch.folder / KNOWN
    ended = json.loads(known.read_text("utf-8")) if known.exists() else []
    return any(row[:2] == [withdrawal.request_id, withdrawal.member_no] for row in ended)


def _groups(batches: Sequence[Batch]) -> Iterator[list[Batch]]:
    """Batches under one data key: one that collected, and those that read its extracts."""
    found: dict[str, list[Batch]] = {}
    for batch in batches:
        found.setdefault(batch.admitted_from or batch.id, []).append(batch)
    yield from found.values()


def _destroy(store: Store, batch: Batch, *, only_tell: bool) -> bool:
    """Destroy the key, remove the files, tell the ledger; returns whether there was anything left to do."""
    left = [path for path in batch.folder.iterdir() if path.name not in KEPT or path.name == REPORTS]
    left = [path for path in left if path.name != REPORTS or any(file.name != SEAL for file in path.iterdir())]
    if only_tell:
        return bool(left)
    proof = destroy_data_key(batch.source_folder)
    for path in left:
        for part in [file for file in path.iterdir() if file.name != SEAL] if path.name == REPORTS else [path]:
            shutil.rmtree(part) if part.is_dir() and not part.is_symlink() else part.unlink(missing_ok=True)
    detail = {"wrapped_key_sha256": proof, "as_of": batch.as_of.isoformat(), "key_of": batch.source_folder.name}
    return append_many(store, [Entry("retention", batch.id, "destroyed", detail)]) > 0


def _clear_applications(ws: Workspace, store: Store, at: datetime, *, only_tell: bool) -> int:
    """Sealed applications of before the period, of which no batch holds anything any more; an open one is closed."""
    r = tables.requests
    before = _months_before(at, ws.settings.retention.data_months).date()
    old = sa.select(r.c.request_id, r.c.application).where(r.c.application_date < before, r.c.document != b"")
    with store.read() as connection:
        found = connection.execute(old.order_by(r.c.request_id, r.c.application)).all()
    if not found:
        return 0
    held = _held(ws)
    gone = [row for row in found if row.request_id not in held]
    if gone and not only_tell:
        with store.begin() as connection:
            for row in gone:
                _clear(connection, sa.and_(r.c.request_id == row.request_id, r.c.application == row.application))
            detail = {"applications": len(gone), "before": before.isoformat()}
            append_within(connection, [Entry("cleared", "", at.isoformat(), detail)], store.now())
    return len(gone)


def _held(ws: Workspace) -> set[str]:
    """Requests that a batch still holds something of."""
    chosen = [path for path in ws.batches.glob(f"*/{SELECTION}") if path.exists()]
    return {request for path in chosen for request, _ in json.loads(path.read_text("utf-8"))}


def _clear(connection: sa.Connection, which: sa.ColumnElement[bool]) -> None:
    """Remove what an application says of persons: the sealed document and the tokens."""
    r, m = tables.requests, tables.members
    keys = connection.execute(sa.select(r.c.request_id, r.c.application).where(which)).all()
    for request_id, application in keys:
        own = sa.and_(m.c.request_id == request_id, m.c.application == application)
        connection.execute(m.update().where(own).values(person=None))
    closed = sa.case((r.c.state == "open", "closed"), else_=r.c.state)
    connection.execute(r.update().where(which).values(document=b"", state=closed))


def _months_before(at: datetime, months: int) -> datetime:
    """The same moment some months earlier; the last day of a shorter month."""
    from calendar import monthrange

    year, month = divmod(at.year * 12 + at.month - 1 - months, 12)
    return at.replace(year=year, month=month + 1, day=min(at.day, monthrange(year, month + 1)[1]))
