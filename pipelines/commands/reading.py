"""Commands that only look: sources, contracts, policy, reports, the ledger."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.terminal import JsonOption, WorkspaceOption, draw_table, emit


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
    emit(document, as_json, lambda console: draw_table(console, f"{len(rows)} contracts", columns, rows))


def policy_check(workspace: WorkspaceOption = Path("."), as_json: JsonOption = False) -> None:
    """检查政策参数包 · check the workspace's policy pack and say what an officer should see to.

    Example: hedui policy check -w /srv/hedui
    """
    from pipelines.policy import check

    findings = check(_pack(workspace))
    rows = [(f.level, f.where, f.zh, f.en) for f in findings]
    document = [dict(zip(("level", "where", "zh", "en"), row, strict=True)) for row in rows]
    emit(document, as_json, lambda console: draw_table(console, "", ("level", "where", "说明", "meaning"), rows))


def policy_explain(
    programme: Annotated[str, typer.Argument(help="For example subsistence_allowance.")],
    division: Annotated[str, typer.Option(help="Six digits; the workspace's own if left out.")] = "",
    area_kind: Annotated[str, typer.Option(help="urban or rural.")] = "urban",
    on: Annotated[str, typer.Option(help="Application date, YYYY-MM-DD; today if left out.")] = "",
    workspace: WorkspaceOption = Path("."),
) -> None:
    """说明某日某地适用的标准及依据 · what holds on a date and place, with its citations.

    Example: hedui policy explain subsistence_allowance --division 370303 --area-kind urban --on 2026-09-15
    """
    from pipelines.policy import explain
    from pipelines.settings import Workspace

    division = division or Workspace.open(workspace).settings.division
    typer.echo(explain(_pack(workspace), programme, division, area_kind, _date(on)))


def report_show(
    request: Annotated[str, typer.Argument(help="Request ID, or a report's file.")],
    workspace: WorkspaceOption = Path("."),
    as_json: JsonOption = False,
) -> None:
    """显示一份报告的结论与理由 · show what a report says.

    Example: hedui report show R-000123 -w demo
    """
    from pipelines.commands.report_text import draw, find_report

    document = find_report(request, workspace)
    emit(document, as_json, lambda console: draw(console, document))


def report_check(
    file: Annotated[Path, typer.Argument(help="The report's JSON file.")],
    key: Annotated[Path | None, typer.Option(help="Public key (PEM) of the site; the workspace's if left out.")] = None,
    workspace: WorkspaceOption = Path("."),
    as_json: JsonOption = False,
) -> int:
    """离线验证报告签名和内容 · verify a report offline; says what is wrong with one that was touched.

    Example: hedui report check report.json --key hedui-public.pem
    """
    from pipelines.commands.report_text import public_key
    from pipelines.signing import check

    problems = check(file.read_bytes(), public_key(key, workspace))
    document = {"file": file.name, "valid": not problems, "problems": [vars(problem) for problem in problems]}

    def draw(console: object) -> None:
        if not problems:
            typer.echo(f"有效 valid: {file.name}")
        for problem in problems:
            typer.echo(f"无效 not valid: {problem.zh} / {problem.en} ({problem.field or problem.part})")

    emit(document, as_json, draw)
    return 1 if problems else 0


def ledger_verify(workspace: WorkspaceOption = Path("."), as_json: JsonOption = False) -> int:
    """验证审计台账的哈希链 · recompute the ledger's chain.

    Example: hedui ledger verify -w /srv/hedui
    """
    from pipelines import ledger
    from pipelines.settings import Workspace
    from pipelines.store import Store

    store = Store.open(Workspace.open(workspace).store_url)
    problem = ledger.verify(store)
    entries, head = ledger.head(store)
    document = {"entries": entries, "head": head, "problem": vars(problem) if problem else None}

    def draw(console: object) -> None:
        if problem is None:
            typer.echo(f"台账完整 the chain holds: {entries:,} entries, head {head[:16]}…")
        else:
            typer.echo(f"台账在第 {problem.seq} 条断开 the chain breaks at entry {problem.seq}: {problem.reason}")

    emit(document, as_json, draw)
    return 3 if problem else 0


def sources(
    call: Annotated[bool, typer.Option("--call/--no-call", help="Try each source now.")] = True,
    workspace: WorkspaceOption = Path("."),
    as_json: JsonOption = False,
) -> int:
    """各数据集的最近提取、时效和连通性 · each dataset: last extract, freshness, and a test call.

    Example: hedui sources -w /srv/hedui --no-call
    """
    from pipelines.commands.source_states import look

    states = look(workspace, call)
    columns = ("dataset", "connection", "last extract", "age (days)", "fresh", "call")
    rows = [(s.dataset, s.connection, s.last_as_of or "—", s.age_text, s.fresh_text, s.call) for s in states]
    document = [vars(state) for state in states]
    emit(document, as_json, lambda console: draw_table(console, "", columns, rows))
    return 1 if any(state.call not in ("ok", "not tried") for state in states) else 0


def _pack(workspace: Path):  # type: ignore[no-untyped-def]  # Pack, imported late
    from pipelines.policy import load_pack, pack_folder
    from pipelines.settings import Workspace

    ws = Workspace.open(workspace)
    return load_pack(pack_folder(ws.settings.policy_pack, ws.path(ws.settings.policies) if ws.settings.policies else None))


def _date(text: str) -> date:
    return date.fromisoformat(text) if text else date.today()
