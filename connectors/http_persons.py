"""Services that answer about one person at a time: a request for each, a few under way at once, in the order asked.

A person about whom the service fails or refuses is left out of ``answered`` (R3). When nobody of a whole round is
answered, the service is down: the others are not asked any more. The protocol is in docs/department-http.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path

import pyarrow as pa

from connectors.connections import HttpConnection
from connectors.contract import Contract, HttpDelivery
from connectors.extract import Asked, Extract, ExtractRefused, SourceUnavailable
from connectors.http import Service, declared_in, json_rows

AT_ONCE = 4
ROUND = 100


@dataclass
class _Answers:
    """What came back so far.

    Attributes:
        persons: who was answered, in the order asked.
        as_of: the oldest day of any answer.
        digest: over the bytes of all answers' rows.
        rows: declared by the answers.
    """

    persons: list[str] = field(default_factory=list)
    as_of: date = date.max
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)
    rows: int = 0


@dataclass(frozen=True)
class _One:
    person: str
    content: bytes
    rows: int
    as_of: date


def open_persons(
    contract: Contract, delivery: HttpDelivery, connection: HttpConnection, asked: Asked, root: Path
) -> list[Extract]:
    """One extract of all answers; the first round is asked before it is given.

    Raises:
        SourceUnavailable: nobody of the first round was answered (R1): the last person's fault.
        ExtractRefused: an answer is not what it declares (R2).
    """
    service = Service(contract.dataset, delivery, connection, root)
    persons = asked.persons.to_pylist()
    if not persons:
        return []
    first = _round(service, persons[:ROUND], asked)
    found = [answer for answer in first if isinstance(answer, _One)]
    if not found:
        raise next(fault for fault in reversed(first) if isinstance(fault, SourceUnavailable))
    return [
        Extract(
            dataset=contract.dataset,
            as_of=min(answer.as_of for answer in found),
            sequence=1,
            mode="full",
            digest=None,
            declared_rows=None,
            read=partial(_read, contract, service, persons, asked, found),
            name=delivery.endpoint,
        )
    ]


def _round(service: Service, persons: list[str], asked: Asked) -> list[_One | SourceUnavailable]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(partial(_ask, service, asked), persons))


def _ask(service: Service, asked: Asked, person: str) -> _One | SourceUnavailable:
    """One person's rows, checked against what their answer declares; or why there is no answer."""
    window = [day.isoformat() for day in asked.window]
    question = {"person": person, "window": window, "purpose": asked.purpose}
    try:
        response = service.call("ask for one person", "POST", service.delivery.endpoint, json=question)
    except SourceUnavailable as fault:
        return fault
    answer = declared_in(service.dataset, response)
    algorithm, _, digest = answer.digest.partition(":")
    if hashlib.new(algorithm, response.content).hexdigest() != digest:
        raise ExtractRefused(service.dataset, "check digest", f"{algorithm} differs from the declared one")
    return _One(person, response.content, answer.rows, answer.as_of)


def _read(
    contract: Contract, service: Service, persons: list[str], asked: Asked, first: list[_One], extract: Extract
) -> Iterator[pa.RecordBatch]:
    """The rows of every round; what the extract says of itself is known at the end."""
    answers, found = _Answers(), first
    for at in range(ROUND, len(persons) + ROUND, ROUND):
        yield from _rows(contract, found, answers)
        found = [one for one in _round(service, persons[at : at + ROUND], asked) if isinstance(one, _One)]
        if not found:
            break
    extract.as_of, extract.digest = answers.as_of, f"sha256:{answers.digest.hexdigest()}"
    extract.declared_rows = answers.rows
    if len(answers.persons) < len(persons):
        extract.answered = pa.array(answers.persons, pa.string())


def _rows(contract: Contract, found: list[_One], answers: _Answers) -> Iterator[pa.RecordBatch]:
    for one in found:
        answers.persons.append(one.person)
        answers.as_of = min(answers.as_of, one.as_of)
        answers.digest.update(one.content)
        answers.rows += one.rows
    yield from json_rows(contract, b"".join(one.content for one in found))
