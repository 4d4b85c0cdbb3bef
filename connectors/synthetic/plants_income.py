"""Planted problems of income: periods, corrections, pensions, contributions, limits."""

from __future__ import annotations

import numpy as np

from connectors.synthetic import earnings
from connectors.synthetic.base import excluded
from connectors.synthetic.earnings import WINDOW_FIRST, WINDOW_LAST
from connectors.synthetic.plants import ELDER, planted
from connectors.synthetic.rows import Ints, columns, day
from connectors.synthetic.scene import BUSINESS, TRANSFER, WAGE, Scene

TAX, PENSIONS = earnings.DATASET_OF["tax"], earnings.DATASET_OF["pension"]
CONTRIBUTIONS = earnings.DATASET_OF["contribution"]
_YEAR = tuple(range(WINDOW_FIRST, WINDOW_LAST + 1))


def _limit(scene: Scene, households: Ints) -> Ints:
    """The income limit per household and month, fen."""
    return scene.limits.income(scene.members.size(), households) // 12


def _wages(scene: Scene, households: Ints, months: tuple[int, ...], fen: Ints, counts: int, **more: object) -> Ints:
    """Wages of the applicant, whole tens of yuan, the same in each of the months; their record numbers by month."""
    head = np.tile(scene.members.head(households), len(months))
    month = np.repeat(np.array(months), len(households))
    amount = np.tile(fen // 1000 * 1000, len(months))
    rows = earnings.tax(scene.members.person[head], month, amount, 30_000 + head, "wage", **more)
    return scene.book.add(TAX, rows, scene.worth(head, WAGE, amount * counts)).reshape(len(months), -1)


def _survivor(scene: Scene, households: Ints, fen: Ints, months: tuple[int, ...] = _YEAR, said: bool = True) -> None:
    """A survivor's pension of the applicant, the same in each of the months."""
    head = np.tile(scene.members.head(households), len(months))
    amount = np.tile(fen, len(months))
    month = np.repeat(np.array(months), len(households))
    rows = earnings.pensions(scene.members.person[head], month, amount, "survivor")
    scene.book.add(PENSIONS, rows, scene.worth(head, TRANSFER, amount, said=amount if said else amount * 0))


@planted("R35", "上年所属期、窗口内补缴申报的工资", declaration="matches")
def late_declaration(scene: Scene, households: Ints) -> None:
    """A wage for a month before the window, declared within it."""
    declared = {"declared_on": day("2025-11-12")}
    _wages(scene, households, (WINDOW_FIRST - 1,), _limit(scene, households) * 14, 0, **declared)


@planted("R35", "窗口前月份的养老金补发")
def arrears_before_window(scene: Scene, households: Ints) -> None:
    """Pension arrears for months before the window, paid within it."""
    _arrears(scene, households, (day("2025-03-01"), day("2025-04-01")), 0)


@planted("R37", "窗口内月份的养老金补发")
def arrears_in_window(scene: Scene, households: Ints) -> None:
    """Pension arrears for months of the window."""
    _arrears(scene, households, (day("2025-11-01"), day("2025-12-01")), 1)


def _arrears(scene: Scene, households: Ints, months: tuple[int, int], counts: int) -> None:
    head = np.tile(scene.members.head(households), len(months))
    fen = np.tile(_limit(scene, households) * 2, len(months))
    late = {"paid_on": day("2026-02-16"), "arrears": 1}
    rows = earnings.pensions(scene.members.person[head], np.zeros_like(head), fen, "survivor", **late)
    rows["month"] = np.repeat(np.array(months), len(households))
    scene.book.add(PENSIONS, rows, scene.worth(head, TRANSFER, fen * counts))


def _settlement(scene: Scene, households: Ints, year: int, fen: Ints, worth: dict[str, object]) -> None:
    person = scene.members.person[scene.members.head(households)]
    item = columns(len(person), {"item": "business"})
    rows = {"person": person, "year": np.full(len(person), year), "amount_fen": fen, **item}
    scene.book.add("taxation/annual_settlement", rows, worth)


@planted(
    "R36",
    "仅有年度汇算数",
    limits="undetermined",
    declaration="undetermined",
    review=("annual_only",),
    shown_by="taxation/annual_settlement",
)
def annual_settlement_only(scene: Scene, households: Ints) -> None:
    """Business income that only the annual settlement shows."""
    head, fen = scene.members.head(households), _limit(scene, households) * 12
    _settlement(scene, households, 2025, fen, scene.worth(head, BUSINESS, 0, fen, said=0))


@planted("R36", "年度汇算属于窗口以外的年度")
def annual_settlement_before(scene: Scene, households: Ints) -> None:
    """An annual settlement of a year outside the window."""
    head = scene.members.head(households)
    _settlement(scene, households, 2024, _limit(scene, households) * 30, scene.nothing(head))


@planted("R37", "窗口内月份的全年一次性奖金")
def bonus_in_window(scene: Scene, households: Ints) -> None:
    """An annual bonus for a month of the window."""
    _bonus(scene, households, 7, 1)


@planted("R37", "窗口前月份的全年一次性奖金")
def bonus_before_window(scene: Scene, households: Ints) -> None:
    """An annual bonus for a month before the window, declared within it."""
    _bonus(scene, households, WINDOW_FIRST - 2, 0, declared_on=day("2025-10-13"))


def _bonus(scene: Scene, households: Ints, month: int, counts: int, **more: object) -> None:
    """A bonus of two months' limit, in whole tens of yuan, from the employer of ``_wages``."""
    head = scene.members.head(households)
    fen = _limit(scene, households) * 2 // 1000 * 1000
    months = np.full(len(head), month)
    rows = earnings.tax(scene.members.person[head], months, fen, 30_000 + head, "bonus", **more)
    scene.book.add(TAX, rows, scene.worth(head, WAGE, fen * counts))


@planted("R38", "同一自然月两次发薪", income=False)
def two_paydays(scene: Scene, households: Ints) -> None:
    """Two paydays in one calendar month."""
    fen = _limit(scene, households) * 6 // 10
    _wages(scene, households, _YEAR[:-2], fen, 1)
    _wages(scene, households, _YEAR[-2:-1], fen, 1, declared_on=day("2026-08-05"))
    _wages(scene, households, _YEAR[-1:], fen, 1, declared_on=day("2026-08-31"))


@planted("R39", "工资申报更正", income=False)
def corrected_wage(scene: Scene, households: Ints) -> None:
    """A wage declared three times too high, and corrected."""
    fen = _limit(scene, households) * 7 // 10
    _wages(scene, households, (*_YEAR[:6], *_YEAR[7:]), fen, 1)
    wrong = _wages(scene, households, _YEAR[6:7], fen * 9, 0)
    _wages(scene, households, _YEAR[6:7], fen, 1, mark="correction", correction_of=wrong[0])


@planted("R39", "工资申报冲销", income=False)
def reversed_wage(scene: Scene, households: Ints) -> None:
    """A wage declared by mistake, and reversed."""
    fen = _limit(scene, households) * 7 // 10
    _wages(scene, households, _YEAR, fen, 1)
    wrong = _wages(scene, households, _YEAR[4:5], fen * 9, 0)
    _wages(scene, households, _YEAR[4:5], -(fen * 9 // 1000 * 1000), 0, mark="reversal", correction_of=wrong[0])


def _insured_wage(scene: Scene, households: Ints, fen: Ints, counts: int) -> None:
    """The applicant's wage as declared for three kinds of insurance, by the employer of ``_wages``; it counts once."""
    head = np.tile(scene.members.head(households), len(_YEAR))
    month = np.repeat(np.array(_YEAR), len(households))
    wage = np.tile(fen // 1000 * 1000, len(_YEAR))
    for place, kind in enumerate(("pension", "medical", "unemployment")):
        base = np.maximum(wage, 4_500_00)
        rows = earnings.contributions(scene.members.person[head], month, base, 30_000 + head, kind, wage)
        scene.book.add(CONTRIBUTIONS, rows, scene.worth(head, WAGE, wage * (0 if place else counts)))


@planted("R40", "税务与社保报送同一工资", income=False)
def wage_from_two_departments(scene: Scene, households: Ints) -> None:
    """One wage that the tax office and, a little higher, social insurance report."""
    fen = _limit(scene, households) * 7 // 10
    _wages(scene, households, _YEAR, fen, 1)
    _insured_wage(scene, households, fen + 200_00, 0)


@planted("R40", "仅社保申报的工资", income=False)
def wage_by_insurance_only(scene: Scene, households: Ints) -> None:
    """A wage that only social insurance knows of, told for each kind of insurance."""
    _insured_wage(scene, households, _limit(scene, households) * 7 // 10, 1)


@planted(
    "R40",
    "同一单位同月的工资在不同险种中不一致",
    declaration="undetermined",
    review=("wage_unclear",),
    shown_by=CONTRIBUTIONS,
)
def wage_differs_by_insurance(scene: Scene, households: Ints) -> None:
    """A wage that social insurance tells differently for two kinds of insurance."""
    head, month = scene.members.head(households), np.full(len(households), 8)
    wage = _limit(scene, households) // 1000 * 1000
    for kind, told, high in (("pension", wage // 2, 0), ("medical", wage, wage)):
        base = np.full(len(head), 4_500_00)
        rows = earnings.contributions(scene.members.person[head], month, base, 30_000 + head, kind, told)
        scene.book.add(CONTRIBUTIONS, rows, scene.worth(head, WAGE, 0, high, said=0))


@planted("R41", "有社保缴费而无工资", review=("employed_without_wage",), shown_by=CONTRIBUTIONS, income=False)
def contributions_without_wage(scene: Scene, households: Ints) -> None:
    """Contributions in months without any wage."""
    head = np.tile(scene.members.head(households), 4)
    month = np.repeat(np.arange(6, 10), len(households))
    base = np.full(len(head), 4_500_00)
    rows = earnings.contributions(scene.members.person[head], month, base, 30_000 + head)
    scene.book.add(CONTRIBUTIONS, rows, scene.nothing(head))


@planted("R42", "不计入的居民基础养老金", income=False, families=ELDER)
def excluded_pension(scene: Scene, households: Ints) -> None:
    """A resident basic pension that the pack leaves out."""
    head = np.tile(scene.members.head(households), 12)
    fen = np.tile(_limit(scene, households) * 3 // 2, 12)
    month = np.repeat(np.array(_YEAR), len(households))
    rows = earnings.pensions(scene.members.person[head], month, fen, "resident_basic")
    counts = 0 if excluded(scene, "resident_basic") else 1
    scene.book.add(PENSIONS, rows, scene.worth(head, TRANSFER, fen * counts))


@planted("R44", "扣除就业成本后才低于标准", income=False)
def deduction_decides(scene: Scene, households: Ints) -> None:
    """Wages that are within the limit only after the deduction."""
    _wages(scene, households, _YEAR, _limit(scene, households) * 105 // 100, 1)


@planted("R46", "窗口前后月份的收入")
def income_beside_window(scene: Scene, households: Ints) -> None:
    """Large wages in the months before and after the window."""
    _wages(scene, households, (WINDOW_FIRST - 1, WINDOW_LAST + 1), _limit(scene, households) * 14, 0)


@planted("R62", "收入恰为标准(<)", limits="over_limit", income=False, assets=False)
def income_at_limit(scene: Scene, households: Ints) -> None:
    """Income exactly at the limit, which `<` does not admit."""
    _survivor(scene, households, _limit(scene, households))


@planted("R62", "收入比标准少一分", income=False, assets=False)
def income_one_fen_below(scene: Scene, households: Ints) -> None:
    """Income one fen below the limit."""
    limit = _limit(scene, households)
    _survivor(scene, households, limit, _YEAR[:-1])
    _survivor(scene, households, limit - 1, _YEAR[-1:])


@planted("R64", "未申报养老金，足以超限", limits="over_limit", declaration="differs", review=("material_difference",))
def undeclared_pension(scene: Scene, households: Ints) -> None:
    """A pension, not declared, that takes the household over the limit."""
    _survivor(scene, households, _limit(scene, households) * 12 // 10, said=False)


@planted("R64", "少报收入，不影响结论", declaration="differs")
def understated_income(scene: Scene, households: Ints) -> None:
    """Income declared too low, which changes no test."""
    _survivor(scene, households, _limit(scene, households) // 5, said=False)
