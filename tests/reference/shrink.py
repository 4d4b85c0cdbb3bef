"""The smallest household that still shows a difference: leave out what can be left out, one thing at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import replace

from tests.reference.against import Difference, against
from tests.reference.generate import COVERED, World
from tests.reference.told import Household, Policy


def smallest(difference: Difference, worlds: Sequence[World], policies: Sequence[Policy]) -> Difference:
    """Of all households that lack one thing more and still differ the first, again and again."""
    found, one = difference, worlds[difference.world]
    while True:
        smaller = [renamed(less, number) for number, less in enumerate(variants(one))]
        different = [each for each in against(smaller, policies) if each.aspects.keys() & found.aspects.keys()]
        if not different:
            return found
        found = different[0]
        one = smaller[found.world]


def renamed(one: World, number: int) -> World:
    """The world with its households under names of their own."""
    households = []
    for place, told in enumerate(one.households):
        other = copy(told)
        other.request_id = f"{number:05d}{'ab'[place]}"
        households.append(other)
    return World(households, one.policies)


def variants(one: World) -> Iterator[World]:
    """The world less one household, one fact, one answer that is not plain, one declaration, one member."""
    if len(one.households) > 1:
        for place in range(2):
            yield World([one.households[place]], [one.policies[place]])
    for kind in ("income", "holdings", "statuses", "links", "expenses"):
        for fact in getattr(one.households[0], kind):
            yield each(one, lambda told, kind=kind, fact=fact: without(told, kind, fact))
    for place, told in enumerate(one.households):
        for less in plainer(told):
            households = list(one.households)
            households[place] = less
            yield World(households, one.policies)


def each(one: World, change) -> World:
    """Every household of the world, changed: they share their facts."""
    return World([change(told) for told in one.households], one.policies)


def without(told: Household, kind: str, fact: object) -> Household:
    """The household less one fact."""
    return replace(told, **{kind: [other for other in getattr(told, kind) if other is not fact]})


def plainer(told: Household) -> Iterator[Household]:
    """The household with one thing less that is no fact."""
    for key, answer in told.answers.items():
        if answer is not COVERED and answer.state != "not_queryable":
            yield replace(told, answers=told.answers | {key: COVERED})
    for item in told.declared:
        yield replace(told, declared={name: value for name, value in told.declared.items() if name != item})
    for no in told.doubted:
        yield replace(told, doubted={other: why for other, why in told.doubted.items() if other != no})
    if told.ended:
        yield replace(told, ended={})
    if told.elsewhere:
        yield replace(told, elsewhere={})
    for member in told.members[1:]:
        rest = [other for other in told.members if other is not member]
        answers = {key: answer for key, answer in told.answers.items() if key[0] != member.number}
        yield replace(told, members=rest, answers=answers)
    for member in told.members:
        if member.statuses:
            bare = [replace(other, statuses=()) if other is member else other for other in told.members]
            yield replace(told, members=bare)
