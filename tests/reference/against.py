"""Reading against sql/: many worlds in one run, and the households on which the two differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import duckdb

from tests.reference import columns, compare
from tests.reference.generate import World, world
from tests.reference.packs import policy
from tests.reference.reading import read
from tests.reference.told import Household, Policy
from tests.reference.unsettled import unsettled

POLICIES = 40  # in one run


@dataclass(frozen=True, slots=True)
class Difference:
    """A household on which reading and sql/ differ: by aspect, what the reading finds and what sql/ finds."""

    world: int
    told: Household
    aspects: dict[str, tuple[Any, Any]]


def draw(seed: int, count: int) -> tuple[list[World], list[Policy]]:
    """The worlds of a seed: the same seed, the same worlds."""
    rng = Random(seed)
    policies = [policy(rng) for _ in range(POLICIES)]
    return [world(rng, policies, f"{place:07d}") for place in range(count)], policies


def assessed(worlds: Sequence[World], policies: Sequence[Policy], threads: int = 2) -> duckdb.DuckDBPyConnection:
    """A connection on which sql/ has assessed the worlds."""
    con = duckdb.connect()
    con.execute(f"SET threads = {threads}")
    columns.load(con, worlds, policies)
    columns.run(con)
    return con


def against(worlds: Sequence[World], policies: Sequence[Policy], threads: int = 2) -> list[Difference]:
    """Every household on which the two differ; those in a corner that is being settled are left out."""
    with assessed(worlds, policies, threads) as con:
        found = compare.of_sql(con)
    different = []
    for place, one in enumerate(worlds):
        for told in one.households:
            if unsettled(told) is None:
                ours, theirs = compare.of_reading(read(told)), found[told.request_id]
                if told.policy.wage_deduction_bp:  # D21b: the net part of a wage, to the fen
                    ours["decisive"].pop("income", None)
                    theirs["decisive"].pop("income", None)
                aspects = compare.differences(ours, theirs)
                if aspects:
                    different.append(Difference(place, told, aspects))
    return different
