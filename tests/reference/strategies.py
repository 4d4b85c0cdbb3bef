"""Hypothesis strategies: packs, and households by the hundred.

Of a pack every choice is drawn. A household is drawn as a string of bytes that says which building blocks it has and
which variant of each (``generate.decoded``): a choice of Hypothesis costs as much as reading a tenth of a household,
and a string is one. So one run of sql/ serves many examples, and shrinking leaves out households, blocks, variants.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.reference.packs import policy
from tests.reference.told import Policy

PACKS = 2  # of one example
MANY = 200  # households of one example at most: more do not fit into what Hypothesis lets one example draw


@dataclass(frozen=True, slots=True)
class Example:
    """Packs, and households that live under them."""

    policies: tuple[Policy, ...]
    households: tuple[bytes, ...]


@st.composite
def packs(draw: st.DrawFn) -> Policy:
    """A policy, every choice drawn."""
    return policy(draw(st.randoms(use_true_random=False)))


def examples(least: int) -> st.SearchStrategy[Example]:
    """So many households at least, under their packs."""
    households = st.lists(st.binary(min_size=8, max_size=39), min_size=least, max_size=MANY)
    return st.builds(Example, policies=st.tuples(*[packs()] * PACKS), households=households.map(tuple))


def each(
    strategy: st.SearchStrategy[Example], many: int, phases: list[Phase], check: Callable[[Example], None]
) -> None:
    """Give so many examples to ``check``, the same ones every time."""

    @settings(
        max_examples=many, phases=phases, derandomize=True, database=None, deadline=None,
        suppress_health_check=list(HealthCheck), report_multiple_bugs=False,
    )  # fmt: skip
    @given(strategy)
    def examine(example: Example) -> None:
        check(example)

    examine()
