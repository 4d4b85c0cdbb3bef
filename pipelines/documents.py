"""Report documents out of the assessed tables: sql/report builds them, a range of requests at a time.

Names, ID numbers, addresses and plates are opened here and nowhere else, as whole columns in memory, and go straight
into the document; the document goes sealed to disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from pipelines import texts
from pipelines.batch import Batch
from pipelines.signing import canonical
from pipelines.warehouse import scan, sql_text

SHARD = 4_000
# GB/T 2260 divisions of the province, state of 2025-12-31; collected from yescallop/areacodes (CC0).
DIVISIONS = "data/admin_shandong.csv"
ASSESSED = (
    "households", "household_members", "member_coverage", "income_items", "deductions", "asset_items", "figures",
    "tests", "declaration", "review", "decisive", "conclusions", "withheld",
)  # fmt: skip
PARTS = (
    "members", "coverage", "sources", "income", "deductions", "assets", "figures", "tests", "declaration",
    "conclusion", "decisive", "withheld",
)  # fmt: skip
# Which code of which table is read as which kind of text.
CODES = {
    "household_members": {"relation": "relation", "role": "role", "why": "why"},
    "member_coverage": {"state": "coverage", "requirement": "requirement"},
    "income_items": {"category": "category", "kind": "income_kind", "granularity": "granularity",
                     "treatment": "treatment", "reason": "reason"},
    "deductions": {"kind": "deduction"},
    "asset_items": {"class": "class", "treatment": "treatment", "reason": "reason"},
    "declaration": {"item": "item", "result": "declaration"},
    "tests": {"figure": "item", "result": "result", "scale": "scale"},
    "review": {"code": "review"},
    "conclusions": {"limits": "limits", "declaration": "declaration"},
    "withheld": {"reason": "withheld"},
}  # fmt: skip


class Opener(Protocol):
    """Opens the sealed display fields of the batch, whole columns at a time."""

    def members(self, sealed: pa.Array) -> pa.Array:
        """Sealed JSON of name and ID number → that JSON."""
        ...

    def assets(self, classes: pa.Array, sealed: pa.Array) -> pa.Array:
        """Class and sealed address or plate → the text."""
        ...


@dataclass(frozen=True)
class Shard:
    """Some of the requests of one folder of assessed tables: from ``first`` to ``last``, in the order of request_id."""

    folder: Path
    first: str
    last: str

    @property
    def condition(self) -> str:
        """The shard's requests as SQL."""
        first, last = (value.replace("'", "''") for value in (self.first, self.last))
        return f"request_id BETWEEN '{first}' AND '{last}'"


def prepare(con: duckdb.DuckDBPyConnection, batch: Batch, source_texts: pa.Table) -> None:
    """Put beside the assessed tables what is the same for every document.

    Args:
        con: the stage's connection.
        batch: gives the as-of time and the folder.
        source_texts: (dataset, title_zh, title_en, provider_zh, provider_en).
    """
    notices = [{"code": code, "en": t.en, "zh": t.zh} for code, t in sorted(texts.texts()["notice"].items())]
    how = texts.text("objection", "how")
    constants = {
        "as_of": [batch.as_of.isoformat()], "as_of_date": [batch.as_of.date()], "how_zh": [how.zh],
        "how_en": [how.en], "notices": [canonical(notices).decode()],
    }  # fmt: skip
    put(con, "batch", pa.table(constants))
    put(con, "dataset_texts", source_texts)
    put(con, "review_texts", texts.table("review"))
    file = resources.files("pipelines").joinpath(DIVISIONS)
    con.execute(f"CREATE TEMP TABLE divisions AS SELECT code, name FROM read_csv('{file}', all_varchar = true)")
    con.execute(f"CREATE TEMP TABLE policy AS SELECT * FROM {scan(batch.folder / 'policy.parquet')}")
    # every join is with at most one row of a household, written in its order; searching for a better one costs more
    con.execute("SET disabled_optimizers = 'join_order'")


def put(con: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
    """Keep an Arrow table as a temporary table."""
    con.register("_given", table)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM _given")
    con.unregister("_given")


def check_codes(con: duckdb.DuckDBPyConnection, folders: list[Path]) -> None:
    """Make sure that every code in the assessed tables has words, before the first document is made.

    Raises:
        CodeWithoutTextError: one has none.
    """
    for table, columns in CODES.items():
        source = scan(*(folder / f"{table}.parquet" for folder in folders))
        for column, kind in columns.items():
            for (code,) in con.execute(
                f"SELECT DISTINCT {column} FROM {source} WHERE {column} IS NOT NULL"
            ).fetchall():
                texts.reason(code) if kind == "reason" else texts.text(kind, code)


def shards(con: duckdb.DuckDBPyConnection, folder: Path, size: int = SHARD) -> list[Shard]:
    """The shards of one folder of assessed tables, in the order of request_id (R66)."""
    bounds = con.execute(
        "SELECT min(request_id), max(request_id) FROM (SELECT request_id, "
        f"(row_number() OVER (ORDER BY request_id) - 1) // {size} AS shard "
        f"FROM {scan(folder / 'households.parquet')}) GROUP BY shard ORDER BY shard"
    ).fetchall()
    return [Shard(folder, first, last) for first, last in bounds]


@cache
def _statement(part: str) -> str:
    return sql_text(f"report/{part}.sql")


def drafts(con: duckdb.DuckDBPyConnection, members: Path, shard: Shard, opener: Opener) -> pa.Table:
    """The documents of a shard, cut where ``digest``, ``signature``, ``supersedes`` and ``version`` go in.

    Args:
        con: prepared, with ``report_ids`` (request_id, report_id) of the requests that get a report.
        members: the batch's planned members with their sealed names.
        shard: which requests.
        opener: opens sealed fields.

    Returns:
        request_id, report_id and the pieces ``before_digest``, ``before_signature``, ``before_supersedes``,
        ``before_version``, ``after_version`` (canonical JSON, UTF-8), in the order of request_id.
    """
    for table in ASSESSED:
        source = scan(shard.folder / f"{table}.parquet")
        con.execute(f"CREATE OR REPLACE TEMP VIEW {table} AS SELECT * FROM {source} WHERE {shard.condition}")
    _open(con, members, shard, opener)
    for part in PARTS:
        con.execute(f"CREATE OR REPLACE TEMP TABLE part_{part} AS {_statement(part)}")
    made = con.execute(_statement("document")).to_arrow_table().combine_chunks()
    for i in range(2, made.num_columns):
        made = made.set_column(i, made.field(i).name, _lower_escapes(made.column(i)))
    return made


def _open(con: duckdb.DuckDBPyConnection, members: Path, shard: Shard, opener: Opener) -> None:
    """Open names, ID numbers, addresses and plates of the shard into temporary tables of this connection."""
    sealed = con.execute(
        f"SELECT request_id, member_no, display FROM {scan(members)} WHERE {shard.condition}"
    ).to_arrow_table()
    opened = opener.members(sealed["display"].combine_chunks())
    put(con, "opened", sealed.drop_columns("display").append_column("opened", opened))
    con.execute(
        "CREATE OR REPLACE TEMP TABLE opened_members AS SELECT request_id, member_no, "
        "opened ->> '$.name' AS name, opened ->> '$.id_number' AS id_number FROM opened"
    )
    held = con.execute(
        "SELECT request_id, item_no, class, display FROM asset_items WHERE display IS NOT NULL"
    ).to_arrow_table()
    shown = opener.assets(held["class"].combine_chunks(), held["display"].combine_chunks())
    put(con, "opened_assets", held.drop_columns(["class", "display"]).append_column("shown", shown))


def _lower_escapes(column: pa.ChunkedArray) -> pa.ChunkedArray:
    r"""RFC 8785 writes control characters as \u00 with lower-case digits; DuckDB writes them in capitals."""
    import re

    if not pc.any(pc.match_substring(column, rb"\u00")).as_py():
        return column
    escape = re.compile(rb"(?<!\\)((?:\\\\)*\\u00)([0-9A-F]{2})")
    values = (escape.sub(lambda m: m.group(1) + m.group(2).lower(), value) for value in column.to_pylist())
    return pa.chunked_array([pa.array(values, column.type)])


def source_texts(contracts: dict[str, Any]) -> pa.Table:
    """Titles and providers of every dataset, from the contracts."""
    texts_of = [(name, c.title, c.provider) for name, c in sorted(contracts.items())]
    return pa.table(
        {
            "dataset": [name for name, _, _ in texts_of],
            "title_zh": [title.zh for _, title, _ in texts_of],
            "title_en": [title.en for _, title, _ in texts_of],
            "provider_zh": [provider.zh for _, _, provider in texts_of],
            "provider_en": [provider.en for _, _, provider in texts_of],
        }
    )


def slices(column: pa.ChunkedArray) -> Iterator[memoryview]:
    """The bytes of each value of a binary column, without copying them."""
    for chunk in column.chunks:
        width = "q" if pa.types.is_large_binary(chunk.type) else "i"
        offsets, data = chunk.buffers()[1:]
        ends = memoryview(offsets).cast(width)[chunk.offset : chunk.offset + len(chunk) + 1]
        whole = memoryview(data)
        yield from (whole[a:b] for a, b in zip(ends, ends[1:], strict=False))
