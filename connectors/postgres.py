"""PostgreSQL read through DuckDB's scanner: the server's binary COPY becomes Arrow without a row in Python."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import sqlalchemy as sa

from connectors.conform import check_types
from connectors.contract import Contract
from connectors.extract import BATCH_ROWS
from connectors.faults import source_error


def through_duckdb(contract: Contract, engine: sa.Engine, statement: sa.Select) -> Iterator[pa.RecordBatch]:
    """PostgreSQL's binary COPY through DuckDB's scanner: measured five times as fast as rows through a driver."""
    compiled = statement.compile(dialect=engine.dialect, compile_kwargs={"literal_binds": True})
    sql = str(compiled).replace("%%", "%")
    connection = duckdb.connect(config={"threads": 1, "memory_limit": "512MB", "temp_directory": ""})
    try:
        connection.execute(f"LOAD '{scanner()}'")
        connection.execute(f"ATTACH {literal(dsn(engine.url))} AS source (TYPE postgres, READ_ONLY)")
        result = connection.execute(f"SELECT * FROM postgres_query('source', {literal(sql)})")
        with result.to_arrow_reader(BATCH_ROWS) as reader:  # a reader left open would keep the server's lock
            check_types(contract, reader.schema)
            yield from reader
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        raise source_error(contract.dataset, "read rows", error) from None
    finally:
        connection.close()


def literal(text: str) -> str:
    """The text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def dsn(url: sa.URL) -> str:
    """The address as libpq writes it."""
    parts = {
        "host": url.host,
        "port": url.port,
        "user": url.username,
        "password": url.password,
        "dbname": url.database,
    }
    parts |= dict(url.query)  # type: ignore[arg-type]
    escaped = ((name, str(value).replace("\\", "\\\\").replace("'", "\\'")) for name, value in parts.items() if value)
    return " ".join(f"{name}='{value}'" for name, value in escaped)


def scanner() -> Path:
    """The signed extension that ships as a wheel."""
    import duckdb_extension_postgres_scanner as package

    folder = Path(os.path.dirname(package.__file__ or "")) / "extensions"
    return next(folder.glob(f"v{duckdb.__version__}/*.duckdb_extension"))
