"""Reading against sql/: many worlds in one run, and the households on which the two differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import duckdb

from tests.reference import columns, compare
from tests.reference.generate import World, random_plan, world
from tests.reference.packs import policy
from tests.reference.reading import read
from tests.reference.told import Household, Policy

POLICIES = 40  # in one run


@dataclass(frozen=True, slots=True)
class Difference:
    """A household on which reading and sql/ differ: by aspect, what the reading finds and what sql/ finds."""

    world: int
    told: Household
    aspects: dict[str, tuple[Any, Any]]


def draw(seed: int, count: int, gates: frozenset[str] = frozenset()) -> tuple[list[World], list[Policy]]:
    """The worlds of a seed: the same seed, the same worlds. ``gates``: sources whose extract failed its checks."""
    rng = Random(seed)
    policies = [policy(rng) for _ in range(POLICIES)]
    plans = [random_plan(rng, POLICIES) for _ in range(count)]
    return [world(plan, policies, f"{place:07d}", gates) for place, plan in enumerate(plans)], policies


def assessed(worlds: Sequence[World], policies: Sequence[Policy], threads: int = 2) -> duckdb.DuckDBPyConnection:
    """A connection on which sql/ has assessed the worlds."""
    con = duckdb.connect()
    con.execute(f"SET threads = {threads}")
    columns.load(con, worlds, policies)
    columns.run(con)
    return con


def against(worlds: Sequence[World], policies: Sequence[Policy], threads: int = 2) -> list[Difference]:
    """Every household on which the two differ."""
    with assessed(worlds, policies, threads) as con:
        found = compare.of_sql(con)
    different = []
    for place, one in enumerate(worlds):
        for told in one.households:
            aspects = compare.differences(compare.of_reading(read(told)), found[told.request_id])
            if aspects:
                different.append(Difference(place, told, aspects))
    return different
