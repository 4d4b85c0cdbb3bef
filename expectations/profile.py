"""A dataset in numbers: what is compared from one extract to the next, measured by DuckDB.

Every measure is an integer (a count, fen, or hundredths of a per cent) with the number of rows or persons that it was
taken from; none is a value of anybody. ``drift.yaml`` says what is expected of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from connectors.contract import Column, Contract
from expectations.contracts import table_name

# A month with less than a quarter of the usual rows is thin; of few rows a month, chance would make some.
_USUAL_ROWS = 40
_MONTHS = 12


@dataclass(frozen=True)
class Measure:
    """One measure of one dataset; ``column`` is empty where it is of the whole, ``bound`` a limit of the contract."""

    dataset: str
    measure: str
    column: str
    now: int
    n: int
    bound: int | None = None


@dataclass(frozen=True)
class Delivered:
    """What is known of a dataset's extracts beyond their rows."""

    rows_read: int
    rows_set_aside: int
    as_of: date


def measures(
    con: duckdb.DuckDBPyConnection, contract: Contract, delivered: Delivered, coverage: Mapping[str, int], on: date
) -> list[Measure]:
    """Measure one dataset.

    Args:
        con: holds its rows under ``table_name``, and ``coverage``.
        contract: of the dataset.
        delivered: counts of its extracts.
        coverage: state → persons.
        on: the batch's day.
    """
    name, made = contract.dataset, list[Measure]()
    asked = sum(coverage.get(state, 0) for state in ("covered", "stale", "unanswered"))
    answered = asked - coverage.get("unanswered", 0)
    read, aside = delivered.rows_read, delivered.rows_set_aside
    limit = round(contract.max_quarantine_share * 10_000)
    if contract.way == "files" and contract.mode == "full":
        made.append(Measure(name, "delivered", "", read, read))
    made.append(Measure(name, "age", "", (on - delivered.as_of).days, 1, contract.freshness_days))
    if read:
        made.append(Measure(name, "set_aside", "", aside * 10_000 // read, read, limit))
    if asked:
        made.append(Measure(name, "answered", "", answered * 10_000 // asked, asked))
    if answered:
        made.append(Measure(name, "found", "", _found(con, contract) * 10_000 // answered, answered))
    return made + _columns(con, contract) + _months(con, contract, delivered.as_of)


def _kept(contract: Contract) -> Sequence[Column]:
    return [column for column in contract.columns if column.sensitivity != "drop"]


def _found(con: duckdb.DuckDBPyConnection, contract: Contract) -> int:
    """Persons with an answer of whom there is a row."""
    table = table_name(contract.dataset)
    rows = " UNION ALL ".join(
        f'SELECT {"unnest(" if column.multiple else "("}"{column.name}") FROM {table}' for column in contract.subjects
    )
    row = con.execute(
        "SELECT count(*) FROM coverage WHERE dataset = ? AND state IN ('covered', 'stale') "
        f"AND person IN (SELECT * FROM ({rows}))",
        [contract.dataset],
    ).fetchone()
    return int(row[0]) if row else 0


def _columns(con: duckdb.DuckDBPyConnection, contract: Contract) -> list[Measure]:
    """Of each column in one pass: empty cells, the median amount, the share of every code."""
    parts = ["count(*)"]
    for column in _kept(contract):
        name = f'"{column.name}"'
        parts.append(f"count(*) FILTER ({name} IS NULL)")
        if column.type == "money":
            parts.append(f"quantile_disc(abs({name}), 0.5) FILTER ({name} <> 0)")
            parts.append(f"count(*) FILTER ({name} <> 0)")
        if column.codes:
            parts.append(f"histogram({name})")
    row = con.execute(f"SELECT {', '.join(parts)} FROM {table_name(contract.dataset)}").fetchone() or (0,)
    found: Iterator[Any] = iter(row)
    made = list[Measure]()
    if not (rows := next(found)):
        return []
    for column in _kept(contract):
        empty, name = next(found), str(column.name)
        if column.nullable:
            made.append(Measure(contract.dataset, "empty", name, empty * 10_000 // rows, rows))
        if column.type == "money":
            median, amounts = next(found), next(found)
            made += [Measure(contract.dataset, "median", name, median, amounts)] if amounts else []
        if column.codes:
            made += _codes(contract, column, next(found) or {})
    return made


def _codes(contract: Contract, column: Column, counts: Mapping[str, int]) -> list[Measure]:
    whole = sum(counts.values())
    return [
        Measure(contract.dataset, "code", f"{column.name}={code}", counts.get(code, 0) * 10_000 // whole, whole)
        for code in sorted(set((column.codes or {}).values()))
        if whole
    ]


def _months(con: duckdb.DuckDBPyConnection, contract: Contract, as_of: date) -> list[Measure]:
    """Months of the last year with too few rows, after one that has enough; the newest that may still be to come not.

    A month is due when it ended longer ago than the contract lets data be old.
    """
    period = contract.period
    if period is None:
        return []
    row = con.execute(
        f"""
        WITH months AS (
          SELECT unnest(generate_series(date_trunc('month', $as_of::DATE) - to_months({_MONTHS}),
            date_trunc('month', $as_of::DATE - $due::INTEGER + 1) - to_months(1), to_months(1))) AS start),
        spoken AS (
          SELECT start, count(r."{period.first}") AS n
          FROM months LEFT JOIN {table_name(contract.dataset)} r
            ON r."{period.first}" < start + to_months(1) AND r."{period.last}" >= start
          GROUP BY start),
        beside AS (SELECT start, n, median(n) OVER () AS usual FROM spoken)
        SELECT count(*) FILTER (n * 4 < usual AND start > (SELECT min(start) FROM beside WHERE n * 4 >= usual)),
          max(usual)
        FROM beside
        """,
        {"as_of": as_of, "due": contract.freshness_days},
    ).fetchone()
    if not row or row[1] is None or row[1] < _USUAL_ROWS:
        return []
    return [Measure(contract.dataset, "thin_months", period.first, int(row[0]), int(row[1]))]
