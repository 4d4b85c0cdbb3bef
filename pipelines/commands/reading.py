"""Commands that only look: sources, contracts, policy, reports, the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.commands.terminal import JsonOption, WorkspaceOption, draw_table, emit

if TYPE_CHECKING:
    from rich.console import Console

    from pipelines.errors import HeduiError
    from pipelines.policy import Pack
    from pipelines.settings import Workspace


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
        typer.echo(explain(_pack(workspace), programme, division, area_kind, _date(on)))
        return
    html.write_text(explain_html(_pack(workspace), programme, division, area_kind, _date(on)), "utf-8")
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
    first = _date(since) if since else None
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


def report_show(
    request: Annotated[str, typer.Argument(help="Request ID, or a report's file.")],
    why: Annotated[
        str, typer.Option(help="How a figure was worked out, down to the rows: its name, or 'list' for all names.")
    ] = "",
    workspace: WorkspaceOption = Path("."),
    as_json: JsonOption = False,
) -> None:
    """显示一份报告的结论与理由，或某个数字的计算过程 · show what a report says, or how a figure of it was worked out.

    Example: hedui report show R-000123 -w /srv/hedui
    Example: hedui report show R-000123 --why income.per_capita -w /srv/hedui
    """
    from pipelines.commands.report_text import draw, find_report

    document = find_report(request, workspace)
    if not why:
        emit(document, as_json, lambda out: draw(out, document))
        return
    from pipelines.commands import why_text
    from pipelines.explain import names, tree

    if why == "list":
        told = [tree(document, name) for name in names(document)]
        emit([node.key for node in told], as_json, lambda out: why_text.draw_names(out, told))
        return
    found = tree(document, why)
    emit(found.document(), as_json, lambda out: why_text.draw(out, found))


def report_check(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The report's JSON file.")],
    key: Annotated[Path | None, typer.Option(help="Public key (PEM) of the site; the workspace's if left out.")] = None,
    workspace: WorkspaceOption = Path("."),
    as_json: JsonOption = False,
) -> int:
    """离线验证报告签名和内容 · verify a report offline; says what is wrong with one that was touched.

    Example: hedui report check report.json --key keys/report-signing.pub
    """
    from pipelines.commands.report_text import public_key
    from pipelines.signing import check

    problems = check(file.read_bytes(), public_key(key, workspace))
    document = {"file": file.name, "valid": not problems, "problems": [vars(problem) for problem in problems]}

    def show(out: Console) -> None:
        if not problems:
            out.print(f"有效 valid: {file.name}")
        for problem in problems:
            out.print(f"无效 not valid: {problem.zh} / {problem.en} ({problem.field or problem.part})")

    emit(document, as_json, show)
    return 1 if problems else 0


def report_recompute(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The report's JSON file.")],
    workspace: WorkspaceOption = Path("."),
    as_json: JsonOption = False,
) -> int:
    """由封存的原始记录重新计算报告 · work every figure of a report out anew from the sealed rows of its batch.

    Ends with 0 if the file is what the rows give, byte for byte, and with 1 and every field that differs if it is not.

    Example: hedui report recompute report.json -w /srv/hedui
    """
    from pipelines.commands.past import tell_recomputed
    from pipelines.settings import Workspace

    return tell_recomputed(Workspace.open(workspace), file, as_json)


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

    def show(out: Console) -> None:
        if problem is None:
            out.print(f"台账完整 the chain holds: {entries:,} entries, head {head[:16]}…")
        else:
            out.print(f"台账在第 {problem.seq} 条断开 the chain breaks at entry {problem.seq}: {problem.reason}")

    emit(document, as_json, show)
    return 3 if problem else 0


def sources(
    on: Annotated[str, typer.Option(help="The day to judge freshness by, YYYY-MM-DD; today if left out.")] = "",
    workspace: WorkspaceOption = Path("."),
    as_json: JsonOption = False,
) -> int:
    """各数据集的最近提取、时效、连通性和授权期限 · each dataset: last extract, freshness, test call, ticket.

    Example: hedui sources -w /srv/hedui
    """
    from connectors.contract import load_contracts
    from connectors.sources import probe
    from pipelines.settings import Workspace

    ws = Workspace.open(workspace)
    contracts = load_contracts(ws.contracts)
    states = [
        probe(contract.delivered(source.delivery), ws.settings.connections[source.connection], _date(on), ws.root)
        for dataset, contract in contracts.items()
        if (source := ws.settings.sources.get(dataset))
    ]
    absent = sorted(set(contracts) - set(ws.settings.sources))
    admitted = _last_admitted(ws, [state.dataset for state in states])
    granted, catalogue_error = _granted(ws)
    rows = [
        (s.dataset, s.title_zh, s.way, str(s.last_as_of or "—"), admitted.get(s.dataset, "—"),
         "是 yes" if s.fresh else "否 no",
         f"{s.seconds:.2f} s" if s.error is None else type(s.error).__name__, granted.get(s.dataset, "—"))
        for s in states
    ]  # fmt: skip

    def show(out: Console) -> None:
        columns = (
            "dataset",
            "名称",
            "way",
            "最近 last",
            "已接收 admitted",
            "有效 fresh",
            "连通 call",
            "授权至 ticket",
        )
        draw_table(out, "", columns, rows)
        for state in states:
            if state.error is not None:
                out.print(str(state.error))
        if catalogue_error is not None:
            name = type(catalogue_error).__name__
            out.print(
                f"数据目录未应答，仅不显示授权期限 the catalogue did not answer; only tickets are not shown: {name}"
            )
        if absent:
            out.print(f"未配置，报告中为“未能核实” not configured, unavailable in every report: {', '.join(absent)}")

    document = [
        vars(s) | {"error": s.error and str(s.error), "last_admitted": admitted.get(s.dataset)}
        | {"ticket_until": granted.get(s.dataset)}
        for s in states
    ]  # fmt: skip
    emit({"sources": document, "not_configured": absent}, as_json, show)
    return 1 if any(state.error or not state.fresh for state in states) else 0


def _granted(ws: Workspace) -> tuple[dict[str, str], HeduiError | None]:
    """The last day of each dataset's exchange ticket, if the data bureau's catalogue is configured and answers."""
    from connectors.catalogue import read_catalogue
    from connectors.connections import HttpConnection
    from connectors.contract import ContractError
    from pipelines.errors import HeduiError

    told = ws.settings.catalogue
    if told is None:
        return {}, None
    try:
        connection = ws.settings.connections.get(told.connection)
        if not isinstance(connection, HttpConnection):
            raise ContractError("hedui.yaml", "catalogue.connection", "is not a connection of kind http")
        entries = read_catalogue(connection, told.endpoint, ws.root)
    except HeduiError as error:
        return {}, error
    return {name: str(entry.valid_to or "不限 no end") for name, entry in entries.items()}, None


def _last_admitted(ws: Workspace, datasets: Sequence[str]) -> dict[str, str]:
    """The as-of day of the last extract of each dataset that a batch admitted, whether or not it can be reached now."""
    from pipelines.store import Store

    store = Store.open(ws.store_url)
    try:
        histories = {dataset: store.extract_history(dataset) for dataset in datasets}
    finally:
        store.close()
    return {dataset: str(rows[-1].as_of) for dataset, rows in histories.items() if rows}


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


def _date(text: str) -> date:
    """A day given as ISO 8601; today if empty.

    Raises:
        typer.BadParameter: it is no day.
    """
    try:
        return date.fromisoformat(text) if text else date.today()
    except ValueError:
        raise typer.BadParameter("not a day, such as 2026-09-15") from None
