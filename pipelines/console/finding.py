"""Home, finding a request, and one request: where it is, what it waits for, what its sources answered."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query
from fastapi.responses import HTMLResponse, Response

from pipelines.console import answered, cases, people, running
from pipelines.console.access import Permission
from pipelines.console.forms import Reason
from pipelines.console.guard import Call, CaseCall, Needs, NeedsCase
from pipelines.console.pages import show, to
from pipelines.errors import HeduiError
from pipelines.objections import listed
from pipelines.request_rules import holds_identifier

router = APIRouter()


@router.get("/")
def home(call: Annotated[Call, Depends(Needs(Permission.home))]) -> HTMLResponse:
    """What waits for somebody of these divisions."""
    counts = {}
    if call.visitor.may(Permission.requests):
        counts = {
            which: cases.page(call.site.store, call.visitor.divisions, which)[1]
            for which in ("unverified", "undelivered", "refused", "objected")
        }
    waiting = len(running.questions(call)) if call.visitor.may(Permission.approve) else 0
    return show(call, "home.html.j2", counts=counts, waiting=waiting)


@router.get("/requests")
def requests(
    call: Annotated[Call, Depends(Needs(Permission.requests))],
    which: Annotated[str, Query(pattern="^[a-z]+$")] = "all",
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> HTMLResponse:
    """Requests of the caller's divisions, a page at a time."""
    found, total = cases.page(call.site.store, call.visitor.divisions, which, page)
    pages = max(1, -(-total // cases.PAGE))
    return show(call, "requests.html.j2", found=found, total=total, which=which, page=page, pages=pages)


@router.post("/search")
def search(
    call: Annotated[Call, Depends(Needs(Permission.requests))], term: Annotated[str, Form(max_length=64)]
) -> Response:
    """A request by its id; what is typed is sent as a form, since somebody will type an ID number."""
    wanted = term.strip()
    found = None if holds_identifier(wanted) else cases.one(call.site.store, wanted)
    if found is not None and call.visitor.sees(found.division):
        return to(call.request, "requests", found.request_id)
    return show(call, "search.html.j2", found=[], searched=True)


@router.post("/persons")
def person(
    call: Annotated[Call, Depends(Needs(Permission.persons))],
    id_number: Annotated[str, Form(max_length=64)],
    purpose: Reason,
) -> HTMLResponse:
    """Requests that somebody is a member of, by their number; it stands in the ledger before anything is shown."""
    found = people.requests_of(call.site, call.visitor, id_number, purpose)
    return show(call, "search.html.j2", found=found, searched=True)


@router.get("/requests/{request_id}")
def request(call: Annotated[CaseCall, Depends(NeedsCase(Permission.requests))]) -> HTMLResponse:
    """One request."""
    return _request(call, [])


@router.post("/requests/{request_id}/members")
def reveal(call: Annotated[CaseCall, Depends(NeedsCase(Permission.persons))], purpose: Reason) -> HTMLResponse:
    """The same with names and numbers; it stands in the ledger before it is shown."""
    return _request(call, people.members_of(call.site, call.visitor, call.case, purpose))


def _request(call: CaseCall, members: list[people.Shown]) -> HTMLResponse:
    site, case = call.site, call.case
    issued = cases.versions(site.store, case.request_id)
    sources: list[answered.SourceOfRequest] = []
    gone: HeduiError | None = None
    if issued:
        try:
            sources = answered.of_request(site, site.batch(issued[0].batch_id), case.request_id)
        except HeduiError as error:
            gone = error
    return show(
        call, "request.html.j2", case=case, versions=issued, sources=sources, gone=gone, members=members,
        under_way=cases.under_way(site, case.request_id), objections=listed(site.store, case.request_id),
        states=answered.STATES, today=site.now().date(),
    )  # fmt: skip
