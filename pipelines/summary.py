"""Counts that say how a batch went; never a value, never a person."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from pipelines.batch import Batch
from pipelines.keys import KeyRing
from pipelines.settings import Workspace
from pipelines.warehouse import connect, scan

STATES = ("covered", "stale", "unanswered", "unavailable", "not_authorised", "not_queryable", "not_asked")


@dataclass(frozen=True)
class Summary:
    """A batch in numbers.

    Attributes:
        conclusions: (limits, declaration) → households.
        review: review reason → households.
        coverage: dataset → state → persons.
        rows: dataset → (rows read, rows admitted).
        quarantine: (dataset, column, reason) → rows.
        failed: dataset → why it gave nothing.
        gates: dataset → pass, warn or fail.
    """

    conclusions: dict[tuple[str, str], int]
    review: dict[str, int]
    coverage: dict[str, dict[str, int]]
    rows: dict[str, tuple[int, int]]
    quarantine: dict[tuple[str, str, str], int]
    failed: dict[str, str]
    gates: dict[str, str]

    def document(self) -> dict[str, object]:
        """As JSON."""
        return {
            "conclusions": [
                {"limits": k[0], "declaration": k[1], "households": n} for k, n in self.conclusions.items()
            ],
            "review": self.review,
            "coverage": self.coverage,
            "rows": {dataset: {"read": read, "admitted": kept} for dataset, (read, kept) in self.rows.items()},
            "quarantine": [
                {"dataset": k[0], "column": k[1], "reason": k[2], "rows": n} for k, n in self.quarantine.items()
            ],
            "failed": self.failed,
            "gates": self.gates,
        }


@contextmanager
def opened(batch: Batch, ws: Workspace) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that reads the batch's Parquet."""
    key = KeyRing.open(ws.settings.keys, ws.root).data_key(batch.source_folder)
    with connect(key, ws.settings.limits) as con:
        yield con


def summarise(con: duckdb.DuckDBPyConnection, batch: Batch) -> Summary:
    """Count what a batch left; parts that are not there yet count as empty."""
    source = batch.source_folder
    conclusions = _grouped(con, batch, "conclusions", "limits, declaration", "count(*)")
    review = _grouped(con, batch, "review", "code", "count(DISTINCT request_id)")
    coverage: dict[str, dict[str, int]] = {}
    for dataset, state, persons in _counted(con, source / "coverage.parquet", "dataset, state"):
        coverage.setdefault(dataset, {})[state] = persons
    rows: dict[str, tuple[int, int]] = {}
    quarantine: dict[tuple[str, str, str], int] = {}
    failed: dict[str, str] = {}
    for extract in json.loads((source / "extracts.json").read_text("utf-8")):
        read, kept = rows.get(extract["dataset"], (0, 0))
        if not extract["path"]:
            failed[extract["dataset"]] = extract["reason"]
            continue
        rows[extract["dataset"]] = (read + extract["rows_read"], kept + extract["rows_admitted"])
        for problem, count in extract["quarantined"].items():
            key = (extract["dataset"], *problem.split(":", 1))
            quarantine[key] = quarantine.get(key, 0) + count
    gates = source / "gates.json"
    return Summary(
        conclusions={(row[0], row[1]): row[2] for row in conclusions},
        review={row[0]: row[1] for row in review},
        coverage=coverage,
        rows=rows,
        quarantine=dict(sorted(quarantine.items())),
        failed=failed,
        gates=json.loads(gates.read_text("utf-8")) if gates.exists() else {},
    )


def _grouped(
    con: duckdb.DuckDBPyConnection, batch: Batch, table: str, columns: str, count: str
) -> list[tuple[Any, ...]]:
    files = sorted((batch.folder / "assessed").glob(f"*/{table}.parquet"))
    if not files:
        return []
    rows: list[tuple[Any, ...]] = con.execute(
        f"SELECT {columns}, {count} FROM {scan(*files)} GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    return rows


def _counted(con: duckdb.DuckDBPyConnection, file: Path, columns: str) -> list[tuple[Any, ...]]:
    if not file.exists():
        return []
    rows: list[tuple[Any, ...]] = con.execute(
        f"SELECT {columns}, count(*) FROM {scan(file)} GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    return rows
