"""Rigid expenditure: what of it is deducted from income, surely or perhaps (R46a)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tests.reference.found import Bound
from tests.reference.household import Persons
from tests.reference.told import Expense, Member


@dataclass(frozen=True, slots=True)
class Spent:
    """One expense in or across the window."""

    member: Member
    fact: Expense
    doubt: str | None


def spent(persons: Persons) -> list[Spent]:
    """What members paid; a time that crosses an end of the window is in doubt as a whole, as with income (R46)."""
    begin, stop = persons.window
    found = []
    for fact in persons.told.expenses:
        member = persons.of(fact)
        if member is None or fact.start >= stop or fact.end <= begin:
            continue
        died = persons.died.get(member.number)
        doubt = persons.doubt(fact, member, late=died is not None and fact.start > died)
        across = fact.start < begin or fact.end > stop
        found.append(Spent(member, fact, doubt or ("straddles_window" if across else None)))
    return found


@dataclass(frozen=True, slots=True)
class Taken:
    """What is taken off for expenses of one kind: at least ``low``, at most ``high``."""

    kind: str
    low: int
    high: int
    parts: tuple[tuple[Spent, int], ...]  # what is in doubt, and by how much income is the lower without its answer
    open: bool = False  # a source that did not answer could tell of more (R6)
    left: Bound = 0  # of the cap, if it did


def taken(persons: Persons, told: Iterable[Spent], gaps: set[tuple[int, str]]) -> list[Taken]:
    """The pack's share of what those who count paid, up to its cap for the household, kind and window."""
    policy = persons.told.policy
    found = []
    for kind, (rate, cap) in sorted(policy.expenses.items()):
        paid = [s for s in told if s.fact.kind == kind and s.member.number in persons.counted]
        sure = deducted(sum(s.fact.amount for s in paid if s.doubt is None), rate, cap)
        most = deducted(sum(s.fact.amount for s in paid), rate, cap)
        silent = any("expense." + kind in policy.feeds.get(dataset, ()) for _, dataset in gaps)
        left = None if cap is None else cap - most
        doubted = tuple((s, deducted(s.fact.amount, rate, None)) for s in paid if s.doubt)
        found.append(Taken(kind, sure, most, doubted, silent, left if silent else 0))
    return found


def deducted(paid: int, rate: int, cap: int | None) -> int:
    """A share in basis points of what was paid, whole fen, not above the cap."""
    part = paid * rate // 10_000
    return part if cap is None else min(part, cap)


def known(persons: Persons, told: Iterable[Spent]) -> int:
    """What those who count paid for certain, of whatever kind."""
    return sum(s.fact.amount for s in told if s.member.number in persons.counted and s.doubt is None)
