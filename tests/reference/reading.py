"""The reading of one household, from what is told to what is found."""

from __future__ import annotations

from tests.reference import decisive, declaration, figures, income, property, review
from tests.reference.found import Found
from tests.reference.household import open_sources, read_persons
from tests.reference.told import Household


def read(told: Household) -> Found:
    """Everything that the rules say of one household."""
    persons = read_persons(told)
    lines = [(line, income.item(persons, line)) for line in income.lines(persons)]
    of_income = [item for _, item in lines]
    deductions = income.deductions(persons, lines)
    assets = property.items(persons)
    gaps = open_sources(persons)
    intervals = figures.figures(of_income + assets, deductions, figures.unbounded(persons, gaps))
    tests = figures.tests(persons, intervals)
    declared = declaration.items(persons, intervals, tests)
    return Found(
        counted=len(persons.counted),
        members=persons.why,
        income=of_income,
        assets=assets,
        deductions=deductions,
        figures=intervals,
        tests=tests,
        declaration=declared,
        limits=figures.limits(persons, tests, gaps),
        declaration_result=declaration.overall(declared),
        review=review.reasons(persons, lines, assets, declared),
        decisive=decisive.sets(persons, lines, assets, tests, gaps),
    )
