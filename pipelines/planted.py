"""Planted truth against what a batch found: found, missed, false. For the made-up county only."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from pipelines.batch import Batch
from pipelines.warehouse import scan


@dataclass(frozen=True)
class Score:
    """How a batch did against the truth.

    Attributes:
        kinds: planted problem → (rule, planted, found): found means the expected conclusions and review reasons.
        households: households that were verified and are in the truth.
        clean: those in which nothing was planted.
        false: clean households with another conclusion, or with a review reason that the truth does not know.
        examples: request ids of what was missed or false, a few.
    """

    kinds: dict[str, tuple[str, int, int]]
    households: int
    clean: int
    false: int
    examples: list[str]

    @property
    def planted(self) -> int:
        """Households with a planted problem."""
        return sum(count for _, count, _ in self.kinds.values())

    @property
    def found(self) -> int:
        """Those that ended as expected."""
        return sum(found for _, _, found in self.kinds.values())

    def document(self) -> dict[str, object]:
        """As JSON."""
        kinds = [{"kind": k, "rule": r, "planted": n, "found": f} for k, (r, n, f) in self.kinds.items()]
        counts = {"planted": self.planted, "found": self.found, "missed": self.planted - self.found}
        return counts | {"clean": self.clean, "false": self.false, "kinds": kinds, "examples": self.examples}


def score(con: duckdb.DuckDBPyConnection, batch: Batch, truth: Path) -> Score:
    """Compare every household of ``truth`` (truth.jsonl) with what the batch concluded."""
    concluded = _concluded(con, batch)
    kinds: dict[str, tuple[str, int, int]] = {}
    households = clean = false = 0
    examples: list[str] = []
    for line in truth.read_text("utf-8").splitlines():
        expected = json.loads(line)
        found = concluded.get(expected["request_id"])
        if found is None:
            continue
        households += 1
        right = found == (expected["limits"], expected["declaration"]["overall"], frozenset(expected["review"]))
        planted = expected["planted"]
        for plant in planted:
            rule, count, hits = kinds.get(plant["kind"], (plant["rule"], 0, 0))
            kinds[plant["kind"]] = (rule, count + 1, hits + right)
        if not planted:
            clean += 1
            false += not right
        if not right and len(examples) < 20:
            examples.append(expected["request_id"])
    return Score(dict(sorted(kinds.items())), households, clean, false, examples)


def _concluded(con: duckdb.DuckDBPyConnection, batch: Batch) -> dict[str, tuple[Any, ...]]:
    """Request → limits, declaration, review codes."""

    def table(name: str) -> str:
        return scan(*sorted((batch.folder / "assessed").glob(f"*/{name}.parquet")))

    rows = con.execute(
        f"SELECT request_id, limits, declaration, coalesce(codes, []) FROM {table('conclusions')} "
        f"LEFT JOIN (SELECT request_id, list(DISTINCT code) AS codes FROM {table('review')} GROUP BY request_id) "
        "USING (request_id)"
    ).fetchall()
    return {request: (limits, declaration, frozenset(codes)) for request, limits, declaration, codes in rows}
