"""Who runs or holds a registered business, in the households' ordinary life."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from connectors.synthetic import holdings
from connectors.synthetic.households import SPOUSE
from connectors.synthetic.rows import Ints
from connectors.synthetic.scene import BUSINESSES, Scene, chance

REGISTER = "market_regulation/business_registration"


def add_business(
    scene: Scene,
    member: Ints,
    worth: Mapping[str, object] | None = None,
    role: str = "operator",
    **more: object,
) -> Ints:
    """Add a business for each member, a declared one unless told; its credit code's number is returned."""
    code = scene.book.serials("credit_code", len(member))
    rows = holdings.businesses(scene.members.person[member], code, role, **more)
    scene.book.add(REGISTER, rows, worth or scene.worth(member, BUSINESSES, 1))
    return code


def register_trades(scene: Scene, traders: Ints) -> None:
    """Seven in ten of those who earn by trade are registered; households with a planted problem stay without."""
    drawn = chance(scene.seed, "trades").random(len(traders)) < 0.7
    add_business(scene, traders[drawn & (scene.kind[scene.members.household[traders]] < 0)])


def write_firms(scene: Scene) -> None:
    """A few households hold a share of a firm; where husband and wife both do, it is one firm."""
    members = scene.members
    households = np.flatnonzero((chance(scene.seed, "firms").random(scene.households) < 0.015) & (scene.kind < 0))
    head = members.head(households)
    code = add_business(scene, head, role="legal_representative")
    both = members.married[head]
    spouse = members.first(households[both], SPOUSE)
    rows = holdings.businesses(members.person[spouse], code[both], "shareholder")
    scene.book.add(REGISTER, rows, scene.nothing(spouse))
