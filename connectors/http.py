"""Services of departments: a list of persons goes out, pages of JSON Lines come back.

Paged: every page is asked for with the list. Ticketed: the list is left, the ticket is looked at until the answer
is ready, and then its pages are fetched. Either way the answer declares its rows, pages, day and digest before the
first page is read (docs/department-http.md).
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.json as pj
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connectors.conform import check_columns, conform
from connectors.connections import HttpConnection
from connectors.contract import Contract, HttpDelivery
from connectors.extract import (
    Asked,
    ContractViolation,
    Extract,
    ExtractRefused,
    SourceRefused,
    SourceTimedOut,
    SourceUnavailable,
)
from connectors.faults import MayPass, persist, source_error

_MAY_PASS = {408, 425, 429, 500, 502, 503, 504}
_CHANGED = re.compile(r"Column\(/(.+?)\) changed from string to (\w+)")


class Answer(BaseModel):
    """What a service declares of its answer, as a ticket's state or in the headers of a page."""

    model_config = ConfigDict(frozen=True)

    rows: int = Field(ge=0)
    pages: int = Field(ge=0)
    digest: str = Field(pattern=r"^(sha256|sm3):[0-9a-f]{64}$")
    as_of: date
    answered: list[str] | None = None


class Service:
    """One dataset's endpoint; every call is tried again while its fault may pass."""

    def __init__(self, dataset: str, delivery: HttpDelivery, connection: HttpConnection, root: Path) -> None:
        self.dataset, self.delivery, self.connection = dataset, delivery, connection
        headers = {}
        if connection.token_file:
            headers["Authorization"] = f"Bearer {(root / connection.token_file).read_text('utf-8').strip()}"
        self._client = httpx.Client(
            base_url=connection.base_url.rstrip("/") + "/",
            timeout=connection.timeout_seconds,
            headers=headers,
            follow_redirects=False,
        )

    def call(self, step: str, method: str, path: str, **arguments: Any) -> httpx.Response:
        """One request, until it is answered with success.

        Raises:
            SourceUnavailable: the last fault that might have passed.
            SourceRefused: a status that will not pass.
        """

        def once() -> httpx.Response:
            try:
                response = self._client.request(method, path, **arguments)
            except httpx.TransportError as error:
                raise MayPass(source_error(self.dataset, step, error)) from None
            status = response.status_code
            if status in _MAY_PASS:
                raise MayPass(SourceUnavailable(self.dataset, step, f"HTTP {status}"))
            if not response.is_success:
                raise SourceRefused(self.dataset, step, f"HTTP {status}")
            return response

        return persist(self.connection, once)

    def question(self, persons: list[str], asked: Asked) -> dict[str, Any]:
        """The body of a request."""
        window = [day.isoformat() for day in asked.window]
        return {"persons": persons, "window": window, "purpose": asked.purpose}


Page = Callable[[int], httpx.Response]


def _ticketed(service: Service, persons: list[str], asked: Asked) -> tuple[Answer, Page]:
    endpoint = service.delivery.endpoint
    left = service.call("submit list", "POST", f"{endpoint}/tickets", json=service.question(persons, asked))
    ticket = f"{endpoint}/tickets/{_json(service.dataset, 'submit list', left).get('ticket')}"
    until = time.monotonic() + service.connection.ticket_seconds
    while True:
        looked = _json(service.dataset, "look at ticket", service.call("look at ticket", "GET", ticket))
        if looked.get("state") == "ready":
            break
        if looked.get("state") != "working":
            raise SourceRefused(service.dataset, "look at ticket", "the ticket failed")
        if time.monotonic() > until:
            raise SourceTimedOut(
                service.dataset, "look at ticket", f"not ready in {service.connection.ticket_seconds} s"
            )
        time.sleep(service.connection.poll_seconds)
    answer = _answer(service.dataset, "look at ticket", looked)
    return answer, lambda number: service.call("fetch page", "GET", f"{ticket}/pages/{number}")


def _paged(service: Service, persons: list[str], asked: Asked) -> tuple[Answer, Page]:
    question = service.question(persons, asked)

    def page(number: int) -> httpx.Response:
        params = {"page": number, "rows": service.delivery.page_rows}
        return service.call("fetch page", "POST", service.delivery.endpoint, params=params, json=question)

    first = page(1)
    answer = declared_in(service.dataset, first)
    return answer, lambda number: first if number == 1 else page(number)


def declared_in(dataset: str, response: httpx.Response) -> Answer:
    """What the headers of an answer declare.

    Raises:
        ExtractRefused: it cannot be read (R2).
    """
    names = ("rows", "pages", "digest", "as_of")
    declared = {name: response.headers.get(f"answer-{name.replace('_', '-')}") for name in names}
    return _answer(dataset, "read headers", declared)


def _json(dataset: str, step: str, response: httpx.Response) -> dict[str, Any]:
    try:
        found = response.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise SourceRefused(dataset, step, "the answer is not a JSON object")
    return found


def _answer(dataset: str, step: str, declared: dict[str, Any]) -> Answer:
    try:
        return Answer.model_validate(declared)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise ExtractRefused(dataset, step, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def open_http(
    contract: Contract, delivery: HttpDelivery, connection: HttpConnection, asked: Asked, root: Path
) -> list[Extract]:
    """One extract of all that was asked, however many requests the service's limit makes of it.

    Raises:
        SourceUnavailable: the service does not answer in time, or refuses (R1).
        ExtractRefused: what it declares cannot be read (R2).
    """
    service = Service(contract.dataset, delivery, connection, root)
    ask = _ticketed if delivery.style == "ticket" else _paged
    persons, size = asked.persons.to_pylist(), delivery.list_limit
    parts = [ask(service, persons[at : at + size], asked) for at in range(0, len(persons), size)]
    answers = [answer for answer, _ in parts]
    if not answers:
        return []
    partial_lists = any(answer.answered is not None for answer in answers)
    return [
        Extract(
            dataset=contract.dataset,
            as_of=min(answer.as_of for answer in answers),
            sequence=1,
            mode="full",
            digest=_together([answer.digest for answer in answers]),
            declared_rows=sum(answer.rows for answer in answers),
            read=partial(_read, contract, parts),
            answered=_answered(answers, persons, size) if partial_lists else None,
            name=delivery.endpoint,
        )
    ]


def _together(digests: list[str]) -> str:
    """The digest of one answer is its own; of several, that of their digests."""
    if len(digests) == 1:
        return digests[0]
    return "sha256:" + hashlib.sha256("\n".join(digests).encode()).hexdigest()


def _answered(answers: list[Answer], persons: list[str], size: int) -> pa.Array:
    """Who was answered (R3): the lists of partial answers, and everybody asked of whole ones."""
    lists = [
        persons[at * size : (at + 1) * size] if answer.answered is None else answer.answered
        for at, answer in enumerate(answers)
    ]
    return pa.array([person for part in lists for person in part], pa.string())


def _read(contract: Contract, parts: list[tuple[Answer, Page]], extract: Extract) -> Iterator[pa.RecordBatch]:
    for answer, page in parts:
        algorithm, _, declared = answer.digest.partition(":")
        digest, rows = hashlib.new(algorithm), 0
        for number in range(1, answer.pages + 1):
            content = page(number).content
            digest.update(content)
            for batch in json_rows(contract, content):
                rows += batch.num_rows
                yield batch
        if digest.hexdigest() != declared:
            reason = f"{extract.name}: {algorithm} differs from the declared one"
            raise ExtractRefused(contract.dataset, "check digest", reason)


def json_rows(contract: Contract, content: bytes) -> Iterator[pa.RecordBatch]:
    """JSON Lines as text columns; a number without quotes is refused: it may have passed through a float."""
    first = content.lstrip()[: content.find(b"\n") if b"\n" in content else None]
    if not first:
        return
    try:
        check_columns(contract, list(json.loads(first)))
        table = pj.read_json(
            io.BytesIO(content),
            read_options=pj.ReadOptions(use_threads=False, block_size=max(len(content) + 1, 1 << 16)),
            parse_options=pj.ParseOptions(explicit_schema=contract.schema, unexpected_field_behavior="infer"),
        )
    except (pa.ArrowInvalid, ValueError) as error:
        changed = _CHANGED.search(str(error))
        if changed:
            raise ContractViolation(contract.dataset, changed.group(1), "quoted text", changed.group(2)) from None
        raise ExtractRefused(contract.dataset, "read rows", "a page is not JSON Lines of one form") from None
    check_columns(contract, table.column_names)
    for batch in table.combine_chunks().to_batches():
        yield conform(contract, batch)
