"""A suite counted by DuckDB itself, in one statement."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from expectations.suite import Suite, Verdict

ORDER: dict[Verdict, int] = {"pass": 0, "warn": 1, "fail": 2}


@dataclass(frozen=True)
class Checked:
    """One expectation's outcome."""

    suite: str
    name: str
    rows: int
    broken: int
    verdict: Verdict


def worst(verdicts: list[Verdict]) -> Verdict:
    """The worst of some verdicts; of none, ``pass``."""
    return max(verdicts, key=ORDER.__getitem__, default="pass")


def run_by(con: duckdb.DuckDBPyConnection, suite: Suite, column: str) -> dict[str, list[Checked]]:
    """The same for each value of a column; only for expectations that look at one row at a time."""
    counts = ", ".join(expectation.count_sql(suite.table) for expectation in suite.expectations)
    found = con.execute(f"SELECT {column}, count(*), {counts} FROM {suite.table} GROUP BY {column} ORDER BY {column}")
    return {
        value: [
            Checked(suite.name, expectation.name, rows, int(count), expectation.verdict(int(count), rows))
            for expectation, count in zip(suite.expectations, broken, strict=True)
        ]
        for value, rows, *broken in found.fetchall()
    }


def run_suite(con: duckdb.DuckDBPyConnection, suite: Suite) -> list[Checked]:
    """Count the broken rows of every expectation of one suite."""
    rows, *broken = con.execute(suite.count_sql()).fetchall()[0]
    return [
        Checked(suite.name, expectation.name, rows, int(count), expectation.verdict(int(count), rows))
        for expectation, count in zip(suite.expectations, broken, strict=True)
    ]
