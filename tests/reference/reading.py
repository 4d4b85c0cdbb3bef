"""The reading of one household, from what is told to what is found."""

from __future__ import annotations

from tests.reference import decisive, declaration, expenses, figures, income, property, review, support
from tests.reference.found import Found
from tests.reference.household import open_sources, read_persons
from tests.reference.told import Household


def read(told: Household) -> Found:
    """Everything that the rules say of one household."""
    persons = read_persons(told)
    gaps = open_sources(persons)
    lines = [(line, income.item(persons, line)) for line in income.lines(persons)]
    due = support.due(persons, [line for line, _ in lines])
    of_income = [item for _, item in lines] + [item for one in due if (item := support.item(one))]
    deductions = income.deductions(persons, lines)
    spent = expenses.spent(persons)
    taken = expenses.taken(persons, spent, gaps)
    assets = property.items(persons, any(income.says_gone(persons, line) for line, _ in lines))
    counting = [item for _, item in lines] + [support.counting(one) for one in due] + assets
    intervals = figures.figures(counting, deductions, taken, figures.unbounded(persons, gaps))
    left = figures.share_left(intervals["income"], expenses.known(persons, spent))
    tests = figures.tested(persons, intervals | {"income_left_share": left})
    declared = declaration.items(persons, intervals, tests, sum(one.low for one in taken))
    return Found(
        counted=len(persons.counted),
        members=persons.why,
        income=of_income,
        assets=assets,
        deductions=deductions,
        expenses={one.kind: (one.low, one.high) for one in taken},
        net={
            tuple(h.no for _, h in thing.records): property.net_of_debt(persons, thing)
            for thing in property.things(persons)
        },
        figures=intervals,
        tests=tests,
        declaration=declared,
        limits=figures.limits(persons, tests, gaps),
        declaration_result=declaration.overall(declared),
        review=review.reasons(persons, review.Evidence(lines, assets, spent, due), declared),
        decisive=decisive.sets(persons, decisive.Parts(lines, assets, due, spent, taken), tests, gaps),
    )
