"""Removing all decisive facts flips a test's result, and no smaller set does: by brute force on small households."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations

from tests.reference import compare, scaling
from tests.reference.against import assessed, draw
from tests.reference.generate import COVERED, World
from tests.reference.reading import read
from tests.reference.told import Household, Policy

SEED, WORLDS = 78, 1500
SMALL = 5  # things and incomes that may be left out
RESTS_ON_OTHERS = ("payer_unknown", "annual_only")  # doubts that another fact makes
Unit = frozenset[int] | str  # facts that are one, or a source that did not answer


@dataclass(frozen=True, slots=True)
class Case:
    """A test of a small household, and the set that sql/ calls decisive for it."""

    told: Household
    policy: int
    test: str
    result: str
    decisive: frozenset[Unit]
    units: tuple[Unit, ...]


def cases(worlds: list[World], policies: list[Policy]) -> Iterator[Case]:
    """Every exceeded or undetermined test of a small household that somebody is counted in."""
    with assessed(worlds, policies) as con:
        shapes, numbers = compare.of_sql(con), compare.row_numbers(con)
        named: dict[tuple[str, str], set[Unit]] = {}
        for request, test, kind, dataset, facts in con.execute(
            "SELECT request_id, test, kind, dataset, facts FROM decisive"
        ).fetchall():
            named.setdefault((request, test), set()).add(frozenset(numbers(facts)) if kind == "fact" else dataset)
    for world in worlds:
        told = world.households[0]
        units = removable(told)
        if len(world.households) > 1 or len(units) > SMALL:
            continue
        if told.ended or any(m.person is None for m in told.members):
            continue  # a source cannot be made to answer of them
        if any(answer.state == "stale" for answer in told.answers.values()):
            continue  # an answer would say the old facts again, or not
        if any(item.reason in RESTS_ON_OTHERS for item in read(told).income):
            continue
        for test, (_, _, high, result) in shapes[told.request_id]["tests"].items():
            decisive = {whole(unit, units) for unit in named.get((told.request_id, test), ())}
            if high is None and not any(isinstance(unit, str) for unit in decisive):
                continue  # no required source feeds it: nothing can settle it
            if decisive and shapes[told.request_id]["counted"]:
                yield Case(told, world.policies[0], test, result, frozenset(decisive), units)


def whole(unit: Unit, units: tuple[Unit, ...]) -> Unit:
    """All records of a netted income, of which a decisive line names one."""
    return next((other for other in units if not isinstance(unit, str) and unit <= set(other)), unit)


def unrepeated(told: Household) -> Household:
    """The household less what counts nothing: what only repeats a wage or an account goes with it (decision 0016)."""
    found = read(told)
    live = {n for item in (*found.income, *found.assets) if (item.low, item.high) != (0, 0) for n in item.facts}
    return scaling.without_facts(told, {fact.no for fact in (*told.income, *told.holdings)} - live)


def removable(told: Household) -> tuple[Unit, ...]:
    """What counts, each thing and each income by itself, and the sources that did not answer."""
    found = read(told)
    facts = [frozenset(item.facts) for item in (*found.income, *found.assets) if (item.low, item.high) != (0, 0)]
    facts += [frozenset({fact.no}) for fact in told.expenses]
    silent = {dataset for (_, dataset), answer in told.answers.items() if answer is not COVERED}
    return (*facts, *sorted(silent))


def without(case: Case, units: frozenset[Unit], name: str) -> World:
    """The household less some facts, and with some sources' answer."""
    facts = {number for unit in units if isinstance(unit, frozenset) for number in unit}
    told = scaling.without_facts(case.told, facts)
    answers = {key: COVERED if key[1] in units else answer for key, answer in told.answers.items()}
    return World([replace(told, answers=answers, request_id=name)], [case.policy])


def test_decisive_facts_flip_the_result_and_no_smaller_set_does() -> None:
    worlds, policies = draw(SEED, WORLDS)
    told = list(cases(scaling.each(worlds, unrepeated), policies))
    assert len(told) > 200
    assert sum(case.test == "income" and case.told.policy.wage_deduction_bp > 0 for case in told) > 50
    tries: list[tuple[int, bool, World]] = []
    for place, case in enumerate(told):
        tries.append((place, True, without(case, case.decisive, f"{len(tries):07d}")))
        for size in range(1, len(case.decisive)):
            for units in combinations(case.units, size):
                tries.append((place, False, without(case, frozenset(units), f"{len(tries):07d}")))
    with assessed([world for *_, world in tries], policies) as con:
        shapes = compare.of_sql(con)
    for place, flips, world in tries:
        case = told[place]
        result = shapes[world.households[0].request_id]["tests"][case.test][3]
        assert (result != case.result) == flips, (case.told.request_id, case.test, case.decisive, case.units)
