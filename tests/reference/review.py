"""Reasons for a person to look: each with its code, the member and the source (R8, R12, R20–R27, R30, R41, R45–R60)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.reference.expenses import Spent
from tests.reference.found import Declared, Item
from tests.reference.household import UNASKED, Persons, said
from tests.reference.income import Line
from tests.reference.property import after_death as thing_after_death
from tests.reference.property import held, untraced
from tests.reference.support import Due
from tests.reference.told import Fact, Member

MONTHLY_WAGES = "taxation/individual_income"
NAMES_AND_TIMES = ("identity_conflict", "after_death", "stale")  # told of the person or the source, not of each item
EMPLOYED = ("contribution", "housing_fund")
Reason = tuple[str, int | None, str | None]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the reasons rest on."""

    income: list[tuple[Line, Item]]
    assets: list[Item]
    spent: list[Spent]
    due: list[Due]


def reasons(persons: Persons, evidence: Evidence, declaration: list[Declared]) -> set[Reason]:
    """Everything that a person must look at."""
    found: set[Reason] = set()
    within = {fact.no for line, _ in evidence.income for fact in line.facts} | {s.fact.no for s in evidence.spent}
    for part in (identity(persons, within), membership(persons), coverage(persons), marriages(persons)):
        found.update(part)
    found.update(of_income(persons, evidence.income))
    found.update(self_employed(persons, evidence.income))
    found.update(of_expenses(persons, evidence.spent))
    found.update(of_support(evidence.due))
    found.update(of_assets(evidence.assets))
    found.update(("proceeds_untraced", member, dataset) for member, dataset in untraced(persons, evidence.assets))
    found.update(things_after_death(persons))
    found.update(without_standing(persons))
    found.update(("material_difference", None, one.item) for one in declaration if one.material)
    return found


def facts(persons: Persons) -> Iterator[Fact]:
    told = persons.told
    for kind in (told.income, told.holdings, told.statuses, told.links, told.expenses):
        yield from kind


def identity(persons: Persons, within: set[int]) -> Iterator[Reason]:
    """R12: the same number under another name, in whatever record but money of a time outside the window.

    What is objected to or contradicts another row is a question already.
    """
    outside = {fact.no for fact in (*persons.told.income, *persons.told.expenses)} - within
    for fact in facts(persons):
        member = persons.of(fact)
        if fact.no in outside or fact.no in persons.told.doubted or member is None:
            continue
        if persons.doubt(fact, member) == "identity_conflict":
            yield "identity_conflict", member.number, fact.dataset


def membership(persons: Persons) -> Iterator[Reason]:
    """R20, R21, R23, R24, R28: who else claims a member, who does not count, and whose death has no day."""
    for member in persons.told.members:
        if member.number in persons.told.ended and asked(persons, member):
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


def asked(persons: Persons, member: Member) -> bool:
    """R30: whether any source was asked about the member, so that there is an answer to be withheld."""
    answers = ((number, one) for (number, _), one in persons.told.answers.items())
    return any(number == member.number and answer.state not in UNASKED for number, answer in answers)


def coverage(persons: Persons) -> Iterator[Reason]:
    """R1, R4, R9: what could not be checked of those who count."""
    needs = persons.told.policy.sources
    for (number, dataset), answer in persons.answers.items():
        if answer.state != "covered" and needs[dataset] == "required" and number in persons.counted:
            yield "source_not_covered", number, dataset
        if answer.unread:
            yield "unresolved_quarantine", number, dataset


def marriages(persons: Persons) -> Iterator[Reason]:
    """R25: the last marriage or divorce on record does not agree with the household that was declared.

    A marriage to somebody outside the request; a divorce of an applicant or spouse from somebody in it, or of one who
    declares to be married. Of two on one day the divorce is taken for the later.
    """
    told = persons.told
    for member in told.members:
        events = [
            (link.start, link.kind == "divorce", -link.no, link)
            for link in told.links
            if link.kind in ("marriage", "divorce") and persons.of(link) is member and member.role == "member"
            and link.no not in told.doubted and persons.doubt(link, member) != "identity_conflict"
            and link.start is not None and link.start <= told.reference
        ]  # fmt: skip
        if not events:
            continue
        link = max(events)[-1]
        inside = link.other in persons.numbers
        parted = inside and member.relation in ("applicant", "spouse")
        if (parted or member.married) if link.kind == "divorce" else not inside:
            yield "marital_status_differs", member.number, link.dataset


def of_income(persons: Persons, income: list[tuple[Line, Item]]) -> Iterator[Reason]:
    """R8, R21, R22, R36, R39, R41, R46: what is disputed of the incomes, and contributions without a wage."""
    for line, item in income:
        if item.treatment == "disputed":
            yield from asked_of(item)
        if "after_death" in line.doubts and not line.repeated and (line.amount or len(line.facts) == 1):
            yield "income_after_death", item.member, item.dataset
    yield from without_wage(persons, income)


def asked_of(item: Item) -> Iterator[Reason]:
    """Each reason of an item in doubt: where several records tell of it, each has its own."""
    for reason in (item.reason, *item.others):
        if reason is not None and reason not in NAMES_AND_TIMES:
            yield reason, item.member, item.dataset


def self_employed(persons: Persons, income: list[tuple[Line, Item]]) -> Iterator[Reason]:
    """R45: registered as self-employed within the window, and no figure of a business: a zero is none."""
    begin, stop = persons.window
    for member in persons.told.members:
        if member.number not in persons.counted or persons.answer(member, MONTHLY_WAGES).state != "covered":
            continue
        if any(line.member is member and line.first.category == "business" and line.amount for line, _ in income):
            continue
        for status in said(persons, member, "self_employed"):
            begun = status.start is None or status.start < stop
            if begun and (status.end is None or status.end > begin):
                yield "self_employed_unknown", member.number, status.dataset


def of_expenses(persons: Persons, spent: list[Spent]) -> Iterator[Reason]:
    """R46a, R8, R69: expenses that may or may not be deducted."""
    for one in spent:
        counts = one.member.number in persons.counted and one.fact.kind in persons.told.policy.expenses
        if counts and one.doubt and one.doubt not in NAMES_AND_TIMES:
            yield one.doubt, one.member.number, one.fact.dataset


def of_support(due: list[Due]) -> Iterator[Reason]:
    """R27: what a supporter owes is not known for sure."""
    for one in due:
        for dataset in one.silent:
            yield "support_not_covered", one.member.number, dataset
        if not one.silent and not one.told and one.low != one.high:
            yield "support_not_told", one.member.number, None
        if one.told and not one.silent and one.low != one.high and one.items:
            yield "support_uncertain", one.member.number, min(part.dataset for part in one.items)


def without_standing(persons: Persons) -> Iterator[Reason]:
    """R8, R69: statuses and links whose row is objected to or contradicts another are said of nobody meanwhile."""
    for fact in (*persons.told.statuses, *persons.told.links):
        member = persons.of(fact)
        if fact.no in persons.told.doubted and member is not None:
            yield persons.told.doubted[fact.no], member.number, fact.dataset


def without_wage(persons: Persons, income: list[tuple[Line, Item]]) -> Iterator[Reason]:
    """R41: contributions in a month of the window without any wage, unless the wages themselves are not known."""
    begin, stop = persons.window
    for member in persons.told.members:
        if persons.answer(member, MONTHLY_WAGES).state != "covered":
            continue
        for status in (s for kind in EMPLOYED for s in said(persons, member, kind)):
            if status.start is None or not begin <= status.start < stop:
                continue
            if not any(
                line.first.category == "wage" and line.member is member and line.amount > 0
                and line.start <= status.start < line.end
                for line, _ in income
            ):  # fmt: skip
                yield "employed_without_wage", member.number, status.dataset


def of_assets(assets: list[Item]) -> Iterator[Reason]:
    """R8, R47, R52–R60: what is disputed of the things held, or counts with a question."""
    for item in assets:
        asked = item.treatment in ("disputed", "unpriced") or (item.treatment == "counted" and item.reason is not None)
        if asked:
            yield from asked_of(item)


def things_after_death(persons: Persons) -> Iterator[Reason]:
    """R21: things in the name of one who had died, and sales by them."""
    for holding in persons.told.holdings:
        member = persons.of(holding)
        if member is None or member.number not in persons.died or member.role != "member":
            continue  # what a supporter holds is no part of the report (R27)
        if holding.no in persons.told.doubted or persons.doubt(holding, member) == "identity_conflict":
            continue  # a question already: whose it is
        if holding.contested:
            continue  # a question already: whether it is anybody's of the household (R54)
        if holding.what == "sale":
            late = holding.status_on is not None and holding.status_on > persons.died[member.number]
        else:
            late = thing_after_death(persons, member, holding) and held(persons, holding) is not False
        if late:
            yield "after_death", member.number, holding.dataset
