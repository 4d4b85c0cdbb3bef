"""What persons with a duty of support would owe by the pack's formula (R27)."""

from __future__ import annotations

from dataclasses import dataclass

from tests.reference.figures import CATEGORIES
from tests.reference.found import Bound, Item
from tests.reference.household import UNASKED, Persons
from tests.reference.income import Line, own_worth
from tests.reference.told import Member


@dataclass(frozen=True, slots=True)
class Due:
    """What one supporter owes in the window: at least ``low``, at most ``high``."""

    member: Member
    low: int
    high: Bound
    known: int  # the most, were the sources that did not answer to tell of nothing
    items: tuple[Item, ...]  # the incomes it is reckoned from
    silent: tuple[str, ...]  # required sources of their income that did not answer in full
    told: bool  # heads of their household and persons supported, both


def due(persons: Persons, lines: list[Line]) -> list[Due]:
    """One line for each supporter who was asked by their own consent, where the pack has a formula."""
    policy = persons.told.policy
    found = []
    for member in persons.told.members:
        asked = any(persons.told.answers[member.number, dataset].state not in UNASKED for dataset in policy.sources)
        if member.role == "supporter" and policy.support_share_bp > 0 and asked:
            found.append(of(persons, member, [line for line in lines if line.member is member]))
    return found


def of(persons: Persons, member: Member, lines: list[Line]) -> Due:
    """Income above the floor of their own household, the pack's share of it, divided among those they support."""
    worth = [own_worth(persons, line) for line in lines]
    own = tuple(item for item in worth if (item.low, item.high) != (0, 0))
    heads, supported = member.supports
    both = heads is not None and supported is not None
    most = portion(persons, sum(item.high or 0 for item in own), heads or 1, supported or 1)
    least = portion(persons, sum(item.low for item in own), heads or 1, supported or 1) if both else 0
    silent = tuple(sorted(d for d, need in persons.told.policy.sources.items() if need == "required"
                          and set(persons.told.policy.feeds.get(d, ())) & set(CATEGORIES)
                          and unknown(persons, member, d)))  # fmt: skip
    return Due(member, least, None if silent else most, most, own, silent, both)


def portion(persons: Persons, income: int, heads: int, supported: int) -> int:
    """What is due from an income of the window, rounded down."""
    policy = persons.told.policy
    above = max(0, income - policy.support_floor_fen * policy.window_months * heads)
    return above * policy.support_share_bp // 10_000 // supported


def unknown(persons: Persons, member: Member, dataset: str) -> bool:
    """Whether the source's answer about the person leaves something out (R1, R9)."""
    answer = persons.answer(member, dataset)
    return answer.state != "covered" or answer.unread > 0


def counting(one: Due) -> Item:
    """The line as it counts, whether or not it rests on facts."""
    return Item(one.member.number, (), "", "income.transfer", None, one.low, one.high, "", None)


def item(one: Due) -> Item | None:
    """The line as an item of the report, if it rests on facts."""
    if not one.items:
        return None
    facts = tuple(sorted(no for part in one.items for no in part.facts))
    sure = one.low == one.high
    open_because = "support_not_covered" if one.silent else "support_uncertain" if one.told else "support_not_told"
    return Item(one.member.number, facts, min(part.dataset for part in one.items), "income.transfer", None, one.low,
                one.high, "counted" if sure else "disputed", None if sure else open_because)  # fmt: skip
