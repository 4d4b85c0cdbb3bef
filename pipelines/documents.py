"""Report documents out of the assessed tables: sql/report builds them, a range of requests at a time.

Names, ID numbers and addresses are opened here and nowhere else, as whole columns in memory, and go straight into the
document; the document goes sealed to disk.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pyarrow as pa

from pipelines import texts, warehouse
from pipelines.batch import Batch

SHARD = 5_000
DIVISIONS = "data/admin_shandong.csv"
ASSESSED = (
    "households", "household_members", "member_coverage", "income_items", "deductions", "asset_items", "figures",
    "tests", "declaration", "review", "decisive", "conclusions", "withheld", "policy",
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
class Draft:
    """A canonical document, cut where ``digest``, ``signature``, ``supersedes`` and ``version`` belong."""

    request_id: str
    report_id: str
    before_digest: bytes
    before_signature: bytes
    before_supersedes: bytes
    before_version: bytes
    after_version: bytes

    def _tail(self, version: int, supersedes: int | None) -> bytes:
        before = b"null" if supersedes is None else str(supersedes).encode()
        return b'%b"supersedes":%b,%b"version":%d%b' % (
            self.before_supersedes, before, self.before_version, version, self.after_version,
        )  # fmt: skip

    def digest(self, version: int, supersedes: int | None) -> str:
        """SHA-256 (hex) of the document as this version, without digest and signature."""
        hashed = hashlib.sha256(self.before_digest)
        hashed.update(self.before_signature)
        hashed.update(self._tail(version, supersedes))
        return hashed.hexdigest()

    def sealed(self, version: int, supersedes: int | None, digest: str) -> tuple[bytes, int]:
        """The document with its digest and without its signature, and the byte where the signature goes."""
        head = b'%b"digest":"%b",%b' % (self.before_digest, digest.encode(), self.before_signature)
        return head + self._tail(version, supersedes), len(head)


def prepare(
    con: duckdb.DuckDBPyConnection, batch: Batch, source_texts: pa.Table, report_ids: pa.Table
) -> None:
    """Put beside the assessed tables what is the same for every document.

    Args:
        con: the stage's connection.
        batch: gives the as-of time and the folder.
        source_texts: (dataset, title_zh, title_en, provider_zh, provider_en).
        report_ids: (request_id, report_id) of the requests that get a report.

    Raises:
        CodeWithoutTextError: a table holds a code that no reader could be told.
    """
    notices = [{"code": c, "en": t.en, "zh": t.zh} for c, t in sorted(texts.texts()["notice"].items())]
    how = texts.text("objection", "how")
    moment = batch.as_of.isoformat()
    constants = {
        "as_of": [moment], "as_of_date": [batch.as_of.date()], "how_zh": [how.zh], "how_en": [how.en],
        "notices": [_canonical(notices)],
    }  # fmt: skip
    tables = {
        "batch": pa.table(constants), "dataset_texts": source_texts, "report_ids": report_ids,
        "review_texts": texts.table("review"),
    }  # fmt: skip
    for name, table in tables.items():
        con.register("_given", table)
        con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM _given")
        con.unregister("_given")
    divisions = resources.files("pipelines").joinpath(DIVISIONS)
    con.execute(f"CREATE OR REPLACE TEMP TABLE divisions AS SELECT code, name FROM read_csv('{divisions}', all_varchar=true)")
    for table_name, columns in CODES.items():
        _check_codes(con, batch.folder / "assessed" / f"{table_name}.parquet", columns)


def _check_codes(con: duckdb.DuckDBPyConnection, path: Path, columns: dict[str, str]) -> None:
    asked = " UNION ".join(f"SELECT '{k}', {c} FROM {warehouse.scan(path)}" for c, k in columns.items())
    for kind, code in con.execute(asked).fetchall():
        if code is not None:
            texts.reason(code) if kind == "reason" else texts.text(kind, code)


def _canonical(value: object) -> str:
    from pipelines.signing import canonical

    return canonical(value).decode()


def shards(con: duckdb.DuckDBPyConnection, size: int = SHARD) -> list[tuple[str, str]]:
    """First and last request of each shard, in the order of request_id (R66)."""
    return con.execute(
        "SELECT min(request_id), max(request_id) FROM "
        f"(SELECT request_id, (row_number() OVER (ORDER BY request_id) - 1) // {size} AS shard FROM report_ids) "
        "GROUP BY shard ORDER BY shard"
    ).fetchall()


@cache
def _statement(part: str) -> str:
    return warehouse.sql_text(f"report/{part}.sql")


def drafts(con: duckdb.DuckDBPyConnection, batch: Batch, shard: tuple[str, str], opener: Opener) -> Iterator[Draft]:
    """The documents of one shard, in the order of request_id."""
    first, last = (value.replace("'", "''") for value in shard)
    within = f"WHERE request_id BETWEEN '{first}' AND '{last}'"
    for table in ASSESSED:
        path = warehouse.scan(batch.folder / "assessed" / f"{table}.parquet")
        where = "" if table == "policy" else within
        con.execute(f"CREATE OR REPLACE TEMP VIEW {table} AS SELECT * FROM {path} {where}")
    _open(con, batch, within, opener)
    for part in PARTS:
        con.execute(f"CREATE OR REPLACE TEMP TABLE part_{part} AS {_statement(part)}")
    reader = con.execute(_statement("document")).to_arrow_reader(1000)
    for rows in reader:
        for row in zip(*(column.to_pylist() for column in rows.columns), strict=True):
            yield Draft(row[0], row[1], *(_lower_escapes(text.encode()) for text in row[2:]))


def _open(con: duckdb.DuckDBPyConnection, batch: Batch, within: str, opener: Opener) -> None:
    """Open names, ID numbers, addresses and plates of the shard into two temporary tables of this connection."""
    members = con.execute(
        f"SELECT request_id, member_no, display FROM {warehouse.scan(batch.folder / 'members.parquet')} {within}"
    ).to_arrow_table()
    assets = con.execute(
        "SELECT request_id, item_no, class, display FROM asset_items WHERE display IS NOT NULL"
    ).to_arrow_table()
    given = {
        "_members": members.drop_columns("display").append_column(
            "opened", opener.members(members["display"].combine_chunks())
        ),
        "_assets": assets.drop_columns(["class", "display"]).append_column(
            "shown", opener.assets(assets["class"].combine_chunks(), assets["display"].combine_chunks())
        ),
    }
    for name, table in given.items():
        con.register(name, table)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE opened_members AS SELECT request_id, member_no, "
        "opened ->> '$.name' AS name, opened ->> '$.id_number' AS id_number FROM _members"
    )
    con.execute("CREATE OR REPLACE TEMP TABLE opened_assets AS SELECT * FROM _assets")
    for name in given:
        con.unregister(name)


def _lower_escapes(text: bytes) -> bytes:
    r"""RFC 8785 writes control characters as \u00 with lower-case digits; DuckDB writes them in capitals."""
    if b"\\u00" not in text:
        return text
    import re

    escape = re.compile(rb"(?<!\\)((?:\\\\)*\\u00)([0-9A-F]{2})")
    return escape.sub(lambda found: found.group(1) + found.group(2).lower(), text)


def source_texts(contracts: Any) -> pa.Table:
    """Titles and providers of every dataset, from the contracts."""
    rows = [
        {
            "dataset": contract.dataset, "title_zh": contract.title.zh, "title_en": contract.title.en,
            "provider_zh": contract.provider.zh, "provider_en": contract.provider.en,
        }
        for contract in contracts.values()
    ]  # fmt: skip
    return pa.Table.from_pylist(rows)
