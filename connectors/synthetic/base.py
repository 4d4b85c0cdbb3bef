"""The ordinary life of the households: what members earn and hold, all of it declared, or nearly.

A household gets a target as a share of its limits, and its members earn and hold what adds up to about that; the
exact sums are what truth.py reads from the rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from connectors.synthetic import benefits, earnings, funds, holdings, trades
from connectors.synthetic.households import APPLICANT, CHILD, OTHER, PARENT, SPOUSE, Flags
from connectors.synthetic.ordinary import write_ordinary
from connectors.synthetic.rows import NULL, Ints, day, pick
from connectors.synthetic.scene import (
    ASSETS,
    BUSINESS,
    HOMES,
    PROPERTY,
    TRANSFER,
    VEHICLES,
    WAGE,
    Scene,
    chance,
)

RESIDENT_BASIC_FEN = 20_800  # a month; excluded where the pack says so
WAGES, TRADE, BENEFIT, EMPLOYEE_PENSION, RESIDENT_PENSION, IDLE = range(6)
_RELATION_CODES = {APPLICANT: "02", SPOUSE: "10", CHILD: "20", PARENT: "50", OTHER: "99"}


@dataclass(frozen=True)
class Targets:
    """What each household has: shares of its limits, homes and cars; ``quiet`` members have nothing."""

    income: np.ndarray
    assets: np.ndarray
    homes: Ints
    cars: Ints
    quiet: Flags


def draw_targets(scene: Scene, no_income: Flags, no_assets: Flags, no_home: Flags, quiet: Flags) -> Targets:
    """Households without a planted problem lie anywhere around the limits; the others well within them."""
    rng = chance(scene.seed, "targets")
    n = scene.households
    clean = scene.kind < 0
    draw = rng.random(n)
    income = np.where(draw < 0.10, 0, np.where(draw < 0.86, rng.uniform(0.15, 0.97, n), rng.uniform(0.97, 1.9, n)))
    draw = rng.random(n)
    assets = np.where(draw < 0.08, 0, np.where(draw < 0.93, rng.uniform(0, 0.95, n), rng.uniform(1.01, 2.5, n)))
    homes = np.where(rng.random(n) < 0.03, 2, (rng.random(n) < 0.74).astype(np.int64))
    return Targets(
        income=np.where(no_income, 0, np.where(clean, income, rng.uniform(0.2, 0.4, n))),
        assets=np.where(no_assets, 0, np.where(clean, assets, rng.uniform(0.05, 0.3, n))),
        homes=np.where(no_home, 0, np.where(clean, homes, 1)),
        cars=np.where(clean, (rng.random(n) < 0.04).astype(np.int64), 0),
        quiet=quiet,
    )


def write_base(scene: Scene, targets: Targets) -> None:
    """Put the rows of every household's ordinary life into the book."""
    _incomes(scene, targets)
    _accounts(scene, targets)
    _homes_and_cars(scene, targets)
    trades.write_firms(scene)
    benefits.write_benefits(scene)
    write_ordinary(scene)


def _incomes(scene: Scene, targets: Targets) -> None:
    rng = chance(scene.seed, "incomes")
    members, n = scene.members, len(scene.members)
    age = members.age
    adult = (age >= 18) & (age < 60) & np.isin(members.relation, (APPLICANT, SPOUSE)) & ~targets.quiet
    elder = (age >= 60) & ~targets.quiet
    draw = rng.random(n)
    job = np.full(n, IDLE)
    job[adult] = np.select([draw < 0.62, draw < 0.77, draw < 0.84], [WAGES, TRADE, BENEFIT], IDLE)[adult]
    job[elder] = np.select([draw < 0.45, draw < 0.92], [EMPLOYEE_PENSION, RESIDENT_PENSION], IDLE)[elder]
    weight = np.where(job == IDLE, 0.0, rng.uniform(0.5, 1.5, n))
    total = np.bincount(members.household, weight, scene.households)
    target = targets.income * scene.limits.income(members.size())
    due = np.where(weight > 0, target[members.household] * weight / np.maximum(total, 1e-9)[members.household], 0)
    earning = due > 100_00
    for kind, write in ((WAGES, _wages), (TRADE, _trade), (BENEFIT, _benefit)):
        chosen = np.flatnonzero(earning & (job == kind))
        write(scene, rng, chosen, due[chosen].astype(np.int64))
    for kind, name in ((EMPLOYEE_PENSION, "employee"), (RESIDENT_PENSION, "resident_account")):
        chosen = np.flatnonzero(earning & (job == kind))
        _pensions(scene, chosen, due[chosen].astype(np.int64) // 12, name)
    resident = np.flatnonzero(earning & (job == RESIDENT_PENSION))
    _pensions(scene, resident, np.full(len(resident), RESIDENT_BASIC_FEN), "resident_basic")


def _wages(scene: Scene, rng: np.random.Generator, member: Ints, due: Ints) -> None:
    """Wages in whole tens of yuan, so that their deduction is exact; some began within the window."""
    late = np.where(rng.random(len(member)) < 0.2, rng.integers(1, 6, len(member)), 0)
    first = np.where(late > 0, earnings.WINDOW_FIRST + late, np.where(rng.random(len(member)) < 0.5, 0, 2))
    monthly = np.maximum(due // (12 - late) // 1000, 1) * 1000
    payer = rng.integers(1, 20_000, len(member))
    of, month = earnings.each_month(first, np.full(len(member), earnings.WINDOW_LAST))
    person = scene.members.person[member]
    rows = earnings.tax(person[of], month, monthly[of], payer[of], "wage")
    worth = scene.worth(member[of], WAGE, monthly[of] * earnings.in_window(month))
    scene.book.add(earnings.DATASET_OF["tax"], rows, worth)
    _funds(scene, member, of, month, monthly // 10, payer)
    insured = np.flatnonzero((rng.random(len(member)) < 0.85)[of])
    base = np.maximum(monthly, 4_500_00)[of[insured]]
    declared = np.where(payer % 3 == 0, monthly, NULL)[of[insured]]  # the tax office tells the same (R40)
    rows = earnings.contributions(person[of[insured]], month[insured], base, payer[of[insured]], wage=declared)
    scene.book.add(earnings.DATASET_OF["contribution"], rows, scene.nothing(member[of[insured]]))


def _funds(scene: Scene, member: Ints, of: Ints, month: Ints, deposit: Ints, payer: Ints) -> None:
    """Two employers in five pay into the housing fund, in the months of the wage."""
    paid = np.flatnonzero((payer % 5 < 2)[of])
    account = scene.book.serials("account", len(member))
    opening = funds.opening_balance(account)
    chosen = of[paid]
    person = scene.members.person[member[chosen]]
    rows = funds.fund(person, account[chosen], month[paid], deposit[chosen], payer[chosen], opening[chosen])
    scene.book.add(funds.FUND, rows, scene.nothing(member[chosen]))


def _trade(scene: Scene, rng: np.random.Generator, member: Ints, due: Ints) -> None:
    of, month = earnings.each_month(np.full(len(member), 1), np.full(len(member), earnings.WINDOW_LAST))
    fen = due[of] // 12 + rng.integers(-5_00, 5_00, len(of))
    rows = earnings.tax(scene.members.person[member][of], month, fen, 50_000 + member[of], "business")
    worth = scene.worth(member[of], BUSINESS, fen * earnings.in_window(month))
    scene.book.add(earnings.DATASET_OF["tax"], rows, worth)
    trades.register_trades(scene, member)


def _benefit(scene: Scene, rng: np.random.Generator, member: Ints, due: Ints) -> None:
    """Unemployment benefit: one row for a spell of several months, both its ends included."""
    length = rng.integers(3, 9, len(member))
    first = rng.integers(earnings.WINDOW_FIRST, earnings.WINDOW_LAST + 2 - length)
    monthly = np.minimum(due // length, 1_900_00)
    values = {
        "person": scene.members.person[member],
        "from_month": earnings.MONTHS[first],
        "to_month": earnings.MONTHS[first + length - 1],
        "monthly_amount_fen": monthly,
    }
    scene.book.add(earnings.DATASET_OF["unemployment"], values, scene.worth(member, TRANSFER, monthly * length))


def _pensions(scene: Scene, member: Ints, monthly: Ints, kind: str) -> None:
    of, month = earnings.each_month(np.zeros(len(member), np.int64), np.full(len(member), earnings.WINDOW_LAST))
    counts = 0 if excluded(scene, kind) else 1
    rows = earnings.pensions(scene.members.person[member][of], month, monthly[of], kind)
    worth = scene.worth(member[of], TRANSFER, monthly[of] * earnings.in_window(month) * counts)
    scene.book.add(earnings.DATASET_OF["pension"], rows, worth)


def excluded(scene: Scene, pension: str) -> bool:
    """Whether the pack leaves that kind of pension out of income (R42)."""
    return bool({pension, f"{pension}_pension", f"pension_{pension}"} & scene.limits.excluded)


def _accounts(scene: Scene, targets: Targets) -> None:
    """Balances of applicant and spouse that add up to the target, with interest on what is on term."""
    rng = chance(scene.seed, "accounts")
    members, n = scene.members, scene.households
    households = np.arange(n)
    head = members.head(households)
    partner = np.where(members.married[head], members.first(households, SPOUSE), head)
    partner = np.where(targets.quiet[partner], head, partner)
    target = (targets.assets * scene.limits.assets(members.size())).astype(np.int64)
    present = rng.random((n, 6)) < np.array([1, 0.35, 0.5, 0.4, 0.05, 0.08])
    weight = np.where(present, rng.uniform(0.2, 1, (n, 6)), 0)
    fen = (target[:, None] * weight / weight.sum(axis=1, keepdims=True)).astype(np.int64)
    holder = np.stack([head, head, partner, head, partner, head], axis=1)
    chosen = [np.flatnonzero(fen[:, place] > 0) for place in range(6)]
    part = [(holder[c, place], fen[c, place]) for place, c in enumerate(chosen)]
    for place, kind in ((0, "current"), (1, "term"), (2, "current")):
        account = add_deposit(scene, *part[place], kind)
        if kind == "term":
            _interest(scene, *part[place], account)
    member, amount = part[3]
    rows = holdings.wallets(members.person[member], scene.book.serials("account", len(member)), amount)
    scene.book.add("banks/wallets", rows, scene.worth(member, ASSETS, amount))
    member, amount = part[4]
    account = scene.book.serials("account", len(member))
    rows = holdings.securities(members.person[member], account, amount - amount // 5, amount // 5)
    scene.book.add("securities/holdings", rows, scene.worth(member, ASSETS, amount))
    member, amount = part[5]
    rows = holdings.policies(members.person[member], scene.book.serials("policy", len(member)), amount)
    scene.book.add("insurers/policies", rows, scene.worth(member, ASSETS, amount))


def add_deposit(
    scene: Scene,
    member: Ints,
    fen: Ints,
    kind: str = "current",
    worth: Mapping[str, object] | None = None,
    holder: Ints | None = None,
    **more: object,
) -> Ints:
    """Add an account for each member (or the holder told), worth its balance unless told; gives its number."""
    account = scene.book.serials("account", len(member))
    person = scene.members.person[member] if holder is None else holder
    rows = holdings.deposits(person, account, fen, kind, **more)
    scene.book.add("banks/deposits", rows, worth or scene.worth(member, ASSETS, fen))
    return account


def _interest(scene: Scene, member: Ints, fen: Ints, account: Ints) -> None:
    of = np.repeat(np.arange(len(member)), 3)
    quarter = np.tile(np.arange(3), len(member))
    amount = fen[of] * 15 // 4000
    rows = earnings.interest(scene.members.person[member][of], account[of], quarter, amount)
    scene.book.add(earnings.DATASET_OF["interest"], rows, scene.worth(member[of], PROPERTY, amount))


def _homes_and_cars(scene: Scene, targets: Targets) -> None:
    rng = chance(scene.seed, "homes")
    members = scene.members
    households = np.arange(scene.households)
    head = members.head(households)
    shared = (rng.random(scene.households) < 0.25) & members.married[head] & (scene.kind < 0) & (targets.homes == 1)
    for nth in (1, 2):
        owner = head[(targets.homes >= nth) & ~shared]
        add_title(scene, owner)
    both = np.flatnonzero(shared)
    unit = scene.book.serials("unit", len(both))
    for place, owner in enumerate((head[both], members.first(both, SPOUSE))):
        rows = holdings.titles(members.person[owner], unit, ownership="shares", share_bp=5000)
        scene.book.add("natural_resources/real_estate_title", rows, scene.worth(owner, HOMES, 1 - place))
    owner = head[targets.cars > 0]
    value = rng.integers(8_000, 90_000, len(owner)) * 100
    rows = holdings.vehicles(members.person[owner], scene.book.serials("plate", len(owner)), value)
    scene.book.add("public_security/vehicle_registration", rows, scene.worth(owner, VEHICLES, 1))


def add_title(
    scene: Scene,
    member: Ints,
    worth: Mapping[str, object] | None = None,
    holder: Ints | None = None,
    **more: object,
) -> Ints:
    """Add a dwelling for each member (or the holder told), a declared home unless told; its unit is returned."""
    unit = scene.book.serials("unit", len(member))
    person = scene.members.person[member] if holder is None else holder
    rows = holdings.titles(person, unit, **more)
    scene.book.add("natural_resources/real_estate_title", rows, worth or scene.worth(member, HOMES, 1))
    return unit


def write_register(scene: Scene) -> None:
    """Entries in the register of residents (shadows too), and the marriages of couples who live together."""
    rng = chance(scene.seed, "register")
    members = scene.members
    _, one_each = np.unique(members.person, return_index=True)
    listed = one_each[scene.papers.numbered[one_each]]
    relation = pick(members.relation[listed], [_RELATION_CODES.get(r, "97") for r in range(OTHER + 1)])
    book = members.household[listed] + 1
    died = scene.died[listed]
    rows = holdings.registrations(
        members.person[listed],
        book,
        relation,
        members.birth[listed],
        status=pick((died != NULL).astype(np.int64), ("normal", "dead")),
        status_on=died,
        linked_person=scene.linked[listed],
    )
    scene.book.add("public_security/household_registration", rows)
    shadows = np.setdiff1d(scene.shadow[scene.shadow >= 0], scene.linked)
    rows = holdings.registrations(shadows, scene.households + shadows, "02", scene.people.birth[shadows])
    scene.book.add("public_security/household_registration", rows)
    couples = [np.flatnonzero((members.relation == relation) & members.married) for relation in (APPLICANT, PARENT)]
    one = np.concatenate([couples[0], couples[1][::2]])
    other = np.concatenate([members.first(members.household[couples[0]], SPOUSE), couples[1][1::2]])
    young = np.maximum(members.birth[one], members.birth[other])
    on = np.minimum(young + rng.integers(22 * 365, 26 * 365, len(one)), day("2025-06-30"))
    rows = holdings.marriages(members.person[one], members.person[other], members.male[one], on)
    scene.book.add("civil_affairs/marriage", rows)
