"""Values as an officer writes them, by their unit."""

from __future__ import annotations

import re
from collections.abc import Collection
from fractions import Fraction

Value = int | Fraction | bool | str | tuple[str, ...] | None
_CODE = re.compile(r"^[a-z][a-z0-9_.]*$")
_MONEY = re.compile(r"^\d{1,15}(\.\d{1,2})?$")
_RATIO = re.compile(r"^\d{1,9}(\.\d{1,9})?$")
_PERCENT = re.compile(r"^\d{1,5}(\.\d{1,2})?$")


def parse_value(unit: str, raw: object, choices: Collection[str]) -> Value:
    """A value as written, as what its unit makes of it.

    Raises:
        ValueError: with the reason, for the officer who wrote it.
    """
    if raw == "none":
        return None
    if isinstance(raw, float):
        raise ValueError("write numbers with a point in quotes, such as '1080.00'")
    if unit == "flag":
        if isinstance(raw, bool):
            return raw
        raise ValueError("must be true or false")
    if unit in ("months", "years", "working_days", "count"):
        if type(raw) is int and raw >= 0:
            return raw
        raise ValueError("must be a whole number, not below 0")
    if unit == "codes":
        if not isinstance(raw, list) or not all(isinstance(code, str) and code in choices for code in raw):
            raise ValueError(f"must be a list out of {', '.join(choices)}")
        return tuple(raw)
    return _parse_text(unit, raw, choices)


def _parse_text(unit: str, raw: object, choices: Collection[str]) -> Value:
    if not isinstance(raw, str):
        raise ValueError("must be a text in quotes")
    if unit == "operator":
        choices = ("<", "<=")
    if unit in ("operator", "choice"):
        if raw in choices:
            return raw
        raise ValueError(f"must be one of {', '.join(choices)}")
    pattern, example = {
        "yuan": (_MONEY, "'1080.00' (yuan, at most two decimals)"),
        "ratio": (_RATIO, "'1.5'"),
        "percent": (_PERCENT, "'10' (at most two decimals)"),
    }[unit]
    if not pattern.match(raw):
        raise ValueError(f"must be written like {example}")
    exact = Fraction(raw)
    return exact if unit == "ratio" else int(exact * 100)


def is_code(text: str) -> bool:
    """Whether the text can be the name of a parameter, a programme or an item."""
    return bool(_CODE.match(text))
