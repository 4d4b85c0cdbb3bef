"""Planted problems of registered businesses: held or ended, contested, declared or not."""

from __future__ import annotations

from connectors.synthetic.plants import planted
from connectors.synthetic.rows import Ints, day
from connectors.synthetic.scene import BUSINESSES, Scene
from connectors.synthetic.trades import add_business

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


@planted("R64", "未申报经营主体一家(未超限)", declaration="differs")
def undeclared_business(scene: Scene, households: Ints) -> None:
    """A firm that was not declared, within the limit."""
    head = scene.members.head(households)
    add_business(scene, head, scene.worth(head, BUSINESSES, 1, said=0), "shareholder")
