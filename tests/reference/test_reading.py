"""The reading and sql/ find the same of 20,000 drawn households: to the fen, and to the reason for review."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic

import pytest

from tests.reference import shrink
from tests.reference.against import Difference, against, draw
from tests.reference.generate import World, decoded, world
from tests.reference.pen import DEPOSITS, MEDICAL, PENSIONS, TITLES
from tests.reference.shrink import smallest
from tests.reference.story import story
from tests.reference.strategies import MANY, PACKS, Example, each, examples
from tests.reference.told import Policy

HOUSEHOLDS = 20_000
EXAMPLES = 205  # enough, though some strings are drawn twice
TELLING = 220  # seconds from the start: what is the smallest difference by then is told, before the test is ended
Key = tuple[str, str, bytes]  # packs and string


@dataclass(slots=True)
class Drawn:
    """Households of many examples, each once, for one run of sql/."""

    keys: dict[Key, None] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=dict)

    def add(self, example: Example) -> None:
        """Take in an example, as long as there are not enough."""
        if len(self.keys) >= HOUSEHOLDS:
            return
        for key, policy in zip(named(example), example.policies, strict=True):
            self.policies[key] = policy
        self.keys |= dict.fromkeys(keys(example))

    def different(self, until: float) -> str | None:
        """One of the households on which reading and sql/ differ, as small as there is time for, as a story."""
        policies = list(self.policies.values())
        worlds = self.worlds(policies)
        found = against(worlds, policies)
        heading = f"{len(found)} of {len(worlds)} households differ"
        return story(smallest(found[0], worlds, until), heading) if found else None

    def worlds(self, policies: Sequence[Policy]) -> list[World]:
        """A world for each string."""
        places = {name: place for place, name in enumerate(self.policies)}
        worlds = []
        for number, (*names, told) in enumerate(self.keys):
            plan = decoded(told, PACKS)
            beside = plan.beside and (places[names[plan.beside[0]]], plan.beside[1])
            plan = replace(plan, policy=places[names[plan.policy]], beside=beside)
            worlds.append(world(plan, policies, f"{number:07d}"))
        return worlds


def named(example: Example) -> list[str]:
    """Each pack by all that it says."""
    return [repr(policy) for policy in example.policies]


def keys(example: Example) -> list[Key]:
    """What each household of an example is drawn as."""
    one, other = named(example)
    return [(one, other, told) for told in example.households]


def test_reading_and_sql_find_the_same() -> None:
    begun, drawn = monotonic(), Drawn()
    each(examples(MANY - 20), EXAMPLES, drawn.add)
    assert len(drawn.keys) >= HOUSEHOLDS
    if different := drawn.different(begun + TELLING):
        pytest.fail(different)


def test_the_draws_are_the_same_whatever_else_was_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before: list[Example] = []
    each(examples(MANY - 20), 5, before.append)
    constants = ", ".join(repr(bytes([number]) * 20) for number in range(200))
    (tmp_path / "other_code.py").write_text(f"BYTES = [{constants}]\nNUMBERS = {list(range(1000, 1200))}\n")
    monkeypatch.syspath_prepend(tmp_path)
    __import__("other_code")
    try:
        after: list[Example] = []
        each(examples(MANY - 20), 5, after.append)
    finally:
        del sys.modules["other_code"]
    assert after == before


def test_a_difference_is_told_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0

    def slowly(worlds: Sequence[World], policies: Sequence[Policy]) -> list[Difference]:
        nonlocal now
        now += 10
        return [Difference(place, world.households[0], {"limits": (1, 2)}) for place, world in enumerate(worlds)]

    monkeypatch.setattr(shrink, "against", slowly)
    monkeypatch.setattr(shrink, "monotonic", lambda: now)
    worlds, _ = draw(2, 200)
    world = max(worlds, key=lambda world: len(world.households[0].income))
    found = Difference(0, world.households[0], {"limits": (1, 2)})
    assert len(smallest(found, [world], until=25).told.income) == len(found.told.income) - 3
    assert now == 30


@pytest.mark.parametrize("gates", [(DEPOSITS, PENSIONS), (TITLES, MEDICAL)])
def test_r01_what_fails_its_checks_is_no_answer(gates: tuple[str, ...]) -> None:
    worlds, policies = draw(len(gates[0]), 400, frozenset(gates))
    for one in against(worlds, policies):
        pytest.fail(story(smallest(one, worlds), "differs"))
