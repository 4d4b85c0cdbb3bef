"""Planted problems of property: homes, accounts, policies, securities."""

from __future__ import annotations

import numpy as np

from connectors.synthetic import holdings
from connectors.synthetic.base import add_deposit, add_title
from connectors.synthetic.households import CHILD, SPOUSE
from connectors.synthetic.plants import COUPLE, LARGE, WITH_CHILD, planted
from connectors.synthetic.rows import Ints, day
from connectors.synthetic.scene import ASSETS, HOMES, Scene

TITLES, FILINGS = "natural_resources/real_estate_title", "housing/online_filing"
DEPOSITS = "banks/deposits"


def _assets(scene: Scene, households: Ints, percent: int) -> Ints:
    return scene.limits.assets(scene.members.size(), households) * percent // 100


@planted("R64", "未申报住房一套（未超限）", declaration="differs", home=False)
def undeclared_flat(scene: Scene, households: Ints) -> None:
    """A home that was not declared, within the limit."""
    head = scene.members.head(households)
    add_title(scene, head, scene.worth(head, HOMES, 1, said=0))


@planted("R64", "未申报第二套住房", limits="over_limit", declaration="differs", review=("material_difference",))
def undeclared_second_home(scene: Scene, households: Ints) -> None:
    """A second home that was not declared."""
    head = scene.members.head(households)
    add_title(scene, head, scene.worth(head, HOMES, 1, said=0))


@planted("R47", "按份共有住房，份额已登记", home=False)
def title_with_share(scene: Scene, households: Ints) -> None:
    """A home held in recorded shares with somebody outside."""
    unit = add_title(scene, scene.members.head(households), ownership="shares", share_bp=5000)
    rows = holdings.titles(scene.shadow[households], unit, ownership="shares", share_bp=5000)
    scene.book.add(TITLES, rows)


@planted(
    "R47", "共同共有住房，份额不明", declaration="undetermined", review=("share_unknown",), shown_by=TITLES, home=False
)
def title_with_unknown_share(scene: Scene, households: Ints) -> None:
    """A home held jointly with somebody outside, share unknown."""
    head = scene.members.head(households)
    unit = add_title(scene, head, scene.worth(head, HOMES, 0, 1, said=1), ownership="joint")
    scene.book.add(TITLES, holdings.titles(scene.shadow[households], unit, ownership="joint"))


@planted("R48", "同一不动产单元既有登记又有网签", home=False)
def title_and_filing(scene: Scene, households: Ints) -> None:
    """A title and an online filing of one unit."""
    head = scene.members.head(households)
    unit = add_title(scene, head)
    rows = holdings.filings(
        scene.members.person[head],
        unit,
        scene.shadow[households],
        _price(unit),
        day("2025-03-11"),
        state="registered",
    )
    scene.book.add(FILINGS, rows, scene.nothing(head))


def _price(unit: Ints) -> Ints:
    return 300_000_00 + unit % 50 * 10_000_00


@planted("R48", "仅有网签的第二套住房", limits="over_limit", declaration="differs", review=("material_difference",))
def home_by_filing_only(scene: Scene, households: Ints) -> None:
    """A second home that only an online filing shows."""
    head = scene.members.head(households)
    unit = scene.book.serials("unit", len(head))
    rows = holdings.filings(scene.members.person[head], unit, None, _price(unit), day("2026-05-20"), seller_name=None)
    scene.book.add(FILINGS, rows, scene.worth(head, HOMES, 1, said=0))


def _sold(scene: Scene, households: Ints, price: Ints) -> None:
    head, buyer = scene.members.head(households), scene.shadow[households]
    nothing = scene.nothing(head)
    unit = add_title(scene, head, nothing, state="historic", cancelled_on=day("2026-04-02"))
    rows = holdings.filings(buyer, unit, scene.members.person[head], price, day("2026-03-25"), state="registered")
    scene.book.add(FILINGS, rows, scene.nothing(head))


@planted("R49", "住房已售，价款未见", review=("proceeds_untraced",), shown_by=FILINGS, home=False)
def home_sold_untraced(scene: Scene, households: Ints) -> None:
    """A home sold, its price in no balance."""
    _sold(scene, households, np.full(len(households), scene.limits.trace_proceeds_min * 6))


@planted("R49", "住房已售，价款在存款中", home=False, assets=False, families=LARGE)
def home_sold_traced(scene: Scene, households: Ints) -> None:
    """A home sold, its price in a balance."""
    price = np.full(len(households), scene.limits.trace_proceeds_min)
    _sold(scene, households, price)
    add_deposit(scene, scene.members.head(households), price)


def _gone(scene: Scene, households: Ints, state: str, on: str) -> None:
    """A second home that was taken down or taken, and what was paid for it on the applicant's account."""
    head = scene.members.head(households)
    add_title(scene, head, scene.nothing(head), state=state, cancelled_on=day(on))
    add_deposit(scene, head, _assets(scene, households, 40))


@planted("R50", "第二套住房已拆除，补偿款在账户中")
def demolished_home(scene: Scene, households: Ints) -> None:
    """A second home that was demolished; its compensation in an account counts alone."""
    _gone(scene, households, "demolished", "2026-03-17")


@planted("R50", "第二套住房已被征收，补偿款在账户中")
def expropriated_home(scene: Scene, households: Ints) -> None:
    """A second home that was expropriated; its compensation in an account counts alone."""
    _gone(scene, households, "expropriated", "2026-05-06")


@planted("R50", "基准日之后才被征收的第二套住房", limits="over_limit")
def home_expropriated_later(scene: Scene, households: Ints) -> None:
    """A second home that was expropriated only after the reference date."""
    head = scene.members.head(households)
    add_title(scene, head, state="expropriated", cancelled_on=day("2026-09-14"))


@planted("R55", "未成年人的账户", families=WITH_CHILD)
def childs_account(scene: Scene, households: Ints) -> None:
    """A child's account."""
    add_deposit(scene, scene.members.first(households, CHILD), _assets(scene, households, 30))


@planted("R55", "代管账户", families=WITH_CHILD)
def custodial_account(scene: Scene, households: Ints) -> None:
    """A custodial account in a child's name."""
    child = scene.members.first(households, CHILD)
    add_deposit(scene, child, _assets(scene, households, 300), "other", scene.nothing(child), custodial=1)


@planted("R56", "夫妻联名账户报送两次", families=COUPLE)
def joint_account_of_members(scene: Scene, households: Ints) -> None:
    """A joint account of two members, sent once for each."""
    head, spouse = scene.members.head(households), scene.members.first(households, SPOUSE)
    fen = _assets(scene, households, 40)
    person = scene.members.person
    account = add_deposit(scene, head, fen, co_holders=person[spouse])
    rows = holdings.deposits(person[spouse], account, fen, co_holders=person[head])
    scene.book.add(DEPOSITS, rows, scene.nothing(spouse))


@planted(
    "R56",
    "与户外人员共有账户，份额不明",
    limits="undetermined",
    declaration="undetermined",
    review=("joint_account_unknown_shares",),
    shown_by=DEPOSITS,
)
def joint_account_outside(scene: Scene, households: Ints) -> None:
    """An account held with somebody outside, no shares."""
    head, outside = scene.members.head(households), scene.shadow[households]
    fen = _assets(scene, households, 110)
    account = add_deposit(scene, head, fen, worth=scene.worth(head, ASSETS, 0, fen, said=0), co_holders=outside)
    scene.book.add(DEPOSITS, holdings.deposits(outside, account, fen, co_holders=scene.members.person[head]))


@planted("R56", "与户外人员共有账户，份额已知")
def joint_account_with_shares(scene: Scene, households: Ints) -> None:
    """An account held with somebody outside in known shares."""
    head, outside = scene.members.head(households), scene.shadow[households]
    fen = _assets(scene, households, 110) // 2 * 2
    worth = scene.worth(head, ASSETS, fen // 2)
    account = add_deposit(scene, head, fen, worth=worth, co_holders=outside, share_bp=5000)
    rows = holdings.deposits(outside, account, fen, co_holders=scene.members.person[head], share_bp=5000)
    scene.book.add(DEPOSITS, rows)


@planted("R57", "支付账户映射银行账户")
def mirrored_wallet(scene: Scene, households: Ints) -> None:
    """A wallet that mirrors a bank account."""
    head = scene.members.head(households)
    fen = _assets(scene, households, 60)
    account = add_deposit(scene, head, fen)
    rows = holdings.wallets(scene.members.person[head], scene.book.serials("account", len(head)), fen, mirrors=account)
    scene.book.add("banks/wallets", rows, scene.nothing(head))


@planted("R59", "作为被保险人的保单")
def insured_by_another(scene: Scene, households: Ints) -> None:
    """A policy that somebody else holds on a member's life."""
    head = scene.members.head(households)
    policy = scene.book.serials("policy", len(head))
    fen = _assets(scene, households, 200)
    rows = holdings.policies(scene.shadow[households], policy, fen, insured=scene.members.person[head])
    scene.book.add("insurers/policies", rows)


@planted("R59", "高保额低现金价值保单")
def policy_at_cash_value(scene: Scene, households: Ints) -> None:
    """A policy with a high sum insured and a small cash value."""
    head = scene.members.head(households)
    fen = _assets(scene, households, 10)
    policy = scene.book.serials("policy", len(head))
    rows = holdings.policies(scene.members.person[head], policy, fen, sum_insured_fen=1_000_000_00)
    scene.book.add("insurers/policies", rows, scene.worth(head, ASSETS, fen))


@planted("R60", "停牌证券", review=("price_suspended",), shown_by="securities/holdings")
def suspended_security(scene: Scene, households: Ints) -> None:
    """A suspended security."""
    head = scene.members.head(households)
    fen = _assets(scene, households, 30)
    account = scene.book.serials("account", len(head))
    rows = holdings.securities(scene.members.person[head], account, fen, fen * 0, suspended=1)
    scene.book.add("securities/holdings", rows, scene.worth(head, ASSETS, fen))


@planted("R62", "金融资产恰为限额(≤)", assets=False)
def assets_at_limit(scene: Scene, households: Ints) -> None:
    """Financial assets exactly at the limit, which `<=` admits."""
    add_deposit(scene, scene.members.head(households), _assets(scene, households, 100))


@planted("R62", "金融资产超限额一分", limits="over_limit", assets=False)
def assets_one_fen_over(scene: Scene, households: Ints) -> None:
    """Financial assets one fen above the limit."""
    add_deposit(scene, scene.members.head(households), _assets(scene, households, 100) + 1)


def _undeclared_deposit(scene: Scene, households: Ints, fen: int) -> None:
    head = scene.members.head(households)
    amount = np.full(len(head), fen)
    add_deposit(scene, head, amount, worth=scene.worth(head, ASSETS, amount, said=0))


@planted("R64", "差异恰等于容差")
def difference_at_tolerance(scene: Scene, households: Ints) -> None:
    """A difference exactly as large as the tolerance."""
    _undeclared_deposit(scene, households, scene.limits.tolerance["financial_assets"])


@planted("R64", "差异超容差一分，不影响结论", declaration="differs")
def difference_above_tolerance(scene: Scene, households: Ints) -> None:
    """A difference one fen above the tolerance that changes no test."""
    _undeclared_deposit(scene, households, scene.limits.tolerance["financial_assets"] + 1)
