"""Over all requests: what the sources answered, the outbox, the ledger."""

from __future__ import annotations

import json
import secrets
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query
from fastapi.responses import HTMLResponse, Response

from pipelines.console import airflow_api, answered, cases
from pipelines.console.access import Permission, Role
from pipelines.console.forms import Reason
from pipelines.console.guard import Call, Needs, NeedsReport, NoSuchThingError, ReportCall
from pipelines.console.pages import show, to, words
from pipelines.errors import HeduiError
from pipelines.ledger import Entry, append_within
from pipelines.tables import OUTBOX_STATES, batches, ledger, outbox, reports, requests

router = APIRouter()
SMALLEST = 5  # counts below it are not shown to auditors
BATCHES, ENTRIES = 30, 200


@router.get("/coverage")
def coverage(
    call: Annotated[Call, Depends(Needs(Permission.coverage))],
    batch: Annotated[str | None, Query(pattern="^[A-Za-z0-9._-]{1,64}$")] = None,
) -> HTMLResponse:
    """Members by source and answer, of the caller's divisions, in one batch: the newest if none is named."""
    query = sa.select(batches.c.batch_id, batches.c.as_of, batches.c.requests).order_by(
        batches.c.as_of.desc(), batches.c.batch_id
    )
    with call.site.store.read() as connection:
        known = connection.execute(query.limit(BATCHES)).all()
    chosen = next((row for row in known if batch in (None, row.batch_id)), None)
    counts: dict[str, dict[str, int]] = {}
    gone: HeduiError | None = None
    if chosen is not None:
        try:
            found = call.site.batch(chosen.batch_id)
            counts = answered.of_batch(call.site, found, call.visitor.divisions)
        except HeduiError as error:
            gone = error
    shown = [state for state in answered.STATES if any(state in states for states in counts.values())]
    least = SMALLEST if call.visitor.roles == {Role.auditor} else 0
    return show(
        call, "coverage.html.j2", batches=known, chosen=chosen, counts=counts, states=shown, least=least, gone=gone
    )


@router.get("/outbox")
def waiting(
    call: Annotated[Call, Depends(Needs(Permission.outbox))],
    state: Annotated[str, Query(pattern="^(pending|delivered|refused|cancelled)$")] = "pending",
) -> HTMLResponse:
    """Reports of the caller's divisions by the state of their delivery."""
    own = _outbox().where(cases.within(call.visitor.divisions))
    reported = own.subquery()
    counted = sa.select(reported.c.state, sa.func.count()).group_by(reported.c.state)
    with call.site.store.read() as connection:
        counts: dict[str, int] = {row[0]: row[1] for row in connection.execute(counted)}
        rows = connection.execute(
            own.where(outbox.c.state == state).order_by(reports.c.request_id).limit(ENTRIES)
        ).all()
    return show(call, "outbox.html.j2", rows=rows, counts=counts, state=state, states=OUTBOX_STATES, most=ENTRIES)


@router.post("/reports/{report_id}/{version}/again")
def again(call: Annotated[ReportCall, Depends(NeedsReport(Permission.resend))], reason: Reason) -> Response:
    """Put a report that was refused, or that did not reach its receiver, back into the outbox; wake the delivery."""
    row, name = call.row, call.visitor.name
    mine = sa.and_(outbox.c.report_id == row.report_id, outbox.c.version == row.version)
    movable = outbox.c.state.in_(("refused", "delivered"))
    detail = {"by": name, "reason": reason, "request": call.case.request_id}
    subject = f"{row.report_id}/{row.version}/{name}/{secrets.token_hex(8)}"
    with call.site.store.begin() as connection:
        changed = connection.execute(outbox.update().where(mine, movable).values(state="pending", delivery=None))
        if not changed.rowcount:
            raise NoSuchThingError
        append_within(connection, [Entry("delivery_repeated", row.batch_id, subject, detail)], call.site.store.now())
    airflow_api.trigger(call.request, airflow_api.DELIVER, {})
    return to(call.request, "outbox")


@router.get("/ledger")
def entries(
    call: Annotated[Call, Depends(Needs(Permission.ledger))],
    kind: Annotated[str | None, Query(pattern="^[a-z_]{1,40}$")] = None,
) -> HTMLResponse:
    """What people did in the console, the newest first."""
    kinds = tuple(words()["action"])
    query = sa.select(ledger).where(ledger.c.kind.in_([kind] if kind in kinds else kinds))
    with call.site.store.read() as connection:
        rows = connection.execute(query.order_by(ledger.c.seq.desc()).limit(ENTRIES)).all()
    own = [entry for entry in map(_entry, rows) if _is_own(call, entry)]
    return show(call, "ledger.html.j2", entries=own, kinds=kinds, kind=kind, most=ENTRIES)


def _outbox() -> sa.Select[Any]:
    """Newest applications' reports with the state of their delivery."""
    newest = sa.select(requests.c.request_id, sa.func.max(requests.c.application).label("application"))
    newest_of = newest.group_by(requests.c.request_id).subquery("newest")
    sent = sa.and_(outbox.c.report_id == reports.c.report_id, outbox.c.version == reports.c.version)
    same = sa.and_(requests.c.request_id == newest_of.c.request_id, requests.c.application == newest_of.c.application)
    columns = (outbox.c.state, outbox.c.attempts, outbox.c.last_error, outbox.c.batch_id, reports.c.request_id)
    joined = reports.join(outbox, sent).join(requests, requests.c.request_id == reports.c.request_id)
    return sa.select(*columns, reports.c.report_id, reports.c.version, requests.c.division).select_from(
        joined.join(newest_of, same)
    )


def _entry(row: sa.Row[Any]) -> dict[str, Any]:
    """One entry with its detail as fields."""
    return {"at": row.at, "kind": row.kind, "subject": row.subject, "told": json.loads(row.detail)}


def _is_own(call: Call, entry: dict[str, Any]) -> bool:
    """Whether all requests that an entry names are of the caller's divisions; it may name none."""
    told = entry["told"]
    if told.get("division") and not call.visitor.sees(str(told["division"])):
        return False
    named = [told["request"]] if "request" in told else told.get("requests", [])
    found = [cases.one(call.site.store, str(one)) for one in named] if isinstance(named, list) else []
    return all(case is not None and call.visitor.sees(case.division) for case in found)
