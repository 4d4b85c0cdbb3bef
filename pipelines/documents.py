"""Report documents out of the assessed tables: sql/report builds them, a range of requests at a time.

SQL gives each document's text in pieces: the rows of its lists, sorted as they will stand, and the text between the
lists. One document is then a run of neighbouring bytes, joined once. Names, ID numbers, addresses and plates are opened
here and nowhere else, as whole columns in memory, and go straight into the document; that goes sealed to disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines import texts
from pipelines.warehouse import scan, sql_text

SHARD = 4_000
ASSESSED = (
    "households", "household_members", "member_coverage", "income_items", "deductions", "expense_items", "asset_items",
    "figures", "tests", "declaration", "review", "decisive", "conclusions", "withheld",
    "suitable", "suitable_tests",
)  # fmt: skip
# The columns of document.sql in the order of the keys: each is the text up to the list, or the field, of its name.
PIECES = (
    "assets", "review", "coverage", "decisive", "declaration", "digest", "expenses", "deductions", "income",
    "members", "signature", "suitable", "supersedes", "tests", "version", "withheld",
)  # fmt: skip
FIELDS = ("digest", "signature", "supersedes", "version")
# Classes of things whose sealed display field is an address; those of a protected household stay sealed (R71).
WITH_ADDRESS = ("dwelling", "premises")
LISTS = tuple(piece for piece in PIECES if piece not in FIELDS)


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


@dataclass(frozen=True)
class Draft:
    """A canonical document without its four fields: the bytes before, between and after them."""

    report_id: str
    before_digest: bytes
    before_signature: bytes
    before_supersedes: bytes
    before_version: bytes
    after_version: bytes

    def rest(self, version: int, supersedes: int | None) -> bytes:
        """What follows the signature, as this version."""
        before = b"null" if supersedes is None else b"%d" % supersedes
        return b"".join((self.before_supersedes, before, self.before_version, b"%d" % version, self.after_version))


def shards(con: duckdb.DuckDBPyConnection, folder: Path, size: int = SHARD) -> list[Shard]:
    """The shards of one folder of assessed tables, in the order of request_id (R66)."""
    bounds = con.execute(
        "SELECT min(request_id), max(request_id) FROM (SELECT request_id, "
        f"(row_number() OVER (ORDER BY request_id) - 1) // {size} AS shard "
        f"FROM {scan(folder / 'households.parquet')}) GROUP BY shard ORDER BY shard"
    ).fetchall()
    return [Shard(folder, first, last) for first, last in bounds]


def put(con: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
    """Keep an Arrow table as a temporary table."""
    con.register("_given", table)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM _given")
    con.unregister("_given")


@cache
def _rows_query() -> str:
    parts = (
        f"SELECT place, {number} AS list, seq, ',' || body AS body FROM ({sql_text(f'report/{name}.sql')})"
        for number, name in enumerate(LISTS)
    )
    return "\nUNION ALL\n".join(parts) + "\nORDER BY place, list, seq"


def drafts(
    con: duckdb.DuckDBPyConnection, members: Path, shard: Shard, places: pa.Table, opener: Opener
) -> Iterator[Draft]:
    """The documents of a shard.

    Args:
        con: prepared by ``constants.prepare``.
        members: the batch's planned members with their sealed names.
        shard: where the assessed tables are, and which requests.
        places: request_id, place (0, 1, …), report_id of the requests that get a report, in that order.
        opener: opens sealed fields.

    Yields:
        One draft for each row of ``places``.
    """
    for table in ASSESSED:
        source = scan(shard.folder / f"{table}.parquet")
        con.execute(f"CREATE OR REPLACE TEMP VIEW {table} AS SELECT * FROM {source} WHERE {shard.condition}")
    put(con, "places", places)
    _open(con, members, shard, opener)
    rows = con.execute(_rows_query()).to_arrow_table().combine_chunks()
    between = con.execute(sql_text("report/document.sql")).to_arrow_table()
    return _joined(rows, between)


def _joined(rows: pa.Table, between: pa.Table) -> Iterator[Draft]:
    """Join each household's pieces; a list's rows lie side by side in the column's bytes, each after a comma."""
    data, starts, ends = _runs(rows, between.num_rows)
    texts = zip(*([text.encode() for text in between[name].to_pylist()] for name in PIECES), strict=True)
    report_ids = between["report_id"].to_pylist()
    for report_id, pieces, first, last in zip(report_ids, texts, starts, ends, strict=True):
        drafted: list[bytes] = []
        run: list[bytes | memoryview] = []
        number = 0
        for name, piece in zip(PIECES, pieces, strict=True):
            run.append(piece)
            if name in FIELDS:
                drafted.append(b"".join(run))
                run = []
            else:
                run.append(data[first[number] + 1 : last[number]])
                number += 1
        digest, signature, supersedes, version = drafted
        yield Draft(report_id, digest, signature, supersedes, version, b"".join((*run, b"]}")))


def _runs(rows: pa.Table, households: int) -> tuple[memoryview, list[list[int]], list[list[int]]]:
    """Where each list of each household begins and ends in the bytes of the column ``body``."""
    if not rows.num_rows:
        nothing = [[0] * len(LISTS)] * households
        return memoryview(b""), nothing, nothing
    body = rows["body"].chunk(0)
    width = np.dtype(np.int64 if pa.types.is_large_string(body.type) else np.int32)
    buffers = body.buffers()
    offsets = np.frombuffer(buffers[1], width)[body.offset : body.offset + len(body) + 1]
    key: npt.NDArray[np.int64] = rows["place"].to_numpy() * len(LISTS) + rows["list"].to_numpy()
    wanted = np.arange(households * len(LISTS))
    shape = (households, len(LISTS))
    starts = offsets[np.searchsorted(key, wanted, "left")].reshape(shape).tolist()
    ends = offsets[np.searchsorted(key, wanted, "right")].reshape(shape).tolist()
    return memoryview(buffers[2]), starts, ends


def _open(con: duckdb.DuckDBPyConnection, members: Path, shard: Shard, opener: Opener) -> None:
    """Open names, ID numbers, addresses and plates of the shard into temporary tables of this connection."""
    sealed = con.execute(
        f"SELECT request_id, member_no, address_protected, display FROM {scan(members)} JOIN places USING (request_id) "
        f"WHERE {shard.condition}"
    ).to_arrow_table()
    opened = opener.members(sealed["display"].combine_chunks())
    put(con, "opened", sealed.drop_columns("display").append_column("opened", opened))
    con.execute(
        "CREATE OR REPLACE TEMP TABLE opened_members AS SELECT request_id, member_no, "
        "opened ->> '$.name' AS name, opened ->> '$.id_number' AS id_number FROM opened"
    )
    _open_assets(con, opener)


def _open_assets(con: duckdb.DuckDBPyConnection, opener: Opener) -> None:
    """``opened_assets``; an address of a household with a protected member is not opened at all (R71)."""
    displayed = "FROM asset_items JOIN places USING (request_id) WHERE display IS NOT NULL"
    protected = f"class IN {WITH_ADDRESS} AND request_id IN (SELECT request_id FROM opened WHERE address_protected)"
    held = con.execute(f"SELECT request_id, item_no, class, display {displayed} AND NOT ({protected})").to_arrow_table()
    shown = opener.assets(held["class"].combine_chunks(), held["display"].combine_chunks())
    put(con, "opened_assets", held.drop_columns(["class", "display"]).append_column("opened", shown))
    words = texts.text("masked", "address")
    con.execute(
        f"INSERT INTO opened_assets SELECT request_id, item_no, ? {displayed} AND {protected}",
        [f"{words.zh} {words.en}"],
    )
