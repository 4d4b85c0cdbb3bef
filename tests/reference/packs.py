"""Random policies: limits, operators, rates, windows, exclusions, sources. Amounts are small: corners meet."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from random import Random

from connectors.contract import load_contracts
from tests.reference.told import Limit, Policy

EXCLUDED = ("veteran_benefit", "scholarship", "resident_basic_pension", "interest")
STATUSES = ("prison", "conscript", "clergy", "missing", "compulsory_treatment")
STAGES = ("primary", "senior_secondary", "undergraduate", "master")
USES = ("disabled", "operating")
EXPENSES = ("medical", "rehabilitation", "education")
ITEMS = ("income.wage", "income.business", "income.property", "income.transfer", "financial_assets")
COUNTS = ("homes", "vehicles", "businesses")


@cache
def feeds() -> dict[str, tuple[str, ...]]:
    """Which figures each dataset feeds, as its contract says."""
    return {dataset: tuple(contract.feeds) for dataset, contract in sorted(load_contracts().items())}


def policy(rng: Random) -> Policy:
    """A programme of some place; most sources required, some optional, some not asked."""
    standard = rng.choice((1, 333, 1000, 1001, 98_900))
    needs = {dataset: rng.choices(("required", "optional", "not_asked"), (12, 2, 1))[0] for dataset in feeds()}
    needs["taxation/individual_income"] = "required"  # D2: a category that no required source feeds
    return Policy(
        window_months=rng.choice((1, 3, 6, 12, 12, 12, 24)),
        bonus_rule=rng.choice(("period", "paid")),
        loss_offset=rng.random() < 0.3,
        wage_deduction_bp=rng.choice((0, 333, 1000, 2000, 10_000)),
        wage_deduction_cap_fen=rng.choice((None, None, 0, 1, 77, 30_000)),
        minor_age=rng.choice((16, 18, 18)),
        adult_child_age=rng.choice((None, 30, 30, 35)),
        student_stages=frozenset(stage for stage in STAGES if rng.random() < 0.6),
        mortgage_netted=rng.random() < 0.5,
        trace_proceeds_min_fen=rng.choice((None, 0, 50_000, 5_000_000)),
        tests=limits(rng, standard),
        income_excluded=frozenset(kind for kind in EXCLUDED if rng.random() < 0.5),
        sources={dataset: need for dataset, need in needs.items() if need != "not_asked"},
        tolerances={item: rng.choice((0, 1, 500, 50_000)) for item in ITEMS}
        | {item: rng.choice((0, 0, 1)) for item in COUNTS},
        statuses={kind: years(rng, kind) for kind in STATUSES if rng.random() < 0.7},
        vehicle_exempt={use: rng.random() < 0.5 for use in USES if rng.random() < 0.6},
        support_share_bp=rng.choice((0, 0, 5000, 3333, 10_000)),
        support_floor_fen=rng.choice((0, standard, 2 * standard)),
        expenses={
            kind: (rng.choice((10_000, 10_000, 8000, 3333)), rng.choice((None, None, 0, 12 * standard)))
            for kind in EXPENSES
            if rng.random() < 0.6
        },
        feeds=feeds(),
    )


def years(rng: Random, kind: str) -> int | None:
    return rng.choice((1, 3)) if kind == "clergy" else rng.choice((0, 0, 0, None))


def at_most(count: int) -> Limit:
    """A limit on vehicles."""
    return Limit("vehicles", "vehicles", "<=", "household", "count", count)


def limits(rng: Random, standard: int) -> tuple[Limit, ...]:
    """The tests of a programme; each may be left out, none has to be there."""
    every = (
        Limit("income", "income", rng.choice(("<", "<=")), "per_head_month", "fen", standard),
        Limit("financial_assets", "financial_assets", rng.choice(("<", "<=")), "per_head", "fen", 24 * standard),
        Limit("savings", "financial_assets", "<=", "household", "fen", rng.choice((0, 50 * standard))),
        Limit("homes", "homes", "<=", "household", "count", rng.choice((0, 1, 1, 2))),
        rng.choice((at_most(0), at_most(1), replace(at_most(1), op="<"), replace(at_most(2), op="<"))),
        Limit("businesses", "businesses", "<=", "household", "count", rng.choice((0, 1))),
        Limit("left", "income_left_share", rng.choice(("<", "<=")), "household", "bp", rng.choice((5000, 7000))),
    )
    chances = (0.95, 0.9, 0.2, 0.9, 0.9, 0.5, 0.1)
    return tuple(test for test, chance in zip(every, chances, strict=True) if rng.random() < chance)
