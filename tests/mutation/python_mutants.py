"""A Python file broken in one place: an operator changed, a condition dropped, branches or bounds swapped."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.mutation.mutant import Mutant, short

OPERATORS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mod,
    ast.Mod: ast.FloorDiv, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
}  # fmt: skip
NAMES = {"min": "max", "any": "all", "start": "end", "from_": "to", "low": "high", "earlier": "later"}
NAMES |= {other: name for name, other in NAMES.items()}
Change = tuple[str, Callable[[], ast.AST]]


def mutants(root: Path, file: Path) -> Iterator[Mutant]:
    """Every mutant of a file under the root, in the order of its text."""
    tree = ast.parse(file.read_text("utf-8"))
    seen = {ast.unparse(tree)}
    nodes = list(_walk(tree))
    inside = _inside(tree)
    for place, original in enumerate(nodes):
        for number in range(len(_changes(original))):
            broken = copy.deepcopy(tree)
            node = list(_walk(broken))[place]
            kind, change = _changes(node)[number]
            before = ast.unparse(node.test if isinstance(node, ast.If | ast.While) else node)
            after = ast.unparse(change())
            text = ast.unparse(broken)
            if text not in seen:
                seen.add(text)
                change, lines = f"{short(before)} → {short(after)}", _lines(original)
                yield Mutant(str(file.relative_to(root)), kind, change, text, lines, cold=not set(lines) <= inside)


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """Every node that runs: not annotations, which nobody reads."""
    yield node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns") or (isinstance(node, ast.AnnAssign) and name == "target"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _walk(child)


def _changes(node: ast.AST) -> list[Change]:
    """Kind and effect of each way to break the file at this node."""
    if isinstance(node, ast.Compare):
        return [("operator", lambda i=i: _swap(node, i)) for i, op in enumerate(node.ops) if type(op) in OPERATORS]
    if isinstance(node, ast.BoolOp):
        drops = [("condition", lambda i=i: _drop(node.values, i, node)) for i in range(len(node.values))]
        return [("operator", lambda: _set(node, "op", ast.Or() if isinstance(node.op, ast.And) else ast.And())), *drops]
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS and not _text(node) and not _type(node):
        return [("operator", lambda: _set(node, "op", OPERATORS[type(node.op)]()))]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return [("operator", lambda: _set(node, "op", ast.UAdd(), "operand", _truth(node.operand)))]
    if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
        places = [(part, i) for part in node.generators for i in range(len(part.ifs))]
        return [("condition", lambda part=part, i=i: _drop(part.ifs, i, node)) for part, i in places]
    if isinstance(node, ast.If | ast.While):
        return [("condition", lambda: _never(node))]
    if isinstance(node, ast.IfExp):
        return [("condition", lambda: _set(node, "body", node.orelse, "orelse", node.body))]
    if isinstance(node, ast.Name) and node.id in NAMES and isinstance(node.ctx, ast.Load):
        return [("bound", lambda: _set(node, "id", NAMES[node.id]))]
    if isinstance(node, ast.Attribute) and node.attr in NAMES and isinstance(node.ctx, ast.Load):
        return [("bound", lambda: _set(node, "attr", NAMES[node.attr]))]
    return []


def _inside(tree: ast.AST) -> set[int]:
    """Lines of the bodies of functions: all that does not run on import."""
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    return {line for node in functions for line in range(node.body[0].lineno, (node.end_lineno or 0) + 1)}


def _lines(node: ast.AST) -> tuple[int, ...]:
    part: Any = node.test if isinstance(node, ast.If | ast.While) else node
    return tuple(range(part.lineno, (part.end_lineno or part.lineno) + 1))


def _swap(node: ast.Compare, place: int) -> ast.AST:
    node.ops[place] = OPERATORS[type(node.ops[place])]()  # type: ignore[call-overload]
    return node


def _drop(of: list[ast.expr], place: int, node: ast.AST) -> ast.AST:
    del of[place]
    if isinstance(node, ast.BoolOp) and len(node.values) == 1:
        node.values.append(ast.Constant(isinstance(node.op, ast.And)))  # `x and True` is x where only its truth counts
    return node


def _set(node: ast.AST, *parts: object) -> ast.AST:
    for name, value in zip(parts[::2], parts[1::2], strict=True):
        setattr(node, str(name), value)
    return node


def _truth(node: ast.expr) -> ast.expr:
    return ast.Call(ast.Name("bool", ast.Load()), [node], [])


def _never(node: ast.If | ast.While) -> ast.AST:
    node.test = ast.Constant(False)
    return node.test


def _text(node: ast.BinOp) -> bool:
    return any(isinstance(side, ast.JoinedStr | ast.Constant) and not _number(side) for side in (node.left, node.right))


def _number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)


def _type(node: ast.expr) -> bool:
    """Whether this is a union of types."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _type(node.left) or _type(node.right)
    return isinstance(node, ast.Name) and node.id in ("int", "str", "bool", "float", "Fraction", "date")
