"""Databases of departments: any that SQLAlchemy reaches, streamed from the server in a fixed order of rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from connectors.conform import check_columns, conform
from connectors.connections import DatabaseConnection
from connectors.content_digest import ContentDigest
from connectors.contract import Contract, DatabaseDelivery, Window
from connectors.engines import discreet_engine
from connectors.extract import Asked, ContractViolation, Extract, SourceRefused
from connectors.faults import fault, persist, source_error
from connectors.postgres import through_duckdb

_FETCH = 10_000
_WIDE = "０１２３４５６７８９Ｘｘ"
_PLAIN = "0123456789XX"
_BLANKS = " \u3000\t"
_REFUSED = ("28", "42", "3D")


def open_database(
    contract: Contract, delivery: DatabaseDelivery, connection: DatabaseConnection, asked: Asked, root: Path
) -> list[Extract]:
    """One extract: the rows of the persons asked for when they are few, else of the whole window.

    Raises:
        SourceUnavailable: the database cannot be reached (R1), or refuses the account.
        ContractViolation: the table lacks a column, has another one's type, or one more than the contract.
    """
    engine = discreet_engine(_url(connection, root), connect_args=_limits(connection), poolclass=sa.NullPool)

    statement = select(contract, delivery, asked, engine.dialect.name)

    def opened() -> date:
        try:
            with engine.connect() as session:
                _check_table(contract, delivery, session)
                session.execute(statement.limit(0))
                if delivery.as_of_query is None:
                    return asked.on
                return _day(contract.dataset, session.execute(sa.text(delivery.as_of_query)).scalar())
        except SQLAlchemyError as error:
            raise _named(contract.dataset, "connect", error) from None

    as_of = persist(connection, opened)
    streamed = through_duckdb if engine.dialect.name == "postgresql" else _through_sqlalchemy
    read = partial(_read, contract, partial(streamed, contract, engine, statement))
    return [
        Extract(contract.dataset, as_of, 1, "full", digest=None, declared_rows=None, read=read, name=delivery.table)
    ]


def _url(connection: DatabaseConnection, root: Path) -> sa.URL:
    url = sa.make_url(connection.url)
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    if connection.password_file:
        url = url.set(password=(root / connection.password_file).read_text("utf-8").strip())
    return url


def _limits(connection: DatabaseConnection) -> dict[str, Any]:
    if connection.url.startswith("postgresql"):
        return {"connect_timeout": max(1, int(connection.timeout_seconds))}
    return {}


def _day(dataset: str, found: object) -> date:
    try:
        return found if isinstance(found, date) else date.fromisoformat(str(found))
    except ValueError:
        raise ContractViolation(dataset, "as_of_query", "one date", type(found).__name__) from None


def _named(dataset: str, step: str, error: SQLAlchemyError) -> Exception:
    """Refused by SQLSTATE class: authorisation, unknown database, missing table or right; the message stays out."""
    original = getattr(error, "orig", None)
    state = str(getattr(original, "sqlstate", None) or "")
    if state.startswith(_REFUSED) or "authentication failed" in str(original):
        return SourceRefused(dataset, step, f"{type(original).__name__} {state}".strip())
    return fault(dataset, step, original or error)


def _check_table(contract: Contract, delivery: DatabaseDelivery, session: sa.Connection) -> None:
    schema, _, table = delivery.table.rpartition(".")
    try:
        found = sa.inspect(session).get_columns(table, schema=schema or None)
    except sa.exc.NoSuchTableError:
        raise SourceRefused(contract.dataset, "find table", f"there is no {delivery.table}") from None
    check_columns(contract, [str(column["name"]) for column in found])
    found_types = {column["name"]: column["type"] for column in found}
    for field in contract.schema:
        found_type = found_types[field.name]
        if not isinstance(found_type, _SQL[field.type][1]) or isinstance(found_type, sa.Float):
            raise ContractViolation(contract.dataset, field.name, str(field.type), str(found_types[field.name]))


_SQL: dict[pa.DataType, tuple[sa.types.TypeEngine, tuple[type, ...]]] = {
    pa.string(): (sa.String(), (sa.String,)),
    pa.date32(): (sa.Date(), (sa.Date,)),
    pa.int64(): (sa.BigInteger(), (sa.Integer,)),
    pa.decimal128(18, 2): (sa.Numeric(18, 2), (sa.Numeric, sa.Integer)),
}


def select(contract: Contract, delivery: DatabaseDelivery, asked: Asked, dialect: str) -> sa.Select:
    """The query: contract's columns, the window, the persons when they are few, and an order for every row."""
    columns: dict[str, sa.ColumnClause] = {
        field.name: sa.column(field.name, _SQL[field.type][0]) for field in contract.schema
    }
    schema, _, table = delivery.table.rpartition(".")
    query = sa.select(*columns.values()).select_from(sa.table(table, schema=schema or None))
    if delivery.window:
        query = query.where(*_in_window(columns, delivery.window, asked))
    if len(asked.persons) <= delivery.list_limit:
        forms = _forms(asked.persons)
        of_persons = [_normalised(columns[c.source], dialect).in_(forms) for c in contract.subjects]
        query = query.where(sa.or_(*of_persons))
    return query.order_by(*(columns[name] for name in delivery.order_by))


def _in_window(
    columns: dict[str, sa.ColumnClause], window: Window, asked: Asked
) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    """Rows whose time overlaps the half-open window; whole years by their number."""
    first, last = columns[window.first], columns[window.last]
    start, end = asked.window
    if isinstance(first.type, sa.Integer):
        return last >= start.year, first <= end.year
    return last >= start, first < end


def _forms(persons: pa.Array) -> list[str]:
    """The forms in which a register may hold a number: 18 digits, and the 15 of before 1999 (R10)."""
    forms: list[str] = []
    for person in persons.to_pylist():
        forms.append(person)
        if len(person) == 18 and person[6:8] == "19":
            forms.append(person[:6] + person[8:17])
    return forms


def _normalised(column: sa.ColumnClause, dialect: str) -> sa.ColumnElement[str]:
    """R11 in SQL, so that a number with a blank or a full-width digit is not missed.

    A department whose table is large keeps an index on this expression.
    """
    if dialect in ("postgresql", "oracle"):
        return sa.func.upper(sa.func.translate(column, _WIDE + _BLANKS, _PLAIN))
    text: Any = column
    for wide, plain in zip(_WIDE + _BLANKS, _PLAIN + " " * len(_BLANKS), strict=True):
        text = sa.func.replace(text, wide, plain.strip())
    return sa.func.upper(text)  # type: ignore[no-any-return]


def _read(contract: Contract, stream: Any, extract: Extract) -> Iterator[pa.RecordBatch]:
    digest = ContentDigest(contract.schema)
    for found in stream():
        batch = conform(contract, found)
        digest.update(batch)
        yield batch
    extract.digest = digest.tagged()


def _through_sqlalchemy(contract: Contract, engine: sa.Engine, statement: sa.Select) -> Iterator[pa.RecordBatch]:
    """Server-side cursor where the driver has one; rows become columns a partition at a time."""
    schema = contract.schema
    try:
        with engine.connect() as session:
            rows = session.execution_options(stream_results=True, yield_per=_FETCH).execute(statement)
            for part in rows.partitions():
                arrays = [
                    pa.array(values, field.type) for values, field in zip(zip(*part, strict=True), schema, strict=True)
                ]
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)
    except SQLAlchemyError as error:
        raise source_error(contract.dataset, "read rows", getattr(error, "orig", None) or error) from None
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        raise ContractViolation(contract.dataset, "-", "the contract's types", "values that do not fit") from None
