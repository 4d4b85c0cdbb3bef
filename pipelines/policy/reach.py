"""Rules of a pack that can never speak, or that speak past each other: part of ``hedui policy check``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from pipelines.policy.load import Pack
from pipelines.policy.model import AREA_KINDS, Row
from pipelines.policy.resolve import ResolvedPolicy
from pipelines.policy.settle import rank

# Of these lists, an item that stands for nothing that a department sends is a name misspelt, or waits for its source.
KINDS = {"income_excluded": "income_kind"}


@dataclass(frozen=True)
class Finding:
    """Something to see to: ``error`` stops an assessment, ``warning`` will one day, ``note`` is to be known."""

    level: Literal["error", "warning", "note"]
    where: str
    zh: str
    en: str


def where(row: Row) -> str:
    """File and parameter of a value."""
    item = f".{row.item}" if row.item else ""
    return f"{row.file}: {row.parameter}{item}"


def unreachable(pack: Pack, places: Iterable[str]) -> Iterator[Finding]:
    """Own values that hold nowhere and never, or that displace what the baseline says of one programme.

    Args:
        pack: the pack.
        places: six-digit codes that it serves.
    """
    codes = sorted(places)
    for rows in pack.rows.values():
        for row in (row for row in rows if row.pack == pack.id):
            others = [other for other in rows if other.item == row.item and other is not row]
            if not _speaks(pack, row, others, codes):
                yield Finding(
                    "warning",
                    where(row),
                    "此值在任何地方、任何时候都不会生效",
                    "holds nowhere and never: others go before it",
                )
            for other in _displaced(pack, row, others):
                zh = f"覆盖了 {other.pack} 对 {other.programme} 的专门规定"
                yield Finding("warning", where(row), zh, f"displaces what {other.pack} says of {other.programme}")


def _speaks(pack: Pack, row: Row, others: list[Row], codes: list[str]) -> bool:
    """Whether some place, programme and kind of area gets this value on its first day.

    What goes before it once begun goes before it for ever, so no later day is better than the first.
    """
    first = [other for other in others if rank(other) > rank(row) and other.start <= row.start]
    if not first:
        return True
    divisions = [code for code in codes if code.startswith(row.division)] or [row.division]
    programmes = [row.programme] if row.programme else list(pack.programmes)
    kinds = [row.area_kind] if row.area_kind else AREA_KINDS
    return any(
        not any(
            division.startswith(other.division)
            and other.programme in (None, programme)
            and other.area_kind in (None, kind)
            for other in first
        )
        for division in divisions
        for programme in programmes
        for kind in kinds
    )


def _displaced(pack: Pack, row: Row, others: list[Row]) -> Iterator[Row]:
    """Values of a pack below for one programme, over which this general one goes with another value."""
    if row.programme is not None:
        return
    own = {other.programme for other in others if other.pack == pack.id}
    for other in others:
        if other.depth < row.depth and other.programme and other.programme not in own:
            apart = (row.end is not None and row.end < other.start) or (other.end is not None and other.end < row.start)
            if not apart and (row.value, row.formula) != (other.value, other.formula):
                yield other


def unknown_kinds(pack: Pack) -> Iterator[Finding]:
    """Items of lists that no department's data is called by."""
    from pipelines.texts import texts

    for name, kind in KINDS.items():
        known = texts()[kind]
        for item in pack.parameters[name].items if name in pack.parameters else ():
            if item not in known:
                zh, en = f"没有来源以 {item} 为名报送", f"no department sends anything called {item}"
                yield Finding("note", f"{pack.parameters[name].file}: {name}.{item}", zh, en)


def unfed_figures(pack: Pack) -> Iterator[Finding]:
    """Tests of figures that no required source feeds: they stay open for every household."""
    from connectors.contract import load_contracts

    feeds = {dataset: contract.feeds for dataset, contract in load_contracts().items()}
    for programme in pack.programmes.values():
        required = [dataset for dataset, need in programme.sources.items() if need == "required"]
        fed = {figure for dataset in required for figure in feeds.get(dataset, ())}
        for name, test in programme.tests.items():
            parts = ("income", "expense") if test.figure == "income_left_share" else (test.figure,)
            if not all(any(f == part or f.startswith(f"{part}.") for f in fed) for part in parts):
                zh, en = (
                    f"没有必查来源提供 {test.figure}，结果总是待核实",
                    f"no required source feeds {test.figure}: always open",
                )
                yield Finding("warning", f"programmes/{programme.name}.yaml: tests.{name}", zh, en)


def odd_tests(policy: ResolvedPolicy) -> Iterator[Finding]:
    """Tests that nothing can satisfy, or whose limit is for another span of time than the figure."""
    place = f"{policy.programme.name}, {policy.division}, {policy.area_kind}, {policy.on}"
    for name, test in policy.tests.items():
        at = f"{place}: {name}"
        if test.operator.value == "<" and test.limit_value == 0:
            yield Finding(
                "warning", at, "限额为0且须低于，任何家庭都不满足", "below 0 is asked: nothing can satisfy it"
            )
        months = policy.value("window_months")
        if test.test.figure == "income" and test.test.scale != "per_head_month" and months != 12:
            zh, en = f"限额按年，核算期为 {months} 个月", f"the limit is for a year, the window {months} months"
            yield Finding("error", at, zh, en)
