"""What an officer should see to in a pack that loads: gaps, ends, stale values, examples, names nobody knows."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path

from pipelines.errors import HeduiError
from pipelines.policy.cases import differences, read_cases
from pipelines.policy.formula import names
from pipelines.policy.load import Pack
from pipelines.policy.model import AREA_KINDS, Row
from pipelines.policy.reach import Finding, odd_tests, unfed_figures, unknown_kinds, unreachable, where
from pipelines.policy.resolve import LISTS, SETTINGS, resolve

STALE = timedelta(days=365)
FIGURES = ("income", "financial_assets", "homes", "vehicles", "businesses", "income_left_share")
_ROOT = Path(__file__).resolve().parent.parent.parent
_LEVELS = ("error", "warning", "note")


def check(pack: Pack, on: date | None = None) -> list[Finding]:
    """Look a loaded pack over.

    Args:
        pack: what ``load_pack`` gave; schema, units, names and overlaps are checked by then.
        on: the day to judge by; today if None (a reading aid: no report depends on it).

    Returns:
        Findings, errors first, then by place.
    """
    on = on or date.today()
    groups: dict[tuple[object, ...], list[Row]] = {}
    for rows in pack.rows.values():
        for row in sorted(rows, key=lambda row: row.start):
            groups.setdefault(row.axes, []).append(row)
    found = [
        *_unknown(pack),
        *_unused(pack),
        *unreachable(pack, _served(pack)),
        *unknown_kinds(pack),
        *unfed_figures(pack),
        *(finding for rows in groups.values() for finding in _gaps(rows)),
        *_ends(pack, list(groups.values()), on),
        *_stale(pack, on),
        *_examples(pack, on),
        *_not_yet_law(pack),
        *_unresolved(pack, on),
        *_cases(pack),
    ]
    return sorted(dict.fromkeys(found), key=lambda f: (_LEVELS.index(f.level), f.where, f.en))


def _cases(pack: Pack) -> Iterator[Finding]:
    """The pack's own tests."""
    for file, case in read_cases(pack.folder):
        for difference in differences(pack, case):
            yield Finding(
                "error", f"{file}: {case.name}", f"与预期不符：{difference}", f"not as expected: {difference}"
            )


def _gaps(rows: list[Row]) -> Iterator[Finding]:
    for earlier, later in pairwise(rows):
        if earlier.end and earlier.end + timedelta(days=1) < later.start:
            span = f"{earlier.end} – {later.start}"
            yield Finding("warning", where(later), f"取值有空档：{span}", f"no value in between: {span}")


def _ends(pack: Pack, groups: list[list[Row]], on: date) -> Iterator[Finding]:
    """Values that end and are not taken up by a more local one."""
    for last in (rows[-1] for rows in groups):
        taken_up = any(
            row.end is None
            and row.item == last.item
            and row.division.startswith(last.division)
            and row.programme in (None, last.programme)
            for row in pack.rows[last.parameter]
        )
        if last.end is not None and not taken_up:
            zh, en = ("已于", "ended on") if last.end < on else ("将于", "will end on")
            yield Finding(
                "warning",
                where(last),
                f"{zh} {last.end} 终止，之后无取值",
                f"{en} {last.end}, with no value after",
            )


def _stale(pack: Pack, on: date) -> Iterator[Finding]:
    for rows in pack.rows.values():
        for row in rows:
            if on - row.checked_on > STALE and (row.end is None or row.end >= on):
                yield Finding(
                    "warning",
                    where(row),
                    f"最近一次核对为 {row.checked_on}，已超过一年",
                    f"last checked on {row.checked_on}, more than a year ago",
                )


def _examples(pack: Pack, on: date) -> Iterator[Finding]:
    for rows in pack.rows.values():
        for row in rows:
            if row.sure == "example" and row.start <= on and (row.end is None or row.end >= on):
                yield Finding(
                    "note", where(row), "示例值，使用前须由主管部门确定", f"an example, to be decided: {row.note}"
                )


def _not_yet_law(pack: Pack) -> Iterator[Finding]:
    for rows in pack.rows.values():
        for row in rows:
            for cite in row.cites:
                if row.sure != "example" and not pack.in_force(cite, row.start):
                    yield Finding(
                        "warning",
                        where(row),
                        f"{row.start} 时所引 {cite} 未施行",
                        f"{cite} was not in force on {row.start}",
                    )


def _used(pack: Pack) -> set[str]:
    """Parameters that something reads, formulas followed."""
    used = {*SETTINGS, *LISTS}
    for programme in pack.programmes.values():
        for test in programme.tests.values():
            used |= {test.operator, *names(test.limit)}
    waiting = list(used)
    while waiting:
        for row in pack.rows.get(waiting.pop(), ()):
            new = {*names(row.formula)} - used if row.formula else set()
            used |= new
            waiting.extend(new)
    return used


def _unused(pack: Pack) -> Iterator[Finding]:
    """A parameter that no test reads; one that only waits for local formulas does not count."""
    used = _used(pack)
    for name, parameter in pack.parameters.items():
        if name not in used and pack.rows.get(name):
            yield Finding("warning", f"{parameter.file}: {name}", "没有任何检验用到", "nothing reads it")


def _unknown(pack: Pack) -> Iterator[Finding]:
    datasets = {f"{path.parent.name}/{path.stem}" for path in (_ROOT / "connectors" / "contracts").glob("*/*.yaml")}
    for programme in pack.programmes.values():
        file = f"programmes/{programme.name}.yaml"
        for dataset in sorted(set(programme.sources) - datasets):
            yield _no_contract(f"{file}: sources", dataset, programme.sources[dataset])
        if programme.sure == "example":
            yield Finding(
                "note",
                file,
                "查询范围和授权人为示例，须由主管部门确定",
                f"an example, to be decided: {programme.note}",
            )
        for name, test in programme.tests.items():
            if test.figure not in FIGURES:
                yield Finding("error", f"{file}: tests.{name}", f"没有指标 {test.figure}", f"no figure {test.figure}")
    known = division_names()
    for rows in pack.rows.values():
        for row in rows:
            if row.division.startswith("37") and row.division.ljust(6, "0") not in known:
                yield Finding(
                    "warning",
                    where(row),
                    f"区划代码 {row.division} 不在现行代码表中",
                    f"division {row.division} is not in the current table",
                )


def _no_contract(where: str, dataset: str, need: str) -> Finding:
    """A dataset that nobody has described yet: nobody is asked for it, and where it is required, reports say so."""
    if need == "required":
        zh = f"尚无 {dataset} 的数据约定：每份报告都将列为“未能核实”，不会出现“未超过限定标准”"
        en = f"no contract for {dataset} yet: every report will say that it could not be checked"
        return Finding("warning", where, zh, en)
    zh, en = f"尚无 {dataset} 的数据约定：暂不查询", f"no contract for {dataset} yet: nobody is asked"
    return Finding("note", where, zh, en)


@cache
def division_names() -> dict[str, str]:
    """Names of the current divisions of Shandong by six-digit code (GB/T 2260, state of 2025-12-31)."""
    with (_ROOT / "pipelines" / "data" / "admin_shandong.csv").open(encoding="utf-8", newline="") as handle:
        return {row["code"]: row["name"] for row in csv.DictReader(handle)}


def _served(pack: Pack) -> set[str]:
    """Codes of the places that a pack serves, as far as they are known."""
    named = {row.division for rows in pack.rows.values() for row in rows if len(row.division) >= 6}
    counties = {code for code in division_names() if code.startswith(pack.division) and not code.endswith("00")}
    return named | (counties if pack.division else set()) or {pack.division.ljust(6, "0")}


def _unresolved(pack: Pack, on: date) -> Iterator[Finding]:
    """Every place that the pack serves, tried as if somebody applied there today; a baseline serves none."""
    if not pack.rows.get("standard"):
        return
    served = _served(pack)
    for programme in pack.programmes:
        for division in sorted(served):
            for kind in AREA_KINDS:
                try:
                    yield from odd_tests(resolve(pack, programme, division, kind, on))
                except HeduiError as error:
                    values = error.fields()
                    yield Finding(
                        "error",
                        f"{programme}, {division}, {kind}, {on}",
                        error.zh.format(**values),
                        error.en.format(**values),
                    )
