"""Dirt as departments deliver it. It changes how a value is written, never what is true of a household.

Forms that can be normalised fall on anybody; numbers that cannot be used (wrong check digit, scientific notation,
nothing at all) only on rows of persons who are in no request.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.synthetic.people import CHECK_DIGITS, Digits, People, text
from connectors.synthetic.rows import Ints
from connectors.synthetic.scene import FIFTEEN, FULL_WIDTH, LOWER_X, MISSING, PLAIN, SCIENTIFIC, SPACED, WRONG_CHECK


@dataclass(frozen=True)
class Dirt:
    """How often a row is dirty.

    Attributes:
        forms: harmless forms of an ID number.
        useless: numbers of outsiders that cannot be used.
        separators: thousands separators.
        dates: other forms of a day.
        twice: whether each last file is sent twice (R7).
    """

    forms: float
    useless: float
    separators: float
    dates: float
    twice: bool = False


DIRT = {
    "none": Dirt(0, 0, 0, 0),
    "normal": Dirt(0.01, 0.002, 0.02, 0.02),
    "heavy": Dirt(0.10, 0.02, 0.2, 0.2, twice=True),
}


def draw_forms(rng: np.random.Generator, dirt: Dirt, people: People, persons: Ints, safe: bool) -> Ints:
    """How each row's number is written.

    Args:
        rng: source of chance.
        dirt: rates.
        people: everybody.
        persons: by row; must be persons.
        safe: whether persons in requests keep the plain form, as where the department looks numbers up by text.
    """
    draw = rng.random(len(persons))
    form = np.full(len(persons), PLAIN)
    harmless = draw < dirt.forms
    form[harmless] = rng.choice([LOWER_X, FULL_WIDTH, SPACED, FIFTEEN], int(harmless.sum()))
    useless = (draw >= dirt.forms) & (draw < dirt.forms + dirt.useless)
    form[useless] = rng.choice([SCIENTIFIC, WRONG_CHECK, MISSING], int(useless.sum()))
    inside = persons < people.outsiders
    form[inside & (useless | safe)] = PLAIN
    return form


def write_numbers(people: People, persons: Ints, form: Ints) -> pa.Array:
    """ID numbers as text in their forms; rows whose form is MISSING, or that have no person, are empty."""
    digits = people.digits[np.maximum(persons, 0)]
    plain = text(digits, (persons >= 0) & (form != MISSING))
    for one, write in _WRITERS.items():
        rows = np.flatnonzero((form == one) & (persons >= 0))
        if len(rows):
            mask = np.zeros(len(persons), bool)
            mask[rows] = True
            plain = pc.replace_with_mask(plain, pa.array(mask), write(digits[rows]).cast(plain.type))
    return plain


def _lower(digits: Digits) -> pa.Array:
    return pc.utf8_lower(text(digits))


def _full_width(digits: Digits) -> pa.Array:
    """U+FF10 … and U+FF38, three bytes each in UTF-8."""
    wide = np.empty((len(digits), 18, 3), np.uint8)
    wide[:, :, 0], wide[:, :, 1], wide[:, :, 2] = 0xEF, 0xBC, digits - 0x20 + 0x80
    return text(wide.reshape(len(digits), 54))


def _spaced(digits: Digits) -> pa.Array:
    spaced = np.full((len(digits), 21), ord(" "), np.uint8)
    spaced[:, :6], spaced[:, 7:15], spaced[:, 16:20] = digits[:, :6], digits[:, 6:14], digits[:, 14:]
    return text(spaced)


def _fifteen(digits: Digits) -> pa.Array:
    """The form before 1999, for those born in the 1900s; others keep theirs."""
    short = text(np.hstack([digits[:, :6], digits[:, 8:17]]))
    return pc.if_else(pa.array((digits[:, 6] == ord("1")) & (digits[:, 7] == ord("9"))), short, text(digits))


def _scientific(digits: Digits) -> pa.Array:
    """What a spreadsheet makes of eighteen digits."""
    shown = np.empty((len(digits), 11), np.uint8)
    shown[:, 0], shown[:, 1], shown[:, 2:7] = digits[:, 0], ord("."), digits[:, 1:6]
    shown[:, 7:] = np.frombuffer(b"E+17", np.uint8)
    return text(shown)


def _wrong_check(digits: Digits) -> pa.Array:
    wrong = digits.copy()
    place = np.argmax(CHECK_DIGITS[None, :] == digits[:, 17:18], axis=1)
    wrong[:, 17] = CHECK_DIGITS[(place + 4) % 11]
    return text(wrong)


_WRITERS = {
    LOWER_X: _lower,
    FULL_WIDTH: _full_width,
    SPACED: _spaced,
    FIFTEEN: _fifteen,
    SCIENTIFIC: _scientific,
    WRONG_CHECK: _wrong_check,
}


def separate_thousands(amounts: pa.Array, chosen: np.ndarray) -> pa.Array:
    """1234567.00 as 1,234,567.00 in the chosen rows."""
    some = amounts.filter(pa.array(chosen))
    some = pc.replace_substring_regex(some, r"^(\d+)(\d{3})\.", r"\1,\2.")
    some = pc.replace_substring_regex(some, r"^(\d+)(\d{3}),", r"\1,\2,")
    return pc.replace_with_mask(amounts, pa.array(chosen), some)
