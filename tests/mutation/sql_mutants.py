"""A file of sql/ broken in one place: an operator changed, a condition dropped, ``low`` and ``high`` swapped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlglot
from sqlglot import exp

DIALECT = "duckdb"
OTHER: dict[type[exp.Expression], type[exp.Expression]] = {
    exp.EQ: exp.NEQ, exp.NEQ: exp.EQ, exp.LT: exp.LTE, exp.LTE: exp.LT, exp.GT: exp.GTE, exp.GTE: exp.GT,
    exp.Add: exp.Sub, exp.Sub: exp.Add, exp.Greatest: exp.Least, exp.Least: exp.Greatest,
    exp.LogicalOr: exp.LogicalAnd, exp.LogicalAnd: exp.LogicalOr,
}  # fmt: skip
BOUNDS = {"low": "high", "low_fen": "high_fen", "wage_low": "wage_high", "test_low": "test_high"}
BOUNDS |= {high: low for low, high in BOUNDS.items()}


@dataclass(frozen=True)
class Mutant:
    """One broken file.

    Attributes:
        file: path under sql/.
        kind: operator, condition or bound.
        change: what stands there, and what stands there instead.
        text: the whole statement.
    """

    file: str
    kind: str
    change: str
    text: str


def mutants(root: Path, file: Path) -> Iterator[Mutant]:
    """Every mutant of a file, in the order of its text."""
    tree = sqlglot.parse_one(file.read_text("utf-8"), dialect=DIALECT)
    size = sum(1 for _ in tree.walk())
    seen = set()
    for place in range(size):
        for number in range(_count(tree, place)):
            copy = tree.copy()
            node = _at(copy, place)
            kind, replace = _changes(node)[number]
            before = node.sql(DIALECT)
            after = replace()
            text = copy.sql(DIALECT)
            if text not in seen:
                seen.add(text)
                yield Mutant(str(file.relative_to(root)), kind, f"{_short(before)} → {_short(after)}", text)


def _at(tree: exp.Expression, place: int) -> exp.Expression:
    return next(node for number, node in enumerate(tree.walk()) if number == place)


def _count(tree: exp.Expression, place: int) -> int:
    return len(_changes(_at(tree, place)))


def _changes(node: exp.Expression) -> list[tuple[str, Callable[[], str]]]:
    """Kind and effect of each way to break the statement at this node."""
    found: list[tuple[str, Callable[[], str]]] = []
    if _joins_by_key(node) or (isinstance(node, exp.And) and _joins_by_key(node.left) and _joins_by_key(node.right)):
        return found  # a join without its key fails outright, after a long while: nothing is learnt from it
    if type(node) in OTHER:
        found.append(("operator", lambda: _replace(node, OTHER[type(node)](**node.args))))
    if isinstance(node, exp.And | exp.Or):
        opposite = exp.Or if isinstance(node, exp.And) else exp.And
        found.append(("operator", lambda: _replace(node, opposite(**node.args))))
        if not _joins_by_key(node.right):
            found.append(("condition", lambda: _replace(node, node.left)))
        if not _joins_by_key(node.left):
            found.append(("condition", lambda: _replace(node, node.right)))
    if isinstance(node, exp.Not):
        found.append(("operator", lambda: _replace(node, node.this)))
    if isinstance(node, exp.Where) and not isinstance(node.this, exp.And | exp.Boolean):
        found.append(("condition", lambda: _replace(node.this, exp.true())))
    if isinstance(node, exp.If) and isinstance(node.parent, exp.Case) and len(node.parent.args["ifs"]) > 1:
        found.append(("condition", lambda: _drop(node)))
    if isinstance(node, exp.Column) and node.name in BOUNDS:
        table = node.args.get("table")
        found.append(("bound", lambda: _replace(node, exp.column(BOUNDS[node.name], table=table))))
    return found


def _joins_by_key(node: exp.Expression) -> bool:
    """Whether this is ``a.key = b.key`` of a join, alone or among others of its kind."""
    if isinstance(node, exp.And):
        return _joins_by_key(node.left) and _joins_by_key(node.right)
    if not (isinstance(node, exp.EQ) and all(isinstance(side, exp.Column) for side in (node.left, node.right))):
        return False
    return node.find_ancestor(exp.Join, exp.Exists) is not None and node.left.table != node.right.table


def _replace(node: exp.Expression, other: exp.Expression) -> str:
    node.replace(other)
    return other.sql(DIALECT)


def _drop(node: exp.Expression) -> str:
    node.pop()
    return "nothing"


def _short(text: str) -> str:
    return text if len(text) <= 70 else text[:67] + "…"
