"""Planted problems of registered businesses: held or ended, contested, declared or not."""

from __future__ import annotations

from connectors.synthetic.plants import planted
from connectors.synthetic.rows import Ints, day
from connectors.synthetic.scene import BUSINESSES, Scene
from connectors.synthetic.trades import REGISTER, add_business

BEFORE = day("2026-05-14")


@planted("R54", "经营主体已注销")
def cancelled_business(scene: Scene, households: Ints) -> None:
    """A business cancelled before the reference date."""
    head = scene.members.head(households)
    add_business(scene, head, scene.nothing(head), "shareholder", state="cancelled", cancelled_on=BEFORE)


@planted("R54", "营业执照已吊销")
def revoked_business(scene: Scene, households: Ints) -> None:
    """A business whose licence was revoked before the reference date."""
    head = scene.members.head(households)
    add_business(scene, head, scene.nothing(head), "legal_representative", state="revoked", revoked_on=BEFORE)


@planted("R64", "未申报的第二家经营主体", limits="over_limit", declaration="differs", review=("material_difference",))
def undeclared_second_business(scene: Scene, households: Ints) -> None:
    """A second firm that was not declared."""
    head = scene.members.head(households)
    add_business(scene, head, role="shareholder")
    add_business(scene, head, scene.worth(head, BUSINESSES, 1, said=0), "legal_representative")


@planted("R64", "未申报经营主体一家（未超限）", declaration="differs")
def undeclared_business(scene: Scene, households: Ints) -> None:
    """A firm that was not declared, within the limit."""
    head = scene.members.head(households)
    add_business(scene, head, scene.worth(head, BUSINESSES, 1, said=0), "shareholder")


@planted(
    "R54",
    "冒名登记有异议的经营主体",
    limits="undetermined",
    declaration="undetermined",
    review=("contested_registration",),
    shown_by=REGISTER,
)
def contested_businesses(scene: Scene, households: Ints) -> None:
    """Two firms that were registered under a stolen identity, as the applicant says."""
    head = scene.members.head(households)
    for role in ("legal_representative", "shareholder"):
        add_business(scene, head, scene.worth(head, BUSINESSES, 0, 1, said=0), role, contested=1)


@planted("R45", "登记为个体经营而无任何数据", review=("self_employed_unknown",), shown_by=REGISTER, income=False)
def self_employed_without_figure(scene: Scene, households: Ints) -> None:
    """Registered as self-employed, and no figure of the business anywhere."""
    add_business(scene, scene.members.head(households))
