"""Planted problems of who belongs to a household, and of what may be asked about them."""

from __future__ import annotations

import numpy as np

from connectors.synthetic import earnings, holdings
from connectors.synthetic.base import add_deposit
from connectors.synthetic.households import CHILD, PARENT, SPOUSE
from connectors.synthetic.plants import COUPLE, SINGLE, WITH_CHILD, WITH_PARENT, planted
from connectors.synthetic.rows import Ints, columns, day
from connectors.synthetic.scene import FINANCIAL, TRANSFER, Scene

MARRIAGES, DEATHS = "civil_affairs/marriage", "civil_affairs/death_funeral"


@planted("R20", "同一人出现在两份申请中", review=("in_two_households",), families=WITH_CHILD)
def in_two_households(scene: Scene, households: Ints) -> None:
    """A child who is in two open requests.

    The shared child is put there when the members are made (households.make_members).
    """


def _die(scene: Scene, households: Ints, on: int) -> Ints:
    parent = scene.members.first(households, PARENT)
    scene.died[parent] = on
    person = scene.members.person[parent]
    values = {"person": person, "died_on": on, "cremated_on": on + 3}
    scene.book.add(DEATHS, columns(len(person), values), scene.nothing(parent))
    return parent


@planted("R21", "成员在基准日前死亡", review=("member_not_counted",), families=WITH_PARENT, apart=PARENT)
def dead_member(scene: Scene, households: Ints) -> None:
    """A member who died before the reference date."""
    _die(scene, households, day("2026-05-09"))


@planted(
    "R22",
    "死亡后仍领取养老金",
    review=("member_not_counted", "income_after_death"),
    shown_by=earnings.DATASET_OF["pension"],
    families=WITH_PARENT,
    apart=PARENT,
)
def pension_after_death(scene: Scene, households: Ints) -> None:
    """A pension paid for months after a member's death.

    Two months of 188.00: less than the tolerance, so that the declaration still matches.
    """
    parent = np.tile(_die(scene, households, day("2026-02-09")), 2)
    month = np.repeat(np.array([9, 10]), len(households))
    fen = np.full(len(parent), 188_00)
    rows = earnings.pensions(scene.members.person[parent], month, fen, "employee")
    scene.book.add(earnings.DATASET_OF["pension"], rows, scene.worth(parent, TRANSFER, 0, fen, said=0))


@planted("R23", "服刑人员不计入", review=("member_not_counted",), families=COUPLE, apart=SPOUSE)
def member_in_prison(scene: Scene, households: Ints) -> None:
    """A spouse in prison, who does not count."""
    scene.papers.status[scene.members.first(households, SPOUSE)] = 1


@planted("R25", "未申报的婚姻", review=("marital_status_differs",), shown_by=MARRIAGES, families=SINGLE)
def undeclared_marriage(scene: Scene, households: Ints) -> None:
    """A marriage with somebody outside, not declared."""
    _register(scene, households, "marriage", day("2024-10-08"))


@planted("R25", "基准日前已离婚", families=SINGLE)
def divorced(scene: Scene, households: Ints) -> None:
    """A divorce before the reference date; the former spouse owns much."""
    former = scene.shadow[households]
    _register(scene, households, "marriage", day("2012-06-18"))
    _register(scene, households, "divorce", day("2026-02-26"))
    n = len(former)
    scene.book.add("natural_resources/real_estate_title", holdings.titles(former, scene.book.serials("unit", n)))
    rows = holdings.vehicles(former, scene.book.serials("plate", n), 120_000_00)
    scene.book.add("public_security/vehicle_registration", rows)


def _register(scene: Scene, households: Ints, kind: str, on: int) -> None:
    head = scene.members.head(households)
    person, other = scene.members.person[head], scene.shadow[households]
    rows = holdings.marriages(person, other, scene.members.male[head], np.full(len(head), on), kind)
    scene.book.add(MARRIAGES, rows, scene.nothing(head))


@planted("R25", "申报为夫妻，实已离婚", review=("marital_status_differs",), shown_by=MARRIAGES, families=COUPLE)
def undeclared_divorce(scene: Scene, households: Ints) -> None:
    """Declared as a couple, but divorced."""
    head, spouse = scene.members.head(households), scene.members.first(households, SPOUSE)
    on = np.full(len(head), day("2025-11-20"))
    person = scene.members.person
    rows = holdings.marriages(person[head], person[spouse], scene.members.male[head], on, "divorce")
    scene.book.add(MARRIAGES, rows, scene.nothing(head))


@planted(
    "R26",
    "新生儿尚无身份证号",
    limits="undetermined",
    declaration="undetermined",
    review=("source_not_covered",),
    families=WITH_CHILD,
)
def newborn(scene: Scene, households: Ints) -> None:
    """A newborn without an ID number."""
    child = scene.members.first(households, CHILD)
    scene.papers.numbered[child] = False
    scene.uncovered.append((child, ()))


@planted("R27", "未同意的赡养义务人", families=WITH_PARENT, apart=PARENT)
def supporter_without_consent(scene: Scene, households: Ints) -> None:
    """A person with a duty of support who gave no consent.

    He owns much, and nothing of it may be asked for.
    """
    parent = scene.members.first(households, PARENT)
    scene.papers.supporter[parent] = True
    add_deposit(scene, parent, np.full(len(parent), 400_000_00), worth=scene.nothing(parent))
    scene.uncovered.append((parent, ()))


@planted(
    "R29",
    "授权已过期",
    limits="undetermined",
    declaration="undetermined",
    review=("source_not_covered",),
    families=COUPLE,
)
def expired_authorisation(scene: Scene, households: Ints) -> None:
    """An authorisation that has expired."""
    spouse = scene.members.first(households, SPOUSE)
    scene.papers.signed_on[spouse] = day("2025-09-10")
    scene.papers.valid_until[spouse] = day("2026-09-10")
    scene.uncovered.append((spouse, ()))


@planted("R34", "授权范围不含金融", limits="undetermined", declaration="undetermined", review=("source_not_covered",))
def limited_authorisation(scene: Scene, households: Ints) -> None:
    """An authorisation that leaves out banks, securities and insurers."""
    head = scene.members.head(households)
    scene.papers.scope[head] = 1
    scene.uncovered.append((head, FINANCIAL))
