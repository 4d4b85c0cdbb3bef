"""What is true of every household: figures, tests, conclusions and review reasons, from what each row is worth.

This is the other way to the answers: it never reads the departments' files, and shares no line with ``sql/``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from connectors.contract import Contract
from connectors.synthetic.limits import TESTS
from connectors.synthetic.plants import Kind
from connectors.synthetic.rows import Columns, Ints, count, filled
from connectors.synthetic.scene import COUNTS, FIGURES, WAGE, Scene, chance

SATISFIED, EXCEEDED, UNDETERMINED = range(3)
TEST_RESULTS = ("satisfied", "exceeded", "undetermined")
MATCHES, OPEN, DIFFERS = range(3)
DECLARATION_RESULTS = ("matches", "undetermined", "differs")
DERIVED = {"source_not_covered", "material_difference", "member_not_counted"}  # from papers, not from one dataset
INCOMES = slice(0, 4)
ITEMS_OF_TEST = (INCOMES, slice(4, 5), slice(5, 6), slice(6, 7), slice(7, 8))


@dataclass(frozen=True)
class Truth:
    """By household; figures in the order of FIGURES, tests in that of TESTS.

    Attributes:
        size: counted members.
        low, high: the figures; ``unbounded`` where a required source did not answer.
        income_low, income_high: all income less the employment cost.
        said: what the household declares.
        tests, items: results, as positions in TEST_RESULTS and DECLARATION_RESULTS.
        material: whether a differing item changes its test.
        review: codes by household.
    """

    size: Ints
    low: Ints
    high: Ints
    unbounded: np.ndarray
    income_low: Ints
    income_high: Ints
    said: Ints
    tests: Ints
    items: Ints
    material: np.ndarray
    review: list[tuple[Ints, str]]

    @property
    def limits(self) -> np.ndarray:
        """Conclusion on the limits."""
        words = np.array(["within_limits", "over_limit", "undetermined"], object)
        exceeded, satisfied = (self.tests == EXCEEDED).any(1), (self.tests == SATISFIED).all(1)
        found: np.ndarray = words[np.where(exceeded, 1, np.where(satisfied, 0, 2))]
        return found

    @property
    def declaration(self) -> np.ndarray:
        """The worst of the declared items."""
        found: np.ndarray = np.array(DECLARATION_RESULTS, object)[self.items.max(axis=1)]
        return found


def uncovered(scene: Scene, contracts: Mapping[str, Contract], silent: Mapping[str, Ints]) -> dict[str, np.ndarray]:
    """By dataset, the members about whom it gives no usable answer, by their papers or by its trouble."""
    missing = {dataset: np.zeros(len(scene.members), bool) for dataset in contracts}
    for dataset, mask in missing.items():
        for member, departments in scene.uncovered:
            if not departments or dataset.split("/")[0] in departments:
                mask[member] = True
        mask[silent.get(dataset, np.zeros(0, np.int64))] = True
    return missing


def _sum(scene: Scene, rows: Mapping[str, Columns], missing: Mapping[str, np.ndarray], column: str) -> Ints:
    """A column of worth, summed by household and figure."""
    total = np.zeros((scene.households, len(FIGURES)), np.int64)
    for dataset, cols in rows.items():
        figure = filled(cols.get("_figure"), count(cols), -1)
        chosen = np.flatnonzero(figure >= 0)
        if not len(chosen):
            continue
        member = np.asarray(cols["_member"])[chosen]
        if column != "_said":
            chosen = chosen[~missing[dataset][member]]
        place = np.asarray(cols["_household"])[chosen] * len(FIGURES) + figure[chosen]
        np.add.at(total.reshape(-1), place, np.asarray(cols[column])[chosen])
    return total


def find(
    scene: Scene, contracts: Mapping[str, Contract], rows: Mapping[str, Columns], missing: Mapping[str, np.ndarray]
) -> Truth:
    """The truth about every household."""
    members, limits = scene.members, scene.limits
    size = members.size()
    low, high, said = (_sum(scene, rows, missing, column) for column in ("_low", "_high", "_said"))
    unbounded = np.zeros_like(low, bool)
    gap = np.zeros(scene.households, bool)
    for dataset in limits.required & contracts.keys():
        lacking = members.household[missing[dataset] & members.counted]
        gap[lacking] = True
        for figure in contracts[dataset].feeds:
            if figure in FIGURES:
                unbounded[lacking, FIGURES.index(figure)] = True
    said = _nearly(scene, said)
    income = [f[:, INCOMES].sum(1) - f[:, WAGE] * limits.wage_deduction_bp // 10_000 for f in (low, high, said)]
    endless = np.asarray(unbounded[:, INCOMES].any(axis=1))
    tests = _tests(scene, size, (income[0], income[1], endless), low, high, unbounded)
    declared = _tests(scene, size, (income[2], income[2], np.zeros_like(gap)), said, said, np.zeros_like(unbounded))
    tolerance = np.array([limits.tolerance.get(name, 0) for name in FIGURES])
    differs = (said < low - tolerance) | (~unbounded & (said > high + tolerance))
    items = np.where(differs, DIFFERS, np.where(unbounded | (high - low > tolerance), OPEN, MATCHES))
    material = np.zeros_like(differs)
    for test, figures in enumerate(ITEMS_OF_TEST):
        material[:, figures] = differs[:, figures] & (tests[:, test] != declared[:, test])[:, None]
    review = _review(scene, missing, gap, material.any(1))
    return Truth(size, low, high, unbounded, income[0], income[1], said, tests, items, material, review)


def _nearly(scene: Scene, said: Ints) -> Ints:
    """Households without a planted problem declare amounts to the hundred yuan or so, within every tolerance."""
    rng = chance(scene.seed, "declared")
    money = [i for i in range(len(FIGURES)) if i not in COUNTS]
    least = min(scene.limits.tolerance.get(FIGURES[i], 0) for i in money)
    steps = max(least // 100_00 - 1, 0)
    noise = rng.integers(-steps, steps + 1, said.shape) * 100_00 if steps else np.zeros_like(said)
    noise[:, list(COUNTS)] = 0
    noise[(scene.kind >= 0)] = 0
    return np.where(said > 0, np.maximum(said + noise, 0), said)


def _tests(
    scene: Scene, size: Ints, income: tuple[Ints, Ints, np.ndarray], low: Ints, high: Ints, unbounded: np.ndarray
) -> Ints:
    results = np.empty((scene.households, len(TESTS)), np.int64)
    value, inclusive = scene.limits.value[scene.limits.of], scene.limits.inclusive[scene.limits.of]
    for test, name in enumerate(TESTS):
        limit = value[:, test]
        if name == "income":
            one, other, endless = income
            limit = scene.limits.income(size)
        else:
            figure = FIGURES.index(name)
            one, other, endless = low[:, figure], high[:, figure], unbounded[:, figure]
            limit = scene.limits.assets(size) if name == "financial_assets" else limit
        limit = limit + inclusive[:, test]  # `<=` a whole number is `<` the next
        results[:, test] = np.select([~endless & (other < limit), one >= limit], [SATISFIED, EXCEEDED], UNDETERMINED)
    return results


def _review(
    scene: Scene, missing: Mapping[str, np.ndarray], gap: np.ndarray, material: np.ndarray
) -> list[tuple[Ints, str]]:
    """Review reasons: those that planted problems raise, and those that follow from coverage and declaration."""
    apart = np.unique(scene.members.household[~scene.members.counted & ~scene.papers.supporter])
    reasons = [
        (np.flatnonzero(gap), "source_not_covered"),
        (np.flatnonzero(material), "material_difference"),
        (apart, "member_not_counted"),
    ]
    for households, code, dataset in scene.review:
        if dataset is None or not missing[dataset].all():
            reasons.append((households, code))
    return reasons


def check(kinds: tuple[Kind, ...], scene: Scene, truth: Truth) -> list[str]:
    """Kinds whose households' truth is not what the catalogue promises; none if the county is sound."""
    wrong = []
    limits, declaration = truth.limits, truth.declaration
    raised: dict[int, set[str]] = {}
    for households, code in truth.review:
        for household in households.tolist():
            raised.setdefault(household, set()).add(code)
    for household in np.flatnonzero(scene.kind >= 0).tolist():
        kind = kinds[scene.kind[household]]
        found = limits[household], declaration[household], raised.get(household, set())
        if found != (kind.limits, kind.declaration, set(kind.review)):
            wrong.append(f"{kind.name}: {found[0]}, {found[1]}, {sorted(found[2])}")
    return wrong
