"""Which value of a parameter holds for one key, and what its formula comes to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from pipelines.policy.errors import PolicyDateError, PolicyEndedError, PolicyError, PolicyMissingError
from pipelines.policy.formula import FormulaError, Quantity, evaluate, names, to_whole
from pipelines.policy.load import Pack
from pipelines.policy.model import Row, Test
from pipelines.policy.values import Value

_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Settled:
    """A value as it holds, with where it comes from.

    Attributes:
        value: fen for yuan, basis points for percent, None for "not set here".
        working: how it was worked out, for a reader: ``1.5 × 1080.00 = 1620.00``.
        rows: every row that took part, the value's own first.
    """

    row: Row
    value: Value
    unit: str
    working: str
    rows: tuple[Row, ...]

    @property
    def example(self) -> bool:
        """Whether any part of it is an example rather than a published value."""
        return any(row.sure == "example" for row in self.rows)

    @property
    def cites(self) -> tuple[str, ...]:
        """Citations of every part, as written in the pack."""
        return tuple(dict.fromkeys(cite for row in self.rows for cite in row.cites))


def show(value: Value, unit: str) -> str:
    """A value for a reader: yuan with two decimals, a ratio as a decimal, a list with commas."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if unit == "yuan" and isinstance(value, int):
        return f"{value // 100}.{value % 100:02d}"
    if unit == "percent" and isinstance(value, int):
        return f"{Fraction(value, 100)} %" if value % 100 == 0 else f"{value / 100:.2f} %"
    if isinstance(value, Fraction):
        return f"{float(value):.9f}".rstrip("0").rstrip(".")
    return ", ".join(value) if isinstance(value, tuple) else str(value)


class Resolver:
    """Looks parameters up for one key; a value that a formula needs twice is worked out once."""

    def __init__(self, pack: Pack, programme: str, division: str, area_kind: str, on: date) -> None:
        self.pack, self.programme, self.division = pack, programme, division
        self.area_kind, self.on = area_kind, on
        self._settled: dict[tuple[str, str | None], Settled] = {}
        self._open: list[str] = []

    def settle(self, name: str, item: str | None = None) -> Settled:
        """The value of a parameter.

        Raises:
            PolicyDateError: the date lies before its first value.
            PolicyEndedError: its last value has ended.
            PolicyMissingError: it has none for this place.
        """
        key = (name, item)
        if key not in self._settled:
            row = self._row(name, item)
            self._settled[key] = self._work_out(row) if row.formula else self._plain(row)
        return self._settled[key]

    def limit(self, test: Test) -> Settled:
        """A test's limit: the one parameter that it names, or a formula of its own."""
        if _NAME.fullmatch(test.limit):
            return self.settle(test.limit)
        used = [self.settle(name) for name in names(test.limit)]
        if not used:
            raise PolicyError(f"programmes/{self.programme}.yaml", "limit", "must name a parameter")
        return self._combine(used[0].row, test.limit, "exact", used, "yuan" if test.unit == "fen" else "count")

    def _row(self, name: str, item: str | None) -> Row:
        found = [row for row in self.pack.rows.get(name, ()) if row.item == item and self._fits(row)]
        if not found:
            raise PolicyMissingError(f"{name}.{item}" if item else name, self.division, self.pack.id)
        for place in sorted({rank(row) for row in found}, reverse=True):
            begun = [row for row in found if rank(row) == place and row.start <= self.on]
            for row in begun:
                if row.end is None or row.end >= self.on:
                    return row
            if begun:
                last = max(row.end for row in begun if row.end is not None)
                raise PolicyEndedError(name, self.division, self.on, last)
        raise PolicyDateError(name, self.division, self.on, min(row.start for row in found))

    def _fits(self, row: Row) -> bool:
        return (
            self.division.startswith(row.division)
            and row.programme in (None, self.programme)
            and row.area_kind in (None, self.area_kind)
        )

    def _plain(self, row: Row) -> Settled:
        unit = self.pack.parameters[row.parameter].unit
        return Settled(row, row.value, unit, show(row.value, unit), (row,))

    def _work_out(self, row: Row) -> Settled:
        if row.parameter in self._open:
            raise PolicyError(row.file, f"{row.field}.formula", "leads back to itself")
        self._open.append(row.parameter)
        try:
            used = [self.settle(name) for name in names(row.formula or "")]
        finally:
            self._open.pop()
        return self._combine(row, row.formula or "", row.rounding, used, self.pack.parameters[row.parameter].unit)

    def _combine(self, row: Row, formula: str, rounding: str, used: list[Settled], unit: str) -> Settled:
        by_name = {settled.row.parameter: settled for settled in used}
        try:
            result = evaluate(formula, lambda name: _quantity(by_name[name]))
            if result.money != (unit == "yuan"):
                raise FormulaError(f"does not give {unit}")
            value: Value = result.value if unit == "ratio" else to_whole(result.value, rounding)
        except FormulaError as error:
            raise PolicyError(row.file, f"{row.field}.formula", f"{formula} {error}") from None
        shown = _NAME.sub(lambda m: _show_name(m.group(), by_name), formula)
        working = f"{shown.replace('*', '×').replace(' / ', ' ÷ ')} = {show(value, unit)}"
        rows = (row, *(part for settled in used for part in settled.rows))
        return Settled(row, value, unit, working, tuple(dict.fromkeys(rows)))


def _show_name(name: str, by_name: dict[str, Settled]) -> str:
    """A formula's name as its value, for the working; min and max stay."""
    return show(by_name[name].value, by_name[name].unit) if name in by_name else name


def rank(row: Row) -> tuple[int, int, bool, bool]:
    """Which row goes before which: longest division, then the local pack, the programme's own, the kind's own."""
    return (len(row.division), row.depth, row.programme is not None, row.area_kind is not None)


def _quantity(settled: Settled) -> Quantity:
    value, unit = settled.value, settled.unit
    if isinstance(value, bool) or not isinstance(value, int | Fraction):
        raise FormulaError(f"uses {settled.row.parameter}, which is {show(value, unit)}")
    if unit == "percent":
        return Quantity(Fraction(value, 10_000))
    return Quantity(Fraction(value), unit == "yuan")
