"""Rows in the department's own form: its names, codes, units and ways to write a day, all from its contract."""

from __future__ import annotations

from datetime import date
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.contract import Column, Contract
from connectors.synthetic import things
from connectors.synthetic.dirt import Dirt, draw_forms, separate_thousands, write_numbers
from connectors.synthetic.people import People
from connectors.synthetic.rows import NULL, Columns, Ints, Words, count, filled
from connectors.synthetic.scene import PLAIN

_FIRST_DAY, _LAST_DAY = -23_000, 26_000  # 1907 to 2041: every day that is ever written
_DAY_FORMS = ("%Y%m%d", "%Y-%m-%d", "%Y/{month}/{day}")


class Renderer:
    """Turns rows into one department's table.

    Args:
        contract: whose columns, codes and units.
        people: whose numbers and names.
        names: every name.
        dirt: rates of dirt; CSV gets all of it, typed deliveries that of ID numbers only.
    """

    def __init__(self, contract: Contract, people: People, names: pa.Array, dirt: Dirt) -> None:
        self.contract, self.people, self.names, self.dirt = contract, people, names, dirt
        self._text = not contract.typed
        self._csv = self._text and getattr(contract.delivery, "format", "") == "csv"

    def table(self, cols: Columns, rng: np.random.Generator) -> pa.Table:
        """The rows under the contract's source names and types."""
        arrays = []
        for column in self.contract.columns:
            field = self.contract.schema.field(column.source)
            array = self._column(column, cols, rng)
            arrays.append(array if array.type == field.type else array.cast(field.type))
        return pa.table(arrays, schema=self.contract.schema)

    def _column(self, column: Column, cols: Columns, rng: np.random.Generator) -> pa.Array:
        n = count(cols)
        if column.name is None:
            return things.dropped(column.source, cols, self.people)
        values = cols.get(column.name)
        if column.type == "name":
            return self._name(column.name, cols)
        if isinstance(values, Words):
            return self._code(column, values) if column.type == "code" else _words(values, values.words)
        numbers = np.full(n, NULL) if values is None else values
        if column.kind == "person":
            return self._person(column, numbers, cols, rng)
        if column.type in ("money", "int"):
            return self._amount(column, numbers, rng)
        if column.type in ("date", "month"):
            return self._day(column, numbers, rng)
        if column.type == "flag":
            return pa.array(["0", "1"]).take(pa.array(numbers))
        return things.written(self.contract.dataset, column, numbers)

    def _name(self, name: str, cols: Columns) -> pa.Array:
        """A name: the one told, else that of the person in the column it belongs to; no person, no name."""
        person = filled(cols.get(name.removesuffix("_name")), count(cols), -1)
        place = np.where(person >= 0, self.people.name[np.maximum(person, 0)], -1)
        told = filled(cols.get(name), count(cols), -1)
        place = np.where(told >= 0, told, place)
        return self.names.take(pa.array(place, mask=place < 0))

    def _code(self, column: Column, values: Words) -> pa.Array:
        """The department's codes; where several mean the same, the first of its list."""
        theirs = {ours: code for code, ours in reversed((column.codes or {}).items())}
        return _words(values, tuple(theirs[word] for word in values.words))

    def _person(self, column: Column, persons: Ints, cols: Columns, rng: np.random.Generator) -> pa.Array:
        persons = np.where(persons == NULL, -1, persons)
        form = np.full(len(persons), PLAIN)
        if column.subject and self.contract.way != "http":
            looked_up = self.contract.way == "database"
            form = draw_forms(rng, self.dirt, self.people, persons, safe=looked_up)
            if column == self.contract.subjects[0]:
                planted = filled(cols.get("_form"), len(persons), PLAIN)
                form = np.where(planted != PLAIN, planted, form)
            form[persons < 0] = PLAIN
        return write_numbers(self.people, persons, form)

    def _amount(self, column: Column, values: Ints, rng: np.random.Generator) -> pa.Array:
        empty = values == NULL
        values = np.where(empty, 0, values)
        if not self._text and column.factor == 1:
            return pa.array(values, mask=empty)
        if not self._text:
            return _decimal(values * (100 // column.factor), empty)
        written = _decimal_text(values, column.factor, empty)
        if self._csv and column.factor == 100 and column.type == "money" and self.dirt.separators:
            return separate_thousands(written, rng.random(len(values)) < self.dirt.separators)
        return written

    def _day(self, column: Column, days: Ints, rng: np.random.Generator) -> pa.Array:
        empty = days == NULL
        if not self._text and column.type == "date":
            return pa.array(np.where(empty, 0, days).astype(np.int32), mask=empty).cast(pa.date32())
        place = np.where(empty, 0, days - _FIRST_DAY)
        if column.type == "month":
            return pc.utf8_slice_codeunits(_days(0).take(pa.array(place, mask=empty)), 0, 6)
        usual = 0 if getattr(self.contract.delivery, "encoding", "") == "gb18030" else 1
        form = np.full(len(days), usual)
        if self._csv and self.dirt.dates:
            other = rng.random(len(days)) < self.dirt.dates
            form[other] = rng.integers(0, len(_DAY_FORMS), int(other.sum()))
        written = _all_days().take(pa.array(form * (_LAST_DAY - _FIRST_DAY) + place, mask=empty))
        nothing = {"none": "", "zero": "00000000", "end": "99991231"}
        if not (self._csv and column.nullable and self.dirt.dates and empty.any()):
            return written
        shown = rng.choice(np.array(list(nothing.values())), len(days), p=[0.8, 0.1, 0.1])
        return pc.if_else(pa.array(empty), pa.array(shown), written)


def _words(values: Words, words: tuple[str, ...]) -> pa.Array:
    return pa.array(words, pa.string()).take(pa.array(values.codes, mask=values.codes < 0))


@cache
def _days(form: int) -> pa.Array:
    days = (date.fromordinal(date(1970, 1, 1).toordinal() + d) for d in range(_FIRST_DAY, _LAST_DAY))
    pattern = _DAY_FORMS[form]
    return pa.array(
        [day.strftime(pattern.replace("{month}", str(day.month)).replace("{day}", str(day.day))) for day in days]
    )


@cache
def _all_days() -> pa.Array:
    return pa.concat_arrays([_days(form) for form in range(len(_DAY_FORMS))])


def _decimal(hundredths: Ints, empty: np.ndarray) -> pa.Array:
    """DECIMAL(18, 2) from its unscaled values: 128 bits, the sign carried upwards."""
    wide = np.empty((len(hundredths), 2), np.int64)
    wide[:, 0], wide[:, 1] = hundredths, hundredths >> 63
    bitmap = pa.py_buffer(np.packbits(~empty, bitorder="little"))
    return pa.Array.from_buffers(pa.decimal128(18, 2), len(hundredths), [bitmap, pa.py_buffer(wide)])


def _decimal_text(values: Ints, factor: int, empty: np.ndarray) -> pa.Array:
    """``values / factor`` written out exactly, with as many places as the factor has zeros."""
    whole, rest = np.divmod(np.abs(values), factor)
    sign = np.where(values < 0, "-", "")
    written = pc.binary_join_element_wise(pa.array(sign), pa.array(whole).cast(pa.string()), "")
    if factor > 1:
        places = len(str(factor)) - 1
        tail = pc.utf8_lpad(pa.array(rest).cast(pa.string()), places, "0")
        written = pc.binary_join_element_wise(written, tail, ".")
    return pc.if_else(pa.array(empty), pa.scalar(None, pa.string()), written)
