"""Planted problems of stays in prison and elsewhere: who counts by their dates (R23)."""

from __future__ import annotations

from connectors.synthetic import holdings
from connectors.synthetic.households import SPOUSE
from connectors.synthetic.plants import COUPLE, planted
from connectors.synthetic.rows import Ints, day
from connectors.synthetic.scene import Scene

DETENTION = "public_security/detention"
_APART: dict[str, object] = {"apart": SPOUSE, "apart_by": DETENTION}


def _spouse(scene: Scene, households: Ints, kind: str, since: str, until: str | None) -> None:
    spouse = scene.members.first(households, SPOUSE)
    rows = holdings.stays(scene.members.person[spouse], kind, day(since), day(until) if until else None)
    scene.book.add(DETENTION, rows, scene.nothing(spouse))


@planted("R23", "未申报的服刑人员，由数据发现", review=("member_not_counted",), families=COUPLE, **_APART)
def prison_found(scene: Scene, households: Ints) -> None:
    """A spouse in prison whom the household names as a member; only the dates found say otherwise."""
    _spouse(scene, households, "prison", "2025-03-18", None)


@planted("R23", "强制隔离戒毒人员，由数据发现", review=("member_not_counted",), families=COUPLE, **_APART)
def compulsory_treatment_found(scene: Scene, households: Ints) -> None:
    """A spouse in compulsory treatment, released only after the reference date."""
    _spouse(scene, households, "compulsory_treatment", "2025-11-03", "2026-09-12")


@planted("R23", "基准日前已刑满释放", families=COUPLE)
def released_before(scene: Scene, households: Ints) -> None:
    """A spouse released before the reference date, who counts again."""
    _spouse(scene, households, "prison", "2023-08-21", "2026-08-21")


@planted("R23", "基准日在行政拘留中，仍计入", families=COUPLE)
def administrative_detention(scene: Scene, households: Ints) -> None:
    """A spouse in administrative detention on the reference date, who counts: the pack does not name it."""
    _spouse(scene, households, "administrative", "2026-08-30", "2026-09-13")
