"""Corners in which reading and sql/ are known to differ and which are being settled; such households are left out."""

from __future__ import annotations

from tests.reference.household import Persons, read_persons
from tests.reference.told import Fact, Household, Link


def unsettled(told: Household) -> str | None:
    """The corner that a household stands in, or None."""
    persons = read_persons(told)
    dead = {m.number for m in told.members if persons.died.get(m.number, told.reference) < told.reference}
    if any(m.role == "supporter" and m.number in dead for m in told.members):
        return "D4 a supporter who died"
    if any(link_unread(persons, link) for link in told.links):
        return "D12 a link from a source that may not be read"
    if any(holders - persons.counted and holders & persons.counted for holders in units(persons).values()):
        return "D18 a unit of one who counts and one who does not"
    yearly = any(f.granularity == "annual" and f.category == "wage" for f in told.income)
    if yearly and any(f.one_off == "bonus" for f in told.income):
        return "D31 a yearly wage beside a bonus"
    if any(names_differ(persons, fact, dead) for fact in told.income):
        return "D16 income of one who died, under another name"
    for holding in told.holdings:
        member = persons.of(holding)
        if member is not None and holding.what == "sale":
            if member.number not in persons.counted or member.number in persons.died:
                return "D23, D26 a sale by one who died, or who does not count"
            if abs((holding.status_on - persons.window[0]).days) < 35:
                return "D24 a sale where the window begins"
        if member is not None and member.number in dead and holding.custodial:
            return "D36 a custodial account of one who died"
        if names_differ(persons, holding, dead):
            return "D16 a thing of one who died, under another name"
    return None


def names_differ(persons: Persons, fact: Fact, among: set[int]) -> bool:
    """Whether the fact is of one of these members and under another name."""
    member = persons.of(fact)
    return member is not None and member.number in among and fact.name not in (None, member.name)


def link_unread(persons: Persons, link: Link) -> bool:
    """Whether the link names a member of whom its source may not be read."""
    return any(
        m.person in (link.person, link.other) and not persons.usable(m, link.dataset) for m in persons.told.members
    )


def units(persons: Persons) -> dict[str, set[int]]:
    """Members with a record of each home."""
    found: dict[str, set[int]] = {}
    for holding in persons.told.holdings:
        member = persons.of(holding)
        if member is not None and holding.what in ("dwelling", "premises"):
            found.setdefault(holding.asset, set()).add(member.number)
    return found
