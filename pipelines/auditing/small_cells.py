"""Small cells are hidden, and so much beside them that they cannot be worked out from sums.

A count of 1 to 4 could point at somebody. It is hidden; where a sum that is shown would give it away, larger counts
of the same sum are hidden too, until neither equations nor bounds tell it. Every hidden count carries the same mark.
A share is cut down to a step that holds at least five counts, so that it tells no small count either.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LEAST = 5
_STEPS = (1, 10, 50, 100)  # thousandths
_UNBOUNDED = 1 << 60
_ROUNDS = 200


@dataclass(frozen=True)
class Line:
    """A sum that a reader can form: the parts add up to the total."""

    parts: tuple[Any, ...]
    total: Any


def is_small(count: int) -> bool:
    """Whether a count could point at somebody; none is nobody."""
    return 0 < count < LEAST


def hidden(counts: Mapping[Any, int], lines: Sequence[Line] = (), also: Iterable[Any] = ()) -> set[Any]:
    """Which cells are not shown.

    Args:
        counts: every cell that would be published, totals too.
        lines: every sum among them.
        also: cells that are hidden whatever they hold (a line about fewer than five households).
    """
    unseen = {cell for cell, count in counts.items() if is_small(count)} | set(also)
    guarded = {cell for cell in unseen if counts[cell]}
    while (exposed := _exposed(counts, lines, unseen)) & guarded:
        # First beside the small cell itself; else beside what tells it, and that can be any cell of any sum.
        for told in (exposed & guarded, exposed, set(counts)):
            if found := {cell for line in lines for cell in _beside(counts, line, told, unseen)}:
                break
        else:
            break
        # The largest beside it: what is left visible are then the rare outcomes that a reader looks for.
        unseen.add(max(found, key=lambda cell: (counts[cell], str(cell))))
    return unseen


def _beside(counts: Mapping[Any, int], line: Line, exposed: Collection[Any], unseen: Collection[Any]) -> list[Any]:
    """Visible cells of a line that gives something away; its total only where no part is left, zeros last."""
    cells = (*line.parts, line.total)
    if not any(cell in exposed for cell in cells):
        return []
    parts = [cell for cell in line.parts if cell not in unseen]
    return [cell for cell in parts if counts[cell]] or [c for c in (line.total,) if c not in unseen] or parts


def _exposed(counts: Mapping[Any, int], lines: Sequence[Line], unseen: Collection[Any]) -> set[Any]:
    return _by_bounds(counts, lines, unseen) | _by_equations(counts, lines, unseen)


def _by_bounds(counts: Mapping[Any, int], lines: Sequence[Line], unseen: Collection[Any]) -> set[Any]:
    """Cells whose least and greatest possible counts meet, for a reader who knows that hidden ones are not zero."""
    low = {cell: min(count, 1) if cell in unseen else count for cell, count in counts.items()}
    high = {cell: _UNBOUNDED if cell in unseen else count for cell, count in counts.items()}
    for _ in range(_ROUNDS):
        before = (dict(low), dict(high))
        for line in lines:
            least, most = sum(low[cell] for cell in line.parts), sum(high[cell] for cell in line.parts)
            low[line.total], high[line.total] = max(low[line.total], least), min(high[line.total], most)
            for cell in line.parts:
                high[cell] = min(high[cell], high[line.total] - (least - low[cell]))
                low[cell] = max(low[cell], low[line.total] - (most - high[cell]))
        if before == (low, high):
            break
    return {cell for cell in unseen if low[cell] >= high[cell]}


def _by_equations(counts: Mapping[Any, int], lines: Sequence[Line], unseen: Collection[Any]) -> set[Any]:
    """Cells that the sums determine together: those that no solution of the homogeneous equations moves."""
    import numpy as np

    cells = sorted({cell for line in lines for cell in (*line.parts, line.total) if cell in unseen}, key=str)
    if not cells:
        return set()
    place = {cell: number for number, cell in enumerate(cells)}
    matrix = np.zeros((len(lines), len(cells)))
    for row, line in enumerate(lines):
        for cell in line.parts:
            if cell in place:
                matrix[row, place[cell]] += 1
        if line.total in place:
            matrix[row, place[line.total]] -= 1
    _, singular, vectors = np.linalg.svd(matrix)
    rank = int((singular > 1e-9).sum())
    free = np.abs(vectors[rank:]).max(axis=0) if rank < len(cells) else np.zeros(len(cells))
    return {cell for cell in cells if free[place[cell]] < 1e-9}


def share(part: int, whole: int) -> float | None:
    """Per cent, cut down to a step that covers five counts or more; None where there are fewer than fifty."""
    for step in _STEPS:
        if whole * step >= LEAST * 1000:
            return part * 1000 // whole // step * step / 10
    return None
