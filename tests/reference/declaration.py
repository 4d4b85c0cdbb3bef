"""What was declared against what was found (section 1, R64)."""

from __future__ import annotations

from tests.reference.figures import CATEGORIES, FIGURES, limit_of, result
from tests.reference.found import Declared, Interval, Tested
from tests.reference.household import Persons
from tests.reference.told import Policy

WORST = ("matches", "undetermined", "differs")


def compare(declared: int, found: Interval, tolerance: int) -> str:
    """The first that holds: outside the interval and its tolerance; too wide to say; the same."""
    above = found.high is not None and declared > found.high + tolerance
    if declared < found.low - tolerance or above:
        return "differs"
    if found.high is None or found.high - found.low > tolerance:
        return "undetermined"
    return "matches"


def items(persons: Persons, found: dict[str, Interval], worked: list[Tested], expenses: int) -> list[Declared]:
    """Every item; what was not declared at all counts as declared 0. ``expenses``: what surely comes off (R46a)."""
    told = persons.told
    moved = moved_figures(persons, worked, expenses)
    fed = {figure for dataset in told.policy.sources for figure in told.policy.feeds.get(dataset, ())}
    lines = []
    for item in FIGURES:
        if item not in told.declared and item not in fed:
            continue  # what nobody is asked about, and nobody declared, is no item
        declared = told.declared.get(item, 0)
        how = compare(declared, found[item], told.policy.tolerances.get(item, 0))
        figure = "income" if item in CATEGORIES else item
        lines.append(
            Declared(item, declared, found[item].low, found[item].high, how, how == "differs" and figure in moved)
        )
    return lines


def moved_figures(persons: Persons, worked: list[Tested], expenses: int) -> set[str]:
    """Figures of which a test has another result on the declared figures than on the found ones."""
    told = persons.told
    if not persons.counted:
        return set()  # R28: nobody is judged, on either side
    found = {test.test: test.result for test in worked}
    declared = {figure: told.declared.get(figure, 0) for figure in FIGURES}
    gross = sum(declared[category] for category in CATEGORIES)
    declared["income"] = gross - deducted(told.policy, declared["income.wage"]) - expenses
    moved = set()
    for test in told.policy.tests:
        if test.figure not in declared:
            continue  # nobody declares which share of income is left
        value = declared[test.figure]
        limit = limit_of(test, len(persons.counted), told.policy.window_months)
        if result(Interval(value, value), test.op, limit) != found[test.name]:
            moved.add(test.figure)
    return moved


def deducted(policy: Policy, wages: int) -> int:
    """R44 on declared wages: the pack's share, up to its cap for each month of the window."""
    share = wages * policy.wage_deduction_bp // 10_000
    cap = policy.wage_deduction_cap_fen
    return share if cap is None else min(share, cap * policy.window_months)


def overall(lines: list[Declared]) -> str:
    """The worst of the items."""
    return max((one.result for one in lines), key=WORST.index, default="matches")
