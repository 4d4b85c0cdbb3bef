"""What identifiers of persons can be, and the tables they are checked against."""

from __future__ import annotations

import csv
from enum import IntEnum
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]

DATA = Path(__file__).parent / "data"
UNKNOWN_AREA, ABOLISHED_AREA, KIND = 0x80, 0x40, 0x0F
_CHECK_CHARACTERS = np.frombuffer(b"10X98765432", np.uint8)


class IdKind(IntEnum):
    """What a person's identifier is (R19a); the number is part of the token and never changes."""

    none = 0
    resident_id = 1
    gat_permit = 2
    fpr_card = 3
    fpr_card_old = 4
    passport = 5


class IdProblem(IntEnum):
    """Why an identifier was not accepted; the first that holds, in this order."""

    ok = 0
    missing = 1
    wrong_length = 2
    bad_character = 3
    bad_date = 4
    bad_check_digit = 5
    scientific_notation = 6
    unknown_kind = 7


@cache
def areas() -> U8:
    """Kind by six-digit area, marked where no table has the code and where it was abolished.

    Sources: GB/T 2260 as published to 2025 (admin_shandong.csv, admin_shandong_abolished.csv, province_codes.csv).
    Only Shandong is known by county; elsewhere the province decides.
    """
    kinds = np.zeros(1_000_000, np.uint8)
    kinds[100_000:700_000] = IdKind.resident_id | UNKNOWN_AREA
    kinds[[810_000, 820_000, 830_000]] = IdKind.gat_permit
    kinds[900_000:] = IdKind.fpr_card | UNKNOWN_AREA
    with (DATA / "province_codes.csv").open(encoding="utf-8", newline="") as handle:
        provinces = [int(row["code2"]) for row in csv.DictReader(handle)]
    for province in provinces:
        kinds[900_000 + province * 1000 : 901_000 + province * 1000] = IdKind.fpr_card
        if province < 70 and province != 37:
            kinds[province * 10_000 : (province + 1) * 10_000] = IdKind.resident_id
    kinds[list(_abolished())] = IdKind.resident_id | ABOLISHED_AREA
    with (DATA / "admin_shandong.csv").open(encoding="utf-8", newline="") as handle:
        kinds[[int(row["code"]) for row in csv.DictReader(handle)]] = IdKind.resident_id
    return kinds


@cache
def _abolished() -> dict[int, int]:
    """The last year in which an area code of Shandong was listed."""
    with (DATA / "admin_shandong_abolished.csv").open(encoding="utf-8", newline="") as handle:
        return {int(row["code"]): int(row["abolished_year"]) for row in csv.DictReader(handle)}


@cache
def last_years() -> npt.NDArray[np.int32]:
    """The same, indexed by code."""
    years = np.full(1_000_000, 9999, np.int32)
    years[list(_abolished())] = list(_abolished().values())
    return years


@cache
def calendar() -> tuple[U8, U8]:
    """Years (1 common, 2 leap), and days by ``month * 128 + day`` (1 in common, 2 in leap years, 3 in both)."""
    years, days = np.zeros(10_000, np.uint8), np.zeros(128 * 128, np.uint8)
    for year in range(1800, 2100):
        years[year] = 2 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 1
    for month, length in enumerate((31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), 1):
        days[month * 128 + 1 : month * 128 + length + 1] = 3
    days[2 * 128 + 29] = 2
    return years, days


@cache
def check_table() -> U8:
    """Expected check character by weighted sum (at most 9 × 100)."""
    return _CHECK_CHARACTERS.take(np.arange(901) % 11)
