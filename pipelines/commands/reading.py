"""Commands that only look: reports, sources, the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.commands.terminal import JsonOption, WorkspaceOption, day, draw_table, emit

if TYPE_CHECKING:
    from rich.console import Console

    from pipelines.errors import HeduiError
    from pipelines.settings import Workspace


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
        probe(contract.delivered(source.delivery), ws.settings.connections[source.connection], day(on), ws.root)
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
