"""Pages drawn from published tables. What a code means is looked up; a number that is not published stays a mark."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipelines.auditing import plots
from pipelines.auditing.published import Row, Table
from pipelines.batch import whole_file
from pipelines.texts import Text, texts

TEMPLATES = Path(__file__).parent / "templates"
NOT_TOLD = Markup(
    '<span class="hidden" title="少于 5，或为保护少数而隐去 · under 5, or hidden to protect a few">＊</span>'
)
_NONE = Markup('<span class="hidden" title="没有 · none">—</span>')


def draw(page: Path, template: str, depth: int, **context: Any) -> None:
    """Write one page; ``depth`` is how many folders below the site's root it lies."""
    drawn = _environment().get_template(template).render(root="../" * depth, **context)
    with whole_file(page) as temporary:
        temporary.write_text(drawn, "utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= {
        "number": number,
        "percent": percent,
        "measured": measured,
        "day": lambda moment: str(moment)[:10],
    }
    environment.globals |= {"said": said, "division": division, "plot": over_time, "zip": zip}
    return environment


def number(row: Row, name: str) -> Markup | str:
    """A count of a row: with separators, or the mark of a hidden one."""
    if name in row["hidden"].split():
        return NOT_TOLD
    return _NONE if row[name] is None else f"{row[name]:,}"


def percent(row: Row, name: str) -> Markup | str:
    """A share of a row."""
    if row[name] is None:
        return _NONE
    return f"{row[name]:g}%" if row[name] == 100 else f"≥{row[name]:g}%"


def measured(row: Row, name: str) -> Markup | str:
    """A measure of a dataset, with its unit."""
    value = row[name]
    if value is None:
        return _NONE
    unit = {"median": " 元", "age": " 天", "thin_months": " 个月", "delivered": " 行"}.get(row["measure"])
    return f"{value:,g}{unit}" if unit else f"≥{value:g}%" if value < 100 else "100%"


def said(kind: str, code: str | None) -> Text:
    """What a code means; one without words stands for itself."""
    return texts().get(kind, {}).get(str(code)) or Text(str(code or ""), "")


@cache
def _divisions() -> dict[str, str]:
    table = resources.files("pipelines").joinpath("data/admin_shandong.csv").read_text("utf-8")
    return {row["code"]: row["name"] for row in csv.DictReader(table.splitlines())}


def division(code: str) -> str:
    """The name of a division, or its code."""
    return _divisions().get(code, code)


def over_time(
    title: str, unit: str, rows: Sequence[Row], name: str, limit: float | None = None, low: float | None = None
) -> Markup:
    """A column of rows, one row a batch, as a plot."""
    points = [plots.Point(row["moment"][:10], row[name]) for row in rows]
    return plots.line(title, unit, points, limit, low) if points else Markup("")


def by_name(tables: Sequence[Table]) -> dict[str, Table]:
    """Tables by name."""
    return {table.name: table for table in tables}
