"""Commands that look at what a verification is made by: contracts and policy packs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.commands.terminal import JsonOption, WorkspaceOption, day, draw_table, emit

if TYPE_CHECKING:
    from rich.console import Console

    from pipelines.policy import Pack


def contracts_check(
    folder: Annotated[Path | None, typer.Argument(help="Folder of contracts; the shipped ones if left out.")] = None,
    as_json: JsonOption = False,
) -> None:
    """检查数据合同 · check every contract; a bad one is told by file, field and reason.

    Example: hedui contracts check my/contracts
    """
    from connectors.contract import load_contracts

    rows = [
        (c.dataset, c.title.zh, c.provider.zh, c.delivery.way, c.mode, len(c.columns), c.freshness_days)
        for c in load_contracts(folder).values()
    ]
    columns = ("dataset", "名称", "提供部门", "way", "mode", "columns", "freshness (days)")
    document = [dict(zip(columns, row, strict=True)) for row in rows]
    emit(document, as_json, lambda out: draw_table(out, f"{len(rows)} contracts", columns, rows))


def policy_check(workspace: WorkspaceOption = Path("."), as_json: JsonOption = False) -> int:
    """检查政策参数包 · check the workspace's policy pack and say what an officer should see to.

    Example: hedui policy check -w /srv/hedui
    """
    from pipelines.policy.check import check

    findings = check(_pack(workspace))
    rows = [(f.level, f.where, f.zh, f.en) for f in findings]
    document = [dict(zip(("level", "where", "zh", "en"), row, strict=True)) for row in rows]
    emit(document, as_json, lambda out: draw_table(out, "", ("level", "where", "说明", "meaning"), rows))
    return 2 if any(finding.level == "error" for finding in findings) else 0


def policy_explain(
    programme: Annotated[str, typer.Argument(help="For example subsistence_allowance.")],
    division: Annotated[str, typer.Option(help="Six digits; the workspace's own if left out.")] = "",
    area_kind: Annotated[str, typer.Option(help="urban or rural.")] = "urban",
    on: Annotated[str, typer.Option(help="Application date, YYYY-MM-DD; today if left out.")] = "",
    html: Annotated[Path | None, typer.Option(help="Write the page as HTML into this file.", dir_okay=False)] = None,
    workspace: WorkspaceOption = Path("."),
) -> None:
    """说明某日某地适用的标准及依据 · what holds on a date and place, with its citations.

    Example: hedui policy explain subsistence_allowance --area-kind urban --on 2026-09-15 -w /srv/hedui
    """
    from pipelines.policy.explain import explain, explain_html
    from pipelines.settings import Workspace

    division = division or Workspace.open(workspace).settings.division
    if html is None:
        typer.echo(explain(_pack(workspace), programme, division, area_kind, day(on)))
        return
    html.write_text(explain_html(_pack(workspace), programme, division, area_kind, day(on)), "utf-8")
    typer.echo(str(html))


def policy_diff(
    old: Annotated[str, typer.Argument(help="A pack's name or folder: the one that reports were made under.")],
    new: Annotated[str, typer.Argument(help="A pack's name or folder: the one that is to follow.")],
    reports: Annotated[bool, typer.Option(help="Try the workspace's issued reports under the new pack.")] = True,
    since: Annotated[str, typer.Option(help="Only reports as of this day or later, YYYY-MM-DD.")] = "",
    workspace: WorkspaceOption = Path("."),
    as_json: JsonOption = False,
) -> None:
    """比较两个政策包及其对已出具报告的影响 · what changes, and which issued reports would come out differently.

    Example: hedui policy diff 3703 drafts/3703 --since 2026-10-01 -w /srv/hedui
    """
    from dataclasses import asdict

    from pipelines.impact import impact
    from pipelines.policy.diff import changes
    from pipelines.settings import Workspace

    before, after = (_pack(workspace, name) for name in (old, new))
    found = changes(before, after)
    first = day(since) if since else None
    tried = list(impact(Workspace.open(workspace), before, after, first)) if reports else []
    states = {state: sum(one.state == state for one in tried) for state in sorted({one.state for one in tried})}
    listed = [one for one in tried if one.state != "same"]
    document = {
        "changes": [asdict(change) for change in found], "reports": states, "listed": [asdict(one) for one in listed]
    }  # fmt: skip

    def show(out: Console) -> None:
        rows = [(c.kind, c.where, c.before or "—", c.after or "—") for c in found]
        draw_table(out, f"{len(rows)} 处变化 changes", ("", "参数 parameter", "原 before", "新 after"), rows)
        out.print("已出具的报告 issued reports: " + (", ".join(f"{k} {v}" for k, v in states.items()) or "—"))
        lines = [
            (one.request_id, one.state, one.how, " → ".join(filter(None, one.limits)),
             "; ".join(f"{name}: {was} → {now}" for name, was, now in one.tests), ", ".join(one.why))
            for one in listed if one.state == "differs"
        ]  # fmt: skip
        columns = ("request", "", "how", "限额结论 limits", "检验 tests", "不止限额 beyond limits")
        draw_table(out, "结果不同的报告 reports that come out differently", columns, lines)

    emit(document, as_json, show)


def _pack(workspace: Path, name: str = "") -> Pack:
    """The workspace's pack, or one by its name or folder."""
    from pipelines.policy import load_pack, pack_folder
    from pipelines.settings import Workspace

    if name and (Path(name) / "pack.yaml").is_file():
        return load_pack(Path(name))
    settings = (ws := Workspace.open(workspace)).settings
    return load_pack(
        pack_folder(name or settings.policy_pack, ws.path(settings.policies) if settings.policies else None)
    )
