"""Planted problems of what the public purse pays: left out of income, late, or not declared."""

from __future__ import annotations

import numpy as np

from connectors.synthetic import benefits
from connectors.synthetic.base import add_title
from connectors.synthetic.benefits import ASSISTANCE, DISABILITY, ONE_CARD, VETERANS, add_card, counted
from connectors.synthetic.earnings import WINDOW_FIRST, WINDOW_LAST
from connectors.synthetic.plants import planted
from connectors.synthetic.rows import Ints, day, pick
from connectors.synthetic.scene import HOMES, PROPERTY, TRANSFER, Scene

_MONTHS = WINDOW_LAST - WINDOW_FIRST + 1


def _limit(scene: Scene, households: Ints) -> Ints:
    """The income limit per household and month, fen."""
    return scene.limits.income(scene.members.size(), households) // 12


@planted("R42", "不计入的低保金", income=False)
def excluded_assistance(scene: Scene, households: Ints) -> None:
    """A subsistence allowance that alone would be above the limit, and is no income."""
    head = np.tile(scene.members.head(households), _MONTHS)
    fen = np.tile(_limit(scene, households) * 3 // 2, _MONTHS)
    month = np.repeat(np.arange(WINDOW_FIRST, WINDOW_LAST + 1), len(households))
    rows = benefits.assistance(scene.members.person[head], month, fen, "subsistence_allowance")
    counts = int(counted(scene, ("assistance_subsistence_allowance",))[0])
    scene.book.add(ASSISTANCE, rows, scene.worth(head, TRANSFER, fen * counts))


@planted("R42", "不计入的优待抚恤金", income=False)
def excluded_veteran_benefit(scene: Scene, households: Ints) -> None:
    """A veteran's benefit that alone would be above the limit, and does not count."""
    head, fen = scene.members.head(households), _limit(scene, households) * 3 // 2
    rows = benefits.veterans(scene.members.person[head], fen, pick(head * 0, ("disability",)))
    counts = int(counted(scene, ("veteran_benefit_disability",))[0])
    scene.book.add(VETERANS, rows, scene.worth(head, TRANSFER, fen * _MONTHS * counts))


@planted("R42", "不计入的残疾人两项补贴")
def excluded_disability_allowances(scene: Scene, households: Ints) -> None:
    """The two allowances of a disabled person, which do not count."""
    head = scene.members.head(households)
    rows = benefits.disabled(scene.members.person[head], "physical", "1", **benefits.allowances())
    scene.book.add(DISABILITY, rows, scene.worth(head, TRANSFER, benefits.allowance_worth(scene)))


@planted("R42", "不计入的计划生育奖励扶助")
def excluded_family_planning(scene: Scene, households: Ints) -> None:
    """A reward for family planning, which does not count."""
    head = scene.members.head(households)
    month = np.full(len(head), WINDOW_LAST)
    add_card(scene, head, month, _limit(scene, households) * 14, "family_planning_reward")


@planted("R35", "窗口前所属月、窗口内发放的惠农补贴")
def late_subsidy(scene: Scene, households: Ints) -> None:
    """A subsidy for a month before the window, paid within it."""
    head = scene.members.head(households)
    month = np.full(len(head), WINDOW_FIRST - 1)
    fen = _limit(scene, households) * 14
    add_card(scene, head, month, fen, "reservoir_resettlement_aid", paid_on=day("2025-12-08"))


@planted(
    "R64", "未申报的惠农补贴，足以超限", limits="over_limit", declaration="differs", review=("material_difference",)
)
def undeclared_subsidy(scene: Scene, households: Ints) -> None:
    """A one-card payment, not declared, that takes the household over the limit."""
    head = scene.members.head(households)
    month = np.full(len(head), WINDOW_LAST - 1)
    add_card(scene, head, month, _limit(scene, households) * 14, "eco_forest_compensation", said=0)


def _compensated(scene: Scene, households: Ints, gone_on: int, home: int, counts: int) -> None:
    head = scene.members.head(households)
    add_title(scene, head, scene.worth(head, HOMES, home), state="expropriated", cancelled_on=gone_on)
    fen = _limit(scene, households) * 2
    rows = benefits.one_card(
        scene.members.person[head], np.full(len(head), WINDOW_LAST - 2), fen, "expropriation_compensation"
    )
    scene.book.add(ONE_CARD, rows, scene.worth(head, PROPERTY, fen * counts))


@planted("R50", "住房已征收，补偿已发放", home=False)
def compensation_for_home_gone(scene: Scene, households: Ints) -> None:
    """A home expropriated before the reference date: its compensation counts, the home does not."""
    _compensated(scene, households, day("2026-06-03"), 0, 1)


@planted("R50", "补偿已发放，基准日之后才征收", home=False)
def compensation_before_home_goes(scene: Scene, households: Ints) -> None:
    """Compensation for a home that stands until after the reference date: the home counts, the money does not."""
    _compensated(scene, households, day("2026-09-11"), 1, 0)
