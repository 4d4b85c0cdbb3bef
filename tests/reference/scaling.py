"""Worlds changed as a whole, for the laws: other amounts, other order, other tokens, other extracts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from tests.reference.generate import World
from tests.reference.told import Answer, Holding, Household, Income, Policy

SILENT = Answer("unavailable")
COUNTED = ("homes", "vehicles", "businesses")


def each(worlds: Sequence[World], change: Callable[[Household], Household]) -> list[World]:
    """Every household of every world, changed."""
    return [World([change(told) for told in world.households], world.policies) for world in worlds]


def in_another_order(worlds: Sequence[World], seed: int) -> list[World]:
    """The same rows, delivered in another order, of households in another order."""
    rng = Random(seed)

    def turned(told: Household) -> Household:
        facts = {kind: list(getattr(told, kind)) for kind in ("income", "holdings", "statuses", "links", "expenses")}
        for rows in facts.values():
            rng.shuffle(rows)
        return replace(told, **facts)

    return each(worlds, turned)


def times(worlds: Sequence[World], k: int) -> list[World]:
    """Every amount k times as much."""

    def more(told: Household) -> Household:
        income = [replace(fact, amount=fact.amount * k) for fact in told.income]
        expenses = [replace(fact, amount=fact.amount * k) for fact in told.expenses]
        holdings = [
            replace(fact, value=by(fact.value, k), proceeds=by(fact.proceeds, k), mortgage=by(fact.mortgage, k))
            for fact in told.holdings
        ]
        declared = {item: value if item in COUNTED else value * k for item, value in told.declared.items()}
        return replace(told, income=income, holdings=holdings, expenses=expenses, declared=declared)

    return each(worlds, more)


def policies_times(policies: Sequence[Policy], k: int) -> list[Policy]:
    """Every amount in the policies k times as much; counts stay."""
    return [
        replace(
            policy,
            tests=tuple(replace(test, limit=test.limit * (k if test.unit == "fen" else 1)) for test in policy.tests),
            tolerances={item: value * (1 if item in COUNTED else k) for item, value in policy.tolerances.items()},
            wage_deduction_cap_fen=by(policy.wage_deduction_cap_fen, k),
            support_floor_fen=policy.support_floor_fen * k,
            expenses={kind: (rate, by(cap, k)) for kind, (rate, cap) in policy.expenses.items()},
            trace_proceeds_min_fen=by(policy.trace_proceeds_min_fen, k),
        )
        for policy in policies
    ]


def by(amount: int | None, k: int) -> int | None:
    """An amount k times, if it is known."""
    return None if amount is None else amount * k


def without_source(told: Household, dataset: str) -> Household:
    """The household with a source that did not answer, for anybody."""
    answers = {
        key: replace(answer, state="unavailable", unread=0)
        if key[1] == dataset and answer.state == "covered"
        else answer
        for key, answer in told.answers.items()
    }
    return replace(told, answers=answers)


def without_facts(told: Household, numbers: set[int]) -> Household:
    """The household less some facts."""
    income: list[Income] = [fact for fact in told.income if fact.no not in numbers]
    holdings: list[Holding] = [fact for fact in told.holdings if fact.no not in numbers]
    expenses = [fact for fact in told.expenses if fact.no not in numbers]
    return replace(told, income=income, holdings=holdings, expenses=expenses)
