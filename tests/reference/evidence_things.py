"""Random things that are held, each told by a template that knows which corner it is after."""

from __future__ import annotations

from datetime import date, timedelta

from tests.reference.pen import (
    BUSINESSES,
    DEPOSITS,
    DISABILITY,
    FILINGS,
    LICENCES,
    OUTSIDE,
    POLICIES,
    SECURITIES,
    TITLES,
    VEHICLES,
    WALLETS,
    Pen,
)
from tests.reference.told import Member


def deposit(pen: Pen) -> None:
    """An account: alone, with members, with outsiders; shares known, unknown, or of some holders only (R55, R56)."""
    rng, member, told = pen.rng, pen.who(), pen.told
    others = [m for m in told.members if m.person is not None and m is not member and rng.random() < 0.4]
    outside = [OUTSIDE] if rng.random() < 0.2 else []
    holders, value = [member, *others], pen.amount()
    suffix = rng.choices(("", " term"), (8, 1))[0]
    asset = f"account-{pen.no}{suffix}"
    shared = rng.choice((None, 5000, 4000, 3333))
    currency = rng.choices(("CNY", None, "USD", "JPY", "EUR"), (10, 4, 2, 1, 1))[0]
    custodial = rng.choice((None, False, False, False, True))
    days = rng.choice((5, 5, 60, 400))
    for holder in holders:
        co = [m.person for m in holders if m is not holder] + outside
        if holder is not member and shared is None and rng.random() < 0.2:
            continue
        pen.holding(
            holder, DEPOSITS, "deposit", asset, name=pen.name(holder), value=value, currency=currency,
            co_holders=tuple(co), share_bp=shared if co else None, custodial=custodial if rng.random() < 0.9 else False,
            ownership="sole" if not co else "joint" if shared is None else "shares",
            as_of=told.reference - timedelta(days=days),
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
    """Securities, some not traded, and insurance (R59, R60)."""
    rng, member = pen.rng, pen.who()
    if rng.random() < 0.5:
        pen.holding(member, SECURITIES, "security", f"stock-{pen.no}", name=None, value=pen.amount(), currency="CNY",
                    ownership="sole", as_of=pen.told.reference - timedelta(days=5),
                    suspended=rng.random() < 0.2)  # fmt: skip
        return
    pen.holding(member, POLICIES, "insurance", f"policy-{pen.no}", name=None, value=pen.amount(), currency="CNY",
                ownership="sole", status=rng.choice(("held", "held", "surrendered")), as_of=pen.day())  # fmt: skip


def home(pen: Pen) -> None:
    """A unit by title, by filing, or both, sold, taken, bought again, shared; sometimes a shop (R47–R51)."""
    rng, holder, asset = pen.rng, pen.who(), f"unit-{pen.no}"
    what = rng.choices(("dwelling", "premises"), (6, 1))[0]
    share = rng.choice((10_000, 10_000, 5000, None))
    if rng.random() < 0.8:
        status = rng.choice(("held", "held", "sold", "cancelled", "demolished", "expropriated"))
        ended = None if status == "held" or rng.random() < 0.1 else pen.day()
        since, worth = rng.choice((None, pen.day())), rng.choice((None, 100, 500_000))
        for one in {m.number: m for m in (holder, pen.who() if rng.random() < 0.3 else holder)}.values():
            pen.holding(one, TITLES, what, asset, name=pen.name(one), share_bp=share, status=status, status_on=ended,
                        ownership="sole" if share == 10_000 else "joint", acquired_on=since, value=worth,
                        mortgage=rng.choice((None, worth and worth // 2, worth and worth + 1)))  # fmt: skip
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
    plate, use = f"plate-{pen.no}", rng.choice((None, "private", "disabled", "operating", "operating"))
    if use in pen.told.policy.vehicle_exempt and rng.random() < 0.5:
        licensed(pen, holder, plate, str(use))
    pen.holding(holder, VEHICLES, "vehicle", f"small {plate}", name=pen.name(holder), share_bp=10_000,
                ownership="sole", value=pen.amount(), currency="CNY", status=status, status_on=ended,
                acquired_on=rng.choice((None, pen.day())), use=use)  # fmt: skip


def licensed(pen: Pen, holder: Member, plate: str, use: str) -> None:
    """Evidence for the use of a vehicle: of its holder or somebody else, in force, over, or of another plate."""
    rng = pen.rng
    member = holder if rng.random() < 0.7 else pen.who()
    start, end = rng.choice((None, None, pen.day())), rng.choice((None, pen.day(), date(2030, 1, 1)))
    if use == "disabled":
        pen.status(member, DISABILITY, "disability", start, end, "physical 2")
    else:
        named = plate if rng.random() < 0.8 else "plate-other"
        pen.status(member, LICENCES, "operating_licence", None, end, named)


def business(pen: Pen) -> None:
    """A business: of one role or two, over, contested; whoever operates it is self-employed (R45, R54)."""
    rng, member = pen.rng, pen.who()
    state = rng.choice(("held", "held", "held", "revoked", "cancelled"))
    since, ended = pen.day(), None if state == "held" or rng.random() < 0.1 else pen.day()
    contested, code, operates = rng.random() < 0.2, f"code-{pen.no}", rng.random() < 0.7
    for _ in range(rng.choice((1, 1, 2))):
        pen.holding(member, BUSINESSES, "business", code, name=pen.name(member), share_bp=rng.choice((None, 5000)),
                    value=pen.amount(), currency="CNY", status=state, status_on=ended, acquired_on=since,
                    contested=contested)  # fmt: skip
    if operates and not contested and (state == "held" or ended is not None):
        pen.status(member, BUSINESSES, "self_employed", since, ended, code)


def sale(pen: Pen) -> None:
    """A sale whose price may be found in a balance, or not (R49)."""
    member = pen.who()
    pen.holding(member, FILINGS, "sale", f"unit-{pen.no}", name=pen.name(member), status="sold", status_on=pen.day(),
                proceeds=pen.rng.choice((pen.amount(), 50_000, 49_999, 30_000_000)))  # fmt: skip
