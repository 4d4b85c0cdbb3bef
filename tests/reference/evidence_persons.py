"""Random records about persons: deaths, employment, study, links, marriages."""

from __future__ import annotations

from dataclasses import replace

from tests.reference.pen import (
    CONTRIBUTIONS,
    DEATHS,
    DEPOSITS,
    EDUCATION,
    HOUSING_FUND,
    MARRIAGES,
    OUTSIDE,
    REGISTER,
    Pen,
    following,
)
from tests.reference.told import Expense, Holding, Income, Link, Status


def death(pen: Pen) -> None:
    """A death, by one source or two, dated or not (R21, R22)."""
    rng, member, on = pen.rng, pen.who(), pen.day()
    for dataset in rng.choice(((DEATHS,), (DEATHS,), (REGISTER,), (DEATHS, REGISTER))):
        pen.status(member, dataset, "death", None if dataset == REGISTER and rng.random() < 0.3 else on, None)


def employment(pen: Pen) -> None:
    """Contributions of some months, or deposits into the housing fund (R41)."""
    rng, member, month = pen.rng, pen.who(), pen.month()
    fund = rng.random() < 0.3
    for _ in range(rng.choice((1, 3))):
        if fund:
            pen.status(member, HOUSING_FUND, "housing_fund", month, following(month))
        else:
            pen.status(member, CONTRIBUTIONS, "contribution", month, following(month))
        month = following(month)


def study(pen: Pen) -> None:
    """Full-time study that a school tells of (R24)."""
    rng, member = pen.rng, pen.who()
    stage = rng.choice(("senior_secondary", "undergraduate", "master"))
    pen.status(member, EDUCATION, "student", pen.day(), rng.choice((None, pen.day())), stage)


def marriage(pen: Pen) -> None:
    """Marriages and divorces of a member, with another member or with somebody outside (R25)."""
    rng, member = pen.rng, pen.who()
    others = [m.person for m in pen.told.members if m.person is not None and m is not member]
    for _ in range(rng.choice((1, 1, 2))):
        other = rng.choice([*others, OUTSIDE])
        kind, day = rng.choice(("marriage", "marriage", "divorce")), pen.day()
        pen.link(MARRIAGES, kind, member, other, day)
        for spouse in pen.told.members:  # the register tells it of each of the two
            if spouse.person == other:
                pen.link(MARRIAGES, kind, spouse, member.person or 0, day)


def doubt(pen: Pen) -> None:
    """A row under objection, or beside another under the same key, of what was told before this (R8, R69)."""
    rng, told = pen.rng, pen.told
    kind = rng.choice([told.income, told.holdings, told.expenses, told.statuses, told.links])
    if not kind:
        return
    fact = rng.choice(kind)
    reason = rng.choice(("conflicting_rows", "conflicting_rows", "under_objection", "correction_awaited"))
    told.doubted[fact.no] = reason
    if reason == "conflicting_rows":
        other = replace(fact, no=pen.next(), **contradicting(pen, fact))
        kind.append(other)
        told.doubted[other.no] = reason


def contradicting(pen: Pen, fact: Income | Holding | Expense | Status | Link) -> dict[str, object]:
    """What the other row under the key says instead."""
    if isinstance(fact, Income | Expense):
        return {"amount": fact.amount + pen.rng.choice((1, 1000))}
    if isinstance(fact, Holding):
        return {"value": None if fact.value is None else fact.value + 1}
    return {"start": pen.day()}


def link(pen: Pen) -> None:
    """Another number of a member, with an account of its own (R16)."""
    rng, member = pen.rng, pen.who()
    assert member.person is not None
    former = OUTSIDE + member.number
    one, other = rng.choice(((member.person, former), (member.person, former), (former, member.person)))
    name = rng.choices((member.name, None, 77), (14, 5, 1))[0]
    pen.told.links.append(Link(pen.next(), one, name, REGISTER, "same_person", other, None))
    pen.holding(member, DEPOSITS, "deposit", f"former-{pen.no}", person=former, name=rng.choice((None, member.name)),
                value=pen.amount(), currency="CNY", ownership="sole")  # fmt: skip
