"""DuckDB for one stage: in memory, bounded, spilling encrypted; Parquet in and out under the batch's data key."""

from __future__ import annotations

import base64
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from pipelines.batch import flush, whole_file
from pipelines.settings import Limits

SQL = Path(__file__).resolve().parent.parent / "sql"
_KEY = "batch"
# Extensions whose signature DuckDB has checked in this process: checking it costs more than all else a connection does.
_verified: set[Path] = set()


def _httpfs() -> Path:
    """The signed extension that ships as a wheel; DuckDB refuses to encrypt without it."""
    import duckdb_extension_httpfs

    folder = Path(duckdb_extension_httpfs.__file__).parent / "extensions"
    return next(folder.glob(f"v{duckdb.__version__}/httpfs.duckdb_extension"))


@contextmanager
def connect(data_key: bytes, limits: Limits | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a connection that can read and write the batch's Parquet.

    Args:
        data_key: the batch's data key, 32 bytes.
        limits: memory and threads; the defaults of hedui.yaml if None.
    """
    limits = limits or Limits()
    # DuckDB makes the folder when it spills, which is seldom: a process that is killed leaves nothing behind
    spill = Path(tempfile.gettempdir()) / f"hedui-spill-{secrets.token_hex(8)}"
    extension = _httpfs()
    config = {"threads": limits.threads, "memory_limit": limits.memory, "temp_directory": str(spill)}
    con = duckdb.connect(config=config | {"allow_unsigned_extensions": extension in _verified})
    try:
        con.execute(f"LOAD '{extension}'")
        _verified.add(extension)
        con.execute("SET temp_file_encryption = true")
        con.execute(f"PRAGMA add_parquet_key('{_KEY}', '{base64.b64encode(data_key).decode()}')")
        con.execute("SET TimeZone = 'Asia/Shanghai'")
        yield con
    finally:
        con.close()
        shutil.rmtree(spill, ignore_errors=True)


def write_parquet(con: duckdb.DuckDBPyConnection, select: str, path: Path) -> int:
    """Write the rows of ``select`` to encrypted Parquet, whole or not at all; returns how many."""
    with whole_file(path) as temporary:
        row = con.execute(
            f"COPY ({select}) TO '{temporary}' (FORMAT parquet, COMPRESSION zstd, "
            f"ENCRYPTION_CONFIG {{footer_key: '{_KEY}'}})"
        ).fetchone()
    return int(row[0]) if row else 0


def write_divided(con: duckdb.DuckDBPyConnection, select: str, column: str, folder: Path) -> None:
    """Write the rows of ``select`` as encrypted Parquet under ``folder/<column>=<value>/``, whole or not at all.

    Dividing rows costs a fraction of ordering them. What is there stays.
    """
    if folder.exists():
        return
    temporary = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    con.execute(
        f"COPY ({select}) TO '{temporary}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY ({column}), "
        f"OVERWRITE_OR_IGNORE, ENCRYPTION_CONFIG {{footer_key: '{_KEY}'}})"
    )
    for path in (*temporary.rglob("*"), temporary):
        flush(path)
    temporary.replace(folder)


def write_table(con: duckdb.DuckDBPyConnection, table: pa.Table, path: Path) -> int:
    """Write an Arrow table as encrypted Parquet."""
    con.register("_table", table)
    try:
        return write_parquet(con, "SELECT * FROM _table", path)
    finally:
        con.unregister("_table")


def scan(*paths: Path) -> str:
    """SQL that reads one or more Parquet files of the batch, of one and the same schema.

    ``union_by_name`` is not used: DuckDB 1.5.5 fails on encrypted files with it.
    """
    listed = ", ".join(f"'{path}'" for path in paths)
    return f"read_parquet([{listed}], hive_partitioning = false, encryption_config = {{footer_key: '{_KEY}'}})"


def sql_text(relative: str) -> str:
    """The text of a file under sql/."""
    return (SQL / relative).read_text("utf-8")
