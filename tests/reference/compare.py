"""What sql/ found of every household, in the reading's own shapes, and where the two differ."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import duckdb

from tests.reference.columns import FACTS
from tests.reference.found import Bound, Found

Shape = dict[str, Any]


def of_reading(found: Found) -> Shape:
    """The reading of one household, as it is compared."""
    return {
        "counted": found.counted,
        "members": dict(found.members),
        "figures": {figure: (value.low, value.high) for figure, value in found.figures.items()},
        "tests": {t.test: (t.limit, t.low, t.high, t.result) for t in found.tests},
        "declaration": {d.item: (d.declared, d.low, d.high, d.result, d.material) for d in found.declaration},
        "limits": found.limits,
        "declared": found.declaration_result,
        "review": set(found.review),
        "deductions": {d.member: (d.low, d.high) for d in found.deductions if d.high},
        "expenses": {kind: value for kind, value in found.expenses.items() if value != (0, 0)},
        "net": dict(found.net),
        "income": summed((i.member, i.dataset, i.figure, i.treatment, i.reason, i.low, i.high) for i in found.income),
        "treatment": {
            fact: i.treatment for i in found.income if len(i.facts) == 1 and i.amount is not None for fact in i.facts
        },
        "assets": {
            i.facts: (i.low, i.high, i.treatment, first_doubt(i.facts, i.treatment, i.reason)) for i in found.assets
        },
        "decisive": {test: sizes(parts) for test, parts in found.decisive.items() if parts},
    }


def of_sql(con: duckdb.DuckDBPyConnection) -> dict[str, Shape]:
    """The tables that sql/ made, by request."""
    shapes: dict[str, Shape] = defaultdict(lambda: defaultdict(dict))

    def rows(columns: str, table: str) -> list[tuple]:
        return con.execute(f"SELECT request_id, {columns} FROM {table}").fetchall()

    for key, counted in rows("counted", "households"):
        shapes[key] = {
            "counted": counted, "members": {}, "figures": {}, "tests": {}, "declaration": {}, "review": set(),
            "deductions": {}, "expenses": {}, "net": {}, "income": {}, "treatment": {}, "assets": {}, "decisive": {},
        }  # fmt: skip
    for key, member, reason in rows("member_no, why", "household_members"):
        shapes[key]["members"][member] = reason
    for key, figure, low, high in rows("figure, low, high", "figures"):
        shapes[key]["figures"][figure] = (low, high)
    for key, test, *values in rows("test, limit_total, low, high, result", "tests"):
        shapes[key]["tests"][test] = tuple(values)
    for key, item, *values in rows("item, declared, low, high, result, material", "declaration"):
        shapes[key]["declaration"][item] = tuple(values)
    for key, limits, declaration in rows("limits, declaration", "conclusions"):
        shapes[key] |= {"limits": limits, "declared": declaration}
    for key, *reason in rows("code, member_no, dataset", "review"):
        shapes[key]["review"].add(tuple(reason))
    for key, member, low, high in rows("member_no, low_fen, high_fen", "deductions"):
        if high:
            shapes[key]["deductions"][member] = (low, high)
    for key, kind, low, high in rows("kind, low_fen, high_fen", "expense_items"):
        if high:
            before = shapes[key]["expenses"].get(kind, (0, 0))
            shapes[key]["expenses"][kind] = (before[0] + low, before[1] + high)
    numbers = row_numbers(con)
    lines = defaultdict(list)
    for key, facts, member, dataset, category, kind, *values in rows(
        "facts, member_no, dataset, category, kind, treatment, reason, low_fen, high_fen", "income_items"
    ):
        lines[key].append((member, dataset, f"income.{category}", *values))
        if kind != "support_due":  # it rests on lines that have a treatment of their own
            shapes[key]["treatment"].update(dict.fromkeys(numbers(facts), values[0]))
    for key, items in lines.items():
        shapes[key]["income"] = summed(items)
    for key, facts, net, *values in rows("facts, net_fen, low, high, treatment, reason", "asset_items"):
        shapes[key]["assets"][numbers(facts)] = (*values[:-1], first_doubt(facts, *values[-2:]))
        shapes[key]["net"][numbers(facts)] = net
    for key, test, kind, dataset in rows("test, kind, dataset", "decisive"):
        shapes[key]["decisive"].setdefault(test, []).append((kind, dataset))
    for shape in shapes.values():
        shape["decisive"] = {test: sizes(parts) for test, parts in shape["decisive"].items()}
    return shapes


def sizes(parts: Iterable[tuple[str, str | None]]) -> Counter[str]:
    """How many facts, and which sources: of facts that weigh the same, either may be named."""
    return Counter("fact" if kind == "fact" else str(dataset) for kind, dataset in parts)


def doubt(treatment: str, reason: str | None) -> str | None:
    """Why a disputed item is disputed; of the others the reason is a label."""
    return reason if treatment == "disputed" else None


def first_doubt(facts: Sequence[int], treatment: str, reason: str | None) -> str | None:
    """Of several records with doubts of their own, any may be named."""
    return doubt(treatment, reason) if len(facts) == 1 else None


def summed(lines: Iterable[tuple]) -> dict[tuple, tuple[int, Bound]]:
    """Low and high by member, source, figure and doubt: a report joins lines that are alike."""
    sums: dict[tuple, tuple[int, Bound]] = {}
    for member, dataset, figure, treatment, reason, low, high in lines:
        key = (member, dataset, figure, doubt(treatment, reason))
        known_low, known_high = sums.get(key, (0, 0))
        sums[key] = known_low + low, None if known_high is None or high is None else known_high + high
    return {key: total for key, total in sums.items() if total != (0, 0)}


def row_numbers(con: duckdb.DuckDBPyConnection) -> Callable[[list[int]], tuple[int, ...]]:
    """From the numbers that the calculation gives facts to the numbers within their world."""
    known = dict(con.execute("SELECT fact_no, row_no FROM evidence").fetchall())
    return lambda facts: tuple(sorted(known[fact] % FACTS for fact in facts))


def differences(ours: Shape, theirs: Shape) -> dict[str, tuple[Any, Any]]:
    """Where reading and sql/ differ: aspect to both values, cut down to what differs."""
    found = {}
    for aspect, one in ours.items():
        other = theirs.get(aspect)
        if aspect == "decisive" and not ours["counted"]:
            continue  # nobody is judged
        if aspect == "treatment":
            other = {fact: other.get(fact) for fact in one}  # netted records have none of their own
        if one == other:
            continue
        if isinstance(one, dict) and isinstance(other, dict):
            keys = {key for key in one.keys() | other.keys() if one.get(key) != other.get(key)}
            one, other = {k: one.get(k) for k in keys}, {k: other.get(k) for k in keys}
        elif isinstance(one, set) and isinstance(other, set):
            one, other = one - other, other - one
        found[aspect] = (one, other)
    return found
