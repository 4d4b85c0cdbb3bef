"""The reading and sql/ find the same of 20,000 random households: to the fen, and to the reason for review."""

from __future__ import annotations

import pytest

from tests.reference.against import against, draw
from tests.reference.shrink import smallest
from tests.reference.story import story

SEEDS = range(4)
HOUSEHOLDS = 5_000  # of each seed


@pytest.mark.parametrize("seed", SEEDS)
def test_reading_and_sql_find_the_same(seed: int) -> None:
    worlds, policies = draw(seed, HOUSEHOLDS)
    different = against(worlds, policies)
    if different:
        pytest.fail(story(smallest(different[0], worlds, policies), f"{len(different)} households differ"))
