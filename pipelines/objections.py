"""Objections to items of a report: the rows are not used meanwhile, the department has ten working days (R69, R70).

An objection is opened against an item of an issued report, answered by the department that sent the rows, and closed;
each step is an event that is never overwritten. From the moment it is opened, every row of the item is disputed
wherever it is used; a status (a death, for example) is said of nobody. Closed as confirmed, or taken back, the rows
count again. Closed as corrected they stay out: the corrected data comes as other rows, with the next extract.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from pipelines.batch import Batch, write_json
from pipelines.errors import HeduiError
from pipelines.ledger import Entry, append_within
from pipelines.store import ReportRow, Store, find
from pipelines.tables import objection_events, objections
from pipelines.workdays import last_day

GROUNDS = ("not_mine", "wrong_amount", "ended_before", "counted_twice", "other")
ANSWERS = ("corrected", "confirmed")
TAKEN_BACK = "taken_back"
FROZEN = "frozen.json"


@dataclass(eq=False)
class NoSuchItemError(HeduiError):
    """A report has no such item, or one without rows."""

    item: str
    report: str

    zh = "报告 {report} 没有项目 {item}"
    en = "report {report} has no item {item}"
    todo = "see its items with: hedui report show REQUEST --why list (income.1, asset.2, …)"
    exit_code = 2


@dataclass(eq=False)
class UnknownObjectionError(HeduiError):
    """There is no such objection."""

    objection: str

    zh = "没有异议 {objection}"
    en = "there is no objection {objection}"
    todo = "see them with: hedui objection list"
    exit_code = 2


@dataclass(eq=False)
class ObjectionStepError(HeduiError):
    """A step does not follow from where an objection stands."""

    objection: str
    state: str
    step: str

    zh = "异议 {objection} 当前为 {state}，不能进行 {step}"
    en = "objection {objection} is {state}: it cannot be {step}"
    todo = "open → answered → closed, in the order of time; an open one may be closed as taken back"
    exit_code = 2


@dataclass(frozen=True)
class Objection:
    """An objection and where it stands.

    Attributes:
        item: income.N, asset.N or review.N of the report's version.
        rows: row digests that are not used meanwhile.
        due_on: the last day for the department.
        provisional: whether that day may still move, since the year's calendar is not published.
        events: what happened, in order: number, kind, at, actor, outcome.
    """

    objection_id: str
    request_id: str
    report_id: str
    version: int
    item: str
    dataset: str
    rows: tuple[str, ...]
    ground: str
    due_on: date
    provisional: bool
    events: tuple[dict[str, Any], ...] = ()

    @property
    def state(self) -> str:
        """open, answered or closed."""
        return "open" if self.events[-1]["kind"] == "opened" else str(self.events[-1]["kind"])

    @property
    def outcome(self) -> str | None:
        """The last outcome that was told."""
        told = [event["outcome"] for event in self.events if event["outcome"]]
        return told[-1] if told else None

    def overdue(self, on: date) -> bool:
        """Whether the department's days have passed without an answer."""
        return self.state == "open" and on > self.due_on

    def document(self, on: date) -> dict[str, Any]:
        """As JSON, as of a day."""
        plain = {key: value for key, value in vars(self).items() if key not in ("rows", "due_on")}
        told = {"state": self.state, "outcome": self.outcome, "due_on": self.due_on.isoformat()}
        return plain | told | {"overdue": self.overdue(on), "frozen_rows": len(self.rows)}


def open_objection(
    store: Store, row: ReportRow, document: dict[str, Any], item: str, ground: str, actor: str, at: datetime
) -> Objection:
    """Open an objection against an item of a report; the same once more changes nothing.

    Args:
        store: the case store.
        row: the report's version.
        document: its content.
        item: ``income.3``, ``expense.1``, ``asset.2``, or ``review.1`` for the rows of a review reason (a death, say).
        ground: one of GROUNDS.
        actor: code of the office that took the objection.
        at: the moment; the department's days begin on the day after.

    Raises:
        NoSuchItemError: the report has no such item.
        CalendarEndsError: the term ends outside the official calendar (R70).
    """
    digests, dataset, about = _rows(document, item)
    if not digests:
        raise NoSuchItemError(item, f"{row.report_id}-{row.version}")
    term = document["objection"]
    due = last_day(at.date(), int(term["days"]), str(term["unit"]))
    name = hashlib.sha256(f"{row.report_id} {row.version} {item} {at.isoformat()}".encode()).hexdigest()[:12].upper()
    opened = Objection(
        f"OB{name}", row.request_id, row.report_id, row.version, item, dataset, digests, ground, due.on, due.provisional
    )
    values = vars(opened) | {"rows": json.dumps(list(digests))}
    del values["events"]
    with store.begin() as connection:
        if connection.execute(sa.select(objections).where(objections.c.objection_id == opened.objection_id)).first():
            return _one(connection, opened.objection_id)
        connection.execute(objections.insert(), [values])
        _happened(connection, store, opened, "opened", actor, at, None, about)
        return _one(connection, opened.objection_id)


def answer(store: Store, objection_id: str, outcome: str, actor: str, at: datetime) -> Objection:
    """Keep what the department answered: corrected or confirmed.

    Raises:
        UnknownObjectionError, ObjectionStepError: as they say.
    """
    return _step(store, objection_id, "answered", outcome, actor, at)


def close(store: Store, objection_id: str, actor: str, at: datetime, *, taken_back: bool = False) -> Objection:
    """Close an objection that was answered, or one that was taken back; the request is verified anew after it.

    Raises:
        UnknownObjectionError, ObjectionStepError: as they say.
    """
    return _step(store, objection_id, "closed", TAKEN_BACK if taken_back else None, actor, at)


def _step(store: Store, objection_id: str, kind: str, outcome: str | None, actor: str, at: datetime) -> Objection:
    with store.begin() as connection:
        found = _one(connection, objection_id)
        allowed = {"answered": ("open",), "closed": ("open",) if outcome == TAKEN_BACK else ("answered",)}[kind]
        earlier = datetime.fromisoformat(found.events[-1]["at"]) > at
        if found.state not in allowed or earlier:
            raise ObjectionStepError(objection_id, found.state, kind)
        _happened(connection, store, found, kind, actor, at, outcome)
        return _one(connection, objection_id)


def _happened(
    connection: sa.Connection, store: Store, found: Objection, kind: str, actor: str, at: datetime, outcome: str | None,
    about: Mapping[str, object] = MappingProxyType({}),
) -> None:  # fmt: skip
    """One event, and its entry in the ledger, which tells for good which rule was objected to (R77)."""
    number, now = len(found.events) + 1, store.now()
    event = {"objection_id": found.objection_id, "number": number, "kind": kind, "at": at.isoformat(), "actor": actor}
    connection.execute(objection_events.insert(), [event | {"outcome": outcome, "received_at": now}])
    detail = {"kind": kind, "outcome": outcome, "dataset": found.dataset, "rows": len(found.rows), "at": at.isoformat()}
    entry = Entry("objection", "", f"{found.objection_id}/{number}", detail | dict(about))
    append_within(connection, [entry], now)


def listed(store: Store, request_id: str | None = None) -> list[Objection]:
    """All objections, or those of a request, by their first moment."""
    query = sa.select(objections)
    if request_id is not None:
        query = query.where(objections.c.request_id == request_id)
    with store.read() as connection:
        found = [_with_events(connection, row) for row in connection.execute(query).all()]
    return sorted(found, key=lambda one: (one.events[0]["at"], one.objection_id))


def events_between(store: Store, request_id: str, after: datetime, until: datetime) -> list[dict[str, Any]]:
    """What happened to a request's objections from one moment to another, with the dataset of each."""
    found = [
        event | {"dataset": one.dataset, "objection_id": one.objection_id}
        for one in listed(store, request_id)
        for event in one.events
        if after < datetime.fromisoformat(event["at"]) <= until
    ]
    return sorted(found, key=lambda event: (event["at"], event["objection_id"], event["number"]))


def frozen_at_assessment(batch: Batch, store: Store) -> list[tuple[str, str]]:
    """Row digests that are disputed as of the batch's moment, with the reason; as they were at the first call (R66)."""
    file = batch.folder / FROZEN
    if not file.exists():
        reasons: dict[str, str] = {}
        for one in listed(store):
            if reason := _reason(one, batch.as_of):
                reasons |= dict.fromkeys((d for d in one.rows if reasons.get(d) != "under_objection"), reason)
        write_json(file, sorted(reasons.items()))
    return [(digest, reason) for digest, reason in json.loads(file.read_text("utf-8"))]


def _reason(one: Objection, at: datetime) -> str | None:
    """Why an objection's rows are disputed at a moment, if they are."""
    past = [event for event in one.events if datetime.fromisoformat(event["at"]) <= at]
    if not past:
        return None
    if past[-1]["kind"] != "closed":
        return "under_objection"
    outcomes = [event["outcome"] for event in past if event["outcome"]]
    return "correction_awaited" if outcomes[-1] == "corrected" else None


def _rows(document: dict[str, Any], item: str) -> tuple[tuple[str, ...], str, dict[str, object]]:
    """The row digests of an item, the dataset that they are of, and the rule and reason of the item."""
    kind, _, number = item.removeprefix("item.").partition(".")
    listed: dict[str, Sequence[dict[str, Any]]] = {
        "income": document["income"]["items"],
        "expense": document.get("expenses", []),
        "asset": document["assets"]["items"],
        "review": [reason | {"no": no} for no, reason in enumerate(document["conclusion"]["review"], 1)],
    }
    for one in listed.get(kind, ()):
        if str(one["no"]) == number and one["facts"]:
            named = {e["id"]: s["dataset"] for s in document["sources"] for e in s["extracts"]}
            dataset = one.get("dataset") or named.get(one["facts"][0]["extract"], "")
            about = {"rule": one.get("rule"), "reason": one.get("code") or one.get("reason")}
            return tuple(sorted({fact["row_digest"] for fact in one["facts"]})), str(dataset), about
    return (), "", {}


def _one(connection: sa.Connection, objection_id: str) -> Objection:
    row = next(find(connection, objections, "objection_id", [objection_id]), None)
    if row is None:
        raise UnknownObjectionError(objection_id)
    return _with_events(connection, row)


def _with_events(connection: sa.Connection, row: sa.Row) -> Objection:
    table = objection_events
    columns = (table.c.number, table.c.kind, table.c.at, table.c.actor, table.c.outcome)
    query = sa.select(*columns).where(table.c.objection_id == row.objection_id).order_by(table.c.number)
    events = tuple(dict(event) for event in connection.execute(query).mappings())
    return Objection(**dict(row._mapping) | {"rows": tuple(json.loads(row.rows)), "events": events})
