"""Facts: admitted tables as rows of five kinds; every file of sql/facts/<kind>/ speaks for one dataset."""

from __future__ import annotations

from pathlib import Path

import duckdb

from connectors.contract import Contract
from pipelines.admission import current_view_sql
from pipelines.warehouse import SQL, scan, sql_text, write_parquet

KINDS = ("income", "holding", "status", "link", "expense")
ROW = ("extract_digest", "row_no", "row_digest")
# one delivered row may tell several facts; what tells them apart
SAME_ROW = {
    "income": "period_from, kind", "holding": "class, asset, person", "status": "from_on, kind", "link": "person, kind",
    "expense": "period_from, kind",
}  # fmt: skip


def table_name(dataset: str) -> str:
    """``taxation/individual_income`` → ``taxation__individual_income``."""
    return dataset.replace("/", "__")


def create_current_views(
    con: duckdb.DuckDBPyConnection, contracts: dict[str, Contract], admitted: dict[str, list[Path]]
) -> None:
    """One view per dataset with its rows as they now stand: increments applied, deletions honoured (R8).

    Args:
        con: a warehouse connection.
        contracts: every contract, by dataset.
        admitted: the admitted Parquet files of each dataset; a dataset without any becomes an empty view.
    """
    for dataset, contract in contracts.items():
        select = current_view_sql(contract, admitted.get(dataset, []))
        con.execute(f"CREATE OR REPLACE VIEW {table_name(dataset)} AS {select}")


def write_facts(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Unite the fact files of every kind, number the facts, and write each kind by shard; what is there stays.

    Reading the admitted tables costs the same for one shard as for all, so it is done once.

    Args:
        con: has the current views, and ``shard_persons`` (person, shard): a person of two shards is in both.
        folder: takes ``<kind>.parquet``, sorted by shard.
    """
    for place, kind in enumerate(KINDS):
        if (folder / f"{kind}.parquet").exists():
            continue
        files = sorted((SQL / "facts" / kind).glob("*.sql"))
        parts = [f"SELECT *, 0 AS shard FROM ({sql_text(f'facts/{kind}.sql')})"] + [
            f"SELECT f.*, p.shard FROM ({file.read_text('utf-8')}) f JOIN shard_persons p ON p.person = f.person"
            for file in files
        ]
        told = "\nUNION ALL BY NAME\n".join(f"({part})" for part in parts)
        write_parquet(con, _numbered(place, kind, told) + " ORDER BY shard", folder / f"{kind}.parquet")


def read_facts(con: duckdb.DuckDBPyConnection, folder: Path, shard: int) -> None:
    """``fact_<kind>`` of one shard, and ``evidence``: from each fact's number to its row."""
    for kind in KINDS:
        of_shard = f"SELECT * EXCLUDE (shard) FROM {scan(folder / f'{kind}.parquet')} WHERE shard = {shard}"
        con.execute(f"CREATE OR REPLACE TABLE told_{kind} AS {of_shard}")
    _divide(con)


def number_facts(con: duckdb.DuckDBPyConnection) -> None:
    """Number the rows of ``told_<kind>`` and divide them into ``fact_<kind>`` and ``evidence``."""
    for place, kind in enumerate(KINDS):
        con.execute(f"CREATE OR REPLACE TABLE told_{kind} AS {_numbered(place, kind, f'SELECT * FROM told_{kind}')}")
    _divide(con)


def _numbered(place: int, kind: str, told: str) -> str:
    """Numbers follow dataset, extract and row: an order by them does not depend on the order of arrival (R66)."""
    order = f"dataset, extract_digest, row_no, {SAME_ROW[kind]}"
    return f"SELECT {place << 40} + ROW_NUMBER() OVER (ORDER BY {order}) AS fact_no, * FROM ({told})"


def _divide(con: duckdb.DuckDBPyConnection) -> None:
    """The calculation carries a number in the place of the evidence; ``evidence`` opens it again."""
    for kind in KINDS:
        con.execute(f"CREATE OR REPLACE TABLE fact_{kind} AS SELECT * EXCLUDE ({', '.join(ROW)}) FROM told_{kind}")
    evidence = [f"SELECT fact_no, dataset, {', '.join(ROW)} FROM told_{kind}" for kind in KINDS]
    con.execute("CREATE OR REPLACE VIEW evidence AS " + " UNION ALL ".join(evidence))
