"""Commands about the auditors' site: open it, build it anew."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.objecting import ById
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


def quality_accept(
    dataset: Annotated[str, typer.Argument(help="The dataset, such as social_security/pensions.")],
    batch: Annotated[str, typer.Option(help="The batch whose gate refused it.")],
    by: ById,
    workspace: WorkspaceOption = Path("."),
    as_json: JsonOption = False,
) -> None:
    """登记变动属实：数据与上次相差很大而被拦下，经向部门核实无误 · say that a refused change of a dataset is real.

    The next batch holds the dataset against this extract, no longer against the one before.

    Example: hedui quality accept social_security/pensions --batch e7103166963c --by 370303-mzj -w /srv/hedui
    """
    from pipelines import drift
    from pipelines.batch import Batch
    from pipelines.commands.objecting import office
    from pipelines.settings import Workspace
    from pipelines.store import Store

    ws = Workspace.open(workspace)
    if not (ws.batches / batch / "batch.json").exists():
        raise typer.BadParameter(f"there is no batch {batch}")
    store = Store.open(ws.store_url)
    try:
        drift.accept(store, Batch.open(ws.batches, batch), dataset, office(by))
    finally:
        store.close()
    told = {"dataset": dataset, "batch": batch}
    emit(told, as_json, lambda out: out.print(f"{dataset}: 已登记，重新核对后采用 accepted; next: hedui verify"))


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
