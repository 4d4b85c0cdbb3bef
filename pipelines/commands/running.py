"""Commands that do the work: take requests in, verify them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.terminal import JsonOption, WorkspaceOption, draw_table, emit, stage_bar


def intake(workspace: WorkspaceOption = Path("."), as_json: JsonOption = False) -> int:
    """接收申请:合格的入库,不合格的整份退回并列出全部错误 · take requests in; refused ones with every error.

    Example: hedui intake -w /srv/hedui
    """
    raise typer.Exit(0)


def verify(
    request: Annotated[str, typer.Option("--request", help="One request only, on the extracts already admitted.")] = "",
    as_of: Annotated[str, typer.Option("--as-of", help="The moment the batch speaks of, ISO 8601; now if left out.")] = "",
    workspace: WorkspaceOption = Path("."),
    as_json: JsonOption = False,
) -> int:
    """核对:全部待核对的申请,或其中一份 · verify all open requests, or one while staff wait.

    Example: hedui verify -w /srv/hedui --as-of 2026-09-16T02:00:00+08:00
    Example: hedui verify -w /srv/hedui --request R-000123
    """
    raise typer.Exit(0)
