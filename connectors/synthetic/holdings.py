"""Rows of what people hold: accounts, homes, vehicles, policies, securities."""

from __future__ import annotations

import numpy as np

from connectors.synthetic.people import words
from connectors.synthetic.rows import NULL, Column, Columns, Ints, Words, columns, day, pick
from connectors.synthetic.scene import BALANCES_ON


def deposits(person: Ints, account: Ints, fen: Ints, kind: str = "current", **more: object) -> Columns:
    """Balances, one row per account and holder; the bank follows from the account."""
    values = {
        "person": person,
        "bank": pick(account % len(words()["banks"]), words()["banks"]),
        "account": account,
        "account_last4": account,
        "kind": kind,
        "currency": "CNY",
        "balance_fen": fen,
        "as_of": BALANCES_ON,
        "co_holders": None,
        "share_bp": None,
        "custodial": 0,
    }
    return columns(len(person), {**values, **more})


def wallets(person: Ints, wallet: Ints, fen: Ints, **more: object) -> Columns:
    """Balances of payment wallets."""
    values = {
        "person": person,
        "institution": pick(wallet % 2, words()["institutions"]),
        "wallet": wallet,
        "balance_fen": fen,
        "mirrors": None,
        "as_of": BALANCES_ON,
    }
    return columns(len(person), {**values, **more})


def securities(person: Ints, account: Ints, market: Ints, cash: Ints, **more: object) -> Columns:
    """Securities accounts."""
    values = {"person": person, "account": account, "market_value_fen": market, "cash_fen": cash}
    return columns(len(person), {**values, "suspended": 0, "as_of": BALANCES_ON, **more})


def policies(person: Ints, policy: Ints, cash: Ints, **more: object) -> Columns:
    """Insurance policies; the sum insured is many times the cash value, in whole 万元."""
    values = {
        "policy": policy,
        "person": person,
        "insured": person,
        "kind": pick(policy % len(words()["policy_kinds"]), words()["policy_kinds"]),
        "cash_value_fen": cash,
        "sum_insured_fen": (cash * 12 // 1_000_000 + 1) * 1_000_000,
        "as_of": BALANCES_ON,
        "state": "in_force",
    }
    return columns(len(person), {**values, **more})


def titles(person: Ints, unit: Ints, **more: object) -> Columns:
    """Titles of dwellings; everything else follows from the unit."""
    values = {
        "unit": unit,
        "title_number": unit,
        "person": person,
        "ownership": "sole",
        "share_bp": None,
        "use": "residential",
        "area_dm2": 4000 + (unit * 37) % 9000,
        "address": unit,
        "registered_on": day("2004-03-01") + (unit * 97) % 7000,
        "state": "current",
        "cancelled_on": None,
        "mortgage_fen": None,
    }
    return columns(len(person), {**values, **more})


def filings(buyer: Ints, unit: Ints, seller: Ints | None, price: Ints, filed_on: Ints | int, **more: object) -> Columns:
    """Online filings of home sales."""
    values = {
        "filing_number": unit,
        "unit": unit,
        "buyer": buyer,
        "seller": seller,
        "filed_on": filed_on,
        "price_fen": price,
        "state": "filed",
    }
    return columns(len(buyer), {**values, **more})


def vehicles(person: Ints, plate: Ints, value: Ints | int, **more: object) -> Columns:
    """Registered cars; ``_file`` 0 is the base, 1 and 2 the increments after it."""
    values = {
        "plate": plate,
        "plate_kind": "02",
        "plate_shown": plate,
        "brand": pick(plate % len(words()["brands"]), words()["brands"]),
        "model": pick(plate % len(words()["models"]), words()["models"]),
        "use_character": "private",
        "person": person,
        "registered_on": day("2012-01-01") + (plate * 131) % 4800,
        "status": "normal",
        "status_on": None,
        "value_fen": value,
        "op": "upsert",
        "_file": 0,
    }
    return columns(len(person), {**values, **more})


def businesses(person: Ints, code: Ints, role: Words | str = "operator", **more: object) -> Columns:
    """Registered businesses, one row per person and role; the kind follows from the role."""
    n = len(person)
    roles = role if isinstance(role, Words) else Words(np.zeros(n, np.int16), (role,))
    own = np.array([word == "operator" for word in roles.words])[roles.codes]
    values = {
        "credit_code": code,
        "business_name": code,
        "kind": pick(np.where(own, 0, 1 + code % 3), words()["business_kinds"]),
        "role": roles,
        "person": person,
        "subscribed_fen": np.where(own, NULL, (code % 90 + 1) * 10_000_00),
        "share_bp": np.where(own, NULL, 10_000 - code % 9 * 1_000),
        "state": "active",
        "established_on": day("2014-01-01") + (code * 113) % 3600,
        "cancelled_on": None,
        "revoked_on": None,
        "contested": 0,
    }
    return columns(n, {**values, **more})


def registrations(person: Ints, book: Ints, relation: object, birth: Ints, **more: object) -> Columns:
    """Entries of the register of residents."""
    values = {
        "person": person,
        "birth_date": birth,
        "hukou_book": book,
        "relation": relation,
        "address": book,
        "status": "normal",
        "status_on": None,
        "linked_person": None,
    }
    return columns(len(person), {**values, **more})


def stays(person: Ints, kind: Column | str, since: Ints | int, until: Ints | int | None) -> Columns:
    """Stays in prison and elsewhere, one row each; ``until`` is the first free day, None while it goes on."""
    return columns(len(person), {"person": person, "kind": kind, "from_on": since, "to_on": until})


def marriages(one: Ints, other: Ints, one_is_male: np.ndarray, on: Ints, kind: str = "marriage") -> Columns:
    """Marriages and divorces; the man's number comes first."""
    values = {"person_a": np.where(one_is_male, one, other), "person_b": np.where(one_is_male, other, one)}
    return columns(len(one), {**values, "kind": kind, "event_on": on})
