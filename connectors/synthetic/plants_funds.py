"""Planted problems of the housing fund: evidence of employment, and neither income nor a financial asset."""

from __future__ import annotations

import numpy as np

from connectors.synthetic.earnings import WINDOW_FIRST
from connectors.synthetic.funds import FUND, fund
from connectors.synthetic.plants import planted
from connectors.synthetic.rows import Ints
from connectors.synthetic.scene import Scene


def _deposits(scene: Scene, households: Ints, months: tuple[int, ...], deposit: int, before: int) -> None:
    head = np.tile(scene.members.head(households), len(months))
    account = np.tile(scene.book.serials("account", len(households)), len(months))
    month = np.repeat(np.array(months), len(households))
    money = np.full(len(head), deposit), np.full(len(head), before)
    rows = fund(scene.members.person[head], account, month, money[0], 30_000 + head, money[1])
    scene.book.add(FUND, rows, scene.nothing(head))


@planted("R41", "有公积金缴存而无工资", review=("employed_without_wage",), shown_by=FUND, income=False)
def housing_fund_without_wage(scene: Scene, households: Ints) -> None:
    """Housing-fund deposits in months without any wage."""
    _deposits(scene, households, tuple(range(7, 11)), 600_00, 4_000_00)


@planted("R41", "公积金余额远超金融资产限额，只列示")
def large_housing_fund(scene: Scene, households: Ints) -> None:
    """A housing-fund balance far above the limit of financial assets, which is shown and not counted."""
    _deposits(scene, households, (WINDOW_FIRST - 1,), 2_000_00, 900_000_00)
