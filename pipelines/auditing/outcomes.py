"""Published tables about households: who counts, what was done with each record, tests, conclusions, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from pipelines.auditing.published import ALL, Kind, Table, households, key, shown, small
from pipelines.auditing.record import Record
from pipelines.auditing.small_cells import LEAST, Line, hidden


def crossed(
    name: str,
    zh: str,
    en: str,
    records: list[Record],
    axes: tuple[str, str],
    found: Callable[[Record], dict[Any, int]],
    *,
    sum_columns: bool = True,
) -> Table:
    """Households by two axes, with their sums (``all``); batches of fewer than five are left out.

    Args:
        name: of the table.
        zh: its title.
        en: the same in English.
        records: of the batches.
        axes: names of the two columns.
        found: a record's counts by (row, column).
        sum_columns: whether the rows of a column add up to anything.
    """
    rows = []
    for record in records:
        if households(record) < LEAST:
            continue
        cells, lines = with_sums(found(record), sum_columns=sum_columns)
        unseen = hidden(cells, lines)
        for cell, count in cells.items():
            row = key(record) | dict(zip(axes, cell, strict=True)) | {"households": count}
            rows.append(shown(row, ["households"] if cell in unseen else []))
    columns: dict[str, Kind] = {"batch": "text", "moment": "date", axes[0]: "text", axes[1]: "text"}
    return Table(name, zh, en, columns | {"households": "count"}, rows)


def with_sums(counts: Mapping[Any, int], *, sum_columns: bool) -> tuple[dict[Any, int], list[Line]]:
    """Cells by (row, column) with the sums of rows and, if wanted, of columns and of all."""
    by_row: dict[Any, int] = defaultdict(int)
    by_column: dict[Any, int] = defaultdict(int)
    for (row, column), count in counts.items():
        by_row[row] += count
        by_column[column] += count
    cells = dict(counts) | {(row, ALL): n for row, n in by_row.items()}
    lines = [Line(tuple(cell for cell in counts if cell[0] == row), (row, ALL)) for row in by_row]
    if sum_columns:
        cells |= {(ALL, c): n for c, n in by_column.items()} | {(ALL, ALL): sum(counts.values())}
        lines += [Line(tuple(cell for cell in counts if cell[1] == c), (ALL, c)) for c in by_column]
        lines.append(Line(tuple((row, ALL) for row in by_row), (ALL, ALL)))
    return cells, lines


def conclusions(records: list[Record]) -> Table:
    """Households by the report's two answers."""
    return crossed(
        "conclusions",
        "报告结论（限额 × 申报）",
        "Conclusions (limits × declaration)",
        records,
        ("limits", "declaration"),
        lambda record: {(limits, declaration): n for limits, declaration, n in record["conclusions"]},
    )


def tests(records: list[Record]) -> Table:
    """Households by test and its result."""
    return crossed(
        "tests",
        "各项比较的结果",
        "Results of each test",
        records,
        ("test", "result"),
        lambda record: {(test, result): n for test, _, result, n in record["tests"]},
        sum_columns=False,
    )


def declared(records: list[Record]) -> Table:
    """Households by declared item and whether it matches."""
    return crossed(
        "declared",
        "申报与核实的比对",
        "What was declared, and what was found",
        records,
        ("item", "result"),
        lambda record: {(item, result): n for item, result, n in record["declaration"]},
        sum_columns=False,
    )


def undetermined(records: list[Record]) -> Table:
    """Households whose limits are undetermined, by what is missing or disputed; one may be in several rows."""
    rows = []
    for record in records:
        if households(record) >= LEAST:
            for cause, dataset, count in record["undetermined"]:
                row = key(record) | {"cause": cause, "dataset": dataset or "", "households": count}
                rows.append(small(row, "households"))
    columns: dict[str, Kind] = {
        "batch": "text", "moment": "date", "cause": "text", "dataset": "text", "households": "count",
    }  # fmt: skip
    return Table("undetermined", "待核实的原因", "Why households are undetermined", columns, rows)


def evidence(records: list[Record]) -> Table:
    """Items of income, property and expense by what was done with them, and by which rule."""
    rows = []
    for record in records:
        if households(record) >= LEAST:
            for kind, treatment, rule, count in record["items"]:
                row = key(record) | {"kind": kind, "treatment": treatment, "rule": rule, "items": count}
                rows.append(small(row, "items"))
    columns: dict[str, Kind] = {
        "batch": "text", "moment": "date", "kind": "text", "treatment": "text", "rule": "text", "items": "count",
    }  # fmt: skip
    return Table("evidence", "各项记录的处理（按规则）", "What was done with each record, by rule", columns, rows)


def members(records: list[Record]) -> Table:
    """Members of households, and why they count or do not."""
    rows = []
    for record in records:
        if households(record) < LEAST:
            continue
        counts: dict[Any, int] = {(why, rule, counted): n for why, rule, counted, n in record["members"]}
        line = Line(tuple(counts), (ALL, "", None))
        counts |= {line.total: sum(counts.values())}
        unseen = hidden(counts, [line])
        for cell, count in counts.items():
            why, rule, counted = cell
            row = key(record) | {"why": why, "rule": rule, "counted": counted, "persons": count}
            rows.append(shown(row, ["persons"] if cell in unseen else []))
    columns: dict[str, Kind] = {
        "batch": "text", "moment": "date", "why": "text", "rule": "text", "counted": "flag", "persons": "count",
    }  # fmt: skip
    return Table("members", "家庭成员与计入人口", "Members, and who counts", columns, rows)
