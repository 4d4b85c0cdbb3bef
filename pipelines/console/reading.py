"""Reports: opened with a purpose, read and printed as pipelines.render draws them, objected to item by item."""

from __future__ import annotations

import json
import secrets
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form
from fastapi.responses import HTMLResponse, Response
from markupsafe import Markup

from pipelines import objections, render, texts
from pipelines.console import cases, running
from pipelines.console.access import Permission
from pipelines.console.forms import Reason
from pipelines.console.guard import Call, CaseCall, Needs, NeedsObjection, NeedsReport, ObjectionCall, ReportCall
from pipelines.console.pages import above_report, show, to
from pipelines.replay import as_issued

router = APIRouter()
Ground = Literal["not_mine", "wrong_amount", "ended_before", "counted_twice", "other"]


@router.post("/reports/{report_id}/{version}/open")
def opened(call: Annotated[ReportCall, Depends(NeedsReport(Permission.reports))], purpose: Reason) -> HTMLResponse:
    """A report as its page; the opening is in the ledger before the page leaves."""
    document = _document(call)
    subject = f"{call.row.report_id}/{call.row.version}/{call.visitor.name}/{secrets.token_hex(8)}"
    detail = {"by": call.visitor.name, "purpose": purpose, "request": call.case.request_id}
    call.site.remember("report_opened", subject, detail)
    above = above_report(call, row=call.row, case=call.case, items=_items(document), grounds=objections.GROUNDS)
    return HTMLResponse(render.html(document, Markup(above)))  # noqa: S704 - drawn by our own autoescaping template


@router.post("/reports/{report_id}/{version}/objections")
def objected(
    call: Annotated[ReportCall, Depends(NeedsReport(Permission.object))],
    item: Annotated[str, Form(pattern=r"^(income|expense|asset|review)\.[0-9]{1,5}$")],
    ground: Annotated[Ground, Form()],
    again: Annotated[bool, Form()] = False,
) -> Response:
    """Record an objection; its rows are not used from now on, and the household is verified again if so wished."""
    found = objections.open_objection(
        call.site.store, call.row, _document(call), item, ground, call.visitor.office, call.site.now()
    )
    _remember(call, found.objection_id, "opened")
    return _then(call, f"异议 {found.objection_id}", again)


@router.get("/objections")
def listing(call: Annotated[Call, Depends(Needs(Permission.object))]) -> HTMLResponse:
    """Objections of the caller's divisions, those that have not ended first."""
    found = [one for one, _ in cases.objections_of(call.site.store, call.visitor.divisions)]
    found.sort(key=lambda one: (one.state == "closed", one.due_on, one.objection_id))
    return show(call, "objections.html.j2", objections=found, today=call.site.now().date())


@router.post("/objections/{objection_id}/answer")
def answered(
    call: Annotated[ObjectionCall, Depends(NeedsObjection(Permission.object))],
    outcome: Annotated[Literal["corrected", "confirmed"], Form()],
) -> Response:
    """Keep what the department answered."""
    name = call.objection.objection_id
    objections.answer(call.site.store, name, outcome, call.visitor.office, call.site.now())
    _remember(call, name, outcome)
    return to(call.request, "requests", call.case.request_id)


@router.post("/objections/{objection_id}/close")
def closed(
    call: Annotated[ObjectionCall, Depends(NeedsObjection(Permission.object))],
    taken_back: Annotated[bool, Form()] = False,
    again: Annotated[bool, Form()] = False,
) -> Response:
    """End an objection that was answered, or one that was taken back."""
    name = call.objection.objection_id
    objections.close(call.site.store, name, call.visitor.office, call.site.now(), taken_back=taken_back)
    _remember(call, name, "taken_back" if taken_back else "closed")
    return _then(call, f"异议 {name} 办结", again)


def _then(call: CaseCall, reason: str, again: bool) -> Response:
    """To the run that makes the new version, or back to the request."""
    if again and call.visitor.may(Permission.run):
        return to(call.request, "runs", running.start(call, reason, "admitted"))
    return to(call.request, "requests", call.case.request_id)


def _remember(call: CaseCall, objection_id: str, step: str) -> None:
    """Who it was: the objection's own events name the office only."""
    detail = {"by": call.visitor.name, "step": step, "request": call.case.request_id}
    call.site.remember("objection_recorded", f"{objection_id}/{step}/{secrets.token_hex(8)}", detail)


def _document(call: ReportCall) -> dict[str, Any]:
    return dict(json.loads(as_issued(call.site.ws, call.row)))


def _items(document: dict[str, Any]) -> list[tuple[str, str]]:
    """What can be objected to: everything that rests on rows."""
    names = {member["member"]: member["name"] for member in document["members"]}
    listed = (
        ("income", document["income"]["items"], "income_kind", "kind"),
        ("expense", document["expenses"], "expense_kind", "kind"),
        ("asset", document["assets"]["items"], "class", "class"),
        ("review", [one | {"no": no} for no, one in enumerate(document["conclusion"]["review"], 1)], "", "zh"),
    )
    return [
        (f"{kind}.{one['no']}", f"{one['no']} {_what(one, words, field)} {names.get(one['member'], '')}".strip())
        for kind, found, words, field in listed
        for one in found
        if one["facts"]
    ]


def _what(item: dict[str, Any], words: str, field: str) -> str:
    what = texts.text(words, item[field]).zh if words else item[field]
    detail = item.get("payer") or item.get("label") or item.get("display") or ""
    return f"{what} {detail}".strip()
