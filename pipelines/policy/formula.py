"""Limit formulas of policy packs: ``min(edge_multiple * standard, minimum_wage)``, exact, with units.

simpleeval walks the expression; only numbers, names, ``+ - * /``, ``min`` and ``max`` are let in, and every value
is a fraction that knows whether it is money. So 1.5 is one and a half, and a sum of yuan and months is refused.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from simpleeval import InvalidExpression, SimpleEval

FUNCTIONS = ("min", "max")
ROUNDINGS = ("exact", "half_up_fen", "down_fen", "up_fen", "half_up_yuan", "down_yuan", "up_yuan")


class FormulaError(ValueError):
    """The formula cannot be used; the text says why."""


@dataclass(frozen=True)
class Quantity:
    """An exact number; ``money`` says that it counts fen."""

    value: Fraction
    money: bool = False

    def _alike(self, other: Quantity) -> None:
        if self.money != other.money:
            raise FormulaError("adds or compares money with a plain number")

    def __add__(self, other: Quantity) -> Quantity:
        self._alike(other)
        return Quantity(self.value + other.value, self.money)

    def __sub__(self, other: Quantity) -> Quantity:
        self._alike(other)
        return Quantity(self.value - other.value, self.money)

    def __mul__(self, other: Quantity) -> Quantity:
        if self.money and other.money:
            raise FormulaError("multiplies money by money")
        return Quantity(self.value * other.value, self.money or other.money)

    def __truediv__(self, other: Quantity) -> Quantity:
        if other.value == 0:
            raise FormulaError("divides by zero")
        if other.money and not self.money:
            raise FormulaError("divides a plain number by money")
        return Quantity(self.value / other.value, self.money and not other.money)

    def __lt__(self, other: Quantity) -> bool:
        self._alike(other)
        return self.value < other.value


class _Evaluator(SimpleEval):  # type: ignore[misc]
    """simpleeval with everything taken out that a limit does not need."""

    def __init__(self, lookup: Callable[[str], Quantity]) -> None:
        super().__init__(
            operators={
                ast.Add: operator.add,
                ast.Sub: operator.sub,
                ast.Mult: operator.mul,
                ast.Div: operator.truediv,
            },
            functions={"min": min, "max": max},
            names=lambda node: lookup(node.id),
        )
        self.nodes = {
            ast.Expr: self._eval_expr,
            ast.BinOp: self._eval_binop,
            ast.Call: self._call,
            ast.Name: self._eval_name,
            ast.Constant: self._number,
        }

    def _number(self, node: ast.Constant) -> Quantity:
        if type(node.value) not in (int, float):
            raise FormulaError(f"{node.value!r} is not a number")
        written = ast.get_source_segment(self.expr, node) or ""
        return Quantity(Fraction(written))

    def _call(self, node: ast.Call) -> Quantity:
        if len(node.args) < 2 or node.keywords or any(isinstance(a, ast.Starred) for a in node.args):
            raise FormulaError("min and max take two or more plain values")
        result: Quantity = self._eval_call(node)
        return result


def evaluate(formula: str, lookup: Callable[[str], Quantity]) -> Quantity:
    """Work a formula out.

    Args:
        formula: arithmetic over numbers and parameter names.
        lookup: gives the quantity of a name; what it raises passes through.

    Raises:
        FormulaError: not a formula, or its units do not fit.
    """
    text = formula.strip()
    try:
        tree = ast.parse(text, mode="exec").body
        if len(tree) != 1 or not isinstance(tree[0], ast.Expr):
            raise FormulaError("is not one expression")
        result = _Evaluator(lookup).eval(text, tree[0])
    except (InvalidExpression, SyntaxError, RecursionError) as error:
        raise FormulaError(f"is not a formula: {error}") from None
    if not isinstance(result, Quantity):
        raise FormulaError("does not give a number")
    return result


def names(formula: str) -> tuple[str, ...]:
    """The parameters that a formula uses, in order of first use.

    Raises:
        FormulaError: not a formula.
    """
    try:
        nodes = list(ast.walk(ast.parse(formula.strip(), mode="eval")))
    except (SyntaxError, RecursionError):
        raise FormulaError("is not a formula") from None
    found = [n for n in nodes if isinstance(n, ast.Name) and n.id not in FUNCTIONS]
    found.sort(key=lambda n: (n.lineno, n.col_offset))
    return tuple(dict.fromkeys(n.id for n in found))


def to_whole(value: Fraction, rounding: str = "exact") -> int:
    """A whole number of fen (or of things) from an exact value.

    Args:
        value: fen, or a count.
        rounding: one of ROUNDINGS; ``exact`` refuses a remainder, the others name the way and the unit.

    Raises:
        FormulaError: a remainder under ``exact``.
    """
    if rounding == "exact":
        if value.denominator != 1:
            raise FormulaError("does not come out in whole fen: give a rounding")
        return int(value)
    way, unit = rounding.rsplit("_", 1)
    step = 100 if unit == "yuan" else 1
    steps = value / step
    if way == "down":
        return steps.__floor__() * step
    if way == "up":
        return steps.__ceil__() * step
    return (steps + Fraction(1, 2)).__floor__() * step
