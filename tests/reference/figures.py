"""Figures as intervals, and figures against limits (section 1, R6, R28, R62)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tests.reference.expenses import Taken
from tests.reference.found import Deduction, Interval, Item, Tested
from tests.reference.household import Persons
from tests.reference.told import Limit

CATEGORIES = ("income.wage", "income.business", "income.property", "income.transfer")
FIGURES = (*CATEGORIES, "financial_assets", "homes", "vehicles", "businesses")


def unbounded(persons: Persons, gaps: Iterable[tuple[int, str]]) -> set[str]:
    """Figures that a silent source feeds, and those that no required source feeds at all (R6)."""
    policy = persons.told.policy
    silent = {figure for _, dataset in gaps for figure in policy.feeds.get(dataset, ())}
    fed = {f for dataset, need in policy.sources.items() if need == "required" for f in policy.feeds.get(dataset, ())}
    return silent | (set(FIGURES) - fed)


def figures(
    items: Iterable[Item], deductions: Iterable[Deduction], expenses: Sequence[Taken], without: set[str]
) -> dict[str, Interval]:
    """Every figure of the household; ``income`` is all categories less what is deducted, the others are gross."""
    sums = dict.fromkeys(FIGURES, Interval(0, 0))
    for item in items:
        if item.figure is not None:
            sums[item.figure] = sums[item.figure].plus(item.low, item.high)
    for figure in without:
        if figure in sums:
            sums[figure] = Interval(sums[figure].low, None)
    income = Interval(0, 0)
    for category in CATEGORIES:
        income = income.plus(sums[category].low, sums[category].high)
    found = {figure: interval.at_least_zero() for figure, interval in sums.items()}
    for one in deductions:
        income = income.plus(-one.low, -one.high)
    for kind in expenses:  # R46a: what may be deducted is off the lower bound, what surely is off the upper one
        income = income.plus(-kind.high - (kind.left or 0), -kind.low)
    if any(kind.open and kind.left is None for kind in expenses):
        income = Interval(0, income.high)
    return found | {"income": income.at_least_zero()}


def share_left(income: Interval, spent: int) -> Interval:
    """The share of income that rigid expenditure leaves, in basis points: nobody says what else was spent (0012)."""
    if income.high is None or spent <= 0:
        return Interval(0, 10_000)
    return Interval(0, 0 if income.high <= spent else (income.high - spent) * 10_000 // income.high)


def limit_of(test: Limit, counted: int, months: int) -> int:
    """The limit for this household: multiplied, so that the figure is never divided."""
    return test.limit * {"per_head_month": counted * months, "per_head": counted, "household": 1}[test.scale]


def satisfies(value: int, op: str, limit: int) -> bool:
    """R62: a figure exactly at its limit follows the pack's operator."""
    return value < limit if op == "<" else value <= limit


def result(interval: Interval, op: str, limit: int) -> str:
    """Satisfied if all of the interval is, exceeded if none of it is."""
    if not satisfies(interval.low, op, limit):
        return "exceeded"
    if interval.high is not None and satisfies(interval.high, op, limit):
        return "satisfied"
    return "undetermined"


def tested(persons: Persons, found: dict[str, Interval]) -> list[Tested]:
    """Every test of the programme."""
    policy = persons.told.policy
    worked = []
    for test in sorted(policy.tests, key=lambda one: one.name):
        limit = limit_of(test, len(persons.counted), policy.window_months)
        value = found[test.figure]
        judged = result(value, test.op, limit) if persons.counted else "undetermined"  # R28: a household of none is not
        worked.append(Tested(test.name, limit, value.low, value.high, judged))
    return worked


def limits(persons: Persons, worked: list[Tested], gaps: set[tuple[int, str]]) -> str:
    """The conclusion on limits; within them never while a required source is open (R6) or nobody counts (R28)."""
    if not worked:
        return "not_tested"
    if not persons.counted:
        return "undetermined"
    if any(test.result == "exceeded" for test in worked):
        return "over_limit"
    if gaps or any(test.result != "satisfied" for test in worked):
        return "undetermined"
    return "within_limits"
