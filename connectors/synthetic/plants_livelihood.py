"""Planted problems of study, illness, farming and transport."""

from __future__ import annotations

import numpy as np

from connectors.synthetic import holdings, livelihood
from connectors.synthetic.plants import planted
from connectors.synthetic.rows import Ints, day
from connectors.synthetic.scene import TRANSFER, VEHICLES, Scene

STUDENTS = ("parent_student",)
BEFORE = day("2026-05-20")


def _limit(scene: Scene, households: Ints) -> Ints:
    """The income limit per household and month, fen."""
    return scene.limits.income(scene.members.size(), households) // 12


def _settle(scene: Scene, member: Ints, total: Ints, kind: str, on: int, **more: object) -> None:
    number = scene.book.serials("settlement", len(member))
    rows = livelihood.settlements(scene.members.person[member], number, total, np.full(len(member), on), kind, **more)
    scene.book.add(livelihood.SETTLEMENTS, rows, scene.nothing(member))


def _subsidy(
    scene: Scene, households: Ints, fen: Ints, paid_on: int | None, worth: dict[str, object], year: int
) -> None:
    person = scene.members.person[scene.members.head(households)]
    rows = livelihood.subsidies(person, fen, year, paid_on, "grain_growers", batch_no=2)
    scene.book.add(livelihood.SUBSIDIES, rows, worth)


@planted("R35", "涉农补贴在窗口前发放")
def subsidy_before_window(scene: Scene, households: Ints) -> None:
    """A subsidy paid before the window."""
    head = scene.members.head(households)
    _subsidy(scene, households, _limit(scene, households) * 14, day("2025-08-20"), scene.nothing(head), 2025)


@planted("R35", "涉农补贴在窗口内发放")
def subsidy_in_window(scene: Scene, households: Ints) -> None:
    """A subsidy paid in the window, declared."""
    head, fen = scene.members.head(households), _limit(scene, households)
    _subsidy(scene, households, fen, day("2026-06-11"), scene.worth(head, TRANSFER, fen), 2026)


@planted(
    "R36",
    "只知年度的涉农补贴",
    declaration="undetermined",
    review=("annual_only",),
    shown_by=livelihood.SUBSIDIES,
)
def subsidy_of_a_year(scene: Scene, households: Ints) -> None:
    """A subsidy of which only the year is told."""
    head, fen = scene.members.head(households), _limit(scene, households)
    _subsidy(scene, households, fen, None, scene.worth(head, TRANSFER, 0, fen, said=0), 2026)


@planted("R46a", "住院自负医疗费")
def hospital_bill(scene: Scene, households: Ints) -> None:
    """A stay in hospital of which the patient paid tens of thousands, which this programme does not deduct."""
    head = scene.members.head(households)
    _settle(scene, head, np.full(len(head), 90_000_00), "inpatient", day("2026-03-09"))
    rows = livelihood.illnesses(scene.members.person[head], "lung_cancer", day("2026-02-27"))
    scene.book.add(livelihood.ILLNESS, rows, scene.nothing(head))


@planted("R46a", "已退费的医疗结算")
def refunded_settlement(scene: Scene, households: Ints) -> None:
    """A settlement that was taken back."""
    head = scene.members.head(households)
    total = np.full(len(head), 60_000_00)
    for sign, on in ((1, day("2026-04-02")), (-1, day("2026-04-03"))):
        _settle(scene, head, sign * total, "inpatient", on, refunded=1)


@planted("R46a", "学费与助学金", families=STUDENTS)
def grant_above_fee(scene: Scene, households: Ints) -> None:
    """A student at a second school whose grant is above the fee: nothing is left that was paid."""
    student = np.flatnonzero(scene.members.student & np.isin(scene.members.household, households))
    more = {"scholarship_fen": 9_000_00, "school_code": 9_900 + student % 90}
    rows = livelihood.enrolments(scene.members.person[student], scene.members.age[student], 2025, **more)
    scene.book.add(livelihood.ENROLMENT, rows, scene.nothing(student))


@planted("R52", "农机已报废")
def scrapped_machine(scene: Scene, households: Ints) -> None:
    """A combine harvester scrapped before the reference date."""
    head = scene.members.head(households)
    ended = {"status": "scrapped", "status_on": BEFORE}
    number = scene.book.serials("certificate", len(head))
    rows = livelihood.machines(scene.members.person[head], number, 90_000_00, **ended)
    scene.book.add(livelihood.MACHINERY, rows, scene.nothing(head))


@planted("R52", "船舶已转让")
def transferred_vessel(scene: Scene, households: Ints) -> None:
    """A vessel transferred before the reference date."""
    head = scene.members.head(households)
    ended = {"status": "transferred", "status_on": BEFORE}
    number = scene.book.serials("vessel", len(head))
    rows = livelihood.vessels(scene.members.person[head], number, 400_000_00, **ended)
    scene.book.add(livelihood.VESSELS, rows, scene.nothing(head))


@planted(
    "R12",
    "补贴名册姓名不符",
    declaration="undetermined",
    review=("identity_conflict",),
    shown_by=livelihood.SUBSIDIES,
)
def subsidy_in_other_name(scene: Scene, households: Ints) -> None:
    """A subsidy under the applicant's number and another name."""
    head, fen = scene.members.head(households), _limit(scene, households)
    other = scene.people.name[scene.shadow[households]]
    rows = livelihood.subsidies(
        scene.members.person[head], fen, 2026, day("2026-06-11"), "rice", person_name=other, batch_no=3
    )
    scene.book.add(livelihood.SUBSIDIES, rows, scene.worth(head, TRANSFER, 0, fen, said=0))


@planted("R53", "有道路运输证的营运车辆，本地不豁免", limits="over_limit")
def licensed_vehicle(scene: Scene, households: Ints) -> None:
    """A van with an operating licence, declared; this pack exempts no operating vehicle."""
    head = scene.members.head(households)
    person, plate = scene.members.person[head], scene.book.serials("plate", len(head))
    counts = 0 if "operating" in scene.limits.exempt_vehicles else 1
    rows = holdings.vehicles(person, plate, 38_000_00, use_character="operating", plate_kind="01")
    scene.book.add("public_security/vehicle_registration", rows, scene.worth(head, VEHICLES, counts))
    rows = livelihood.licences(person, scene.book.serials("licence", len(head)), plate)
    scene.book.add(livelihood.LICENCES, rows, scene.nothing(head))
