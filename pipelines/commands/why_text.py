"""How a figure was worked out, as a tree in the terminal; the page draws the same one (render.py)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pipelines.commands.report_text import amount, interval
from pipelines.explain import Node
from pipelines.texts import text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.tree import Tree


def draw(out: Console, node: Node) -> None:
    """Draw the tree from a figure to its rows."""
    from rich.tree import Tree

    top = Tree(_line(node))
    _below(top, node)
    out.print(top)


def draw_names(out: Console, nodes: Sequence[Node]) -> None:
    """Every name that can be asked about, with its value."""
    from pipelines.commands.terminal import draw_table

    rows = [(node.key, f"{node.title.zh} {node.title.en}", _value(node)) for node in nodes]
    draw_table(out, "", ("--why", "名称", "value"), rows)


def _below(branch: Tree, node: Node) -> None:
    for child in node.children:
        _below(branch.add(_line(child)), child)


def _line(node: Node) -> str:
    from rich.markup import escape

    if node.row:
        row = dict(node.row)
        return escape(f"{row['dataset']} {row['extract']} 第 {row['row']} 行 row {row['row']} · {row['row_digest']}")
    sign = "− " if node.sign < 0 else ""
    head = f"{sign}[bold]{escape(node.title.zh)}[/bold] {escape(node.title.en)}: [bold]{escape(_value(node))}[/bold]"
    return "\n  ".join([head, *(escape(line) for line in _working(node))])


def _value(node: Node) -> str:
    if node.unit == "answer":
        return node.result or ""
    if node.low is None:
        return "—"
    return interval({"low": node.low, "high": node.high}, node.unit)


def _working(node: Node) -> Iterator[str]:
    """How it follows from what stands below; rule and article; what else to know."""
    if node.how != "given":
        words = text("working", node.how)
        factors = "".join(
            f" {'÷' if node.how == 'divided' else '×'} {factor.value} {factor.name.zh}" for factor in node.factors
        )
        yield f"{words.zh} {words.en}{factors}{_compare(node)}"
    if node.notes:
        yield "；".join(f"{note.zh} {note.en}" for note in node.notes)
    if grounds := [ground for ground in (node.rule, node.cites) if ground]:
        yield " · ".join(grounds)


def _compare(node: Node) -> str:
    given = dict(node.compare)
    if "op" in given:
        return f" {given['op']}"
    if "declared" not in given:
        return ""
    unit = node.children[0].unit
    declared, tolerance = (amount(int(given[name]), unit) for name in ("declared", "tolerance"))
    return f": 申报 declared {declared} ± {tolerance}"
