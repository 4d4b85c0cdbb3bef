"""What the plan asks of each dataset, and the other official numbers of the persons asked for (R16)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from connectors.contract import Contract
from pipelines import warehouse
from pipelines.admission import current_view_sql
from pipelines.batch import Batch
from pipelines.coverage import Outcome
from pipelines.scoping import Scope, fetch_tokens, one_array, uuids

MOST_STEPS = 8  # of a chain of links: as in sql/household/linked_persons.sql


@dataclass(frozen=True)
class Query:
    """What one dataset is asked: tokens of the persons (sorted), window, purpose."""

    dataset: str
    persons: pa.Array
    window: tuple[date, date]
    purpose: str


def planned_queries(con: duckdb.DuckDBPyConnection, batch: Batch) -> list[Query]:
    """The plan's queries, one for each dataset, in order of dataset."""
    con.execute(
        f"CREATE TEMP VIEW asks AS SELECT * FROM {warehouse.scan(batch.folder / 'queries.parquet')} WHERE state = 'ask'"
    )
    found = con.execute(
        "SELECT dataset, min(window_from), max(window_to), string_agg(DISTINCT purpose, '、' ORDER BY purpose) "
        "FROM asks GROUP BY dataset ORDER BY dataset"
    ).fetchall()
    queries = []
    for dataset, first, last, purpose in found:
        persons = fetch_tokens(
            con,
            "SELECT DISTINCT person FROM asks WHERE dataset = ? AND person IS NOT NULL ORDER BY person",
            [dataset],
        )
        queries.append(Query(dataset, one_array(persons["person"]), (first, last), purpose))
    return queries


def with_links(query: Query, links: pa.Table | None) -> Query:
    """The query with the other official numbers of its persons (R16)."""
    if links is None or not links.num_rows:
        return query
    scope = Scope(query.persons)
    others = one_array(links["other"]).storage.filter(pa.array(scope.contains(one_array(links["person"]))))
    both = pa.concat_arrays([query.persons.storage, others]).unique()
    ordered = both.take(pc.sort_indices(both.cast(pa.binary())))
    return Query(query.dataset, uuids(ordered), query.window, query.purpose)


def write_links(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    contracts: Mapping[str, Contract],
    queries: Sequence[Query],
    outcomes: Sequence[Outcome],
) -> pa.Table:
    """R16: the official numbers of each person asked for, in as many steps as the delivered records take."""
    pairs = ["SELECT CAST(NULL AS UUID) AS person, CAST(NULL AS UUID) AS other WHERE false"]
    for outcome in outcomes:
        contract = contracts.get(outcome.dataset)
        if contract is None:
            continue
        first, *others = [column.name for column in contract.subjects]
        rows = current_view_sql(contract, [extract.path for extract in outcome.extracts])
        for other in others:
            pairs.append(f'SELECT "{first}", "{other}" FROM ({rows})')
            pairs.append(f'SELECT "{other}", "{first}" FROM ({rows})')
    asked = [query.persons for query in queries]
    con.register("asked", pa.table({"person": pa.chunked_array(asked, pa.uuid())}))
    path = folder / "links.parquet"
    union = " UNION ".join(pairs)
    warehouse.write_parquet(
        con,
        f"WITH RECURSIVE pairs AS ({union}), reached AS ("
        "SELECT person, other, 1 AS steps FROM pairs SEMI JOIN asked USING (person) WHERE other IS NOT NULL "
        "UNION SELECT r.person, p.other, r.steps + 1 FROM reached r JOIN pairs p ON p.person = r.other "
        f"WHERE r.steps < {MOST_STEPS} AND p.other IS NOT NULL) "
        "SELECT DISTINCT person, other FROM reached WHERE other <> person ORDER BY person, other",
        path,
    )
    return read_links(con, folder)


def read_links(con: duckdb.DuckDBPyConnection, folder: Path) -> pa.Table:
    """The links that ``write_links`` found."""
    return fetch_tokens(con, f"SELECT * FROM {warehouse.scan(folder / 'links.parquet')} ORDER BY ALL")
