"""Small cells: nobody works one out from the sums, and a share tells none either."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.auditing.small_cells import LEAST, Line, hidden, is_small, share

COUNTS = st.one_of(st.integers(0, 6), st.integers(0, 30))


def table(rows: list[list[int]]) -> tuple[dict[tuple[int, int], int], list[Line]]:
    """A table with the sums of its rows, its columns and of all; -1 stands for a sum."""
    high, wide = len(rows), len(rows[0])
    cells = {(r, c): rows[r][c] for r in range(high) for c in range(wide)}
    cells |= {(r, -1): sum(rows[r]) for r in range(high)}
    cells |= {(-1, c): sum(row[c] for row in rows) for c in range(wide)} | {(-1, -1): sum(map(sum, rows))}
    lines = [Line(tuple((r, c) for c in range(wide)), (r, -1)) for r in (*range(high), -1)]
    lines += [Line(tuple((r, c) for r in range(high)), (-1, c)) for c in range(wide)]
    return cells, lines


def possible(cells: dict[tuple[int, int], int], unseen: set[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """By brute force over two by two cells: how many values each hidden one can have, if it is known not to be zero."""
    inner = [(0, 0), (0, 1), (1, 0), (1, 1)]
    most = max(cells.values()) + 2
    ranges = [np.arange(min(cells[cell], 1), most) if cell in unseen else np.array([cells[cell]]) for cell in inner]
    a, b, c, d = (axis.ravel() for axis in np.meshgrid(*ranges))
    told = {(0, 0): a, (0, 1): b, (1, 0): c, (1, 1): d, (0, -1): a + b, (1, -1): c + d, (-1, 0): a + c}
    told |= {(-1, 1): b + d, (-1, -1): a + b + c + d}
    fits = np.logical_and.reduce([told[cell] == cells[cell] for cell in cells if cell not in unseen] or [a == a])
    return {cell: len(np.unique(told[cell][fits])) for cell in unseen}


@given(st.lists(st.lists(st.integers(0, 8), min_size=2, max_size=2), min_size=2, max_size=2))
@settings(max_examples=60, deadline=None)
def test_no_small_cell_of_a_table_with_sums_can_be_worked_out(rows: list[list[int]]) -> None:
    cells, lines = table(rows)
    unseen = hidden(cells, lines)
    assert {cell for cell, count in cells.items() if is_small(count)} <= unseen
    for cell, values in possible(cells, unseen).items():
        assert not is_small(cells[cell]) or values > 1, (rows, sorted(unseen), cell)


@given(st.lists(COUNTS, min_size=1, max_size=6))
@settings(max_examples=200, deadline=None)
def test_no_small_part_of_one_sum_can_be_worked_out(parts: list[int]) -> None:
    names = tuple(range(len(parts)))
    cells = dict(zip(names, parts, strict=True)) | {-1: sum(parts)}
    unseen = hidden(cells, [Line(names, -1)])
    hidden_parts = [name for name in names if name in unseen]
    if -1 not in unseen and any(is_small(cells[name]) for name in hidden_parts):
        left = sum(cells[name] for name in hidden_parts)
        assert len(hidden_parts) > 1
        assert left > len(hidden_parts)  # else each of them is one


def test_what_is_large_enough_is_shown() -> None:
    assert hidden({"a": 5, "b": 0, "c": 95, "all": 100}, [Line(("a", "b", "c"), "all")]) == set()


def test_the_largest_beside_a_small_cell_is_hidden_with_it() -> None:
    cells = {"answered": 4600, "not_asked": 5, "unanswered": 2, "all": 4607}
    assert hidden(cells, [Line(("answered", "not_asked", "unanswered"), "all")]) == {"answered", "unanswered"}


def test_two_sums_that_share_a_total_do_not_give_each_other_away() -> None:
    cells = {"a": 2, "b": 48, "urban": 20, "rural": 30, "all": 50}
    lines = [Line(("a", "b"), "all"), Line(("urban", "rural"), "all")]
    assert hidden(cells, lines) == {"a", "b"}


@pytest.mark.parametrize("whole", [50, 99, 100, 101, 313, 499, 500, 2000, 4999, 5000, 20_000])
def test_a_share_is_the_same_for_every_small_count(whole: int) -> None:
    assert len({share(part, whole) for part in range(1, LEAST)} | {share(0, whole)}) == 1
    assert len({share(whole - part, whole) for part in range(1, LEAST)}) == 1
    assert share(whole, whole) == 100


def test_no_share_of_few() -> None:
    assert share(49, 49) is None
