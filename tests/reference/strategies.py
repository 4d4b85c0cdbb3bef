"""Hypothesis strategies: packs, and households by the hundred.

Of a pack every choice is drawn. A household is drawn as a string of bytes that says which building blocks it has and
which variant of each (``generate.decoded``): a choice of Hypothesis costs as much as reading a tenth of a household,
and a string is one. So one run of sql/ serves many examples; what differs is made small by ``shrink``, fact by fact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture.providers import HypothesisProvider

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


def each(strategy: st.SearchStrategy[Example], many: int, take: Callable[[Example], None]) -> None:
    """Give so many examples to ``take``, the same ones in every process.

    Hypothesis draws, now and then, a constant that it found in the code imported so far: other tests of the same
    worker, or another Python, would change every draw after it. It has no setting against that.
    """

    @settings(
        max_examples=many, phases=[Phase.generate], derandomize=True, database=None, deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategy)
    def examine(example: Example) -> None:
        take(example)

    with patch.object(HypothesisProvider, "_maybe_draw_constant", return_value=None):
        examine()
