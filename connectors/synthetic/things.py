"""How the numbers of things look: accounts, units, plates, policies, records, firms, addresses."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.contract import Column
from connectors.synthetic.people import Digits, People, digits_of, text, words
from connectors.synthetic.rows import NULL, Columns, Ints, count, filled

_PLATE_CHARACTERS = np.frombuffer(b"0123456789ABCDEFGHJKLMNPQRSTUVWXYZ", np.uint8)  # no I and no O
_PREFIX = {
    "employer_code": (b"91370303MA", 8),
    "payer_code": (b"91370303MA", 8),
    "record_ref": (b"", 14),
    "correction_of": (b"", 14),
    "filing_number": (b"2026BA", 10),
    "settlement": (b"3703", 14),
    "certificate": (b"N3703", 10),
    "licence": (b"3703", 10),
    "vessel": (b"CN2019", 9),
    "school_code": (b"2137", 6),
    "batch_no": (b"2026-", 2),
    "credit_code": (b"92370303MA", 8),
}
_SAID = {"PL": "1498", "XXMC": "淄博市某学校", "CPYS": "黄色"}
_KINDS = {"policy": (b"P3703", 13), "hukou": (b"3703", 9)}


def written(dataset: str, column: Column, numbers: Ints) -> pa.Array:
    """A thing's number in the form that its column has."""
    valid = numbers != NULL
    numbers = np.where(valid, numbers, 0)
    name = column.name or ""
    if column.kind == "account":
        return text(_account(numbers), valid)
    if name == "account_last4":
        return text(_account(numbers)[:, -4:], valid)
    if column.kind == "unit":
        return text(_unit(numbers), valid)
    if column.kind == "plate" or name == "plate_shown":
        return text(_plate(numbers), valid)
    if column.kind in _KINDS:
        return text(_numbered(*_KINDS[column.kind], numbers), valid)
    if name in _PREFIX:
        return text(_numbered(*_PREFIX[name], numbers), valid)
    return pc.if_else(pa.array(valid), _SPELLED[name](numbers), pa.scalar(None, pa.string()))


def dropped(source: str, cols: Columns, people: People) -> pa.Array:
    """What stands in columns that nobody keeps: sex, chassis number, displacement, school."""
    n = count(cols)
    if source == "XB":
        person = filled(cols.get("person"), n, -1)
        return pa.array(["2", "1"]).take(pa.array(people.male[np.maximum(person, 0)].astype(np.int8)))
    if source == "残疾人证号":
        return text(people.digits[np.maximum(filled(cols.get("person"), n, 0), 0)])
    if source == "CLSBDH":
        return text(_numbered(b"LHD", 14, filled(cols.get("plate"), n, 0)))
    return pa.array([_SAID[source]]).take(pa.array(np.zeros(n, np.int8)))


def _numbered(prefix: bytes, width: int, numbers: Ints) -> Digits:
    fixed = np.broadcast_to(np.frombuffer(prefix, np.uint8), (len(numbers), len(prefix)))
    return np.hstack([fixed, digits_of(numbers, width)])


def _account(numbers: Ints) -> Digits:
    """Nineteen digits; the last ones run through all values, since 48271 and 10 have no common factor."""
    return _numbered(b"6229037", 12, numbers * 48271 % 10**12)


def _unit(numbers: Ints) -> Digits:
    """28 characters: 12 of cadastral area, GB and 5 of parcel, F and 8 of building and unit."""
    area = np.broadcast_to(np.frombuffer(b"370303001001GB", np.uint8), (len(numbers), 14))
    letter = np.full((len(numbers), 1), ord("F"), np.uint8)
    return np.hstack([area, digits_of(numbers // 10**8, 5), letter, digits_of(numbers % 10**8, 8)])


def _plate(numbers: Ints) -> Digits:
    """鲁C and five characters."""
    head = np.broadcast_to(np.frombuffer("鲁C".encode(), np.uint8), (len(numbers), 4))
    tail = np.empty((len(numbers), 5), np.uint8)
    rest = numbers * 7919 % 34**5
    for place in range(5):
        rest, character = np.divmod(rest, 34)
        tail[:, place] = _PLATE_CHARACTERS[character]
    return np.hstack([head, tail])


def _payer(numbers: Ints) -> pa.Array:
    first, last = pa.array(words()["payer_first"]), pa.array(words()["payer_last"])
    chosen = [first.take(pa.array(numbers % len(first))), last.take(pa.array(numbers // len(first) % len(last)))]
    return pc.binary_join_element_wise("淄博", chosen[0], pa.array(numbers).cast(pa.string()), chosen[1], "")


def _address(numbers: Ints) -> pa.Array:
    street = pa.array(words()["streets"])
    house = pa.array(numbers // len(street) % 990 + 1).cast(pa.string())
    door = pa.array(numbers // 14_850 + 101).cast(pa.string())
    return pc.binary_join_element_wise(
        "淄博市张店区", street.take(pa.array(numbers % len(street))), house, "号", door, "室", ""
    )


def _title(numbers: Ints) -> pa.Array:
    return pc.binary_join_element_wise("鲁(2019)淄博不动产权第", text(digits_of(numbers, 10)), "号", "")


def _machine_plate(numbers: Ints) -> pa.Array:
    return pc.binary_join_element_wise("鲁03 ", text(digits_of(numbers, 7)), "")


def _vessel_name(numbers: Ints) -> pa.Array:
    return pc.binary_join_element_wise("鲁淄货", text(digits_of(numbers, 7)), "")


_SPELLED = {
    "payer_name": _payer,
    "business_name": _payer,
    "address": _address,
    "title_number": _title,
    "machine_plate": _machine_plate,
    "vessel_name": _vessel_name,
}
