"""A node of the tree from a figure to its rows: an interval, how it follows from what stands below, rule and article.

Everything is worked out again from the leaves by ``recomputed``, so that a tree that is shown is a tree that holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipelines.texts import Text, text

Json = dict[str, Any]
Bounds = tuple[int | None, int | None]


@dataclass(frozen=True)
class Factor:
    """A number that a node multiplies or divides by, with its name."""

    name: Text
    value: int


@dataclass(frozen=True)
class Node:
    """One step of the arithmetic.

    Attributes:
        key: the figure's name, or the item's.
        title: what it is, in both languages.
        how: how ``low`` and ``high`` follow from the children; a code of kind ``working`` in texts.yaml.
        unit: fen or count; ``answer`` where the node is no number but ``result`` holds.
        low: the lower bound.
        high: the upper bound; None means that nothing bounds it.
        sign: -1 for what its parent takes away.
        uncertain: what is taken away and may be less: its upper bound comes off the parent's lower one (R46a).
        factors: what it is multiplied or divided by.
        result: the answer of a test, of a declared item or of a conclusion.
        compare: what ``result`` was read from: op and members counted, or declared and tolerance.
        rule: the rule that decided.
        cites: the article, where one decides.
        notes: what else a reader should know: treatment, reason, formula, state of a source.
        children: what it follows from.
        row: of a leaf that is a row: dataset, extract, row, row_digest.
    """

    key: str
    title: Text
    how: str
    unit: str = "fen"
    low: int | None = None
    high: int | None = None
    sign: int = 1
    uncertain: bool = False
    factors: tuple[Factor, ...] = ()
    result: str | None = None
    compare: tuple[tuple[str, int | str], ...] = ()
    rule: str | None = None
    cites: str | None = None
    notes: tuple[Text, ...] = ()
    children: tuple[Node, ...] = ()
    row: tuple[tuple[str, str | int], ...] = ()

    @property
    def rows(self) -> list[Json]:
        """The rows right below."""
        return [dict(child.row) for child in self.children if child.row]

    def walk(self) -> Iterator[Node]:
        """This node and everything below it."""
        yield self
        for child in self.children:
            yield from child.walk()

    def document(self) -> Json:
        """The tree as JSON; what a node does not have is left out."""
        document: Json = {"key": self.key, "title": self.title._asdict(), "how": self.how}
        if self.row:
            return document | dict(self.row)
        document["working"] = text("working", self.how)._asdict()
        if self.unit != "answer":
            document |= {"unit": self.unit, "low": self.low, "high": self.high}
        optional: Json = {
            "subtracted": self.sign < 0,
            "factors": [{"name": f.name._asdict(), "value": f.value} for f in self.factors],
            "result": self.result,
            **dict(self.compare),
            "rule": self.rule,
            "cites": self.cites,
            "notes": [note._asdict() for note in self.notes],
            "children": [child.document() for child in self.children],
        }
        return document | {key: value for key, value in optional.items() if value not in (None, False, [])}


def recomputed(node: Node) -> Bounds | str | None:
    """Work a node out anew from its leaves: bounds of a number, or the answer.

    A leaf (how ``given``, or ``missing`` for what nothing bounds) is what the report says of it.
    """
    if node.unit == "answer":
        return _answer(node)
    parts = [(child, recomputed(child)) for child in node.children if not child.row]
    bounds = [(child, part) for child, part in parts if isinstance(part, tuple)]
    if node.how in ("sum", "sum_from_zero"):
        floor = 0 if node.how == "sum_from_zero" else None
        return _sum(bounds, 0, floor), _sum(bounds, 1, floor)
    if node.how in ("divided", "multiplied"):
        whole = 1
        for factor in node.factors:
            whole *= factor.value
        (_, (low, high)) = bounds[0]
        scaled = [None if b is None else b // whole if node.how == "divided" else b * whole for b in (low, high)]
        return scaled[0], scaled[1]
    if node.how == "head_count":
        heads = sum(1 for child in node.children if child.result == "counted")
        return heads, heads
    return node.low, node.high


def _sum(bounds: list[tuple[Node, Bounds]], place: int, floor: int | None) -> int | None:
    total = 0
    for child, pair in bounds:
        bound = pair[1 - place] if child.uncertain else pair[place]
        if bound is None:
            # nothing bounds what may come off: the lower bound is as low as it gets
            return floor if child.sign < 0 else None
        total += child.sign * bound
    return total if floor is None else max(total, floor)


def _answer(node: Node) -> str | None:
    given = dict(node.compare)
    found = [recomputed(child) for child in node.children]
    if node.how == "compared":
        if not given["heads"]:
            return "undetermined"  # of a household of nobody nothing can be said (R28)
        value, limit = found[0], found[1]
        if isinstance(value, tuple) and isinstance(limit, tuple) and limit[0] is not None:
            return _compared(value, limit[0], str(given["op"]))
    if node.how == "declared" and isinstance(found[0], tuple):
        return _declared(found[0], int(given["declared"]), int(given["tolerance"]))
    if node.how == "worst":
        answers = [answer for answer in found if isinstance(answer, str)]
        return next((bad for bad in ("differs", "undetermined") if bad in answers), "matches" if answers else None)
    if node.how == "all_within":
        answers = [answer for answer in found if isinstance(answer, str)]
        if not answers:
            return "not_tested"
        if "exceeded" in answers:
            return "over_limit"
        held = all(answer == "satisfied" for answer in answers)
        return "within_limits" if held and not any(c.how == "missing" for c in node.children) else "undetermined"
    return node.result


def _compared(value: Bounds, limit: int, op: str) -> str:
    """The result of a test (rules.md section 1)."""

    def satisfies(bound: int) -> bool:
        return bound < limit or (op == "<=" and bound == limit)

    low, high = value
    if high is not None and satisfies(high):
        return "satisfied"
    return "undetermined" if low is None or satisfies(low) else "exceeded"


def _declared(found: Bounds, declared: int, tolerance: int) -> str:
    """The result of a declared item (rules.md section 1)."""
    low, high = found
    if (low is not None and declared < low - tolerance) or (high is not None and declared > high + tolerance):
        return "differs"
    if low is None or high is None or high - low > tolerance:
        return "undetermined"
    return "matches"
