"""The case store: one SQLAlchemy engine, its schema kept by Alembic, and what the stages keep in it.

SQLite is the embedded store (write-ahead log, one writer, readers never wait); PostgreSQL serves a site with more
machines. Every write is one transaction: a stage that dies leaves either all of it or nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from connectors.engines import discreet_engine
from pipelines import tables
from pipelines.batch import Batch
from pipelines.errors import HeduiError
from pipelines.store_rows import ExtractRow, ReportRow

__all__ = [
    "ExtractRow",
    "ReportChangedError",
    "ReportRow",
    "Store",
    "StoreAheadError",
    "find",
    "insert_many",
    "insert_new",
]

SCHEMA = "0002"
# Readers beside one writer; nothing acknowledged is lost with the power; tokens land all over their index, which
# therefore wants room (64 MiB).
_PRAGMAS = (
    "busy_timeout = 60000",
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "cache_size = -65536",
)


@dataclass(eq=False)
class StoreAheadError(HeduiError):
    """The store was written by a newer Hedui."""

    found: str
    expected: str

    zh = "案件库的版本 {found} 与本程序的版本 {expected} 不符"
    en = "the case store is at schema {found}, this program knows {expected}"
    todo = "run the version of Hedui that made the store, or a newer one"
    exit_code = 2


@dataclass(eq=False)
class ReportChangedError(HeduiError):
    """A version of a report would be put twice with different content."""

    report_id: str
    version: int

    zh = "报告 {report_id} 第 {version} 版已存在且内容不同"
    en = "report {report_id} version {version} exists with another content"
    todo = "a report never changes: issue the next version"


def _now() -> datetime:
    return datetime.now(UTC)


def _engine(url: str) -> sa.Engine:
    """An engine whose SQLite connections take the write lock when a write begins, not at its first statement."""
    engine = discreet_engine(url)
    if engine.dialect.name != "sqlite":
        return engine
    if engine.url.database:
        Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True)

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        mode = "" if connection.get_execution_options().get("hedui_read") else " IMMEDIATE"
        connection.exec_driver_sql(f"BEGIN{mode}")

    return engine


class Store:
    """An opened case store.

    Attributes:
        engine: the SQLAlchemy engine.
        clock: the time that ``received_at`` and the ledger's ``at`` take; no result depends on it.
    """

    def __init__(self, engine: sa.Engine, clock: Callable[[], datetime] = _now) -> None:
        self.engine = engine
        self.clock = clock

    @classmethod
    def open(cls, url: str, clock: Callable[[], datetime] = _now) -> Store:
        """Open the store at a SQLAlchemy URL and bring its schema up to date.

        Raises:
            StoreAheadError: the schema is not one that this program knows.
        """
        store = cls(_engine(url), clock)
        found = store._schema()
        if found != SCHEMA:
            store._migrate(found)
        return store

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()

    def now(self) -> str:
        """The clock as ISO 8601 text."""
        return self.clock().isoformat(timespec="seconds")

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """One write transaction."""
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One consistent look at the store; waits for no writer."""
        with self.engine.connect().execution_options(hedui_read=True) as connection:
            yield connection

    def _schema(self) -> str | None:
        with self.read() as connection:
            if not sa.inspect(connection).has_table("alembic_version"):
                return None
            found: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
            return found

    def _migrate(self, found: str | None) -> None:
        from alembic import command
        from alembic.config import Config
        from alembic.util import CommandError

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        try:
            with self.begin() as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        except CommandError:
            raise StoreAheadError(found or "-", SCHEMA) from None

    # What a batch leaves behind -------------------------------------------------------------------------------

    def put_batch(self, batch: Batch, requests: int) -> None:
        """Keep a batch's name and as-of time; the same batch again changes nothing."""
        row = {
            "batch_id": batch.id,
            "as_of": batch.as_of.isoformat(),
            "epoch": batch.epoch,
            "admitted_from": batch.admitted_from,
            "requests": requests,
            "created_at": self.now(),
        }
        with self.begin() as connection:
            insert_new(connection, tables.batches, [row])

    def put_extracts(self, rows: Sequence[ExtractRow]) -> None:
        """Keep what the batch's extracts were; an extract that is there already stays as it is (R7)."""
        with self.begin() as connection:
            insert_new(connection, tables.extracts, [asdict(row) for row in rows])

    def extract_history(self, dataset: str, *, before_batch: str | None = None) -> list[ExtractRow]:
        """Admitted extracts of a dataset in earlier batches, oldest first (R61)."""
        table = tables.extracts
        query = sa.select(table).where(table.c.dataset == dataset, table.c.state == "admitted")
        if before_batch is not None:
            query = query.where(table.c.batch_id != before_batch)
        with self.read() as connection:
            found = connection.execute(query.order_by(table.c.as_of, table.c.batch_id, table.c.digest))
            return [ExtractRow(**row) for row in found.mappings()]

    def put_coverage(self, batch_id: str, counts: Mapping[tuple[str, str], int]) -> None:
        """Keep how many persons each (dataset, state) has; who they are stays in the batch's Parquet."""
        rows = [
            {"batch_id": batch_id, "dataset": dataset, "state": state, "persons": persons}
            for (dataset, state), persons in sorted(counts.items())
        ]
        with self.begin() as connection:
            connection.execute(tables.coverage_counts.delete().where(tables.coverage_counts.c.batch_id == batch_id))
            insert_new(connection, tables.coverage_counts, rows)

    # Reports ------------------------------------------------------------------------------------------------------

    def put_reports(self, rows: Sequence[ReportRow]) -> int:
        """Keep new versions of reports and queue each for delivery, in one transaction; returns how many were new.

        Raises:
            ReportChangedError: a version is there already with another digest; nothing is written.
        """
        with self.begin() as connection:
            known = {
                (row.report_id, row.version): row.digest
                for row in find(connection, tables.reports, "report_id", [row.report_id for row in rows])
            }
            for row in rows:
                if known.get((row.report_id, row.version), row.digest) != row.digest:
                    raise ReportChangedError(row.report_id, row.version)
            new = [vars(row) for row in rows if (row.report_id, row.version) not in known]
            insert_many(connection, tables.reports, new)
            keys = ("report_id", "version", "batch_id")
            insert_many(connection, tables.outbox, [{k: row[k] for k in keys} | {"state": "pending"} for row in new])
        return len(new)

    def latest_reports(self, request_ids: Sequence[str] | None = None) -> dict[str, ReportRow]:
        """The newest version of each request's report (R5)."""
        with self.read() as connection:
            if request_ids is None:
                found: Iterable[sa.Row] = connection.execute(sa.select(tables.reports))
            else:
                found = find(connection, tables.reports, "request_id", request_ids)
            newest: dict[str, ReportRow] = {}
            for row in found:
                if row.request_id not in newest or newest[row.request_id].version < row.version:
                    newest[row.request_id] = ReportRow(**row._mapping)
            return newest

    def put_confirmations(self, batch_id: str, rows: Sequence[ReportRow]) -> None:
        """Keep which versions a batch found to hold on."""
        keys = [{"report_id": row.report_id, "version": row.version, "batch_id": batch_id} for row in rows]
        with self.begin() as connection:
            insert_new(connection, tables.confirmations, keys)

    def report(self, report_id: str, version: int | None = None) -> ReportRow | None:
        """One version of a report, the newest if none is named; None if it was never issued."""
        table = tables.reports
        query = sa.select(table).where(table.c.report_id == report_id).order_by(table.c.version.desc())
        if version is not None:
            query = query.where(table.c.version == version)
        with self.read() as connection:
            row = connection.execute(query.limit(1)).first()
        return ReportRow(**row._mapping) if row else None

    def collected_for(self, request_id: str) -> list[str]:
        """Batches that collected by themselves and have issued, or confirmed, a report of the request."""
        reports, batches, confirmed = tables.reports, tables.batches, tables.confirmations
        own = sa.select(reports.c.batch_id).where(reports.c.request_id == request_id)
        same = sa.and_(reports.c.report_id == confirmed.c.report_id, reports.c.version == confirmed.c.version)
        again = sa.select(confirmed.c.batch_id).join(reports, same).where(reports.c.request_id == request_id)
        query = sa.select(batches.c.batch_id).where(
            batches.c.admitted_from.is_(None), batches.c.batch_id.in_(own.union(again))
        )
        with self.read() as connection:
            return list(connection.scalars(query.order_by(batches.c.batch_id)))

    def withdrawn_requests(self) -> set[str]:
        """Requests that were withdrawn and not applied for again (R31)."""
        table = tables.requests
        live = sa.select(table.c.request_id).where(table.c.state == "open")
        query = sa.select(table.c.request_id).where(table.c.state == "withdrawn", table.c.request_id.not_in(live))
        with self.read() as connection:
            return set(connection.scalars(query))


def insert_new(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert the rows whose key is not there yet; the others stay as they are."""
    if rows:
        insert: Callable[[sa.Table], Any]  # only the dialect in use is imported: the other's drivers take a while
        if connection.dialect.name == "sqlite":
            from sqlalchemy.dialects.sqlite import insert
        else:
            from sqlalchemy.dialects.postgresql import insert
        connection.execute(insert(table).on_conflict_do_nothing(), list(rows))


def insert_many(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert many rows of the same columns; none may be there yet.

    The statement is compiled once and the rows go straight to the driver, which takes a third of the time; so a row
    holds only what drivers take as it is: text, bytes, integers, dates and None.
    """
    if rows:
        compiled = table.insert().compile(dialect=connection.dialect, column_keys=list(rows[0]))
        places: Sequence[str] = getattr(compiled, "positiontup", None) or ()
        values = list(map(itemgetter(*places), rows)) if compiled.positional else list(rows)
        connection.exec_driver_sql(compiled.string, values)


def find(
    connection: sa.Connection,
    table: sa.Table,
    column: str,
    values: Sequence[str],
    *where: sa.ColumnElement[bool],
    columns: Sequence[str] = (),
) -> Iterator[sa.Row]:
    """Rows of ``table`` whose ``column`` is one of ``values``.

    Args:
        connection: of the store.
        table: which.
        column: the one that ``values`` are compared with.
        values: looked for, as one parameter however many they are.
        where: what else must hold.
        columns: what to read; everything if empty.
    """
    if not values:
        return
    wanted = sa.select(*(table.c[name] for name in columns)) if columns else sa.select(table)
    condition: sa.ColumnElement[bool]
    if connection.dialect.name == "sqlite":
        listed = sa.func.json_each(json.dumps(list(values))).table_valued("value")
        condition = table.c[column].in_(sa.select(listed.c.value))
    else:
        from sqlalchemy.dialects.postgresql import ARRAY

        condition = table.c[column] == sa.any_(sa.literal(list(values), ARRAY(sa.String)))
    yield from connection.execute(wanted.where(condition, *where))
