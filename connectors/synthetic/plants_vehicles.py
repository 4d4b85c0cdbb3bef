"""Planted problems of vehicles: what the register says of them, on which day, and by which increment."""

from __future__ import annotations

from connectors.synthetic import holdings
from connectors.synthetic.plants import planted
from connectors.synthetic.rows import Ints, day
from connectors.synthetic.scene import VEHICLES, Scene

VEHICLE_REGISTER = "public_security/vehicle_registration"
BEFORE, AFTER = day("2026-06-18"), day("2026-09-12")


def _car(scene: Scene, households: Ints, counts: int, said: int, **more: object) -> Ints:
    owner = scene.members.head(households)
    plate = scene.book.serials("plate", len(owner))
    rows = holdings.vehicles(scene.members.person[owner], plate, 46_000_00, **more)
    scene.book.add(VEHICLE_REGISTER, rows, scene.worth(owner, VEHICLES, counts, counts, said))
    return plate


@planted("R64", "未申报车辆", limits="over_limit", declaration="differs", review=("material_difference",))
def undeclared_car(scene: Scene, households: Ints) -> None:
    """A car that was not declared."""
    _car(scene, households, 1, 0)


@planted("R52", "车辆已报废")
def scrapped_car(scene: Scene, households: Ints) -> None:
    """A car scrapped before the reference date."""
    _car(scene, households, 0, 0, status="scrapped", status_on=BEFORE)


@planted("R52", "车辆已转移")
def transferred_car(scene: Scene, households: Ints) -> None:
    """A car transferred before the reference date."""
    _car(scene, households, 0, 0, status="transferred", status_on=BEFORE)


@planted("R52", "车辆被盗")
def stolen_car(scene: Scene, households: Ints) -> None:
    """A car stolen before the reference date."""
    _car(scene, households, 0, 0, status="stolen", status_on=BEFORE)


@planted("R52", "车辆已注销")
def cancelled_car(scene: Scene, households: Ints) -> None:
    """A car struck off before the reference date."""
    _car(scene, households, 0, 0, status="cancelled", status_on=BEFORE)


@planted("R52", "基准日之后才报废的车辆", limits="over_limit")
def car_scrapped_later(scene: Scene, households: Ints) -> None:
    """A car scrapped only after the reference date."""
    _car(scene, households, 1, 1, status="scrapped", status_on=AFTER)


@planted("R53", "残疾人专用车辆")
def disabled_vehicle(scene: Scene, households: Ints) -> None:
    """A vehicle for a disabled person."""
    _car(scene, households, 0 if "disabled" in scene.limits.exempt_vehicles else 1, 0, use_character="disabled")


@planted("R8", "增量中删除的车辆")
def car_deleted_by_increment(scene: Scene, households: Ints) -> None:
    """A car that an increment deletes."""
    plate = _car(scene, households, 0, 0)
    owner = scene.members.head(households)
    rows = holdings.vehicles(scene.members.person[owner], plate, 46_000_00, op="delete", _file=1)
    scene.book.add(VEHICLE_REGISTER, rows, scene.nothing(owner))


@planted("R8", "增量中变更为转移的车辆")
def car_changed_by_increment(scene: Scene, households: Ints) -> None:
    """A car that an increment turns into one transferred."""
    plate = _car(scene, households, 0, 0)
    owner = scene.members.head(households)
    changed = {"status": "transferred", "status_on": BEFORE, "_file": 2}
    rows = holdings.vehicles(scene.members.person[owner], plate, 46_000_00, **changed)
    scene.book.add(VEHICLE_REGISTER, rows, scene.nothing(owner))


@planted("R8", "增量中新增的未申报车辆", limits="over_limit", declaration="differs", review=("material_difference",))
def car_added_by_increment(scene: Scene, households: Ints) -> None:
    """A car, not declared, that only an increment brings."""
    _car(scene, households, 1, 0, _file=2)
