"""The smallest household that still shows a difference: leave out what can be left out, one thing at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import replace
from math import inf
from time import monotonic
from typing import Any

from tests.reference.against import Difference, against
from tests.reference.generate import COVERED, World
from tests.reference.told import Household, Policy

NOTHING: dict[str, Any] = {
    "loss_offset": False, "wage_deduction_bp": 0, "wage_deduction_cap_fen": None, "adult_child_age": None,
    "student_stages": frozenset(), "mortgage_netted": False, "trace_proceeds_min_fen": None,
    "income_excluded": frozenset(), "tolerances": {}, "statuses": {}, "vehicle_exempt": {}, "support_share_bp": 0,
    "support_floor_fen": 0, "expenses": {},
}  # fmt: skip


def smallest(difference: Difference, worlds: Sequence[World], until: float = inf) -> Difference:
    """Of all households that lack one thing more and still differ the first, again and again, or until then."""
    found, one = difference, worlds[difference.world]
    while monotonic() < until:
        smaller, policies = [], []
        for number, less in enumerate(variants(one)):
            smaller.append(renamed(less, number, len(policies)))
            policies += [told.policy for told in less.households]
        different = [each for each in against(smaller, policies) if each.aspects.keys() & found.aspects.keys()]
        if not different:
            return found
        found = different[0]
        one = smaller[found.world]
    return found


def renamed(one: World, number: int, policies: int) -> World:
    """The world with its households under names of their own, and each under the next policy after so many."""
    households = []
    for place, told in enumerate(one.households):
        other = copy(told)
        other.request_id = f"{number:05d}{'ab'[place]}"
        households.append(other)
    return World(households, [policies + place for place in range(len(households))])


def variants(one: World) -> Iterator[World]:
    """The world less one household, one fact, one answer that is not plain, one declaration, one member, one rule."""
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
    for less in simpler(told.policy):
        yield replace(told, policy=less)


def simpler(policy: Policy) -> Iterator[Policy]:
    """The policy less one test, or with nothing of some rule."""
    for test in policy.tests:
        yield replace(policy, tests=tuple(other for other in policy.tests if other is not test))
    for name, nothing in NOTHING.items():
        if getattr(policy, name) != nothing:
            yield replace(policy, **{name: nothing})
