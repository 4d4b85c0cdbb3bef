"""Facts: admitted tables as rows of four kinds; every file of sql/facts/<kind>/ speaks for one dataset."""

from __future__ import annotations

from pathlib import Path

import duckdb

from connectors.contract import Contract
from pipelines.admission import current_view_sql
from pipelines.warehouse import SQL, sql_text

KINDS = ("income", "holding", "status", "link")
ROW = ("extract_digest", "row_no", "row_digest")
# one delivered row may tell several facts; what tells them apart
SAME_ROW = {"income": "period_from", "holding": "class, person", "status": "from_on", "link": "person, kind"}


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


def create_fact_tables(con: duckdb.DuckDBPyConnection, persons: str) -> None:
    """Unite the fact files of every kind, for the persons of the table ``persons`` (column ``person``)."""
    for kind in KINDS:
        files = sorted((SQL / "facts" / kind).glob("*.sql"))
        parts = [sql_text(f"facts/{kind}.sql")] + [
            f"SELECT f.* FROM ({file.read_text('utf-8')}) f SEMI JOIN {persons} p ON p.person = f.person"
            for file in files
        ]
        con.execute(f"CREATE OR REPLACE TABLE told_{kind} AS " + "\nUNION ALL BY NAME\n".join(f"({p})" for p in parts))
    number_facts(con)


def number_facts(con: duckdb.DuckDBPyConnection) -> None:
    """``told_<kind>`` → ``fact_<kind>``, with a number in the place of the evidence, and ``evidence`` by that number.

    Numbers follow dataset, extract and row, so that an order by them is the same whatever the order of arrival (R66).
    """
    evidence = []
    for place, kind in enumerate(KINDS):
        order = "dataset, extract_digest, row_no, " + SAME_ROW[kind]
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE numbered AS "
            f"SELECT {place << 40} + ROW_NUMBER() OVER (ORDER BY {order}) AS fact_no, * FROM told_{kind}"
        )
        con.execute(f"CREATE OR REPLACE TABLE fact_{kind} AS SELECT * EXCLUDE ({', '.join(ROW)}) FROM numbered")
        con.execute(
            f"CREATE OR REPLACE TABLE evidence_{kind} AS SELECT fact_no, dataset, {', '.join(ROW)} FROM numbered"
        )
        con.execute(f"DROP TABLE told_{kind}")
        evidence.append(f"SELECT * FROM evidence_{kind}")
    con.execute("DROP TABLE numbered")
    con.execute("CREATE OR REPLACE VIEW evidence AS " + " UNION ALL ".join(evidence))
