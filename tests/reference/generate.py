"""Random worlds: one or two households, their sources' answers, and facts in the corners where rules meet.

Everything is drawn from a ``random.Random``, so a seed is a world, and Hypothesis can drive and shrink the same code
(``strategies.randoms``). Persons are small numbers within a world.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from tests.reference.evidence import declare, tell
from tests.reference.household import years_later
from tests.reference.told import Answer, Household, Member, Policy

REFERENCES = (
    date(2026, 9, 15), date(2026, 9, 15), date(2026, 9, 1), date(2026, 3, 1), date(2026, 12, 31), date(2026, 1, 1),
    date(2028, 2, 29), date(2028, 3, 15), date(2024, 2, 28), date(2027, 1, 31),
)  # fmt: skip
RELATIONS = ("spouse", "child", "child", "child", "parent", "grandchild", "sibling")
COVERED = Answer("covered")


@dataclass(slots=True)
class World:
    """Households that share persons, facts and answers; ``policies`` has the policy of each by its place."""

    households: list[Household]
    policies: list[int]


def world(rng: Random, policies: list[Policy], name: str) -> World:
    """One household, now and then two that share a member."""
    chosen = rng.randrange(len(policies))
    first = household(rng, policies[chosen], f"{name}a")
    tell(rng, first)
    declare(rng, first)
    if rng.random() > 0.05:
        return World([first], [chosen])
    other = rng.choice((chosen, rng.randrange(len(policies))))
    return World([first, beside(rng, first, policies[other], f"{name}b")], [chosen, other])


def household(rng: Random, policy: Policy, name: str) -> Household:
    """Members, declaration and answers of one request; facts come later."""
    day = rng.choice(REFERENCES)
    count = rng.choices((1, 2, 3, 4), (5, 5, 3, 1))[0]
    members = [member(rng, number, day, policy) for number in range(1, count + 1)]
    told = Household(name, day, policy, members, {}, {})
    told.answers = answers(rng, told)
    if rng.random() < 0.04 and any(m.person is not None for m in members):
        told.ended = {rng.choice([m for m in members if m.person is not None]).number: "withdrawn"}
    if rng.random() < 0.04:
        told.elsewhere = {m.person: f"{name} elsewhere" for m in members if m.person is not None and rng.random() < 0.7}
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
    return Member(
        number=number,
        person=None if newborn else number,
        name=number,
        relation=relation,
        role="supporter" if number > 1 and rng.random() < 0.08 else "member",
        birth=day - timedelta(days=20) if newborn else min(birth, day),
        married=rng.choice((None, True, False, False)),
        student_stage=(stage := rng.choice((None, None, None, "undergraduate", "master", "primary"))),
        full_time=stage is not None and rng.random() < 0.8,
        capacity=rng.random() < 0.93,
        statuses=statuses,
    )


def answers(rng: Random, told: Household) -> dict[tuple[int, str], Answer]:
    """Mostly everything is covered; now and then a source is silent for all or for one, old, or partly unreadable."""
    given = {
        (m.number, dataset): COVERED if m.person is not None else Answer("not_queryable")
        for m in told.members
        for dataset in told.policy.sources
    }
    for _ in range(rng.choices((0, 1, 2), (6, 2, 1))[0]):
        dataset = rng.choice(sorted(told.policy.sources))
        who = rng.choice([None, *told.members])
        state = rng.choice(("unavailable", "unanswered", "stale", "stale", "not_authorised", "unread"))
        for m in told.members:
            if m.person is not None and who in (None, m):
                given[m.number, dataset] = Answer("covered", 1) if state == "unread" else Answer(state)
    return given


def beside(rng: Random, first: Household, policy: Policy, name: str) -> Household:
    """A second open request with a member of the first, under the same numbers and facts (R20)."""
    shared = rng.choice([m for m in first.members if m.person is not None] or first.members)
    alone = replace(shared, number=1, relation="applicant", role="member")
    told = Household(name, first.reference, policy, [alone], {}, {})
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
    declare(rng, told)
    return told
