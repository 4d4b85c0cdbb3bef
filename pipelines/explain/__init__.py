"""From every figure, test, declared item and conclusion of a report down to its rows, out of the report's JSON alone.

``tree`` builds it; the command line (``hedui report show ID --why NAME``) and the page (render.py) draw it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.errors import HeduiError
from pipelines.explain.answers import Answers
from pipelines.explain.node import Factor, Json, Node, recomputed

__all__ = ["Factor", "Node", "UnknownFigureError", "names", "recomputed", "tree"]


@dataclass(eq=False)
class UnknownFigureError(HeduiError):
    """A report has no figure of that name."""

    name: str
    known: Sequence[str]

    zh = "报告中没有 {name}"
    en = "the report has no figure {name}"
    todo = "its figures: {listed}"
    exit_code = 2

    def __str__(self) -> str:
        return f"{self.zh} / {self.en} → {self.todo}".format(name=self.name, listed=", ".join(self.known))


def names(document: Json) -> list[str]:
    """Everything in a report that can be asked about: figures, tests and limits, declared items, items, conclusions."""
    return Answers(document).names()


def tree(document: Json, name: str) -> Node:
    """From a figure to its rows.

    Args:
        document: a report as issued (report.schema.json).
        name: one of ``names``.

    Raises:
        UnknownFigureError: the report has none of that name; it lists those that it has.
    """
    answers = Answers(document)
    if name not in answers.names():
        raise UnknownFigureError(name, answers.names())
    return answers.tree(name)
