"""Worlds: one or two households, their sources' answers, and facts in the corners where rules meet.

A ``Plan`` says which building blocks a world has, and of each block which variant: so Hypothesis can draw plans and
leave blocks out, and ``make soak`` can draw millions. Persons are small numbers in a world.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from tests.reference.evidence import TEMPLATES, declare, tell
from tests.reference.household import years_later
from tests.reference.told import Answer, Household, Member, Policy

REFERENCES = (
    date(2026, 9, 15), date(2026, 9, 1), date(2026, 3, 1), date(2026, 12, 31), date(2026, 1, 1), date(2028, 2, 29),
    date(2028, 3, 15), date(2024, 2, 28), date(2027, 1, 31),
)  # fmt: skip
RELATIONS = ("spouse", "child", "child", "child", "parent", "grandchild", "sibling")
COVERED = Answer("covered")
VARIANTS = 1 << 16  # of each building block


@dataclass(frozen=True, slots=True)
class Plan:
    """What a world is built of; numbers below VARIANTS say which variant of a block."""

    policy: int
    reference: int
    members: tuple[int, ...]
    gaps: tuple[int, ...]  # what the sources do not say, or what else stands in the way
    facts: tuple[tuple[int, int], ...]  # template and variant
    declared: int
    beside: tuple[int, int] | None  # a second request of a member: its policy and variant


@dataclass(slots=True)
class World:
    """Households that share persons, facts and answers; ``policies`` has the policy of each by its place."""

    households: list[Household]
    policies: list[int]


def random_plan(rng: Random, policies: int) -> Plan:
    """A plan as it falls; a seed is a plan."""
    count = rng.choice((0, 1, 2, 3, 4, 6))
    return Plan(
        policy=rng.randrange(policies),
        reference=rng.randrange(len(REFERENCES)),
        members=variants(rng, rng.choices((1, 2, 3, 4), (5, 5, 3, 1))[0]),
        gaps=variants(rng, rng.choices((0, 1, 2), (6, 2, 1))[0]),
        facts=tuple(zip(rng.choices(range(len(TEMPLATES)), k=count), variants(rng, count), strict=True)),
        declared=rng.randrange(VARIANTS),
        beside=None if rng.random() > 0.05 else (rng.randrange(policies), rng.randrange(VARIANTS)),
    )


def decoded(told: bytes, policies: int) -> Plan:
    """The plan that a string of bytes says; what is left of it when the household is known are facts."""
    place = 0

    def number(size: int) -> int:
        nonlocal place
        place += size
        return int.from_bytes(told[place - size : place], "big")

    policy, reference, counts, more = number(1), number(1), number(1), number(1)
    members, gaps = 1 + (0, 0, 0, 1, 1, 1, 2, 3)[counts % 8], (0, 0, 0, 0, 0, 1, 1, 2)[counts // 8 % 8]
    return Plan(
        policy=policy % policies,
        reference=reference % len(REFERENCES),
        members=tuple(number(2) for _ in range(members)),
        gaps=tuple(number(2) for _ in range(gaps)),
        declared=number(2),
        beside=(more % policies, number(2)) if more % 20 == 19 else None,
        facts=tuple((number(1) % len(TEMPLATES), number(2)) for _ in range(min(6, (len(told) - place) // 3))),
    )


def variants(rng: Random, count: int) -> tuple[int, ...]:
    return tuple(rng.randrange(VARIANTS) for _ in range(count))


def world(plan: Plan, policies: Sequence[Policy], name: str, gates: frozenset[str] = frozenset()) -> World:
    """The world of a plan."""
    first = household(plan, policies[plan.policy], f"{name}a", gates)
    tell(first, plan.facts)
    declare(Random(plan.declared), first)
    if plan.beside is None:
        return World([first], [plan.policy])
    other, variant = plan.beside
    return World([first, beside(Random(variant), first, policies[other], f"{name}b")], [plan.policy, other])


def household(plan: Plan, policy: Policy, name: str, gates: frozenset[str]) -> Household:
    """Members, declaration and answers of one request; facts come later."""
    day = REFERENCES[plan.reference]
    members = [member(Random(variant), number, day, policy) for number, variant in enumerate(plan.members, start=1)]
    told = Household(name, day, policy, members, {}, {}, gates=gates)
    told.answers = {
        (m.number, dataset): COVERED if m.person is not None else Answer("not_queryable")
        for m in members
        for dataset in policy.sources
    }
    for variant in plan.gaps:
        gap(Random(variant), told)
    return told


def member(rng: Random, number: int, day: date, policy: Policy) -> Member:
    """The applicant, or a member or supporter of an age at which rules change."""
    relation = "applicant" if number == 1 else rng.choice(RELATIONS)
    ages = (0, 10, policy.minor_age, policy.adult_child_age or 30, 25, 45)
    birth = years_later(day, -rng.choice(ages)) + timedelta(days=rng.choice((-1, 0, 0, 1, 40)))
    newborn = relation == "child" and rng.random() < 0.05
    statuses = ()
    if rng.random() < 0.06:
        start = years_later(day, -rng.choice((0, 1, 2, 3))) + timedelta(days=rng.choice((-1, 0, 0, 1)))
        end = rng.choice((None, None, day, day + timedelta(days=1), day - timedelta(days=1)))
        statuses = ((rng.choice(("prison", "clergy", "conscript", "missing")), start, end),)
    supporter = number > 1 and not newborn and rng.random() < 0.1
    return Member(
        number=number,
        person=None if newborn else number,
        name=number,
        relation=relation,
        role="supporter" if supporter else "member",
        birth=day - timedelta(days=20) if newborn else min(birth, day),
        married=rng.choice((None, True, False, False)),
        student_stage=(stage := rng.choice((None, None, None, "undergraduate", "master", "primary"))),
        full_time=stage is not None and rng.random() < 0.8,
        capacity=rng.random() < 0.93,
        supports=(rng.choice((None, 1, 2, 3)), rng.choice((None, 1, 2))) if supporter else (None, None),
        statuses=statuses,
    )


def gap(rng: Random, told: Household) -> None:
    """A source that is silent for all or for one, old, or partly unreadable; an authorisation that ended; R20."""
    what = rng.choices(("source", "ended", "elsewhere", "no_consent"), (12, 1, 1, 1))[0]
    numbered = [m for m in told.members if m.person is not None]
    if what == "ended" and numbered:
        told.ended = {rng.choice(numbered).number: "withdrawn"}
    elif what == "elsewhere":
        where = f"{told.request_id} elsewhere"
        told.elsewhere = {m.person: where for m in numbered if m.person and rng.random() < 0.7}
    elif what == "no_consent":
        silence(
            told, [m for m in numbered if m.role == "supporter"], list(told.policy.sources), Answer("not_authorised")
        )
    else:
        who = rng.choice([None, *told.members])
        state = rng.choice(("unavailable", "unanswered", "stale", "stale", "not_authorised", "unread"))
        answer = Answer("covered", 1) if state == "unread" else Answer(state)
        asked = [m for m in numbered if who in (None, m)]
        silence(told, asked, [rng.choice(sorted(told.policy.sources))], answer)


def silence(told: Household, members: Sequence[Member], datasets: Sequence[str], answer: Answer) -> None:
    """The same answer of some sources about some members."""
    told.answers |= {(m.number, dataset): answer for m in members for dataset in datasets}


def beside(rng: Random, first: Household, policy: Policy, name: str) -> Household:
    """A second open request with a member of the first, under the same numbers and facts (R20)."""
    shared = rng.choice([m for m in first.members if m.person is not None] or first.members)
    alone = replace(shared, number=1, relation="applicant", role="member")
    told = Household(name, first.reference, policy, [alone], {}, {}, gates=first.gates)
    told.answers = {
        (1, dataset): first.answers.get((shared.number, dataset), COVERED if alone.person else Answer("not_queryable"))
        for dataset in policy.sources
    }
    for key, answer in told.answers.items():
        if answer.state == "not_authorised" and rng.random() < 0.5:
            told.answers[key] = COVERED  # authorised here, and not there
    if shared.person is not None:
        here = {shared.person: first.request_id} if shared.role == "member" else {}
        told.elsewhere = {p: where for p, where in first.elsewhere.items() if p == shared.person} | here
        first.elsewhere |= {shared.person: name}
    told.income, told.holdings, told.statuses, told.links = first.income, first.holdings, first.statuses, first.links
    told.expenses, told.doubted = first.expenses, first.doubted
    declare(rng, told)
    return told
