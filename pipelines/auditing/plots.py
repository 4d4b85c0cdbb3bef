"""Plots over time as inline SVG: no script, no library in the browser, legible in print.

A plot repeats what a table beside it says, so its text alternative names only the first, the last and the extremes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from markupsafe import Markup

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 420, 150, 58, 12, 12, 24


@dataclass(frozen=True)
class Point:
    """One batch: its day, and a value where one is published."""

    day: str
    value: float | None


def line(
    title: str, unit: str, points: Sequence[Point], limit: float | None = None, low: float | None = None
) -> Markup:
    """One measure over time.

    Args:
        title: what is plotted.
        unit: behind every value (%, 天).
        points: in order; a value that is not published leaves a gap.
        limit: a level drawn across, such as how old data may be.
        low: the bottom of the scale; the least value, rounded down, if None.
    """
    known = [point.value for point in points if point.value is not None]
    if not known:
        return Markup("")
    top = max([*known, *([limit] if limit is not None else [])])
    bottom = min([*known, *([limit] if limit is not None else [])]) if low is None else low
    if top == bottom:
        top, bottom = top + 1, max(bottom - 1, 0)

    def x(place: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (place / (len(points) - 1) if len(points) > 1 else 0.5)

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - (value - bottom) / (top - bottom))

    drawn = [_axis(y(level), f"{level:g}{unit}") for level in (top, bottom)]
    if limit is not None:
        drawn.append(f'<line class="limit" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(limit):.1f}" y2="{y(limit):.1f}"/>')
    for part in _runs(points):
        path = " ".join(f"{x(place):.1f},{y(value):.1f}" for place, value in part)
        drawn.append(f'<polyline points="{path}"/>')
        drawn += [
            f'<circle cx="{x(place):.1f}" cy="{y(value):.1f}" r="2.5">'
            f"<title>{points[place].day}: {value:g}{unit}</title></circle>"
            for place, value in part
        ]
    drawn += [_day(x(place), points[place].day, place) for place in sorted({0, len(points) - 1})]
    said = f"{title}：{points[0].day} 至 {points[-1].day}，最低 {min(known):g}{unit}，最高 {max(known):g}{unit}"
    size, label = f"0 0 {WIDTH} {HEIGHT}", escape(said)
    svg = f'<svg class="plot" viewBox="{size}" role="img" aria-label="{label}">{"".join(drawn)}</svg>'
    return Markup(svg)  # noqa: S704 - every text in it is a number, a day or escaped


def _runs(points: Sequence[Point]) -> list[list[tuple[int, float]]]:
    """Stretches without a gap."""
    runs: list[list[tuple[int, float]]] = [[]]
    for place, point in enumerate(points):
        if point.value is None:
            runs.append([])
        else:
            runs[-1].append((place, point.value))
    return [run for run in runs if run]


def _axis(height: float, label: str) -> str:
    return (
        f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{height:.1f}" y2="{height:.1f}"/>'
        f'<text x="{LEFT - 4}" y="{height + 4:.1f}" text-anchor="end">{escape(label)}</text>'
    )


def _day(left: float, day: str, place: int) -> str:
    anchor = "start" if place == 0 else "end"
    return f'<text x="{left:.1f}" y="{HEIGHT - 6}" text-anchor="{anchor}">{escape(day)}</text>'
