"""Every planted problem ends in its expected conclusion and review reasons, and no clean household gets one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.synthetic.plants import catalogue
from connectors.synthetic.population import SHARED
from pipelines.facts import KINDS as FACTS
from pipelines.planted import score
from pipelines.summary import opened
from pipelines.verify import run_batch
from pipelines.warehouse import scan
from tests.proof import county

PLANTED_ONE_IN = 4
KINDS = [kind.name for kind in catalogue()]


@pytest.mark.parametrize("seed", [2, 3])
def test_planted_truth_is_found_and_nothing_else(tmp_path: Path, seed: int) -> None:
    """Every kind in turn, and again up to the child who is in two households, which takes two."""
    households = PLANTED_ONE_IN * (len(KINDS) + KINDS.index(SHARED) + 1)
    made = county.make(tmp_path, households=households, seed=seed)
    batch = made.batch()
    run_batch(batch, made.workspace, confirm=False)
    with opened(batch, made.workspace) as con:
        result = score(con, batch, made.truth)
        files = sorted((batch.folder / "assessed").glob("*/figures.parquet"))
        found = con.execute(f"SELECT request_id, figure, low, high FROM {scan(*files)}").fetchall()
        for kind in FACTS:  # a row that tells several facts numbers them: see `part` in sql/facts/
            told = sorted((batch.folder / "facts").glob(f"*/{kind}/shard=0/*.parquet"))
            numbers = (
                f"SELECT fact_no FROM {scan(*told)} GROUP BY fact_no HAVING count(*) > 1"
                if told
                else "SELECT 1 LIMIT 0"
            )
            assert con.execute(numbers).fetchall() == [], kind
    assert sorted(result.kinds) == sorted(KINDS)
    assert (result.planted - result.found, result.false, result.examples) == (0, 0, [])
    assert result.households == households
    _figures_are_true(made.truth, {(request, figure): (low, high) for request, figure, low, high in found})


def _figures_are_true(truth: Path, found: dict[tuple[str, str], tuple[int, int | None]]) -> None:
    """Not only the conclusions: every figure of every household, to the fen."""
    wrong = []
    for line in truth.read_text("utf-8").splitlines():
        expected = json.loads(line)
        for figure, bounds in expected["figures"].items():
            if found[expected["request_id"], figure] != (bounds["low"], bounds["high"]):
                wrong.append((expected["request_id"], figure))
    assert wrong == []
