"""Commands that do the work: take requests in, verify them."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from pipelines.commands.terminal import JsonOption, WorkspaceOption, draw_table, emit, stage_bar

if TYPE_CHECKING:
    from rich.console import Console

    from pipelines.batch import Batch
    from pipelines.settings import Workspace
    from pipelines.summary import Summary

HERE = ZoneInfo("Asia/Shanghai")


def intake(
    at: Annotated[str, typer.Option("--at", help="Moment of the intake, ISO 8601; now if left out.")] = "",
    workspace: WorkspaceOption = Path("."),
    as_json: JsonOption = False,
) -> int:
    """接收申请：合格的入库，不合格的整份退回并列出全部错误 · take requests in; refused ones with every error.

    Example: hedui intake -w /srv/hedui
    """
    from pipelines import intake as stage
    from pipelines.settings import Workspace

    ws = Workspace.open(workspace)
    result = stage.run(ws, moment(at))
    columns = ("files", "lines", "accepted", "known", "withdrawn", "refused")
    document = asdict(result)

    back = ws.settings.case_systems.reports
    where = ws.path(back.path) if back.kind == "folder" and back.path else None

    def draw(out: Console) -> None:
        draw_table(out, "", columns, [[document[name] for name in columns]])
        for place in result.refusals:
            out.print(f"退回 refused, with every error: {where / place if where else place}")

    emit(document, as_json, draw)
    return 1 if result.refused else 0


def verify(
    request: Annotated[str, typer.Option("--request", help="One request only, on extracts already admitted.")] = "",
    as_of: Annotated[
        str,
        typer.Option(
            "--as-of",
            help="The moment the batch speaks of, ISO 8601; now if left out. With --request, a moment before the last "
            "report answers what was known then; nothing is issued.",
        ),
    ] = "",
    replay: Annotated[
        str,
        typer.Option("--replay", help="A report's id (HD…, or HD…-2): the report again, from the rows of its batch."),
    ] = "",
    out: Annotated[Path | None, typer.Option("--out", help="With --replay: the file that takes the report.")] = None,
    workspace: WorkspaceOption = Path("."),
    as_json: JsonOption = False,
) -> int:
    """核对：全部待核对的申请，或其中一份 · verify all open requests, or one while staff wait.

    Example: hedui verify -w /srv/hedui --as-of 2026-09-16T02:00:00+08:00
    Example: hedui verify -w /srv/hedui --request R-000123
    Example: hedui verify -w /srv/hedui --request R-000123 --as-of 2026-09-16
    Example: hedui verify -w /srv/hedui --replay HD0123456789ABCDEF-1 --out report.json
    """
    from pipelines import verify as stages
    from pipelines.settings import Workspace

    ws = Workspace.open(workspace)
    if replay:
        from pipelines.commands.past import tell_replay

        return tell_replay(ws, replay, out, as_json)
    at = moment(as_of)
    if request and as_of and stages.is_past(ws, request, at):
        from pipelines.commands.past import tell_look_back

        return tell_look_back(ws, request, at, as_json)
    with stages.without_pandas() if request else nullcontext():
        batch = stages.open_batch(ws, at, request or None)
        with stage_bar(list(stages.STAGES), as_json) as before:
            timings = stages.run_batch(batch, ws, before=before, confirm=not request)
        if request:
            _tell_one(request, batch.id, batch.summary("report"), timings.seconds, workspace, as_json)
            return 0
    return 1 if _tell_all(batch, ws, timings.seconds, as_json) else 0


def reconcile(
    as_of: Annotated[str, typer.Option("--as-of", help="The night's moment, ISO 8601; now if left out.")] = "",
    workspace: WorkspaceOption = Path("."),
    as_json: JsonOption = False,
) -> int:
    """复核在保家庭：有变化、到期或新申请的重新核对 · verify again whom something has changed for; by division.

    Example: hedui reconcile -w /srv/hedui --as-of 2026-09-17T02:00:00+08:00
    """
    from collections import Counter

    from pipelines import reconcile as night
    from pipelines.settings import Workspace
    from pipelines.verify import run_stage

    ws, at, told = Workspace.open(workspace), moment(as_of), []
    for division in night.divisions(ws):
        batch = night.watch(ws, division, at)
        for stage in ("plan", "collect", "check_admitted"):
            run_stage(stage, batch, ws)
        reasons = Counter(reason for found in night.due(batch, ws).values() for reason in found)
        second = night.verify_due(batch, ws)
        if second is not None:
            run_stage("quality", second, ws)
            run_stage("deliver", second, ws)
        due, verified = len(night.due(batch, ws)), second.id if second is not None else ""
        told.append(
            {"division": division, "batch": batch.id, "due": due, "reasons": dict(reasons), "verified": verified}
        )

    def show(out: Console) -> None:
        rows = [(one["division"], one["due"], one["reasons"], one["batch"], one["verified"]) for one in told]
        columns = ("division", "due", "reasons", "batch", "verified")
        draw_table(out, "夜间复核 Verified again", columns, [tuple(map(str, row)) for row in rows])

    emit({"as_of": at.isoformat(), "divisions": told}, as_json, show)
    return 0


def retention_run(
    at: Annotated[str, typer.Option("--at", help="The moment up to which periods are counted; now if left out.")] = "",
    only_tell: Annotated[bool, typer.Option("--dry-run", help="Change nothing; tell what would be done.")] = False,
    workspace: WorkspaceOption = Path("."),
    as_json: JsonOption = False,
) -> int:
    """执行到期销毁和撤回后的删除 · delete what was withdrawn, destroy what is past its retention; cannot be undone.

    Ends with 1 if a deletion has to wait for a batch that is under way.

    Example: hedui retention run --dry-run -w /srv/hedui
    """
    from pipelines import retention
    from pipelines.settings import Workspace

    done = retention.run(Workspace.open(workspace), moment(at), only_tell=only_tell)
    rows = [
        ("撤回后已删除 withdrawals deleted", done.deleted),
        ("等待在办批次 withdrawals waiting for a batch", done.waiting),
        ("已销毁批次 batches destroyed", len(done.destroyed)),
        ("已清除申请 applications cleared", done.cleared),
    ]
    title = "（未执行 dry run）" if only_tell else ""
    emit(done.document() | {"dry_run": only_tell}, as_json, lambda out: draw_table(out, title, ("", "n"), rows))
    return 1 if done.waiting else 0


def _tell_one(
    request: str, batch_id: str, counts: dict[str, object], seconds: dict[str, float], workspace: Path, as_json: bool
) -> None:
    """The report itself: staff are waiting for it."""
    from pipelines.commands.report_text import draw, find_report

    report = find_report(request, workspace)
    unchanged = bool(counts["unchanged"])

    def show(out: Console) -> None:
        draw(out, report)
        if unchanged:
            out.print(f"内容未变，第 {report['version']} 版继续有效 unchanged: version {report['version']} holds on")
        elif report["supersedes"]:
            out.print(f"新版本 new version {report['version']}: hedui report diff {request}")
        out.print(f"批次 batch {batch_id}: {sum(seconds.values()):.1f} s")

    emit({"batch": batch_id, "seconds": seconds, "unchanged": unchanged, "report": report}, as_json, show)


def _tell_all(batch: Batch, ws: Workspace, seconds: dict[str, float], as_json: bool) -> dict[str, str]:
    """What became of the batch; returns the datasets that gave nothing, with the reason (exit code 1)."""
    from pipelines import texts
    from pipelines.auditing.site import batch_folder
    from pipelines.summary import opened, summarise

    with opened(batch, ws) as con:
        summary = summarise(con, batch)

    def show(out: Console) -> None:
        draw_conclusions(out, summary)
        for dataset, reason in summary.failed.items():
            told = texts.text("failure", reason)
            out.print(f"未能核实 unavailable: {dataset}: {told.zh} / {told.en}")
        if summary.failed:
            out.print("以上数据集的家庭待核实；恢复后重新核对 verify again when they are back; see: hedui sources")
        counts = batch.summary("report")
        out.print(
            f"报告 reports: 新版本 new {counts['new']} · 内容未变、原版本继续有效 unchanged {counts['unchanged']} · "
            f"因撤回未出具 withheld {counts['withdrawn']}"
        )
        page = batch_folder(ws, batch.id) / "index.html"
        out.print(f"批次 batch {batch.id}: {sum(seconds.values()):.1f} s · 数据质量 data quality: {page}")

    document = {"batch": batch.id, "seconds": seconds, "reports": batch.summary("report"), **summary.document()}
    emit(document, as_json, show)
    return summary.failed


def draw_conclusions(out: Console, summary: Summary) -> None:
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
