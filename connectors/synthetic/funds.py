"""Rows of the housing fund: deposits by month, with the balance after each."""

from __future__ import annotations

import numpy as np

from connectors.synthetic.earnings import MONTHS
from connectors.synthetic.rows import Columns, Ints, columns

FUND = "housing/housing_fund"


def fund(person: Ints, account: Ints, month: Ints, deposit: Ints, employer: Ints, before: Ints) -> Columns:
    """One row per account and month; the balance grows from ``before`` by a deposit a month since month 0."""
    values = {
        "person": person,
        "account": account,
        "employer_code": employer,
        "month": MONTHS[month],
        "deposit_fen": deposit,
        "balance_fen": before + deposit * (month + 1),
    }
    return columns(len(person), values)


def opening_balance(account: Ints) -> Ints:
    """What was in an account before its first month here: some thousands of yuan."""
    balance: Ints = np.asarray(account * 7_919 % 60_000, np.int64) * 100
    return balance
