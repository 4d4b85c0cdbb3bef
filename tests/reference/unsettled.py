"""Corners in which both agree on every figure but name one of several reasons; such households are left out."""

from __future__ import annotations

from tests.reference.household import Persons, read_persons
from tests.reference.told import Fact, Household


def unsettled(told: Household) -> str | None:
    """The corner that a household stands in, or None."""
    persons = read_persons(told)
    dead = {m.number for m in told.members if persons.died.get(m.number, told.reference) < told.reference}
    if any(m.role == "supporter" and m.number in dead for m in told.members):
        return "a supporter who died: whether their income after death is a reason by itself"
    if any(names_differ(persons, fact, dead) for fact in told.income):
        return "income of one who died, under another name"
    for holding in told.holdings:
        member = persons.of(holding)
        if member is not None and member.number in dead and holding.custodial:
            return "a custodial account of one who died: exempt, or not counted"
        if names_differ(persons, holding, dead):
            return "a thing of one who died, under another name"
    return None


def names_differ(persons: Persons, fact: Fact, among: set[int]) -> bool:
    """Whether the fact is of one of these members and under another name."""
    member = persons.of(fact)
    return member is not None and member.number in among and fact.name not in (None, member.name)
