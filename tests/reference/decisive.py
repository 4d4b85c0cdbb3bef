"""Decisive: the smallest set of facts, or of sources that did not answer, on which a test's result depends.

An exceeded test rests on what surely counts. An undetermined one rests on what is open: were all of that settled as
nothing, it would be satisfied or exceeded, and the set is the smallest that leads there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.reference.expenses import Spent, Taken, deducted
from tests.reference.figures import CATEGORIES, satisfies
from tests.reference.found import Item, Tested
from tests.reference.household import Persons
from tests.reference.income import SUMMED, Line
from tests.reference.support import Due

Part = tuple[str, str | None]  # a fact, or a source and which
Steps = list[int]  # by how much a figure falls with the first part of a group taken away, with the second one too, …


@dataclass(frozen=True, slots=True)
class Parts:
    """What the figures are made of."""

    income: list[tuple[Line, Item]]
    assets: list[Item]
    due: list[Due]
    spent: list[Spent]
    taken: list[Taken]


def sets(persons: Persons, parts: Parts, worked: list[Tested], gaps: set[tuple[int, str]]) -> dict[str, list[Part]]:
    """For each exceeded or undetermined test its smallest set; none where nobody is judged (R28)."""
    named = {test.name: test for test in persons.told.policy.tests}
    found = {}
    for one in worked:
        figure, op = named[one.test].figure, named[one.test].op
        if one.result == "satisfied" or not persons.counted or figure == "income_left_share":
            continue  # nobody can say what else was spent
        if figure == "income":
            found[one.test] = of_income(persons, parts, one, op, gaps)
        else:
            found[one.test] = of_things(
                [i for i in parts.assets if i.figure == figure], one, op, silent(persons, gaps, (figure,))
            )
    return found


def of_things(items: list[Item], one: Tested, op: str, sources: list[Part]) -> list[Part]:
    """Of what is held: nothing is deducted from it."""
    if one.result == "exceeded":
        return facts(fewest([[i.low] for i in items if i.low > 0], one.low, op, one.limit))
    open_ended = [i for i in items if i.high is None]
    steps = [[i.high - i.low] for i in items if i.high is not None and i.high > i.low]
    most = sum(i.high for i in items if i.high is not None)
    return sources + facts(len(open_ended) + fewest(steps, most, op, one.limit))


def of_income(persons: Persons, parts: Parts, one: Tested, op: str, gaps: set[tuple[int, str]]) -> list[Part]:
    """Of incomes: a wage takes its part of the deduction away with it (R44)."""
    taken_surely = sum(kind.low for kind in parts.taken)
    if one.result == "exceeded":
        steps = wages(persons, parts.income, low=True) + [[due.low] for due in parts.due]
        return facts(fewest(steps, one.low, op, one.limit))
    steps = wages(persons, parts.income, low=False) + [[due.known - due.low] for due in parts.due]
    most = net(persons, parts.income) + sum(due.known for due in parts.due) - taken_surely
    settled = most - sum(map(sum, steps))
    if satisfies(max(0, settled), op, one.limit):
        asked = {d for due in parts.due for d in due.silent}
        sources = silent(persons, gaps, CATEGORIES, asked)
        return sources + facts(fewest(steps, most, op, one.limit))
    return raising(persons, parts, one, op, gaps)


def raising(persons: Persons, parts: Parts, one: Tested, op: str, gaps: set[tuple[int, str]]) -> list[Part]:
    """What has to be settled for the lower bound to rise above the limit: expenses and losses in doubt (R43, R46a)."""
    lefts: dict[str, list[int | None]] = {}  # by source: what it could still tell of
    for kind in parts.taken:
        for _, dataset in silent(persons, gaps, (f"expense.{kind.kind}",)):
            lefts.setdefault(dataset, []).append(kind.left)
    must = [dataset for dataset, left in lefts.items() if None in left]
    may = {dataset: sum(x or 0 for x in left) for dataset, left in lefts.items() if None not in left and any(left)}
    steps = [expenses(persons, parts.spent, kind) for kind in parts.taken]
    steps += [[-item.low] for _, item in parts.income if item.low < 0 <= (item.high or 0)]
    low = lowest(persons, parts) - sum(may.values())
    least: tuple[tuple[int, int, int], list[Part]] | None = None
    by_facts = changes(steps)
    for some in subsets(sorted(may)):
        told = sum(may[dataset] for dataset in some)
        for count, change in enumerate(by_facts):
            if not satisfies(max(0, low + told + change), op, one.limit):  # of sets of one size that which does most
                size = (count + len(some), -told - change, len(some))
                if least is None or size < least[0]:
                    least = size, [("source", dataset) for dataset in (*must, *some)] + facts(count)
                break
    return least[1] if least else []


def subsets(some: Sequence[str]) -> Iterable[list[str]]:
    """Every choice among a few."""
    for bits in range(1 << len(some)):
        yield [one for place, one in enumerate(some) if bits >> place & 1]


def lowest(persons: Persons, parts: Parts) -> int:
    """The least that income can be as far as is known, before it is kept from falling below zero."""
    sums = wage_sums(persons, parts.income, low=True)
    low = sum(item.low for _, item in parts.income) + sum(due.low for due in parts.due)
    return low - sum(deduction(persons, of) for of in sums.values()) - sum(kind.high for kind in parts.taken)


def facts(count: int | None) -> list[Part]:
    """So many facts; which of those that weigh the same is not told."""
    return [("fact", None)] * (count or 0)


def silent(persons: Persons, gaps: set[tuple[int, str]], of: Iterable[str], more: Iterable[str] = ()) -> list[Part]:
    """Sources without an answer that feed the figures, each once for all members."""
    feeds, wanted = persons.told.policy.feeds, set(of)
    feeding = {dataset for _, dataset in gaps if wanted & set(feeds.get(dataset, ()))}
    return [("source", dataset) for dataset in sorted(feeding | set(more))]


def fewest(steps: list[Steps], value: int, op: str, limit: int) -> int | None:
    """The fewest parts without which the value satisfies the limit; within a group the largest go first."""
    reached = (count for count, change in enumerate(changes(steps)) if satisfies(max(0, value - change), op, limit))
    return next(reached, None)


def changes(steps: list[Steps]) -> list[int]:
    """By how much a figure can change at most with so many parts taken away: none, one, two, …"""
    most = [0]
    for one in steps:
        of_group = [0]
        for step in one:
            of_group.append(of_group[-1] + step)
        more = [0] * (len(most) + len(one))
        for taken, change in enumerate(most):
            for count, also in enumerate(of_group):
                more[taken + count] = max(more[taken + count], change + also)
        most = more
    return most


def wage_sums(persons: Persons, income: list[tuple[Line, Item]], low: bool) -> dict[tuple[int, int, int], int]:
    """What each earner has of wages in each month, at least or at most."""
    sums: dict[tuple[int, int, int], int] = {}
    for line, item in income:
        if deducting(line, item):
            key = (item.member, line.start.year, line.start.month)
            sums[key] = sums.get(key, 0) + (item.low if low else item.high or 0)
    return sums


def deducting(line: Line, item: Item) -> bool:
    """Whether something is deducted from this line (R44)."""
    return line.first.category == "wage" and line.first.granularity != "annual" and item.treatment in SUMMED


def deduction(persons: Persons, month: int) -> int:
    """R44 of one month's wages."""
    policy = persons.told.policy
    return deducted(max(0, month), policy.wage_deduction_bp, policy.wage_deduction_cap_fen)


def net(persons: Persons, income: list[tuple[Line, Item]]) -> int:
    """The most that incomes come to, less what is deducted from wages."""
    sums = wage_sums(persons, income, low=False)
    return sum(item.high or 0 for _, item in income) - sum(deduction(persons, of) for of in sums.values())


def wages(persons: Persons, income: list[tuple[Line, Item]], low: bool) -> list[Steps]:
    """How the sum falls without incomes that surely count, or without those in doubt, the largest of a month first."""
    sums = wage_sums(persons, income, low)
    months: dict[tuple[int, int, int], list[int]] = {}
    steps: list[Steps] = []
    for line, item in income:
        size = item.low if low else (item.high or 0) - max(0, item.low)
        if size <= 0:
            continue
        if deducting(line, item):
            months.setdefault((item.member, line.start.year, line.start.month), []).append(size)
        else:
            steps.append([size])
    for key, sizes in months.items():
        rest, group = sums[key], []
        for size in sorted(sizes, reverse=True):
            group.append(size - deduction(persons, rest) + deduction(persons, rest - size))
            rest -= size
        steps.append(group)
    return steps


def expenses(persons: Persons, told: list[Spent], kind: Taken) -> Steps:
    """How the deduction falls without the expenses in doubt of one kind, those of a person and source together."""
    rate, cap = persons.told.policy.expenses[kind.kind]
    paid = [s for s in told if s.fact.kind == kind.kind and s.member.number in persons.counted]
    doubted: dict[tuple[int, str, str], int] = {}
    for one in paid:
        if one.doubt:
            key = (one.member.number, one.fact.dataset, one.doubt)
            doubted[key] = doubted.get(key, 0) + one.fact.amount
    whole = sum(s.fact.amount for s in paid)
    if deducted(whole, rate, None) > deducted(whole, rate, cap):
        return [kind.high - kind.low] if doubted else []  # none of them alone lowers what the cap leaves
    rest, steps = whole, []
    for amount in sorted(doubted.values(), reverse=True):
        steps.append(deducted(rest, rate, cap) - deducted(rest - amount, rate, cap))
        rest -= amount
    return steps
