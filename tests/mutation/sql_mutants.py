"""A file of sql/ broken in one place: an operator changed, a condition dropped, ``low`` and ``high`` swapped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import sqlglot
from sqlglot import exp

from tests.mutation.mutant import Mutant, short

DIALECT = "duckdb"
OTHER: dict[type[exp.Expression], type[exp.Expression]] = {
    exp.EQ: exp.NEQ, exp.NEQ: exp.EQ, exp.LT: exp.LTE, exp.LTE: exp.LT, exp.GT: exp.GTE, exp.GTE: exp.GT,
    exp.Add: exp.Sub, exp.Sub: exp.Add, exp.Greatest: exp.Least, exp.Least: exp.Greatest,
    exp.LogicalOr: exp.LogicalAnd, exp.LogicalAnd: exp.LogicalOr,
}  # fmt: skip
BOUNDS = {"low": "high", "low_fen": "high_fen", "wage_low": "wage_high", "test_low": "test_high"}
BOUNDS |= {high: low for low, high in BOUNDS.items()}


def mutants(root: Path, file: Path) -> Iterator[Mutant]:
    """Every mutant of a file under the root, in the order of its text."""
    tree = sqlglot.parse_one(file.read_text("utf-8"), dialect=DIALECT)
    seen = {tree.sql(DIALECT)}
    for place, original in enumerate(tree.walk()):
        for number in range(len(_changes(original))):
            copy = tree.copy()
            node = next(islice(copy.walk(), place, None))
            kind, replace = _changes(node)[number]
            before = node.sql(DIALECT)
            after = replace()
            text = copy.sql(DIALECT)
            if text not in seen:
                seen.add(text)
                yield Mutant(str(file.relative_to(root)), kind, f"{short(before)} → {short(after)}", text)


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
