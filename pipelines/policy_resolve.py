"""What a pack says for one programme, place, kind of area and application date (R63)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from pipelines.formula import FormulaError, Quantity, evaluate, names, to_whole
from pipelines.policy_load import Pack
from pipelines.policy_model import (
    ITEMS_COUNT,
    ITEMS_MONEY,
    PolicyDateError,
    PolicyEndedError,
    PolicyError,
    PolicyMissingError,
    Programme,
    Row,
    Test,
    Value,
)

SETTINGS = (
    "window_months",
    "bonus_rule",
    "loss_offset",
    "wage_deduction",
    "wage_deduction_cap",
    "minor_age",
    "adult_child_age",
    "student_stages",
    "mortgage_netted",
    "validity_months",
    "objection_days",
    "trace_proceeds_min",
)
LISTS = ("income_excluded", "excluded_status", "vehicle_exempt", "tolerance_money", "tolerance_count")
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


@dataclass(frozen=True)
class ResolvedTest:
    """A test with its limit worked out; ``limit_value`` is fen or a count, per head (and month) or for all."""

    name: str
    test: Test
    operator: Settled
    limit: Settled
    limit_value: int
    cites: tuple[str, ...]

    @property
    def example(self) -> bool:
        """Whether limit or operator rest on an example."""
        return self.limit.example or self.operator.example


@dataclass(frozen=True)
class ResolvedPolicy:
    """Everything that an assessment needs to know of the rules, for one key.

    Attributes:
        settings: by the names in SETTINGS.
        lists: by the names in LISTS, each item to its value.
        ended: items whose last value has a stated end before the date.
        skipped: tests that the pack leaves out here, by name.
    """

    pack: Pack
    programme: Programme
    division: str
    area_kind: str
    on: date
    settings: dict[str, Settled]
    tests: dict[str, ResolvedTest]
    lists: dict[str, dict[str, Settled]]
    ended: tuple[Row, ...]
    skipped: tuple[str, ...]

    @property
    def sources(self) -> dict[str, str]:
        """Datasets that the programme may ask, each required or optional (R34)."""
        return {name: need for name, need in sorted(self.programme.sources.items()) if need != "not_asked"}

    def value(self, name: str) -> Value:
        """A setting's value."""
        return self.settings[name].value


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
        for rank in sorted({_rank(row) for row in found}, reverse=True):
            begun = [row for row in found if _rank(row) == rank and row.start <= self.on]
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
        shown = _NAME.sub(lambda m: show_name(m.group(), by_name), formula)
        working = f"{shown.replace('*', '×').replace(' / ', ' ÷ ')} = {show(value, unit)}"
        rows = (row, *(part for settled in used for part in settled.rows))
        return Settled(row, value, unit, working, tuple(dict.fromkeys(rows)))


def show_name(name: str, by_name: dict[str, Settled]) -> str:
    """A formula's name as its value, for the working; min and max stay."""
    return show(by_name[name].value, by_name[name].unit) if name in by_name else name


def _rank(row: Row) -> tuple[int, int, bool, bool]:
    """Which row goes before which: longest division, then the local pack, the programme's own, the kind's own."""
    return (len(row.division), row.depth, row.programme is not None, row.area_kind is not None)


def _quantity(settled: Settled) -> Quantity:
    value, unit = settled.value, settled.unit
    if isinstance(value, bool) or not isinstance(value, int | Fraction):
        raise FormulaError(f"uses {settled.row.parameter}, which is {show(value, unit)}")
    if unit == "percent":
        return Quantity(Fraction(value, 10_000))
    return Quantity(Fraction(value), unit == "yuan")


def resolve(pack: Pack, programme: str, division: str, area_kind: str, on: date) -> ResolvedPolicy:
    """What holds for a programme in a division (six digits), urban or rural, on the application date.

    Raises:
        PolicyMissingError: the pack does not know the programme or serve the division, or lacks a value.
        PolicyDateError: the date lies before a value's first day.
        PolicyEndedError: a value has ended and nothing follows.
        PolicyError: a formula does not come out.
    """
    if programme not in pack.programmes:
        raise PolicyMissingError(programme, division, pack.id)
    if not division.startswith(pack.division) or area_kind not in ("urban", "rural"):
        raise PolicyMissingError(f"{programme} ({area_kind})", division, pack.id)
    resolver = Resolver(pack, programme, division, area_kind, on)
    wanted = pack.programmes[programme]
    settings = {name: resolver.settle(name) for name in SETTINGS}
    tests = {name: _resolve_test(resolver, name, test) for name, test in wanted.tests.items()}
    lists = {name: _resolve_list(resolver, name) for name in LISTS}
    for name, items in (("tolerance_money", ITEMS_MONEY), ("tolerance_count", ITEMS_COUNT)):
        for item in items:
            resolver.settle(name, item)
    return ResolvedPolicy(
        pack=pack,
        programme=wanted,
        division=division,
        area_kind=area_kind,
        on=on,
        settings=settings,
        tests={name: test for name, test in tests.items() if test is not None},
        lists={name: items for name, (items, _) in lists.items()},
        ended=tuple(row for _, ended in lists.values() for row in ended),
        skipped=tuple(name for name, test in tests.items() if test is None),
    )


def _resolve_test(resolver: Resolver, name: str, test: Test) -> ResolvedTest | None:
    operator, limit = resolver.settle(test.operator), resolver.limit(test)
    if limit.value is None or operator.value is None:
        return None
    file = f"programmes/{resolver.programme}.yaml"
    if limit.unit != ("yuan" if test.unit == "fen" else "count") or not isinstance(limit.value, int):
        raise PolicyError(file, f"tests.{name}.limit", f"{test.limit} is {limit.unit}, the test is in {test.unit}")
    if operator.unit != "operator":
        raise PolicyError(file, f"tests.{name}.operator", f"{test.operator} is not an operator")
    own = (cite for cite in test.cites if resolver.pack.in_force(cite, resolver.on))
    cites = tuple(dict.fromkeys((*own, *operator.cites, *limit.cites)))
    return ResolvedTest(name, test, operator, limit, limit.value, resolver.pack.cite(cites))


def _resolve_list(resolver: Resolver, name: str) -> tuple[dict[str, Settled], list[Row]]:
    """The items of a list that hold, and those that have ended; one that has not begun is not in it."""
    held: dict[str, Settled] = {}
    ended: list[Row] = []
    rows = resolver.pack.rows.get(name, ())
    for item in sorted({row.item for row in rows if row.item is not None}):
        try:
            held[item] = resolver.settle(name, item)
        except PolicyEndedError as error:
            ended.extend(_ended_row(rows, item, error.ended))
        except (PolicyDateError, PolicyMissingError):
            continue
    return held, ended


def _ended_row(rows: Iterable[Row], item: str, on: date) -> list[Row]:
    return [row for row in rows if row.item == item and row.end == on][:1]
