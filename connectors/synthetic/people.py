"""Everybody of the made-up county: ID numbers that were never given out, names, births.

Numbers follow GB 11643 (date of birth, order code odd for men, check digit MOD 11-2), but begin with area codes
that never existed (data/never_issued_prefixes.csv), so that no number here can be anybody's.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import yaml

from connectors.synthetic.rows import Ints

DATA = Path(__file__).parent / "data"
_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2], np.int64)
CHECK_DIGITS = np.frombuffer(b"10X98765432", np.uint8)
_ORDINARY = 400  # order codes 1–800 by rank; 801–990 are kept for numbers that must end in X
Digits = npt.NDArray[np.uint8]


@cache
def words() -> dict[str, Any]:
    """The words of data/words.yaml."""
    loaded: dict[str, Any] = yaml.safe_load((DATA / "words.yaml").read_text("utf-8"))
    return loaded


def area_codes() -> list[str]:
    """The never-issued first six digits."""
    with (DATA / "never_issued_prefixes.csv").open(encoding="utf-8", newline="") as file:
        return [row["prefix"] for row in csv.DictReader(file)]


@dataclass(frozen=True)
class People:
    """Persons by position.

    Attributes:
        digits: ASCII of the 18 characters, (persons, 18).
        birth: day of birth.
        male: sex by the order code.
        name: position of each person's name in the scene's names.
        trait: an even number in [0, 1) that decides what an outsider has, the same in every dataset.
        outsiders: position of the first person who is in no request.
    """

    digits: Digits
    birth: Ints
    male: npt.NDArray[np.bool_]
    name: Ints
    trait: npt.NDArray[np.float32]
    outsiders: int

    def __len__(self) -> int:
        return len(self.digits)

    def numbers(self, persons: Ints) -> pa.Array:
        """ID numbers as text."""
        return text(self.digits[persons])


def text(matrix: Digits, valid: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    """Text of one width from its bytes, (rows, width); rows that are not valid are empty."""
    n, width = matrix.shape
    offsets = np.arange(0, (n + 1) * width, width, dtype=np.int64)
    kind = pa.string() if n * width < 2**31 else pa.large_string()
    offsets = offsets.astype(np.int32) if kind == pa.string() else offsets
    bitmap = None if valid is None else pa.py_buffer(np.packbits(valid, bitorder="little"))
    buffers = [bitmap, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(matrix))]
    return pa.Array.from_buffers(kind, n, buffers)


def digits_of(values: npt.NDArray[np.integer], width: int) -> Digits:
    """Numbers as ASCII digits with leading zeros, (rows, width)."""
    out = np.empty((len(values), width), np.uint8)
    rest = values.astype(np.int64)
    for place in range(width - 1, -1, -1):
        rest, digit = np.divmod(rest, 10)
        out[:, place] = digit + 48
    return out


def check_digits(body: Digits) -> Digits:
    """The 18th character of each 17 (GB 11643, MOD 11-2)."""
    total = (body.astype(np.int64) - 48) @ _WEIGHTS
    found: Digits = CHECK_DIGITS[total % 11]
    return found


def calendar_digits(days: Ints) -> Digits:
    """YYYYMMDD of each day."""
    moment = days.astype("datetime64[D]")
    month = moment.astype("datetime64[M]")
    year = moment.astype("datetime64[Y]")
    number = (year.astype(np.int64) + 1970) * 10_000
    number += ((month - year).astype(np.int64) + 1) * 100 + (moment - month).astype(np.int64) + 1
    return digits_of(number, 8)


def _ranks(group: Ints) -> Ints:
    """The place of each element among those of its own group, in order."""
    order = np.argsort(group, kind="stable")
    ordered = group[order]
    first = np.r_[True, ordered[1:] != ordered[:-1]]
    starts = np.maximum.accumulate(np.where(first, np.arange(len(group)), 0))
    ranks = np.empty(len(group), np.int64)
    ranks[order] = np.arange(len(group)) - starts
    return ranks


def id_numbers(
    rng: np.random.Generator, birth: Ints, male: npt.NDArray[np.bool_], ends_in_x: npt.NDArray[np.bool_]
) -> Digits:
    """A number for everybody, all different, (persons, 18)."""
    n = len(birth)
    prefixes = area_codes()
    area = rng.integers(0, len(prefixes), n)
    body = np.empty((n, 17), np.uint8)
    body[:, :6] = np.frombuffer("".join(prefixes).encode(), np.uint8).reshape(-1, 6)[area]
    body[:, 6:14] = calendar_digits(birth)
    group = (area * 2 + male) * 100_000 + (birth + 40_000)
    start = ((group * 48271) & 0x7FFFFFFF) % _ORDINARY
    order = ((start + _ranks(group)) % _ORDINARY) * 2 + np.where(male, 1, 2)
    body[:, 14:17] = digits_of(order, 3)
    _end_in_x(body, np.flatnonzero(ends_in_x), male, group)
    return np.hstack([body, check_digits(body)[:, None]])


def _end_in_x(body: Digits, chosen: Ints, male: npt.NDArray[np.bool_], group: Ints) -> None:
    """Give the chosen an order code, from those kept for it, with which the check digit is X."""
    if not len(chosen):
        return
    codes = np.arange(801, 989, 2)[None, :] + np.where(male[chosen], 0, 1)[:, None]
    tried = np.repeat(body[chosen], codes.shape[1], axis=0)
    tried[:, 14:17] = digits_of(codes.ravel(), 3)
    fits = (check_digits(tried) == ord("X")).reshape(codes.shape)
    nth = _ranks(group[chosen]) + 1
    place = np.argmax(np.cumsum(fits, axis=1) == nth[:, None], axis=1)
    body[chosen, 14:17] = digits_of(codes[np.arange(len(chosen)), place], 3)


def names(rng: np.random.Generator, surname: Ints, share_minority: float = 0.01) -> pa.Array:
    """A name for everybody; 0.5 % have a rare character, 1 % a minority name with a middle dot."""
    vocabulary = words()
    n = len(surname)
    given, rare = list(vocabulary["given"]), list(vocabulary["rare_given"])
    characters = pa.array([*given, *rare, ""])
    first = rng.integers(0, len(given), n)
    unusual = rng.random(n) < 0.005
    first[unusual] = len(given) + rng.integers(0, len(rare), int(unusual.sum()))
    second = np.where(rng.random(n) < 0.35, len(characters) - 1, rng.integers(0, len(given), n))
    han = pc.binary_join_element_wise(
        pa.array(surnames()).take(pa.array(surname)),
        characters.take(pa.array(first)),
        characters.take(pa.array(second)),
        "",
    )
    return pc.replace_with_mask(han, *_minority(rng, rng.random(n) < share_minority))


def _minority(rng: np.random.Generator, chosen: npt.NDArray[np.bool_]) -> tuple[pa.Array, pa.Array]:
    return pa.array(chosen), minority_names(rng, int(chosen.sum()))


def minority_names(rng: np.random.Generator, n: int) -> pa.Array:
    """Names of two parts with the official middle dot between them."""
    first, last = (pa.array(words()[key]) for key in ("minority_first", "minority_last"))
    chosen = [part.take(pa.array(rng.integers(0, len(part), n))) for part in (first, last)]
    return pc.binary_join_element_wise(*chosen, "·")


def surnames() -> list[str]:
    """All surnames, the common ones first."""
    return [*words()["surnames"], *words()["compound_surnames"]]


def draw_surnames(rng: np.random.Generator, n: int) -> Ints:
    """Surnames as positions; the earlier ones of the list are far more common."""
    size = len(surnames())
    weight = 1 / (np.arange(size) + 4)
    chosen: Ints = rng.choice(size, n, p=weight / weight.sum()).astype(np.int64)
    return chosen
