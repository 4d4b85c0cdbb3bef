"""Planted problems of identity: how a number or a name is written, and whose it is."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.synthetic import earnings, holdings
from connectors.synthetic.base import add_deposit, add_title
from connectors.synthetic.people import minority_names
from connectors.synthetic.plants import BORN_BEFORE_2000, planted
from connectors.synthetic.rows import NULL, Ints
from connectors.synthetic.scene import (
    BUSINESS,
    FIFTEEN,
    FULL_WIDTH,
    HOMES,
    LOWER_X,
    SPACED,
    VEHICLES,
    WRONG_CHECK,
    Scene,
    chance,
)

TITLES, VEHICLE_REGISTER = "natural_resources/real_estate_title", "public_security/vehicle_registration"
OTHER_DOTS = ("•", "‧", "・", "．")
PRIVATE_USE = "\ue863"  # 䶮 as GBK systems wrote it, before it had a place in Unicode


def _named(scene: Scene, persons: Ints) -> pa.Array:
    return pa.concat_arrays(scene.names).take(pa.array(scene.people.name[persons]))


@planted("R9", "校验码错误的记录")
def wrong_check_digit(scene: Scene, households: Ints) -> None:
    """A title under the applicant's number with a wrong check digit."""
    head = scene.members.head(households)
    add_title(scene, head, scene.nothing(head), _form=WRONG_CHECK)


@planted("R10", "来源中的15位号码", home=False, families=BORN_BEFORE_2000)
def fifteen_digits_in_source(scene: Scene, households: Ints) -> None:
    """A title under a 15-digit number."""
    add_title(scene, scene.members.head(households), _form=FIFTEEN)


@planted("R10", "申请中的15位号码", families=BORN_BEFORE_2000)
def fifteen_digits_in_request(scene: Scene, households: Ints) -> None:
    """A request with a 15-digit number."""
    scene.papers.form[scene.members.head(households)] = FIFTEEN


@planted("R11", "来源中的全角号码", home=False)
def full_width_in_source(scene: Scene, households: Ints) -> None:
    """A title under a full-width number."""
    add_title(scene, scene.members.head(households), _form=FULL_WIDTH)


@planted("R11", "申请中的全角号码")
def full_width_in_request(scene: Scene, households: Ints) -> None:
    """A request with a full-width number."""
    scene.papers.form[scene.members.head(households)] = FULL_WIDTH


@planted("R11", "来源中的空格", home=False)
def spaces_in_source(scene: Scene, households: Ints) -> None:
    """A title under a number with spaces."""
    add_title(scene, scene.members.head(households), _form=SPACED)


@planted("R11", "小写 x", home=False, ends_in_x=True)
def lower_case_x(scene: Scene, households: Ints) -> None:
    """Lower-case x, in the request and in a source."""
    head = scene.members.head(households)
    scene.papers.form[head] = LOWER_X
    add_title(scene, head, _form=LOWER_X)


@planted(
    "R12", "住房登记姓名不符", declaration="undetermined", review=("identity_conflict",), shown_by=TITLES, home=False
)
def title_in_other_name(scene: Scene, households: Ints) -> None:
    """A title under the applicant's number and another name."""
    head = scene.members.head(households)
    other = scene.people.name[scene.shadow[households]]
    add_title(scene, head, scene.worth(head, HOMES, 0, 1, said=0), person_name=other)


@planted(
    "R12",
    "车辆登记姓名不符",
    limits="undetermined",
    declaration="undetermined",
    review=("identity_conflict",),
    shown_by=VEHICLE_REGISTER,
)
def car_in_other_name(scene: Scene, households: Ints) -> None:
    """A car under the applicant's number and another name."""
    head = scene.members.head(households)
    other = scene.people.name[scene.shadow[households]]
    plate = scene.book.serials("plate", len(head))
    rows = holdings.vehicles(scene.members.person[head], plate, 30_000_00, person_name=other)
    scene.book.add(VEHICLE_REGISTER, rows, scene.worth(head, VEHICLES, 0, 1, said=0))


@planted(
    "R12",
    "经营所得姓名不符",
    declaration="undetermined",
    review=("identity_conflict",),
    shown_by=earnings.DATASET_OF["tax"],
)
def income_in_other_name(scene: Scene, households: Ints) -> None:
    """Business income under the applicant's number and another name."""
    head = scene.members.head(households)
    other = scene.people.name[scene.shadow[households]]
    fen, month = np.full(len(head), 2_000_00), np.full(len(head), 7)
    rows = earnings.tax(scene.members.person[head], month, fen, 60_000 + head, "business", person_name=other)
    scene.book.add(earnings.DATASET_OF["tax"], rows, scene.worth(head, BUSINESS, 0, fen, said=0))


@planted("R13", "同名不同号")
def namesake(scene: Scene, households: Ints) -> None:
    """Somebody of the same name, with another number, who owns much."""
    shadow = scene.shadow[households]
    scene.people.name[shadow] = scene.papers.name[scene.members.head(households)]
    n = len(shadow)
    scene.book.add(TITLES, holdings.titles(shadow, scene.book.serials("unit", n)))
    scene.book.add(VEHICLE_REGISTER, holdings.vehicles(shadow, scene.book.serials("plate", n), 88_000_00))
    account = scene.book.serials("account", n)
    scene.book.add("banks/deposits", holdings.deposits(shadow, account, np.full(n, 900_000_00)))


@planted("R14", "无身份证号的记录")
def record_without_number(scene: Scene, households: Ints) -> None:
    """Titles and cars with the applicant's name and no number."""
    head = scene.members.head(households)
    nobody, name = np.full(len(head), NULL), scene.papers.name[head]
    unit, plate = (scene.book.serials(kind, len(head)) for kind in ("unit", "plate"))
    scene.book.add(TITLES, holdings.titles(nobody, unit, person_name=name), scene.nothing(head))
    rows = holdings.vehicles(nobody, plate, 88_000_00, person_name=name)
    scene.book.add(VEHICLE_REGISTER, rows, scene.nothing(head))


@planted("R15", "间隔号写法不同", home=False)
def other_middle_dot(scene: Scene, households: Ints) -> None:
    """A minority name with another middle dot in a source."""
    head = scene.members.head(households)
    names = minority_names(chance(scene.seed, "minority heads"), len(head))
    _rename(scene, head, names)
    dots = pa.array(OTHER_DOTS).take(pa.array(np.arange(len(head)) % len(OTHER_DOTS)))
    parts = [pc.list_element(pc.split_pattern(names, "·"), place) for place in (0, 1)]
    written = scene.add_names(pc.binary_join_element_wise(parts[0], parts[1], dots))
    add_title(scene, head, person_name=written)


@planted("R15", "专用区字符", home=False)
def private_use_character(scene: Scene, households: Ints) -> None:
    """A rare character that a source writes in the private-use area."""
    head = scene.members.head(households)
    surname = pc.utf8_slice_codeunits(_named(scene, scene.members.person[head]), 0, 1)
    _rename(scene, head, pc.binary_join_element_wise(surname, "䶮", ""))
    written = scene.add_names(pc.binary_join_element_wise(surname, PRIVATE_USE, ""))
    add_title(scene, head, person_name=written)


def _rename(scene: Scene, member: Ints, names: pa.Array) -> None:
    place = scene.add_names(names)
    scene.people.name[scene.members.person[member]] = place
    scene.papers.name[member] = place


@planted("R16", "公安关联的第二号码", home=False)
def second_number(scene: Scene, households: Ints) -> None:
    """A home and an account under a second number that public security links."""
    head, second = scene.members.head(households), scene.shadow[households]
    scene.linked[head] = second
    scene.people.name[second] = scene.papers.name[head]
    fen = scene.limits.assets(scene.members.size(), households) // 5
    add_title(scene, head, holder=second)
    add_deposit(scene, head, fen, holder=second)
