"""Random incomes and expenses, each told by a template that knows which corner it is after."""

from __future__ import annotations

from datetime import date, timedelta

from tests.reference.pen import (
    CONTRIBUTIONS,
    EDUCATION,
    INTEREST,
    MEDICAL,
    ONE_CARD,
    PENSIONS,
    SETTLEMENT,
    TAX,
    Pen,
    following,
)
from tests.reference.told import Member


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


def compensation(pen: Pen) -> None:
    """What was paid for a home that was taken; the home is told of elsewhere, or not at all (R50)."""
    member, month = pen.who(), pen.month()
    pen.income(member, ONE_CARD, "property", month, following(month), pen.amount(), kind="expropriation_compensation",
               paid_on=pen.day(), name=pen.name(member))  # fmt: skip


def expense(pen: Pen) -> None:
    """Hospital bills and school fees, within the window, at its ends or across them (R46a)."""
    rng = pen.rng
    for _ in range(rng.choice((1, 1, 2, 3))):
        member, day, amount = pen.who(), pen.day(), max(1, pen.amount())
        if rng.random() < 0.3:
            day = pen.month() + timedelta(days=rng.choice((0, 7, 27)))
        if rng.random() < 0.6:
            kind = rng.choice(("medical", "medical", "rehabilitation"))
            pen.expense(member, MEDICAL, kind, day, day + timedelta(days=1), amount)
            continue
        year = date(day.year - rng.choice((0, 1)), 9, 1)
        days = (year, date(year.year + 1, 9, 1)) if rng.random() < 0.3 else (day, day + timedelta(days=1))
        pen.expense(member, EDUCATION, "education", *days, amount)
