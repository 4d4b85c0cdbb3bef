"""A case system that is a database: one table with requests, one that takes reports, one that takes refusals.

The tables are the case system's own; ``tables`` says which columns are expected. A report's key is the primary key
over there, so that no second copy can exist, whoever sends it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar

import sqlalchemy as sa
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from connectors.case_model import (
    Answer,
    CaseSystemRefusedError,
    CaseSystemUnavailableError,
    Fault,
    Incoming,
    Outgoing,
    Receipt,
    text,
)
from connectors.engines import discreet_engine

T = TypeVar("T")
_PAGE = 10_000
_KEYS = 400
_ATTEMPTS = 4


def tables(name: str) -> tuple[sa.Table, sa.Table, sa.Table]:
    """The tables that a case system has, by the name in hedui.yaml: requests, reports, refusals."""
    metadata = sa.MetaData()
    return (
        sa.Table(
            name,
            metadata,
            sa.Column("line_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
            sa.Column("document", sa.Text, nullable=False),
        ),
        sa.Table(
            name,
            sa.MetaData(),
            sa.Column("report_id", sa.String(64), primary_key=True),
            sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("batch_id", sa.String(64), nullable=False),
            sa.Column("document", sa.Text, nullable=False),
            sa.Column("digest", sa.String(64), nullable=False),
        ),
        sa.Table(
            f"{name}_refusals",
            sa.MetaData(),
            sa.Column("digest", sa.String(64), primary_key=True),
            sa.Column("line", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("document", sa.Text, nullable=False),
        ),
    )


class DatabaseEnd:
    """One end of the case system in a database that SQLAlchemy reaches."""

    def __init__(self, url: str, table: str) -> None:
        self.engine = discreet_engine(url)
        self.requests, self.reports, self.refusals = tables(table)

    def incoming(self) -> Iterator[Incoming]:
        """The rows in pages, by ``line_no``."""
        after = 0
        while rows := self._try("requests", partial(self._page, after)):
            lines = [document.encode() for _, document in rows]
            digest = hashlib.sha256(b"\n".join(lines)).hexdigest()
            name = f"{self.requests.name} {rows[0][0]}-{rows[-1][0]}"
            yield Incoming(name, digest, lines.__iter__)
            after = rows[-1][0]

    def refuse(self, digest: str, lines: Sequence[dict[str, object]]) -> str:
        """Insert the refusals of one page."""
        rows = [{"digest": digest, "line": line["line"], "document": text(line)} for line in lines]

        def insert(connection: sa.Connection) -> None:
            known = set(connection.scalars(sa.select(self.refusals.c.line).where(self.refusals.c.digest == digest)))
            if new := [row for row in rows if row["line"] not in known]:
                connection.execute(self.refusals.insert(), new)

        self._try("refusals", insert)
        return self.refusals.name

    def deliver(self, batch_id: str, number: int, reports: Sequence[Outgoing]) -> Answer:
        """Insert the reports that are not there yet; a key that is there with another content is a fault."""
        held = self._try("reports", partial(self._insert, batch_id, reports))
        receipts, faults = [], []
        for report in reports:
            if held[report.key] == report.digest:
                receipts.append(Receipt(*report.key, f"sha256:{report.digest}"))
            else:
                faults.append(Fault(*report.key, "another content is there under this key", final=True))
        return Answer(receipts, faults)

    def _page(self, after: int, connection: sa.Connection) -> list[tuple[int, str]]:
        table = self.requests
        query = sa.select(table).where(table.c.line_no > after).order_by(table.c.line_no).limit(_PAGE)
        return [(row.line_no, row.document) for row in connection.execute(query)]

    def _insert(
        self, batch_id: str, reports: Sequence[Outgoing], connection: sa.Connection
    ) -> dict[tuple[str, int], str]:
        """Digest by key of everything that is at the receiver after this."""
        table = self.reports
        held: dict[tuple[str, int], str] = {}
        for start in range(0, len(reports), _KEYS):
            ids = [report.report_id for report in reports[start : start + _KEYS]]
            columns = (table.c.report_id, table.c.version, table.c.digest)
            for row in connection.execute(sa.select(*columns).where(table.c.report_id.in_(ids))):
                held[(row.report_id, row.version)] = row.digest
        rows = [
            {
                "report_id": report.report_id,
                "version": report.version,
                "batch_id": batch_id,
                "document": report.document.decode(),
                "digest": report.digest,
            }
            for report in reports
            if report.key not in held
        ]
        if rows:
            connection.execute(table.insert(), rows)
        return held | {(str(row["report_id"]), int(str(row["version"]))): str(row["digest"]) for row in rows}

    def _try(self, step: str, work: Callable[[sa.Connection], T]) -> T:
        """Do it in one transaction, again if the database went away or somebody else inserted the same key."""
        again = Retrying(
            retry=retry_if_exception_type((sa.exc.OperationalError, sa.exc.IntegrityError)),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_exponential_jitter(initial=0.1, max=5, jitter=0.1),
            reraise=True,
        )
        try:
            result: T = again(self._once, work)
            return result
        except sa.exc.OperationalError as error:
            # The driver's message may hold values; its class says enough.
            raise CaseSystemUnavailableError("database", step, type(error.orig).__name__) from None
        except sa.exc.SQLAlchemyError as error:
            raise CaseSystemRefusedError("database", step, type(error).__name__) from None

    def _once(self, work: Callable[[sa.Connection], T]) -> T:
        with self.engine.begin() as connection:
            return work(connection)
