"""Decisive: the smallest set of facts, or of sources that did not answer, on which a test's result depends."""

from __future__ import annotations

from tests.reference.figures import CATEGORIES, satisfies
from tests.reference.found import Bound, Deduction, Interval, Item, Tested
from tests.reference.household import Persons
from tests.reference.income import SUMMED, Line, deductions

Part = tuple[str, str | None, Bound]  # fact or source, which source, how much of the figure it carries


def sets(
    persons: Persons,
    income: list[tuple[Line, Item]],
    assets: list[Item],
    found: dict[str, Interval],
    worked: list[Tested],
    gaps: set[tuple[int, str]],
) -> dict[str, list[Part]]:
    """For each exceeded or undetermined test its smallest set, largest first."""
    tests = {test.name: test for test in persons.told.policy.tests}
    parts = {}
    for one in worked:
        test = tests[one.test]
        items = [i for i in assets if i.figure == test.figure]
        if test.figure == "income":
            items = [item for _, item in income]
        net = net_of_wages(persons, income) if test.figure == "income" else {}
        if one.result == "exceeded":
            parts[one.test] = exceeded(one, test.op, items, net)
        elif one.result == "undetermined":
            parts[one.test] = missing(persons, test.figure, gaps) + uncertain(one, test.op, items, net, found)
    return parts


def net_of_wages(persons: Persons, income: list[tuple[Line, Item]]) -> dict[int, tuple[int, int]]:
    """What each wage carries of the household's income: less what would not be deducted without it (R44)."""
    whole = deducted(deductions(persons, income))
    found = {}
    for place, (line, item) in enumerate(income):
        if line.first.category == "wage" and item.treatment in SUMMED:
            rest = deducted(deductions(persons, income[:place] + income[place + 1 :]))
            found[id(item)] = (item.low - (whole[0] - rest[0]), (item.high or 0) - (whole[1] - rest[1]))
    return found


def deducted(found: list[Deduction]) -> tuple[int, int]:
    """Deductions of all members, at their lowest and at their highest."""
    return sum(one.low for one in found), sum(one.high for one in found)


def exceeded(one: Tested, op: str, items: list[Item], net: dict[int, tuple[int, int]]) -> list[Part]:
    """The largest certain parts, until the rest does not exceed the limit."""
    low, parts = one.low, []
    weighed = [(net.get(id(item), (item.low, 0))[0], item) for item in items]
    for amount, item in sorted(weighed, key=lambda pair: -pair[0]):
        if satisfies(low, op, one.limit) or amount <= 0:
            break
        low -= amount
        parts.append(("fact", item.dataset, amount))
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


def uncertain(
    one: Tested, op: str, items: list[Item], net: dict[int, tuple[int, int]], found: dict[str, Interval]
) -> list[Part]:
    """Disputed parts, the unbounded and the widest first, until the rest is within the limit."""
    parts: list[Part] = [("fact", item.dataset, None) for item in items if item.high is None]
    high = sum(net.get(id(item), (0, item.high or 0))[1] for item in items if item.high is not None)
    if one.high is not None:
        high = one.high
    spans = [(net.get(id(item), (item.low, item.high)), item) for item in items if item.high is not None]
    wide = [(above - below, item) for (below, above), item in spans if above > below]
    for width, item in sorted(wide, key=lambda pair: -pair[0]):
        if satisfies(max(0, high), op, one.limit):
            break
        high -= width
        parts.append(("fact", item.dataset, width))
    return parts
