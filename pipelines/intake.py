"""Intake: lines of the case system into the case store, the bad ones back with every error, the good ones go on.

A chunk of lines is read, its identifiers turned into tokens in one call, judged and written in one transaction.
What was taken in before is recognised, a file by its digest, a request by the keyed digest of its canonical text.
So an intake that was killed is run again and ends as if it had never died.
"""

from __future__ import annotations

import gc
import hmac
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from itertools import islice

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
import structlog

from connectors.case_model import Incoming
from connectors.case_systems import reports_end, requests_end
from connectors.contract import load_contracts
from pipelines import tables
from pipelines.applications import Applications, Candidate
from pipelines.identifiers import WITH_BIRTH, IdKind, IdProblem, classify
from pipelines.keys import KeyRing
from pipelines.ledger import Entry, append_within
from pipelines.opening import DOCUMENTS, DOCUMENTS_KEY
from pipelines.policy import (
    Pack,
    PolicyDateError,
    PolicyEndedError,
    PolicyMissingError,
    load_pack,
    pack_folder,
    resolve,
)
from pipelines.pseudonyms import Tokeniser
from pipelines.request_rules import Context, Person, PolicyAnswer, holds_identifier, problems
from pipelines.requests import Line, Member, Problem, read_line
from pipelines.sealing import seal
from pipelines.settings import Workspace
from pipelines.store import Store, insert_new
from pipelines.store_tokens import require_cipher, require_epoch, token_texts

CHUNK_LINES = 5_000
DIGEST_PURPOSE = "request-digest"
_log = structlog.get_logger()


@dataclass
class Counts:
    """Lines of an intake by what became of them."""

    lines: int = 0
    accepted: int = 0
    known: int = 0
    withdrawn: int = 0
    refused: int = 0


@dataclass
class IntakeResult(Counts):
    """What an intake did; ``refusals`` says where the refused lines went."""

    files: int = 0
    refusals: list[str] = field(default_factory=list)


def run(ws: Workspace, at: datetime, progress: Callable[[int], None] = lambda lines: None) -> IntakeResult:
    """Take in everything that the case system has.

    Args:
        ws: the workspace.
        at: the moment of the intake; no application may be dated later.
        progress: called with the number of lines done, after each chunk.

    Raises:
        CaseSystemUnavailableError: the case system could not be reached; what was done is kept.
        RotationUnfinishedError: the key epoch changed meanwhile; what was done is kept.
        TokenCipherChangedError: the store's tokens were made with another cipher.
    """
    total = IntakeResult()
    store = Store.open(ws.store_url)
    try:
        require_cipher(store, ws.settings.token_cipher)
        reader = _Reader.open(ws, store, at)
        back = reports_end(ws)
        for incoming in requests_end(ws).incoming():
            if reader.has_read(incoming.digest):
                continue
            counts, refused = reader.read(incoming, lambda done: progress(total.lines + done))
            if refused:
                total.refusals.append(back.refuse(incoming.digest, refused))
            # Only now: killed before this, the file is read again and the same refusals are handed back.
            reader.finish(incoming, counts)
            total.files += 1
            for name, value in vars(counts).items():
                setattr(total, name, getattr(total, name) + value)
    finally:
        store.close()
    return total


@dataclass
class _Reader:
    """What a line is read and judged with."""

    store: Store
    at: datetime
    tokeniser: Tokeniser
    context: Context
    seal_key: bytes
    digest_key: bytes

    @classmethod
    def open(cls, ws: Workspace, store: Store, at: datetime) -> _Reader:
        settings = ws.settings
        keyring = KeyRing.open(settings.keys, ws.root)
        contracts = load_contracts(ws.contracts)
        pack = load_pack(pack_folder(settings.policy_pack, ws.policies))
        # a department that a programme names may be authorised before its contract is there
        named = {dataset for programme in pack.programmes.values() for dataset in programme.sources}
        departments = frozenset(dataset.split("/")[0] for dataset in {*contracts, *named})
        return cls(
            store,
            at,
            Tokeniser(keyring, keyring.epoch, settings.token_cipher, at.date()),
            Context(at.date(), departments, policy_answers(pack)),
            keyring.seal_key(DOCUMENTS_KEY),
            keyring.key(DIGEST_PURPOSE),
        )

    def has_read(self, digest: str) -> bool:
        query = sa.select(tables.intakes.c.digest).where(tables.intakes.c.digest == digest)
        with self.store.read() as connection:
            return connection.execute(query).first() is not None

    def read(self, incoming: Incoming, progress: Callable[[int], None]) -> tuple[Counts, list[dict[str, object]]]:
        """Take in one file; returns the counts and the refused lines with their errors."""
        counts, refused = Counts(), list[dict[str, object]]()
        numbered = ((number, text) for number, text in enumerate(incoming.lines(), 1) if text.strip())
        while chunk := list(islice(numbered, CHUNK_LINES)):
            with _no_collection():
                refused += self._chunk(incoming.name, chunk, counts)
            progress(counts.lines)
            _log.info("intake.chunk", lines=counts.lines, accepted=counts.accepted, refused=counts.refused)
        return counts, refused

    def finish(self, incoming: Incoming, counts: Counts) -> None:
        """Remember the file, and its entry in the ledger, together."""
        at = self.store.now()
        row = {"digest": incoming.digest, "name": incoming.name, "received_at": at, **vars(counts)}
        # New or known is not told apart here: an intake that was killed and run again leaves the same entry.
        detail = {"lines": counts.lines, "taken": counts.lines - counts.refused, "refused": counts.refused}
        with self.store.begin() as connection:
            insert_new(connection, tables.intakes, [row])
            append_within(connection, [Entry("intake", "", incoming.digest, detail)], at)

    def _chunk(self, name: str, chunk: list[tuple[int, bytes]], counts: Counts) -> list[dict[str, object]]:
        lines = [read_line(text) for _, text in chunk]
        candidates = self._candidates(lines)
        refused = []
        with self.store.begin() as connection:
            applications = Applications(connection, self.tokeniser.epoch, self.store.now())
            applications.load(*_named(lines))
            for (number, _), line, candidate in zip(chunk, lines, candidates, strict=True):
                if candidate is not None:
                    outcome, found = applications.add(candidate)
                elif line.withdrawal is not None:
                    outcome, found = applications.withdraw(line.withdrawal, self.context.today)
                else:
                    outcome, found = "refused", line.problems
                setattr(counts, outcome, getattr(counts, outcome) + 1)
                if outcome == "refused":
                    refused.append(_refusal(name, number, line, found))
            applications.write()
            require_epoch(connection, self.tokeniser.epoch)
        counts.lines += len(chunk)
        return refused

    def _candidates(self, lines: Sequence[Line]) -> list[Candidate | None]:
        members = [member for line in lines if line.request for member in line.request.members or ()]
        persons = iter(read_persons(members, self.tokeniser))
        texts = [line.request.canonical() if line.request and not line.problems else None for line in lines]
        sealed = seal(self.seal_key, pa.array(texts, pa.string()), DOCUMENTS).to_pylist()
        candidates: list[Candidate | None] = []
        for line, text, box in zip(lines, texts, sealed, strict=True):
            if line.request is None:
                candidates.append(None)
                continue
            own = list(islice(persons, len(line.request.members or ())))
            digest = hmac.digest(self.digest_key, text.encode(), "sha256").hex() if text is not None else None
            candidates.append(Candidate(line.request, own, digest, box, problems(line, own, self.context)))
        return candidates


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep the cycle collector out while a chunk is worked on.

    A chunk is a million objects without one cycle; going through them again and again was two thirds of the time.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def read_persons(members: Sequence[Member], tokeniser: Tokeniser) -> list[Person]:
    """What the identifiers of members say, all of them in two calls (passports apart from numbers)."""
    persons = [Person(None, None, member.birth_date) for member in members]
    for passport in (False, True):
        rows = [i for i, m in enumerate(members) if m.id_number is not None and (m.id_kind == "passport") == passport]
        if not rows:
            continue
        column = pa.array([members[i].id_number for i in rows], pa.string())
        kind = IdKind.passport if passport else None
        tokens = tokeniser.persons(column, kind)
        births = _births(column, tokens.kind) if not passport else [None] * len(rows)
        texts, reasons = token_texts(tokens.values), tokens.reasons.tolist()
        for i, token, reason, born in zip(rows, texts, reasons, births, strict=True):
            persons[i] = Person(token, IdProblem(reason) if reason else None, born or members[i].birth_date)
    return persons


def _births(column: pa.Array, kinds: np.ndarray) -> list[date | None]:
    """The dates of birth that numbers of 18 digits hold; old cards and refused numbers have none."""
    known = np.isin(kinds, WITH_BIRTH).tolist()
    texts = classify(column).canonical.to_pylist()
    return [date.fromisoformat(text[6:14]) if has else None for text, has in zip(texts, known, strict=True)]


def policy_answers(pack: Pack) -> Callable[[str, str, str, date], PolicyAnswer]:
    """What the pack says of a programme, division, kind of area and date; each asked of it once."""

    @cache
    def answer(programme: str, division: str, area_kind: str, on: date) -> PolicyAnswer:
        if programme not in pack.programmes:
            return PolicyAnswer(Problem("unknown_programme", "programme"))
        try:
            policy = resolve(pack, programme, division, area_kind, on)
        except PolicyMissingError:
            return PolicyAnswer(Problem("unknown_division", "division"))
        except (PolicyDateError, PolicyEndedError):
            return PolicyAnswer(Problem("no_policy_yet", "application_date"))
        minor_age = policy.value("minor_age")
        return PolicyAnswer(
            None,
            minor_age if isinstance(minor_age, int) else 0,
            frozenset(pack.parameters["excluded_status"].items),
            frozenset(pack.parameters["student_stages"].choices),
            pack.programmes[programme].unknown_persons,
        )

    return answer


def _named(lines: Sequence[Line]) -> tuple[list[str], list[str], list[str]]:
    """Requests and authorisations that lines name, and the requests that they withdraw."""
    requests = {line.request.request_id for line in lines if line.request and line.request.request_id}
    withdrawn = {line.withdrawal.request_id for line in lines if line.withdrawal}
    members = [member for line in lines if line.request for member in line.request.members or ()]
    given = {m.authorisation.authorisation_id for m in members if m.authorisation and m.authorisation.authorisation_id}
    return sorted(requests | withdrawn), sorted(given), sorted(withdrawn)


def _refusal(name: str, number: int, line: Line, found: Iterator[Problem] | Sequence[Problem]) -> dict[str, object]:
    """A refused line as the case system gets it; a request_id that could be an ID number is not repeated."""
    part = line.request or line.withdrawal
    request_id = part.request_id if part else None
    return {
        "file": name,
        "line": number,
        "request_id": None if holds_identifier(request_id) else request_id,
        "problems": [problem.document() for problem in found],
    }
