"""Requests as the case store has them, and where each stands; whoever asks says for which divisions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from pipelines.batch import Batch
from pipelines.console.site import Site
from pipelines.objections import Objection, listed
from pipelines.plan_tables import SELECTION
from pipelines.store import Store, find
from pipelines.tables import batches, members, objection_events, objections, outbox, receipts, reports, requests
from pipelines.verify import STAGES

PAGE = 50
FILTERS = ("all", "unverified", "undelivered", "refused", "objected", "withdrawn")


@dataclass(frozen=True)
class Case:
    """The newest application under a request's id.

    Attributes:
        version: of its newest report; None if there is none.
        delivery: state of that report in the outbox.
        objected: whether an objection has not ended.
    """

    request_id: str
    application: int
    programme: str
    division: str
    area_kind: str
    application_date: date
    reference_date: date
    state: str
    received_at: str
    version: int | None = None
    delivery: str | None = None
    objected: bool = False

    @property
    def waits_for(self) -> str:
        """Code of what the request waits for, of kind ``waits`` in the console's texts."""
        if self.state != "open":
            return self.state
        if self.version is None:
            return "verification"
        if self.objected:
            return "objection"
        return {"pending": "delivery", "refused": "refused", "cancelled": "cancelled"}.get(self.delivery or "", "none")


@dataclass(frozen=True)
class Version:
    """One version of a request's report, and what became of its delivery."""

    report_id: str
    version: int
    batch_id: str
    as_of: str
    state: str
    attempts: int
    last_error: str | None
    received_at: str | None


def within(divisions: Sequence[str]) -> sa.ColumnElement[bool]:
    """Requests of some divisions, given by the digits that their codes begin with; of none, nothing."""
    return sa.or_(sa.false(), *(requests.c.division.startswith(code, autoescape=True) for code in divisions))


def one(store: Store, request_id: str) -> Case | None:
    """The newest application of a request, whatever its division."""
    with store.read() as connection:
        row = connection.execute(_listing().where(requests.c.request_id == request_id)).first()
    return Case(**row._mapping) if row else None


def page(store: Store, divisions: Sequence[str], which: str = "all", number: int = 1) -> tuple[list[Case], int]:
    """One page of the requests of some divisions, the newest first, and how many there are in all."""
    query = _listing().where(within(divisions), _filtered(which))
    ordered = query.order_by(requests.c.application_date.desc(), requests.c.request_id)
    with store.read() as connection:
        total = connection.scalar(sa.select(sa.func.count()).select_from(query.subquery())) or 0
        rows = connection.execute(ordered.limit(PAGE).offset((number - 1) * PAGE)).all()
    return [Case(**row._mapping) for row in rows], total


def of_person(store: Store, divisions: Sequence[str], person: str) -> list[Case]:
    """Requests in which somebody is a member, by the token of the current key epoch."""
    named = sa.select(members.c.request_id).where(members.c.person == person)
    query = _listing().where(within(divisions), requests.c.request_id.in_(named)).order_by(requests.c.request_id)
    with store.read() as connection:
        return [Case(**row._mapping) for row in connection.execute(query)]


def _listing() -> sa.Select[Any]:
    """Every request once, in its newest application, with its newest report and that report's delivery."""
    newest = sa.select(requests.c.request_id, sa.func.max(requests.c.application).label("application"))
    newest_of = newest.group_by(requests.c.request_id).subquery("newest")
    latest = sa.select(reports.c.request_id, sa.func.max(reports.c.version).label("version"))
    latest_of = latest.group_by(reports.c.request_id).subquery("latest")
    issued = sa.and_(reports.c.request_id == latest_of.c.request_id, reports.c.version == latest_of.c.version)
    sent = sa.and_(outbox.c.report_id == reports.c.report_id, outbox.c.version == reports.c.version)
    same = sa.and_(requests.c.request_id == newest_of.c.request_id, requests.c.application == newest_of.c.application)
    columns = [requests.c[name] for name in Case.__dataclass_fields__ if name in requests.c]
    joined = requests.join(newest_of, same).outerjoin(latest_of, latest_of.c.request_id == requests.c.request_id)
    return sa.select(
        *columns, latest_of.c.version, outbox.c.state.label("delivery"), _objected().label("objected")
    ).select_from(joined.outerjoin(reports, issued).outerjoin(outbox, sent))


def _objected() -> sa.ColumnElement[bool]:
    """Whether some objection of the request has no end."""
    ended = sa.select(objection_events.c.objection_id).where(objection_events.c.kind == "closed")
    unended = sa.select(objections.c.objection_id).where(
        objections.c.request_id == requests.c.request_id, objections.c.objection_id.not_in(ended)
    )
    return unended.exists()


def _filtered(which: str) -> sa.ColumnElement[bool]:
    is_open = requests.c.state == "open"
    return {
        "unverified": sa.and_(is_open, reports.c.report_id.is_(None)),
        "undelivered": sa.and_(is_open, outbox.c.state == "pending"),
        "refused": outbox.c.state == "refused",
        "objected": _objected(),
        "withdrawn": requests.c.state == "withdrawn",
    }.get(which, sa.true())


def versions(store: Store, request_id: str) -> list[Version]:
    """Every version of a request's report, the newest first."""
    sent = sa.and_(outbox.c.report_id == reports.c.report_id, outbox.c.version == reports.c.version)
    got = sa.and_(receipts.c.report_id == reports.c.report_id, receipts.c.version == reports.c.version)
    columns = (
        reports.c.report_id, reports.c.version, reports.c.batch_id, batches.c.as_of, outbox.c.state,
        outbox.c.attempts, outbox.c.last_error, receipts.c.received_at,
    )  # fmt: skip
    query = (
        sa.select(*columns)
        .select_from(
            reports.join(outbox, sent).join(batches, batches.c.batch_id == reports.c.batch_id).outerjoin(receipts, got)
        )
        .where(reports.c.request_id == request_id)
        .order_by(reports.c.version.desc())
    )
    with store.read() as connection:
        return [Version(**row._mapping) for row in connection.execute(query)]


def objections_of(store: Store, divisions: Sequence[str]) -> list[tuple[Objection, str]]:
    """Objections of some divisions with the division of each."""
    found = listed(store)
    with store.read() as connection:
        rows = find(connection, requests, "request_id", [one.request_id for one in found], within(divisions))
        of_request = {row.request_id: row.division for row in rows}
    return [(one, of_request[one.request_id]) for one in found if one.request_id in of_request]


def under_way(site: Site, request_id: str) -> list[tuple[Batch, str]]:
    """Batches that have the request and are not through, each with the stage that comes next."""
    found = []
    for folder in sorted(site.ws.batches.glob("*/batch.json")):
        batch = Batch.open(site.ws.batches, folder.parent.name)
        stage = next((name for name in STAGES if name != "quality" and not batch.done(name)), None)
        if stage is not None and request_id in _selected(batch.folder / SELECTION):
            found.append((batch, stage))
    return found


@lru_cache(16)
def _selected(file: Path) -> frozenset[str]:
    """Requests of a batch; the list never changes once it is there."""
    return frozenset(request_id for request_id, _ in json.loads(file.read_text("utf-8")))


def divisions_of_run(site: Site, asked: Mapping[str, Any]) -> list[str]:
    """The divisions that a run speaks of: of its requests, else the one it was told, else the site's."""
    if named := asked.get("requests"):
        return sorted(set(_divisions(site.store, [str(one) for one in named])))
    return [str(asked.get("division") or site.ws.settings.division)]


def _divisions(store: Store, request_ids: Sequence[str]) -> Iterator[str]:
    with store.read() as connection:
        for row in find(connection, requests, "request_id", request_ids, columns=("division",)):
            yield row.division
