"""Commands about the auditors' site: open it, build it anew."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.terminal import JsonOption, WorkspaceOption, emit

AtOption = Annotated[str, typer.Option("--at", help="The moment from which terms are counted, ISO 8601; now if empty.")]


def quality_build(
    at: AtOption = "",
    workspace: WorkspaceOption = Path("."),
    as_json: JsonOption = False,
) -> None:
    """重新生成审计页面：全部批次、各部门、规则档案、下载 · build the auditors' pages anew from what batches counted.

    Each batch builds its own; this takes in objections and answers since then.

    Example: hedui quality build -w /srv/hedui
    """
    from pipelines.auditing import record, site
    from pipelines.commands.running import moment
    from pipelines.settings import Workspace

    ws = Workspace.open(workspace)
    batches = [found["batch"] for found in record.read_all(ws)]
    for batch in batches:
        site.publish(ws, batch)
    page = site.build(ws, moment(at))
    told = {"index": str(page), "batches": len(batches)}
    emit(told, as_json, lambda out: out.print(f"审计页面 auditors' pages: {page} ({len(batches)} 批次 batches)"))


def quality_open(
    at: AtOption = "",
    show: Annotated[bool, typer.Option("--show/--no-show", help="Open the browser, or only tell where it is.")] = True,
    workspace: WorkspaceOption = Path("."),
    as_json: JsonOption = False,
) -> None:
    """打开审计页面 · bring the auditors' pages up to date and open them in the browser.

    Example: hedui quality open -w /srv/hedui
    """
    import webbrowser

    from pipelines.auditing import site
    from pipelines.commands.running import moment
    from pipelines.settings import Workspace

    page = site.build(Workspace.open(workspace), moment(at))
    opened = show and webbrowser.open(page.as_uri())
    emit({"index": str(page), "opened": opened}, as_json, lambda out: out.print(f"审计页面 auditors' pages: {page}"))
