"""Random facts about a household, each told by a template that knows which corner it is after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from tests.reference.household import months_before
from tests.reference.told import Holding, Household, Income, Link, Member, Status

TAX, SETTLEMENT, CONTRIBUTIONS = (
    "taxation/individual_income", "taxation/annual_settlement", "social_security/contributions",
)  # fmt: skip
PENSIONS, UNEMPLOYMENT, INTEREST = (
    "social_security/pensions", "social_security/unemployment", "banks/account_interest",
)  # fmt: skip
DEPOSITS, WALLETS, SECURITIES, POLICIES = (
    "banks/deposits", "banks/wallets", "securities/holdings", "insurers/policies",
)  # fmt: skip
TITLES, FILINGS, VEHICLES = (
    "natural_resources/real_estate_title", "housing/online_filing", "public_security/vehicle_registration",
)  # fmt: skip
REGISTER, DEATHS, MARRIAGES = (
    "public_security/household_registration", "civil_affairs/death_funeral", "civil_affairs/marriage",
)  # fmt: skip
OUTSIDE = 90  # numbers from here on are of persons in no request


def following(month: date) -> date:
    """The first of the next month."""
    return (month + timedelta(days=31)).replace(day=1)


@dataclass(slots=True)
class Pen:
    """Writes facts of one household; ``no`` counts them."""

    rng: Random
    told: Household
    no: int = 0
    days: list[date] = field(default_factory=list)  # days at which something changes

    def next(self) -> int:
        self.no += 1
        return self.no

    def who(self) -> Member:
        """A member with a number; the applicant if nobody else has one."""
        numbered = [m for m in self.told.members if m.person is not None]
        return self.rng.choice(numbered)

    def name(self, member: Member) -> int | None:
        """The name in a record: the member's, none, now and then another."""
        return self.rng.choices((member.name, None, 77), (14, 5, 1))[0]

    def month(self, back: int | None = None) -> date:
        """The first of a month in or near the window."""
        months = self.told.policy.window_months
        return months_before(self.told.reference, self.rng.randint(0, months + 1) if back is None else back)

    def day(self) -> date:
        """A day near the reference date or an end of the window, often exactly on it."""
        reference, months = self.told.reference, self.told.policy.window_months
        near = (reference, reference, reference.replace(day=1), months_before(reference, months))
        return self.rng.choice(near) + timedelta(days=self.rng.choice((-400, -30, -1, -1, 0, 0, 1, 30)))

    def amount(self) -> int:
        """Fen around the limits: parts of them, exactly on them, one more or less."""
        rng, policy = self.rng, self.told.policy
        heads, months = len(self.told.members), policy.window_months
        limits = [1, 100, 20_000]
        for test in policy.tests:
            if test.unit == "fen":
                whole = test.limit * (heads if test.scale != "household" else 1)
                limits += [whole, whole * (months if test.scale == "per_head_month" else 1)]
        value = rng.choice(limits) * rng.choice((1, 1, 1, 2, 3)) // rng.choice((1, 1, 1, 2, 3, months))
        return max(0, value + rng.choice((-1, 0, 0, 0, 1)))

    def income(self, member: Member, dataset: str, category: str, start: date | None, end: date | None, amount: int,
               **more: object) -> Income:  # fmt: skip
        """One income record."""
        given = {
            "kind": category, "granularity": "month", "one_off": None, "paid_on": None, "payer": None, "ref": None,
            "mark": "original", "corrects": None, "name": member.name, "person": member.person,
        } | more  # fmt: skip
        fact = Income(no=self.next(), dataset=dataset, category=category, start=start, end=end, amount=amount, **given)
        self.told.income.append(fact)
        return fact

    def holding(self, member: Member, dataset: str, what: str, asset: str, **more: object) -> Holding:
        """One record of a thing."""
        given = {
            "ownership": None, "share_bp": None, "co_holders": (), "value": None, "currency": None, "status": "held",
            "status_on": None, "acquired_on": None, "as_of": None, "mirrors": None, "custodial": None, "use": None,
            "proceeds": None, "name": member.name, "person": member.person,
        } | more  # fmt: skip
        fact = Holding(no=self.next(), dataset=dataset, what=what, asset=asset, **given)
        self.told.holdings.append(fact)
        return fact

    def status(self, member: Member, dataset: str, kind: str, start: date | None, end: date | None) -> None:
        """One status record."""
        assert member.person is not None
        self.told.statuses.append(Status(self.next(), member.person, self.name(member), dataset, kind, start, end))


def wages(pen: Pen) -> None:
    """A payer's wages, month by month, sometimes told by social insurance too, corrected, or paid twice (R38–R40)."""
    rng, member, amount = pen.rng, pen.who(), pen.amount()
    payer = rng.choice(("works", "shop", None))
    name, kind = pen.name(member), rng.choice(("wage", "wage", "labour"))
    month = pen.month()
    for _ in range(rng.choice((1, 1, 2, 3, 12))):
        ref = f"r{pen.no}"
        told = {"payer": payer, "name": name, "kind": kind, "ref": ref}
        pen.income(member, TAX, "wage", month, following(month), amount, **told)
        if rng.random() < 0.15:
            pen.income(member, CONTRIBUTIONS, "wage", month, following(month), amount + rng.choice((0, 20)),
                       payer=rng.choice((payer or "works", "shop")), name=None)  # fmt: skip
        if rng.random() < 0.15:
            pen.income(member, TAX, "wage", month, following(month), pen.amount(), **told | {"ref": ref + "x"})
        if rng.random() < 0.15:
            change(pen, member, month, amount, told)
        month = following(month)


def change(pen: Pen, member: Member, month: date, amount: int, told: dict[str, object]) -> None:
    """A correction that names its original or does not, or a reversal (R39)."""
    if pen.rng.random() < 0.5:
        named = told["ref"] if pen.rng.random() < 0.7 else None
        more = told | {"ref": f"c{pen.no}", "mark": "correction", "corrects": named}
        pen.income(member, TAX, "wage", month, following(month), pen.amount(), **more)
    else:
        more = told | {"ref": f"c{pen.no}", "mark": "reversal", "corrects": told["ref"]}
        pen.income(member, TAX, "wage", month, following(month), -amount, **more)


def pension(pen: Pen) -> None:
    """Pensions and benefits, some of kinds that packs leave out, some as arrears (R35, R37, R42)."""
    rng, member, amount = pen.rng, pen.who(), pen.amount()
    kind = rng.choice(("pension_employee", "resident_basic_pension", "veteran_benefit"))
    month = pen.month()
    for _ in range(rng.choice((1, 2, 12))):
        arrears = rng.random() < 0.1
        paid = pen.day() if arrears or rng.random() < 0.3 else None
        pen.income(member, PENSIONS, "transfer", month, following(month), amount, kind=kind, paid_on=paid,
                   one_off="arrears" if arrears else None, name=None)  # fmt: skip
        month = following(month)


def annual(pen: Pen) -> None:
    """A figure for a year (R36)."""
    rng, member = pen.rng, pen.who()
    year = pen.told.reference.year - rng.choice((0, 1, 1, 1, 2))
    category = rng.choice(("wage", "business", "property"))
    pen.income(member, SETTLEMENT, category, date(year, 1, 1), date(year + 1, 1, 1), pen.amount(),
               granularity="annual", name=pen.name(member), kind=rng.choice((category, "labour")))  # fmt: skip


def odd_period(pen: Pen) -> None:
    """Interest or business income of a quarter that may cross an end of the window; losses (R43, R46)."""
    rng, member = pen.rng, pen.who()
    start = rng.choice((pen.month(), pen.day()))
    end = rng.choice((start + timedelta(days=1), following(start), following(following(following(start)))))
    if rng.random() < 0.5:
        pen.income(member, INTEREST, "property", start, end, pen.amount(), kind="interest", name=None,
                   granularity="irregular")  # fmt: skip
    else:
        pen.income(member, TAX, "business", start, end, pen.amount() * rng.choice((1, 1, -1)), name=pen.name(member),
                   payer=rng.choice((None, "shop")))  # fmt: skip


def bonus(pen: Pen) -> None:
    """A bonus with or without a period (R37)."""
    rng, member = pen.rng, pen.who()
    start = rng.choice((None, pen.month()))
    paid = pen.day() if start is None or rng.random() < 0.8 else None
    pen.income(member, TAX, "wage", start, start and following(start), pen.amount(), kind="bonus", one_off="bonus",
               paid_on=paid, payer=rng.choice((None, "works")))  # fmt: skip


def deposit(pen: Pen) -> None:
    """An account: alone, with members, with outsiders; shares known, unknown, or of some holders only (R55, R56)."""
    rng, member, told = pen.rng, pen.who(), pen.told
    others = [m for m in told.members if m.person is not None and m is not member and rng.random() < 0.4]
    outside = [OUTSIDE] if rng.random() < 0.2 else []
    holders, value = [member, *others], pen.amount()
    suffix = rng.choices(("", " term"), (8, 1))[0]
    asset = f"account-{pen.no}{suffix}"
    shared = rng.choice((None, 5000, 4000, 3333))
    currency = rng.choice(("CNY", "CNY", None))
    custodial = rng.choice((None, False, False, False, True))
    for holder in holders:
        co = [m.person for m in holders if m is not holder] + outside
        if holder is not member and shared is None and rng.random() < 0.2:
            continue
        pen.holding(
            holder, DEPOSITS, "deposit", asset, name=pen.name(holder), value=value, currency=currency,
            co_holders=tuple(co), share_bp=shared if co else None, custodial=custodial,
            ownership="sole" if not co else "joint" if shared is None else "shares",
            as_of=told.reference - timedelta(days=rng.choice((5, 60))),
        )  # fmt: skip


def wallet(pen: Pen) -> None:
    """A wallet, often one that shows an account of the household (R57)."""
    rng, member = pen.rng, pen.who()
    accounts = [h.asset.split(" ")[0] for h in pen.told.holdings if h.what == "deposit"]
    pen.holding(
        member, WALLETS, "wallet", f"wallet-{pen.no}", name=None, value=pen.amount(), currency="CNY", ownership="sole",
        mirrors=rng.choice([None, "elsewhere", *accounts, *accounts]), as_of=pen.told.reference - timedelta(days=5),
    )  # fmt: skip


def securities(pen: Pen) -> None:
    """Securities and insurance (R59)."""
    rng, member = pen.rng, pen.who()
    if rng.random() < 0.5:
        pen.holding(member, SECURITIES, "security", f"stock-{pen.no}", name=None, value=pen.amount(), currency="CNY",
                    ownership="sole", as_of=pen.told.reference - timedelta(days=5))  # fmt: skip
        return
    pen.holding(member, POLICIES, "insurance", f"policy-{pen.no}", name=None, value=pen.amount(), currency="CNY",
                ownership="sole", status=rng.choice(("held", "held", "surrendered")), as_of=pen.day())  # fmt: skip


def home(pen: Pen) -> None:
    """A unit by title, by filing, or both, sold, bought again, shared; sometimes no home but a shop (R47–R49)."""
    rng, holder, asset = pen.rng, pen.who(), f"unit-{pen.no}"
    what = rng.choices(("dwelling", "premises"), (6, 1))[0]
    share = rng.choice((10_000, 10_000, 5000, None))
    if rng.random() < 0.8:
        status = rng.choice(("held", "held", "sold", "cancelled"))
        ended = None if status == "held" or rng.random() < 0.1 else pen.day()
        since = rng.choice((None, pen.day()))
        for one in {m.number: m for m in (holder, pen.who() if rng.random() < 0.3 else holder)}.values():
            pen.holding(one, TITLES, what, asset, name=pen.name(one), share_bp=share, status=status, status_on=ended,
                        ownership="sole" if share == 10_000 else "joint", acquired_on=since)  # fmt: skip
    if share is not None and rng.random() < 0.5:
        filed, gone = pen.day(), rng.random() < 0.2
        pen.holding(holder, FILINGS, "dwelling", asset, name=pen.name(holder), share_bp=10_000, ownership="sole",
                    status="cancelled" if gone else "held", status_on=filed if gone else None,
                    acquired_on=filed)  # fmt: skip


def vehicle(pen: Pen) -> None:
    """A vehicle, held or ended (R52, R53)."""
    rng, holder = pen.rng, pen.who()
    status = rng.choice(("held", "held", "transferred", "scrapped", "stolen", "cancelled"))
    ended = None if status == "held" or rng.random() < 0.1 else pen.day()
    pen.holding(holder, VEHICLES, "vehicle", f"plate-{pen.no}", name=pen.name(holder), share_bp=10_000,
                ownership="sole", value=pen.amount(), currency="CNY", status=status, status_on=ended,
                acquired_on=rng.choice((None, pen.day())),
                use=rng.choice((None, "private", "disabled", "operating")))  # fmt: skip


def sale(pen: Pen) -> None:
    """A sale whose price may be found in a balance, or not (R49)."""
    member = pen.who()
    pen.holding(member, FILINGS, "sale", f"unit-{pen.no}", name=pen.name(member), status="sold", status_on=pen.day(),
                proceeds=pen.rng.choice((pen.amount(), 50_000, 49_999, 30_000_000)))  # fmt: skip


def death(pen: Pen) -> None:
    """A death, by one source or two, dated or not (R21, R22)."""
    rng, member, on = pen.rng, pen.who(), pen.day()
    for dataset in rng.choice(((DEATHS,), (DEATHS,), (REGISTER,), (DEATHS, REGISTER))):
        pen.status(member, dataset, "death", None if dataset == REGISTER and rng.random() < 0.3 else on, None)


def employment(pen: Pen) -> None:
    """Contributions of some months (R41)."""
    member, month = pen.who(), pen.month()
    for _ in range(pen.rng.choice((1, 3))):
        pen.status(member, CONTRIBUTIONS, "contribution", month, following(month))
        month = following(month)


def link(pen: Pen) -> None:
    """Another number of a member, with an account of its own (R16)."""
    rng, member = pen.rng, pen.who()
    assert member.person is not None
    former = OUTSIDE + member.number
    one, other = rng.choice(((member.person, former), (member.person, former), (former, member.person)))
    pen.told.links.append(Link(pen.next(), one, member.name, REGISTER, "same_person", other, None))
    pen.holding(member, DEPOSITS, "deposit", f"former-{pen.no}", person=former, name=rng.choice((None, member.name)),
                value=pen.amount(), currency="CNY", ownership="sole")  # fmt: skip


TEMPLATES: tuple[tuple[Callable[[Pen], None], int], ...] = (
    (wages, 8), (pension, 5), (annual, 2), (odd_period, 3), (bonus, 2), (deposit, 8), (wallet, 3), (securities, 3),
    (home, 6), (vehicle, 5), (sale, 2), (death, 2), (employment, 3), (link, 1),
)  # fmt: skip


def tell(rng: Random, told: Household) -> None:
    """Some facts about the household's members."""
    if all(m.person is None for m in told.members):
        return
    pen = Pen(rng, told)
    templates, weights = zip(*TEMPLATES, strict=True)
    for template in rng.choices(templates, weights, k=rng.choice((0, 1, 2, 3, 4, 6))):
        template(pen)


def declare(rng: Random, told: Household) -> None:
    """Declarations: nothing, what was told or nearly, or something else."""
    sums: dict[str, int] = {}
    for fact in told.income:
        sums[f"income.{fact.category}"] = sums.get(f"income.{fact.category}", 0) + fact.amount
    sums["financial_assets"] = sum(h.value or 0 for h in told.holdings if h.what in ("deposit", "wallet", "security"))
    for item in ("income.wage", "income.business", "income.property", "income.transfer", "financial_assets"):
        if rng.random() < 0.4:
            off = rng.choice((0, 0, 1, -1, told.policy.tolerances[item], -told.policy.tolerances[item] - 1, 700_000))
            told.declared[item] = max(0, sums.get(item, 0) + off)
    for item in ("homes", "vehicles", "businesses"):
        if rng.random() < 0.3:
            told.declared[item] = rng.choice((0, 1, 1, 2))
