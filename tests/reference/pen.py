"""What templates write facts with: a pen for one household, and the sources' names."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from tests.reference.household import months_before
from tests.reference.told import Expense, Holding, Household, Income, Link, Member, Status

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
BUSINESSES, LICENCES, DISABILITY = (
    "market_regulation/business_registration", "transport/operating_licences", "disabled_persons/disability",
)  # fmt: skip
MEDICAL, EDUCATION, HOUSING_FUND = (
    "medical_insurance/outpatient_inpatient", "education/enrolment", "housing/housing_fund",
)  # fmt: skip
ONE_CARD = "finance/one_card_payments"
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
        limits = [1, 100, 20_000, policy.support_floor_fen * months * rng.choice((1, 1, 2, 3))]
        limits += [cap for _, cap in policy.expenses.values() if cap]
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

    def status(self, member: Member, dataset: str, kind: str, start: date | None, end: date | None,
               detail: str | None = None) -> None:  # fmt: skip
        """One status record."""
        assert member.person is not None
        given = (self.next(), member.person, self.name(member), dataset)
        self.told.statuses.append(Status(*given, kind, start, end, detail))

    def link(self, dataset: str, kind: str, one: Member, other: int, start: date | None) -> None:
        """One official record about two numbers."""
        assert one.person is not None
        self.told.links.append(Link(self.next(), one.person, self.name(one), dataset, kind, other, start))

    def expense(self, member: Member, dataset: str, kind: str, start: date, end: date, amount: int) -> None:
        """One payment by the member."""
        assert member.person is not None
        given = (self.next(), member.person, self.name(member), dataset)
        self.told.expenses.append(Expense(*given, kind, start, end, amount))
