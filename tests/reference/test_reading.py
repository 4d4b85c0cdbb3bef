"""The reading and sql/ find the same of 20,000 drawn households: to the fen, and to the reason for review."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import Phase

from tests.reference.against import against, draw
from tests.reference.generate import World, decoded, world
from tests.reference.pen import DEPOSITS, MEDICAL, PENSIONS, TITLES
from tests.reference.shrink import smallest
from tests.reference.story import story
from tests.reference.strategies import MANY, PACKS, Example, each, examples
from tests.reference.told import Policy

HOUSEHOLDS = 20_000
EXAMPLES = 205  # some strings are drawn twice
Key = tuple[str, str, bytes]  # packs and string


@dataclass(slots=True)
class Drawn:
    """Households of many examples, each once, for one run of sql/."""

    keys: dict[Key, None] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=dict)

    def add(self, example: Example) -> None:
        """Take in an example."""
        for key, policy in zip(named(example), example.policies, strict=True):
            self.policies[key] = policy
        self.keys |= dict.fromkeys(keys(example))

    def different(self) -> dict[Key, str]:
        """The households on which reading and sql/ differ, each made small and told as a story."""
        policies = list(self.policies.values())
        worlds = self.worlds(policies)
        found = against(worlds, policies)
        told = list(self.keys)
        heading = f"{len(found)} of {len(worlds)} households differ"
        return {told[one.world]: story(smallest(one, worlds, policies), heading) for one in found[:1]} | {
            told[one.world]: "" for one in found[1:]
        }

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
    drawn = Drawn()
    each(examples(MANY - 20), EXAMPLES, [Phase.generate], drawn.add)
    assert len(drawn.keys) >= HOUSEHOLDS
    if different := drawn.different():
        pytest.fail(shrunk(different))


def shrunk(different: dict[Key, str]) -> str:
    """The story of the smallest example on which the two differ, as Hypothesis finds it on the same way once more."""
    known, last = dict(different), [next(iter(different.values()))]

    def check(example: Example) -> None:
        if not any(key in different for key in keys(example)):
            return  # of the examples before the first that differs
        new = Drawn()
        new.add(example)
        new.keys = {key: None for key in new.keys if key not in known}
        known.update(new.different() if new.keys else {})
        wrong = [known[key] for key in keys(example) if key in known]
        last[0] = next(filter(None, wrong), last[0])
        assert not wrong

    with pytest.raises(AssertionError):
        each(examples(MANY - 20), EXAMPLES, [Phase.generate, Phase.shrink], check)
    return last[0]


@pytest.mark.parametrize("gates", [(DEPOSITS, PENSIONS), (TITLES, MEDICAL)])
def test_r01_what_fails_its_checks_is_no_answer(gates: tuple[str, ...]) -> None:
    worlds, policies = draw(len(gates[0]), 400, frozenset(gates))
    for one in against(worlds, policies):
        pytest.fail(story(smallest(one, worlds, policies), "differs"))
