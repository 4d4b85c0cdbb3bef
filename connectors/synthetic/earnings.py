"""Rows of income in the order that life gives them: months of wages, pensions, contributions, interest."""

from __future__ import annotations

import numpy as np

from connectors.synthetic.rows import Column, Columns, Ints, columns, day

MONTHS = np.array(
    [day(f"{2025 + (6 + m) // 12}-{(6 + m) % 12 + 1:02}-01") for m in range(17)], np.int64
)  # 0 is 2025-07; the window of September 2026 is 2 … 13
WINDOW_FIRST, WINDOW_LAST = 2, 13
DATASET_OF = {
    "tax": "taxation/individual_income",
    "pension": "social_security/pensions",
    "contribution": "social_security/contributions",
    "unemployment": "social_security/unemployment",
    "interest": "banks/account_interest",
}
QUARTERS = np.array([day(text) for text in ("2025-10-01", "2026-01-01", "2026-04-01", "2026-07-01")], np.int64)


def each_month(first: Ints, last: Ints) -> tuple[Ints, Ints]:
    """Spells as months: for every month of every spell, the spell's position and the month."""
    length = last - first + 1
    of = np.repeat(np.arange(len(first)), length)
    start = np.cumsum(length) - length
    return of, first[of] + np.arange(len(of)) - start[of]


def in_window(month: Ints) -> Ints:
    """1 where the month lies in the window, else 0."""
    return ((month >= WINDOW_FIRST) & (month <= WINDOW_LAST)).astype(np.int64)


def tax(person: Ints, month: Ints, fen: Ints, payer: Ints, item: Column | str, **more: object) -> Columns:
    """Payments declared for tax; the declaration follows the month by four to fourteen days."""
    values = {
        "person": person,
        "payer_code": payer,
        "payer_name": payer,
        "item": item,
        "period_from": MONTHS[month],
        "period_to": MONTHS[month + 1] - 1,
        "declared_on": MONTHS[month + 1] + 4 + payer % 11,
        "income_fen": fen,
        "mark": "original",
        "correction_of": None,
    }
    return columns(len(person), {**values, **more})


def contributions(
    person: Ints, month: Ints, base: Ints, payer: Ints, kind: Column | str = "pension", wage: Ints | None = None
) -> Columns:
    """Contributions of employed persons, one row a month and kind; the employer need not declare a wage (NULL)."""
    values = {"person": person, "employer_code": payer, "kind": kind, "month": MONTHS[month], "base_fen": base}
    return columns(len(person), {**values, "wage_fen": wage, "state": "paid"})


def pensions(person: Ints, month: Ints, fen: Ints, kind: Column | str, **more: object) -> Columns:
    """Pensions, paid on the 15th of their month."""
    values = {
        "person": person,
        "kind": kind,
        "month": MONTHS[month],
        "amount_fen": fen,
        "paid_on": MONTHS[month] + 14,
        "arrears": 0,
    }
    return columns(len(person), {**values, **more})


def interest(person: Ints, account: Ints, quarter: Ints, fen: Ints) -> Columns:
    """Interest of whole quarters; 0 … 2 lie in the window."""
    values = {"person": person, "account": account, "period_from": QUARTERS[quarter], "amount_fen": fen}
    return columns(len(person), {**values, "period_to": QUARTERS[quarter + 1] - 1})
