"""Rows of everybody who is in no request: ten for each member, in every dataset, as in real extracts.

Who works, draws a pension or owns a car follows from the person's trait and age, so that the datasets agree.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from connectors.synthetic import benefits, earnings, funds, holdings, outsiders_livelihood
from connectors.synthetic.earnings import WINDOW_FIRST, WINDOW_LAST
from connectors.synthetic.people import People
from connectors.synthetic.rows import NULL, Columns, Ints, columns, count, day, pick, take
from connectors.synthetic.scene import BALANCES_ON
from connectors.synthetic.traits import each as _each
from connectors.synthetic.traits import some as _some

SERIALS_FROM = 10_000_000  # above every serial number of the households
_RECORDS = 32  # record numbers set aside for each person
Write = Callable[[People, Ints, np.random.Generator], Columns]


def rows(dataset: str, people: People, persons: Ints, rng: np.random.Generator) -> Columns:
    """The rows of those persons in one dataset, with record numbers."""
    made = (_WRITERS | outsiders_livelihood.WRITERS)[dataset](people, persons, rng)
    person = made["buyer" if dataset == "housing/online_filing" else "person_a" if "person_a" in made else "person"]
    assert isinstance(person, np.ndarray)  # noqa: S101
    first = np.r_[True, person[1:] != person[:-1]]
    start = np.maximum.accumulate(np.where(first, np.arange(len(person)), 0))
    made["record_ref"] = SERIALS_FROM * 10 + person * _RECORDS + np.arange(len(person)) - start
    return made


def _year(person: Ints) -> Ints:
    return np.tile(np.arange(WINDOW_FIRST, WINDOW_LAST + 1), len(person))


def _wages(people: People, persons: Ints, rng: np.random.Generator) -> Columns:
    worker = _some(people, persons, 0, 0.42, high=60)
    fen = _each(rng.integers(2_400_00, 9_000_00, len(worker)), 12)
    item = pick((rng.random(len(fen)) < 0.03) * rng.integers(0, 4, len(fen)), ("wage", "labour", "business", "lease"))
    payer = _each(1 + worker % 20_000, 12)
    return earnings.tax(_each(worker, 12), _year(worker), fen, payer, item)


def _contributions(people: People, persons: Ints, rng: np.random.Generator) -> Columns:
    worker = _some(people, persons, 0, 0.35, high=60)
    base = _each(rng.integers(4_500_00, 9_000_00, len(worker)), 12)
    payer = 1 + worker % 20_000
    wage = np.where(_each(payer % 3 == 0, 12), base, NULL)
    return earnings.contributions(_each(worker, 12), _year(worker), base, _each(payer, 12), wage=wage)


def _settlements(people: People, persons: Ints, rng: np.random.Generator) -> Columns:
    person = _some(people, persons, 0.1, 0.08, high=60)
    item = pick((rng.random(len(person)) < 0.4).astype(np.int64), ("wage", "business"))
    values = {
        "person": person,
        "year": 2025,
        "item": item,
        "amount_fen": rng.integers(20_000_00, 90_000_00, len(person)),
    }
    return columns(len(person), values)


def _pensions(people: People, persons: Ints, rng: np.random.Generator) -> Columns:
    person = _some(people, persons, 0.2, 0.6, low=60)
    kind = pick(_each(person % 3 % 2, 12), ("employee", "resident_basic"))
    fen = np.where(kind.codes == 0, _each(rng.integers(1_200_00, 4_000_00, len(person)), 12), 208_00)
    return earnings.pensions(_each(person, 12), _year(person), fen, kind)


def _unemployment(people: People, persons: Ints, rng: np.random.Generator) -> Columns:
    person = _some(people, persons, 0.5, 0.01, high=60)
    first = rng.integers(0, 8, len(person))
    last = first + rng.integers(1, 6, len(person))
    values = {"person": person, "from_month": earnings.MONTHS[first], "to_month": earnings.MONTHS[last]}
    return columns(len(person), {**values, "monthly_amount_fen": 1_900_00})


def _account(person: Ints) -> Ints:
    return SERIALS_FROM + person * 4


def _deposits(people: People, persons: Ints, rng: np.random.Generator) -> Columns:
    person = _some(people, persons, 0.3, 0.45)
    draw = rng.random(len(person))
    joint = np.where(draw < 0.02, np.roll(person, 1), NULL)
    currency = pick((draw > 0.995).astype(np.int64), ("CNY", "USD"))
    fen = rng.integers(100_00, 300_000_00, len(person))
    return holdings.deposits(person, _account(person), fen, co_holders=joint, currency=currency)


def _interest(people: People, persons: Ints, rng: np.random.Generator) -> Columns:
    person = _each(_some(people, persons, 0.3, 0.06), 2)
    quarter = np.tile(np.arange(2), len(person) // 2)
    return earnings.interest(person, _account(person), quarter, rng.integers(1_00, 900_00, len(person)))


def _wallets(people: People, persons: Ints, rng: np.random.Generator) -> Columns:
    person = _some(people, persons, 0.4, 0.2, low=14)
    return holdings.wallets(person, _account(person) + 1, rng.integers(0, 8_000_00, len(person)))


def _securities(people: People, persons: Ints, rng: np.random.Generator) -> Columns:
    person = _some(people, persons, 0.45, 0.05)
    market, cash = rng.integers(0, 200_000_00, (2, len(person)))
    return holdings.securities(person, _account(person) + 2, market, cash)


def _policies(people: People, persons: Ints, rng: np.random.Generator) -> Columns:
    person = _some(people, persons, 0.55, 0.1)
    return holdings.policies(person, SERIALS_FROM + person, rng.integers(0, 60_000_00, len(person)))


def _titles(people: People, persons: Ints, rng: np.random.Generator) -> Columns:
    person = _some(people, persons, 0.6, 0.36)
    use = pick(
        (rng.random(len(person)) < 0.12) * rng.integers(0, 4, len(person)),
        ("residential", "parking", "commercial", "storage"),
    )
    mortgage = np.where(rng.random(len(person)) < 0.2, rng.integers(100_000, 900_000, len(person)) * 100, NULL)
    return holdings.titles(person, SERIALS_FROM + person, use=use, mortgage_fen=mortgage)


def _filings(people: People, persons: Ints, rng: np.random.Generator) -> Columns:
    buyer = _some(people, persons, 0.6, 0.045)
    price = rng.integers(30, 180, len(buyer)) * 1_000_000
    filed_on = rng.integers(day("2022-01-01"), day("2026-09-01"), len(buyer))
    return holdings.filings(buyer, SERIALS_FROM + buyer, np.roll(buyer, 1), price, filed_on, state="registered")


def _vehicles(people: People, persons: Ints, rng: np.random.Generator) -> Columns:
    person = _some(people, persons, 0.7, 0.21)
    draw = rng.random(len(person))
    status = pick((draw < 0.06).astype(np.int64), ("normal", "scrapped"))
    file = np.select([draw > 0.99, draw > 0.98], [2, 1], 0)
    on = np.where(draw < 0.06, rng.integers(day("2020-01-01"), day("2026-09-01"), len(person)), NULL)
    value = rng.integers(5_000, 200_000, len(person)) * 100
    return holdings.vehicles(person, SERIALS_FROM + person, value, status=status, status_on=on, _file=file)


def _registrations(people: People, persons: Ints, rng: np.random.Generator) -> Columns:
    dead = _some(people, persons, 0.8, 0.03, low=50)
    on = np.full(len(persons), NULL)
    on[dead - persons[0]] = rng.integers(day("2019-01-01"), day("2026-08-01"), len(dead))
    relation = pick(persons % 3, ("02", "10", "20"))
    status = pick((on != NULL).astype(np.int64), ("normal", "dead"))
    book = SERIALS_FROM + persons // 3
    return holdings.registrations(persons, book, relation, people.birth[persons], status=status, status_on=on)


def _deaths(people: People, persons: Ints, rng: np.random.Generator) -> Columns:
    registered = _registrations(people, persons, rng)
    on = registered["status_on"]
    assert isinstance(on, np.ndarray)  # noqa: S101
    dead = take(registered, np.flatnonzero(on != NULL))
    on = on[on != NULL]
    return columns(count(dead), {"person": dead["person"], "died_on": on, "cremated_on": on + 3})


def _marriages(people: People, persons: Ints, rng: np.random.Generator) -> Columns:
    man = _some(people, persons, 0.9, 0.5, low=30)
    man = man[people.male[man]]
    women = _some(people, persons, 0.9, 0.5, low=30)
    women = women[~people.male[women]]
    n = min(len(man), len(women))
    on = np.maximum(people.birth[man[:n]], people.birth[women[:n]]) + rng.integers(22 * 365, 29 * 365, n)
    return holdings.marriages(man[:n], women[:n], np.ones(n, bool), np.minimum(on, BALANCES_ON))


def _businesses(people: People, persons: Ints, rng: np.random.Generator) -> Columns:
    person = _some(people, persons, 0.15, 0.07, high=75)
    draw = rng.random(len(person))
    role = pick(rng.choice(3, len(person), p=[0.7, 0.2, 0.1]), ("operator", "shareholder", "legal_representative"))
    state = pick(np.select([draw < 0.2, draw < 0.28], [1, 2], 0), ("active", "cancelled", "revoked"))
    ended = rng.integers(day("2024-01-01"), day("2026-09-01"), len(person))
    ends = {"cancelled_on": np.where(draw < 0.2, ended, NULL)}
    ends["revoked_on"] = np.where((draw >= 0.2) & (draw < 0.28), ended, NULL)
    contested = (draw > 0.99).astype(np.int64)
    return holdings.businesses(person, SERIALS_FROM + person, role, state=state, contested=contested, **ends)


def _assistance(people: People, persons: Ints, rng: np.random.Generator) -> Columns:
    person = _some(people, persons, 0.25, 0.04)
    fen = _each(rng.integers(200, 900, len(person)) * 100, 12)
    programme = pick(_each(person % 9 % 2, 12), ("subsistence_allowance", "destitute_support"))
    return benefits.assistance(_each(person, 12), _year(person), fen, programme)


def _one_card(people: People, persons: Ints, rng: np.random.Generator) -> Columns:
    person = _some(people, persons, 0.35, 0.3)
    project = pick(
        rng.integers(0, 3, len(person)), ("farmland_protection_subsidy", "grain_subsidy", "elderly_allowance")
    )
    month = rng.integers(0, WINDOW_LAST + 1, len(person))
    return benefits.one_card(person, month, rng.integers(80, 900, len(person)) * 100, project)


def _veterans(people: People, persons: Ints, rng: np.random.Generator) -> Columns:
    person = _some(people, persons, 0.05, 0.05, low=60)
    kind = pick(rng.integers(0, 3, len(person)), ("rural_elderly", "combat", "disability"))
    return benefits.veterans(person, rng.integers(5_00, 20_00, len(person)) * 100, kind)


def _disabled(people: People, persons: Ints, rng: np.random.Generator) -> Columns:
    person = _some(people, persons, 0.45, 0.05, low=0)
    kind = pick(rng.integers(0, 4, len(person)), ("physical", "sight", "hearing", "intellectual"))
    level = pick(rng.integers(0, 4, len(person)), ("1", "2", "3", "4"))
    severe = level.codes < 2
    since = np.where(severe, day("2019-04-01"), NULL)
    allowance = np.where(severe, benefits.NURSING, NULL)
    return benefits.disabled(person, kind, level, from_month=since, nursing_allowance_fen=allowance)


def _stays(people: People, persons: Ints, rng: np.random.Generator) -> Columns:
    person = _some(people, persons, 0.33, 0.006, high=80)
    since = rng.integers(day("2012-01-01"), day("2026-08-01"), len(person))
    until = np.where(rng.random(len(person)) < 0.2, NULL, since + rng.integers(5, 900, len(person)))
    kind = pick(rng.integers(0, 3, len(person)), ("prison", "administrative", "compulsory_treatment"))
    return holdings.stays(person, kind, since, np.minimum(until, day("2026-09-10")))


def _funds(people: People, persons: Ints, rng: np.random.Generator) -> Columns:
    person = _some(people, persons, 0, 0.06, high=60)
    deposit, account = _each(rng.integers(200, 1_500, len(person)) * 100, 12), _each(_account(person) + 3, 12)
    employer = _each(1 + person % 20_000, 12)
    return funds.fund(_each(person, 12), account, _year(person), deposit, employer, funds.opening_balance(account))


_WRITERS: dict[str, Write] = {
    "taxation/individual_income": _wages,
    "taxation/annual_settlement": _settlements,
    "natural_resources/real_estate_title": _titles,
    "housing/housing_fund": _funds,
    "housing/online_filing": _filings,
    "public_security/detention": _stays,
    "public_security/household_registration": _registrations,
    "public_security/vehicle_registration": _vehicles,
    "banks/deposits": _deposits,
    "banks/account_interest": _interest,
    "banks/wallets": _wallets,
    "securities/holdings": _securities,
    "insurers/policies": _policies,
    "social_security/contributions": _contributions,
    "social_security/pensions": _pensions,
    "social_security/unemployment": _unemployment,
    "civil_affairs/marriage": _marriages,
    "civil_affairs/death_funeral": _deaths,
    "civil_affairs/assistance_payments": _assistance,
    "finance/one_card_payments": _one_card,
    "veterans/veteran_benefits": _veterans,
    "disabled_persons/disability": _disabled,
    "market_regulation/business_registration": _businesses,
}
