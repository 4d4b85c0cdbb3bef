"""Reasons for a person to look: each with its code, the member and the source (R12, R20–R25, R30, R41, R45, R49)."""

from __future__ import annotations

from collections.abc import Iterator

from tests.reference.found import Declared, Item
from tests.reference.household import Persons, open_sources, said
from tests.reference.income import Line, after_death
from tests.reference.property import after_death as thing_after_death
from tests.reference.property import held, untraced
from tests.reference.told import Fact

MONTHLY_WAGES = "taxation/individual_income"
DOUBTS = ("annual_only", "straddles_window", "correction_unclear", "payer_unknown")  # of an income, besides names
Reason = tuple[str, int | None, str | None]


def reasons(
    persons: Persons, income: list[tuple[Line, Item]], assets: list[Item], declaration: list[Declared]
) -> set[Reason]:
    """Everything that a person must look at."""
    found: set[Reason] = set()
    within = {fact.no for line, _ in income for fact in line.facts}
    for part in (identity(persons, within), membership(persons), coverage(persons), marriages(persons)):
        found.update(part)
    found.update(of_income(persons, income))
    found.update(of_assets(assets))
    found.update(("proceeds_untraced", member, dataset) for member, dataset in untraced(persons, assets))
    found.update(things_after_death(persons))
    found.update(("material_difference", None, one.item) for one in declaration if one.material)
    return found


def facts(persons: Persons) -> Iterator[Fact]:
    told = persons.told
    for kind in (told.income, told.holdings, told.statuses, told.links):
        yield from kind


def identity(persons: Persons, within: set[int]) -> Iterator[Reason]:
    """R12: the same number under another name, in whatever record but incomes outside the window."""
    outside = {fact.no for fact in persons.told.income} - within
    for fact in facts(persons):
        member = persons.of(fact)
        if fact.no not in outside and member is not None and fact.name is not None and fact.name != member.name:
            yield "identity_conflict", member.number, fact.dataset


def membership(persons: Persons) -> Iterator[Reason]:
    """R20, R21, R23, R24, R28: who else claims a member, who does not count, and whose death has no day."""
    for member in persons.told.members:
        if member.number in persons.told.ended:
            yield "authorisation_ended", member.number, None
        for status in said(persons, member, "death"):
            if status.start is None and member.number not in persons.died:
                yield "death_undated", member.number, status.dataset
        if member.role == "member":
            if member.person in persons.told.elsewhere:
                yield "in_two_households", member.number, None
            if member.number not in persons.counted:
                yield "member_not_counted", member.number, None
    if not persons.counted:
        yield "no_counted_member", None, None


def coverage(persons: Persons) -> Iterator[Reason]:
    """R1, R4, R9: what could not be checked of those who count."""
    for number, dataset in open_sources(persons):
        member = next(m for m in persons.told.members if m.number == number)
        if persons.answer(member, dataset).state != "covered":
            yield "source_not_covered", number, dataset
    for member in persons.told.members:
        for dataset in persons.told.policy.sources:
            if persons.answer(member, dataset).unread:
                yield "unresolved_quarantine", member.number, dataset


def marriages(persons: Persons) -> Iterator[Reason]:
    """R25: a marriage in the register on the reference date that the declaration does not have, or the reverse."""
    return iter(())


def of_income(persons: Persons, income: list[tuple[Line, Item]]) -> Iterator[Reason]:
    """R21, R22, R36, R39, R41, R46: what is disputed of the incomes, and contributions without a wage."""
    for line, item in income:
        if item.treatment == "disputed" and item.reason in DOUBTS:
            yield item.reason, item.member, item.dataset
        if after_death(persons, line) and not line.repeated and (line.amount or len(line.facts) == 1):
            yield "income_after_death", item.member, item.dataset
    yield from without_wage(persons, income)


def without_wage(persons: Persons, income: list[tuple[Line, Item]]) -> Iterator[Reason]:
    """R41: contributions in a month of the window without any wage, unless the wages themselves are not known."""
    begin, stop = persons.window
    for member in persons.told.members:
        if persons.answer(member, MONTHLY_WAGES).state != "covered":
            continue
        for status in said(persons, member, "contribution"):
            if status.start is None or not begin <= status.start < stop:
                continue
            if not any(
                line.first.category == "wage" and line.member is member and line.amount > 0
                and line.start <= status.start < line.end
                for line, _ in income
            ):  # fmt: skip
                yield "employed_without_wage", member.number, status.dataset


def of_assets(assets: list[Item]) -> Iterator[Reason]:
    """R47, R52, R56, R58: what is disputed of the things held."""
    for item in assets:
        if item.reason in ("share_unknown", "ended_on_unknown", "joint_account_unknown_shares", "no_exchange_rate"):
            yield item.reason, item.member, item.dataset


def things_after_death(persons: Persons) -> Iterator[Reason]:
    """R21: things in the name of one who had died, and sales by them."""
    for holding in persons.told.holdings:
        member = persons.of(holding)
        if member is None or member.number not in persons.died:
            continue
        if holding.what == "sale":
            late = holding.status_on is not None and holding.status_on > persons.died[member.number]
        else:
            late = thing_after_death(persons, member, holding) and held(persons, holding) is not False
        if late:
            yield "after_death", member.number, holding.dataset
