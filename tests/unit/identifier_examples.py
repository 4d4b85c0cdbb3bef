"""The tables of docs/identifiers.md, as the tests read them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

ON = date(2026, 9, 16)
_PAGE = Path(__file__).parents[2] / "docs" / "identifiers.md"


@dataclass(frozen=True)
class Example:
    """One row: the heading it stands under, and its cells by column."""

    heading: str
    cells: dict[str, str]

    @property
    def delivered(self) -> str:
        return self.cells["as delivered"]

    @property
    def passport(self) -> bool:
        return self.heading.startswith("Passports")


def _cell(text: str) -> str:
    if not text.startswith("`"):
        return text.strip()
    return str(json.loads(f'"{text[1:-1]}"')) if len(text) > 2 else ""


def examples() -> list[Example]:
    """Every row of every table whose first column is ``as delivered``."""
    found, heading, columns = [], "", []
    for line in _PAGE.read_text("utf-8").splitlines():
        if line.startswith("## "):
            heading = line[3:]
        if not line.startswith("|"):
            columns = []
            continue
        cells = [cell[1:-1] if len(cell) > 1 else "" for cell in line[1:-1].split("|")]
        if not columns:
            columns = cells
        elif columns[0] == "as delivered" and not line.startswith("|---"):
            found.append(Example(heading, dict(zip(columns, map(_cell, cells), strict=True))))
    return found


def right() -> list[Example]:
    return [example for example in examples() if "becomes" in example.cells]


def wrong() -> list[Example]:
    return [example for example in examples() if "problem" in example.cells]


def pairs() -> list[Example]:
    return [example for example in examples() if "same" in example.cells]
