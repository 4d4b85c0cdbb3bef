"""Commands about objections: opened, answered, closed, listed; and what a later version says otherwise."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.commands.terminal import JsonOption, WorkspaceOption, draw_table, emit

if TYPE_CHECKING:
    from rich.console import Console

    from pipelines.objections import Objection
    from pipelines.settings import Workspace


class Ground(StrEnum):
    """What the household says of an item."""

    not_mine = "not_mine"
    wrong_amount = "wrong_amount"
    ended_before = "ended_before"
    counted_twice = "counted_twice"
    other = "other"


class Answer(StrEnum):
    """What the department found."""

    corrected = "corrected"
    confirmed = "confirmed"


ById = Annotated[str, typer.Option("--by", help="Code of the office, such as 370303-mzj; no person's name.")]
AtOption = Annotated[str, typer.Option("--at", help="The moment, ISO 8601; now if left out.")]
VerifyOption = Annotated[
    bool, typer.Option("--verify/--no-verify", help="Verify the request anew at once, which makes the new version.")
]
IdArgument = Annotated[str, typer.Argument(help="The objection's id (OB…).")]


def objection_open(
    request: Annotated[str, typer.Argument(help="Request ID.")],
    item: Annotated[str, typer.Option(help="income.3, asset.2 or review.1 of the newest report.")],
    by: ById,
    ground: Annotated[Ground, typer.Option(help="What the household says of it.")] = Ground.other,
    at: AtOption = "",
    verify: VerifyOption = True,
    workspace: WorkspaceOption = Path("."),
    as_json: JsonOption = False,
) -> None:
    """登记异议：有关记录暂停使用，数据提供部门在期限内核实 · open an objection: its rows are disputed until it ends.

    Example: hedui objection open R-000123 --item asset.2 --ground not_mine --by 370303-mzj -w /srv/hedui
    """
    import json

    from pipelines import objections
    from pipelines.commands.report_text import NoReportError
    from pipelines.commands.running import moment
    from pipelines.replay import as_issued
    from pipelines.settings import Workspace
    from pipelines.store import Store

    ws, when = Workspace.open(workspace), moment(at)
    store = Store.open(ws.store_url)
    try:
        row = store.latest_reports([request]).get(request)
        if row is None:
            raise NoReportError(request)
        document = json.loads(as_issued(ws, row))
        opened = objections.open_objection(store, row, document, item, ground.value, office(by), when)
    finally:
        store.close()
    _tell(ws, opened, when, verify, as_json)


def objection_answer(
    objection: IdArgument,
    outcome: Annotated[Answer, typer.Option(help="What the department found.")],
    by: ById,
    at: AtOption = "",
    workspace: WorkspaceOption = Path("."),
    as_json: JsonOption = False,
) -> None:
    """登记数据提供部门的答复 · keep what the department answered.

    Example: hedui objection answer OB0123456789AB --outcome corrected --by 370303-bank -w /srv/hedui
    """
    from pipelines import objections
    from pipelines.commands.running import moment
    from pipelines.settings import Workspace
    from pipelines.store import Store

    ws, when = Workspace.open(workspace), moment(at)
    store = Store.open(ws.store_url)
    try:
        answered = objections.answer(store, objection, outcome.value, office(by), when)
    finally:
        store.close()
    _tell(ws, answered, when, False, as_json)


def objection_close(
    objection: IdArgument,
    by: ById,
    taken_back: Annotated[bool, typer.Option("--taken-back", help="The household takes it back.")] = False,
    at: AtOption = "",
    verify: VerifyOption = True,
    workspace: WorkspaceOption = Path("."),
    as_json: JsonOption = False,
) -> None:
    """异议办结，重新核对并出具新版本 · close an objection; the request is verified anew, which makes a new version.

    Example: hedui objection close OB0123456789AB --by 370303-mzj -w /srv/hedui
    """
    from pipelines import objections
    from pipelines.commands.running import moment
    from pipelines.settings import Workspace
    from pipelines.store import Store

    ws, when = Workspace.open(workspace), moment(at)
    store = Store.open(ws.store_url)
    try:
        closed = objections.close(store, objection, office(by), when, taken_back=taken_back)
    finally:
        store.close()
    _tell(ws, closed, when, verify, as_json)


def objection_list(
    request: Annotated[str, typer.Option(help="Of one request only.")] = "",
    at: AtOption = "",
    workspace: WorkspaceOption = Path("."),
    as_json: JsonOption = False,
) -> int:
    """列出异议及其期限 · list objections with their last days; ends with 1 if a department is overdue.

    Example: hedui objection list -w /srv/hedui
    """
    from pipelines import objections
    from pipelines.commands.running import moment
    from pipelines.settings import Workspace
    from pipelines.store import Store
    from pipelines.texts import text

    on = moment(at).date()
    store = Store.open(Workspace.open(workspace).store_url)
    try:
        found = objections.listed(store, request or None)
    finally:
        store.close()
    rows = [
        (one.objection_id, one.request_id, one.item, one.dataset, text("objection_state", one.state).zh,
         text("objection_event", one.outcome).zh if one.outcome else "",
         f"{one.due_on}{' 暂定 provisional' if one.provisional else ''}{' 已逾期 overdue' if one.overdue(on) else ''}")
        for one in found
    ]  # fmt: skip
    columns = ("objection", "request", "item", "dataset", "状态 state", "答复 answer", "期限 due")
    document = [one.document(on) for one in found]
    emit(document, as_json, lambda out: draw_table(out, "", columns, rows))
    return 1 if any(one.overdue(on) for one in found) else 0


def report_diff(
    request: Annotated[str, typer.Argument(help="Request ID, or a report's id.")],
    earlier: Annotated[int, typer.Option("--from", help="The earlier version; the one before the later if 0.")] = 0,
    later: Annotated[int, typer.Option("--to", help="The later version; the newest if 0.")] = 0,
    out: Annotated[Path | None, typer.Option("--out", help="Write the page (HTML) to this file.")] = None,
    workspace: WorkspaceOption = Path("."),
    as_json: JsonOption = False,
) -> None:
    """两个版本的差异：变了什么、为什么、依据谁的答复 · what a later version says otherwise, why, by whose answer.

    Example: hedui report diff R-000123 --out difference.html -w /srv/hedui
    """
    from pipelines.commands.past import difference
    from pipelines.difference_page import KINDS, html, said
    from pipelines.settings import Workspace

    found = difference(Workspace.open(workspace), request, earlier, later)
    if out:
        out.write_text(html(found), "utf-8")

    def show(console: Console) -> None:
        console.print(f"{found.after['report_id']}: {found.before['version']} → {found.after['version']}", style="bold")
        for reason in found.because:
            console.print(f"  {reason.zh} · {reason.en}")
        for kind, zh, en in KINDS:
            rows = [(c.name.zh, said(c.before, kind), said(c.after, kind), c.by) for c in found.of(kind)]
            if rows:
                draw_table(console, f"{zh} {en}", ("项目", "原版本 earlier", "新版本 later", "答复 by"), rows)
        if out:
            console.print(f"{out}")

    emit(found.document(), as_json, show)


def office(code: str) -> str:
    """A code of an office; names of persons do not belong into the store's events.

    Raises:
        typer.BadParameter: it is no code.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", code):
        raise typer.BadParameter("--by takes the code of an office, such as 370303-mzj, not a name")
    return code


def _tell(ws: Workspace, objection: Objection, when: Any, verify: bool, as_json: bool) -> None:
    """Where the objection stands; then the new version."""
    document = objection.document(when.date())
    version = _verified(ws, objection.request_id, when) if verify else None
    if version is not None:
        document["new_version"] = version

    def show(console: Console) -> None:
        due = f"{objection.due_on}{'（暂定 provisional）' if objection.provisional else ''}"
        console.print(f"{objection.objection_id} {objection.state}: {objection.dataset}, {len(objection.rows)} rows")
        console.print(f"部门答复期限 the department answers by: {due}")
        if version is None:
            console.print(f"下一步 next: hedui verify --request {objection.request_id}")
        else:
            console.print(f"新版本 new version {version}: hedui report diff {objection.request_id}")

    emit(document, as_json, show)


def _verified(ws: Workspace, request: str, when: Any) -> int:
    """Verify the one request anew on the extracts that are there; returns the version that holds now."""
    from pipelines import verify as stages
    from pipelines.store import Store

    stages.run_batch(stages.open_batch(ws, when, request), ws, confirm=False)
    store = Store.open(ws.store_url)
    row = store.latest_reports([request])[request]
    store.close()
    return row.version
