"""Commands that do the work: take requests in, verify them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from pipelines.commands.terminal import JsonOption, WorkspaceOption, draw_table, emit, stage_bar

if TYPE_CHECKING:
    from rich.console import Console

HERE = ZoneInfo("Asia/Shanghai")


def intake(
    at: Annotated[str, typer.Option("--at", help="Moment of the intake, ISO 8601; now if left out.")] = "",
    workspace: WorkspaceOption = Path("."),
    as_json: JsonOption = False,
) -> int:
    """接收申请:合格的入库,不合格的整份退回并列出全部错误 · take requests in; refused ones with every error.

    Example: hedui intake -w /srv/hedui
    """
    from pipelines import intake as stage
    from pipelines.settings import Workspace

    result = stage.run(Workspace.open(workspace), moment(at))
    columns = ("files", "lines", "accepted", "known", "withdrawn", "refused")
    document = asdict(result)

    def draw(out: Console) -> None:
        draw_table(out, "", columns, [[document[name] for name in columns]])
        for place in result.refusals:
            out.print(f"退回 refused, with every error: {place}")

    emit(document, as_json, draw)
    return 1 if result.refused else 0


def verify(
    request: Annotated[str, typer.Option("--request", help="One request only, on extracts already admitted.")] = "",
    as_of: Annotated[
        str, typer.Option("--as-of", help="The moment the batch speaks of, ISO 8601; now if left out.")
    ] = "",
    workspace: WorkspaceOption = Path("."),
    as_json: JsonOption = False,
) -> int:
    """核对:全部待核对的申请,或其中一份 · verify all open requests, or one while staff wait.

    Example: hedui verify -w /srv/hedui --as-of 2026-09-16T02:00:00+08:00
    Example: hedui verify -w /srv/hedui --request R-000123
    """
    from pipelines import summary as counts
    from pipelines import verify as stages
    from pipelines.settings import Workspace

    ws = Workspace.open(workspace)
    batch = stages.open_batch(ws, moment(as_of), request or None)
    with stage_bar(list(stages.STAGES), as_json) as before:
        timings = stages.run_batch(batch, ws, before=before, confirm=not request)
    with counts.opened(batch, ws) as con:
        summary = counts.summarise(con, batch)
    document = {"batch": batch.id, "seconds": timings.seconds, **summary.document()}

    def draw(out: Console) -> None:
        draw_conclusions(out, summary)
        out.print(f"批次 batch {batch.id}: {sum(timings.seconds.values()):.1f} s")

    emit(document, as_json, draw)
    return 0


def draw_conclusions(out: Console, summary) -> None:  # type: ignore[no-untyped-def]  # Summary, imported late
    """Households by their two answers."""
    from pipelines.texts import text

    rows = [
        (text("limits", a).zh, text("declaration", b).zh, f"{a} / {b}", n) for (a, b), n in summary.conclusions.items()
    ]
    draw_table(out, "家庭数 Households by conclusion", ("限额 limits", "申报 declaration", "", "households"), rows)


def moment(text: str) -> datetime:
    """A moment given as ISO 8601, in the county's time; now if empty.

    Raises:
        typer.BadParameter: it is no moment.
    """
    if not text:
        return datetime.now(HERE).replace(microsecond=0)
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("not a moment, such as 2026-09-16T02:00:00+08:00") from None
    return given.replace(tzinfo=HERE) if given.tzinfo is None else given.astimezone(HERE)
