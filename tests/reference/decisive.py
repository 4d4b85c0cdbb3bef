"""Decisive: the smallest set of facts, or of sources that did not answer, on which a test's result depends."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.reference.figures import CATEGORIES, satisfies
from tests.reference.found import Bound, Interval, Item, Tested
from tests.reference.household import Persons
from tests.reference.income import Line, deductions

Part = tuple[str, str | None, Bound]  # fact or source, which source, how much of the figure it carries
Parts = list[tuple[Line | None, Item]]
Sum = Callable[[Parts], Interval]


def sets(
    persons: Persons,
    income: list[tuple[Line, Item]],
    assets: list[Item],
    worked: list[Tested],
    gaps: set[tuple[int, str]],
) -> dict[str, list[Part]]:
    """For each exceeded or undetermined test its smallest set, largest first."""
    figures = {test.name: test.figure for test in persons.told.policy.tests}
    ops = {test.name: test.op for test in persons.told.policy.tests}
    parts = {}
    for one in worked:
        figure, op = figures[one.test], ops[one.test]
        whole: Parts = list(income) if figure == "income" else [(None, i) for i in assets if i.figure == figure]

        def total(rest: Parts, figure: str = figure) -> Interval:
            return summed(persons, rest, net=figure == "income")

        if one.result == "exceeded":
            parts[one.test] = exceeded(one, op, whole, total)
        elif one.result == "undetermined":
            parts[one.test] = missing(persons, figure, gaps) + uncertain(one, op, whole, total)
    return parts


def summed(persons: Persons, rest: Sequence[tuple[Line | None, Item]], net: bool) -> Interval:
    """What these parts come to; incomes less what is deducted from the wages among them (R44)."""
    value = Interval(0, 0)
    for _, item in rest:
        value = value.plus(item.low, item.high)
    if net:
        found = deductions(persons, [(line, item) for line, item in rest if line is not None])
        return value.less(sum(one.low for one in found), sum(one.high for one in found))
    return value.at_least_zero()


def exceeded(one: Tested, op: str, whole: Parts, total: Sum) -> list[Part]:
    """The parts that carry most for certain, until the rest does not exceed the limit."""
    carries = [(total(whole).low - total([other for other in whole if other is not part]).low, part) for part in whole]
    parts: list[Part] = []
    rest = list(whole)
    for amount, part in sorted(carries, key=lambda pair: -pair[0]):
        if satisfies(total(rest).low, op, one.limit) or amount <= 0:
            break
        rest = [other for other in rest if other is not part]
        parts.append(("fact", part[1].dataset, amount))
    return parts


def missing(persons: Persons, figure: str, gaps: set[tuple[int, str]]) -> list[Part]:
    """Sources without an answer that feed the figure, each once for all members."""
    of = CATEGORIES if figure == "income" else (figure,)
    feeds = persons.told.policy.feeds
    return [
        ("source", dataset, None)
        for dataset in sorted({dataset for _, dataset in gaps})
        if set(feeds.get(dataset, ())) & set(of)
    ]


def uncertain(one: Tested, op: str, whole: Parts, total: Sum) -> list[Part]:
    """Disputed parts, the unbounded and the widest first, until the rest is within the limit."""
    parts: list[Part] = [("fact", item.dataset, None) for _, item in whole if item.high is None]
    rest = [part for part in whole if part[1].high is not None]
    spans = [(width(total, rest, part), part) for part in rest if part[1].low != part[1].high]
    for wide, part in sorted(spans, key=lambda pair: -pair[0]):
        if satisfies(total(rest).high or 0, op, one.limit):
            break
        rest = [other for other in rest if other is not part]
        parts.append(("fact", part[1].dataset, wide))
    return parts


def width(total: Sum, rest: Parts, part: tuple[Line | None, Item]) -> int:
    """By how much the figure is less open without the part."""
    without = total([other for other in rest if other is not part])
    value = total(rest)
    return ((value.high or 0) - value.low) - ((without.high or 0) - without.low)
