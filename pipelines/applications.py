"""Lines of a chunk against what the case store has: known, new, changed, superseding, withdrawn (R31, R32).

Everything is decided in the order of the lines, in memory, and written in the same transaction: a chunk is in the
store as a whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

import sqlalchemy as sa

from pipelines import tables
from pipelines.ledger import Entry, append_within
from pipelines.request_rules import Person
from pipelines.requests import Problem, Request, Withdrawal
from pipelines.store import find, insert_many, insert_new

WHOLE_REQUEST = 0


@dataclass
class Application:
    """One application as the store knows it."""

    request_id: str
    number: int
    digest: str | None
    dated: date
    state: str
    members: frozenset[int]


class Candidate(NamedTuple):
    """A request's line, ready to be judged; ``digest`` is None if its structure was wrong."""

    request: Request
    persons: Sequence[Person]
    digest: str | None
    sealed: bytes | None
    problems: tuple[Problem, ...]


@dataclass
class Applications:
    """The store's applications that a chunk speaks of, and what the chunk does to them.

    Attributes:
        epoch: key epoch of the persons' tokens.
        at: the moment that goes into ``received_at``.
    """

    connection: sa.Connection
    epoch: int
    at: str
    _known: dict[str, list[Application]] = field(default_factory=dict)
    _used: dict[str, tuple[str, int]] = field(default_factory=dict)
    _new: dict[tuple[str, int], Candidate] = field(default_factory=dict)
    _changed: set[tuple[str, int]] = field(default_factory=set)
    _withdrawals: list[dict[str, object]] = field(default_factory=list)

    def load(self, request_ids: Sequence[str], authorisation_ids: Sequence[str], withdrawn: Sequence[str]) -> None:
        """Look up what the chunk names: requests, authorisations, and the members of requests to be withdrawn."""
        members: dict[tuple[str, int], set[int]] = {}
        for row in find(self.connection, tables.members, "request_id", withdrawn):
            members.setdefault((row.request_id, row.application), set()).add(row.member_no)
        names = ("request_id", "application", "document_digest", "application_date", "state")
        for row in find(self.connection, tables.requests, "request_id", request_ids, columns=names):
            held = frozenset(members.get((row.request_id, row.application), ()))
            dated, digest = row.application_date, row.document_digest
            found = Application(row.request_id, row.application, digest, dated, row.state, held)
            self._known.setdefault(row.request_id, []).append(found)
        for row in find(self.connection, tables.authorisations, "authorisation_id", authorisation_ids):
            self._used[row.authorisation_id] = (row.request_id, row.application)

    def add(self, candidate: Candidate) -> tuple[str, tuple[Problem, ...]]:
        """Judge one request; returns ``known``, ``accepted`` or ``refused`` with all its problems."""
        request_id = candidate.request.request_id
        known = self._known.get(request_id, []) if request_id else []
        if candidate.digest is not None and any(a.digest == candidate.digest for a in known):
            return "known", ()
        found = (*candidate.problems, *self._problems(candidate.request, known))
        if found:
            return "refused", found
        self._accept(candidate, known)
        return "accepted", ()

    def withdraw(self, withdrawal: Withdrawal, today: date) -> tuple[str, tuple[Problem, ...]]:
        """Judge one withdrawal; returns ``withdrawn``, ``known`` or ``refused`` with its problem."""
        if withdrawal.on > today:
            return "refused", (Problem("in_future", "withdrawal.on"),)
        known = self._known.get(withdrawal.request_id, [])
        application = max(known, key=lambda a: a.number, default=None)
        if application is None or application.state not in ("open", "withdrawn"):
            return "refused", (Problem("unknown_request", "withdrawal.request_id"),)
        if withdrawal.member_no is not None and withdrawal.member_no not in application.members:
            return "refused", (Problem("unknown_member", "withdrawal.member_no"),)
        if application.state == "withdrawn":
            return "known", ()
        if withdrawal.member_no is None:
            application.state = "withdrawn"
            self._changed.add((application.request_id, application.number))
        row: dict[str, object] = {
            "request_id": application.request_id,
            "application": application.number,
            "member_no": withdrawal.member_no or WHOLE_REQUEST,
            "withdrawn_on": withdrawal.on,
            "received_at": self.at,
        }
        if self._is_known(row):
            return "known", ()
        self._withdrawals.append(row)
        return "withdrawn", ()

    def write(self) -> None:
        """Write everything that was decided."""
        requests = tables.requests
        states = {(a.request_id, a.number): a.state for each in self._known.values() for a in each}
        if moved := sorted(self._changed - self._new.keys()):
            # First of all: only one application of a request may be open at any moment.
            which = sa.and_(requests.c.request_id == sa.bindparam("r"), requests.c.application == sa.bindparam("a"))
            update = requests.update().where(which).values(state=sa.bindparam("to"))
            self.connection.execute(update, [{"r": key[0], "a": key[1], "to": states[key]} for key in moved])
        if self._new:
            new = self._new.items()
            insert_many(self.connection, requests, [self._request(*k, states[k], c) for k, c in new])
            insert_many(self.connection, tables.members, [row for k, c in new for row in self._members(*k, c)])
            rows = [row for k, c in new for row in _authorisations(*k, c)]
            insert_many(self.connection, tables.authorisations, rows)
        self._write_withdrawals()

    def _problems(self, request: Request, known: Sequence[Application]) -> Iterator[Problem]:
        latest = max((a.dated for a in known), default=None)
        if latest is not None and request.application_date is not None and request.application_date <= latest:
            yield Problem("changed_request", "request_id")
        for i, member in enumerate(request.members or ()):
            if member.authorisation and member.authorisation.authorisation_id in self._used:
                yield Problem("authorisation_used", f"members[{i}].authorisation.authorisation_id")

    def _accept(self, candidate: Candidate, known: list[Application]) -> None:
        request = candidate.request
        for application in known:
            if application.state == "open":
                application.state = "superseded"
                self._changed.add((application.request_id, application.number))
        number = len(known) + 1
        members = frozenset(member.member_no for member in request.members)
        new = Application(request.request_id, number, candidate.digest, request.application_date, "open", members)
        self._known.setdefault(request.request_id, []).append(new)
        self._new[(request.request_id, number)] = candidate
        for member in request.members:
            if member.authorisation:
                self._used[member.authorisation.authorisation_id] = (request.request_id, number)

    def _is_known(self, row: Mapping[str, object]) -> bool:
        key = ("request_id", "application", "member_no")
        if any(all(other[k] == row[k] for k in key) for other in self._withdrawals):
            return True
        where = sa.and_(*(tables.withdrawals.c[k] == row[k] for k in key))
        return self.connection.execute(sa.select(tables.withdrawals.c.request_id).where(where)).first() is not None

    def _write_withdrawals(self) -> None:
        table = tables.authorisations
        entries = []
        for row in self._withdrawals:
            where = [table.c.request_id == row["request_id"], table.c.application == row["application"]]
            if row["member_no"] != WHOLE_REQUEST:
                where.append(table.c.member_no == row["member_no"])
            update = table.update().where(*where, table.c.withdrawn_on.is_(None))
            changed = self.connection.execute(update.values(withdrawn_on=row["withdrawn_on"])).rowcount
            subject = f"{row['request_id']}/{row['application']}/{row['member_no']}"
            detail = {"on": str(row["withdrawn_on"]), "authorisations": changed}
            entries.append(Entry("withdrawal", "", subject, detail))
        insert_new(self.connection, tables.withdrawals, self._withdrawals)
        if entries:
            append_within(self.connection, entries, self.at)

    def _request(self, request_id: str, number: int, state: str, candidate: Candidate) -> dict[str, object]:
        request = candidate.request
        return {
            "request_id": request_id,
            "application": number,
            "programme": request.programme,
            "division": request.division,
            "area_kind": request.area_kind,
            "application_date": request.application_date,
            "reference_date": request.reference_date or request.application_date,
            "requester": request.requester,
            "purpose": request.purpose,
            "state": state,
            "received_at": self.at,
            "document": candidate.sealed,
            "document_digest": candidate.digest,
        }

    def _members(self, request_id: str, number: int, candidate: Candidate) -> Iterator[dict[str, object]]:
        for member, person in zip(candidate.request.members, candidate.persons, strict=True):
            yield {
                "request_id": request_id,
                "application": number,
                "member_no": member.member_no,
                "role": member.role,
                "person": person.token,
                "epoch": self.epoch,
            }


def _authorisations(request_id: str, number: int, candidate: Candidate) -> Iterator[dict[str, object]]:
    for member in candidate.request.members:
        if given := member.authorisation:
            yield {
                "authorisation_id": given.authorisation_id,
                "request_id": request_id,
                "application": number,
                "member_no": member.member_no,
                "signed_on": given.signed_on,
                "valid_until": given.valid_until,
                "scope": ",".join(given.scope),
            }
