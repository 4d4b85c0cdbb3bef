"""What every command shares: where its workspace is, and how it speaks to a person or to a machine."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

WorkspaceOption = Annotated[
    Path,
    typer.Option("--workspace", "-w", envvar="HEDUI_WORKSPACE", help="The workspace (folder with hedui.yaml)."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document for machines.")]


def console() -> Console:
    """A console on standard output; wide where no terminal sets a width."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else 160)


def emit(document: object, as_json: bool, draw: Callable[[Console], None]) -> None:
    """Print ``document`` as JSON, or let ``draw`` show it to a person."""
    if as_json:
        sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=1, default=str) + "\n")
    else:
        draw(console())


def draw_table(out: Console, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Draw a table; numbers stand on the right."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    for number, column in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[number], int | float) for row in rows)
        # the first column is a name, which is searched for: it is never broken
        table.add_column(column, justify="right" if numeric else "left", overflow="fold", no_wrap=number == 0)
    for row in rows:
        table.add_row(*(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row))
    out.print(table)


@contextmanager
def stage_bar(stages: Sequence[str], as_json: bool = False) -> Iterator[Callable[[str], None]]:
    """A progress bar over stages on a terminal; nothing anywhere else.

    Yields:
        a function to call with a stage's name as it starts.
    """
    if as_json or not sys.stderr.isatty():
        yield lambda stage: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:<16}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=len(stages))

        def start(stage: str) -> None:
            progress.update(task, description=stage, completed=stages.index(stage))

        yield start
        progress.update(task, completed=len(stages))


def day(text: str) -> date:
    """A day given as ISO 8601; today if empty.

    Raises:
        typer.BadParameter: it is no day.
    """
    try:
        return date.fromisoformat(text) if text else date.today()
    except ValueError:
        raise typer.BadParameter("not a day, such as 2026-09-15") from None
