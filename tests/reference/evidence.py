"""Random evidence about a household: which templates there are, and what the household declares."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random

from tests.reference import evidence_income as income
from tests.reference import evidence_persons as persons
from tests.reference import evidence_things as things
from tests.reference.pen import Pen
from tests.reference.told import Household

WEIGHTS: tuple[tuple[Callable[[Pen], None], int], ...] = (
    (income.wages, 8), (income.pension, 5), (income.annual, 2), (income.odd_period, 3), (income.bonus, 2),
    (income.expense, 4), (income.compensation, 2),
    (things.deposit, 8), (things.wallet, 3), (things.securities, 3), (things.home, 6), (things.vehicle, 5),
    (things.business, 3), (things.sale, 2),
    (persons.death, 2), (persons.employment, 3), (persons.study, 1), (persons.link, 1), (persons.marriage, 2),
    (persons.doubt, 3),
)  # fmt: skip
TEMPLATES = tuple(template for template, weight in WEIGHTS for _ in range(weight))


def tell(told: Household, facts: Iterable[tuple[int, int]]) -> None:
    """Facts about the household's members: of each the template and its variant."""
    if all(m.person is None for m in told.members):
        return
    pen = Pen(Random(0), told)
    for template, variant in facts:
        pen.rng = Random(variant)
        TEMPLATES[template](pen)


def declare(rng: Random, told: Household) -> None:
    """Declarations: nothing, what was told or nearly, or something else."""
    sums: dict[str, int] = {}
    for fact in told.income:
        sums[f"income.{fact.category}"] = sums.get(f"income.{fact.category}", 0) + fact.amount
    sums["financial_assets"] = sum(h.value or 0 for h in told.holdings if h.what in ("deposit", "wallet", "security"))
    for item in ("income.wage", "income.business", "income.property", "income.transfer", "financial_assets"):
        if rng.random() < 0.4:
            off = rng.choice((0, 0, 1, -1, told.policy.tolerances[item], -told.policy.tolerances[item] - 1, 700_000))
            told.declared[item] = max(0, sums.get(item, 0) + off)
    for item in ("homes", "vehicles", "businesses"):
        if rng.random() < 0.3:
            told.declared[item] = rng.choice((0, 1, 1, 2))
