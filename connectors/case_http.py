"""A case system that is an HTTP service.

| call | what |
|---|---|
| ``GET <url>/requests?after=<cursor>`` | ``{"lines": [{…}, …], "next": "<cursor>"}``, null on the last page |
| ``POST <url>/refusals`` | ``{"digest": …, "lines": [{…}, …]}``, header ``Idempotency-Key: <digest>`` |
| ``PUT <url>/reports/<report_id>/<version>`` | the report; header ``Idempotency-Key: <report_id>:<version>``; \
answers ``{"receipt": "…"}`` |

The receiver keeps one report under a key: a PUT again answers with the receipt of the first, or 409 if it differs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from connectors.case_model import (
    Answer,
    CaseSystemRefusedError,
    CaseSystemUnavailableError,
    Fault,
    Incoming,
    Outgoing,
    Receipt,
    text,
)

_ATTEMPTS = 4
_AT_ONCE = 8
_TIMEOUT = 30.0
_MAY_PASS = frozenset({408, 425, 429, 500, 502, 503, 504})


class HttpEnd:
    """One end of the case system behind an address; ``token`` is sent as a bearer token."""

    def __init__(self, url: str, token: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        limits = httpx.Limits(max_connections=_AT_ONCE)
        self.client = httpx.Client(base_url=url.rstrip("/") + "/", headers=headers, timeout=_TIMEOUT, limits=limits)

    def incoming(self) -> Iterator[Incoming]:
        """The pages, in the service's order."""
        cursor: str | None = ""
        while cursor is not None:
            page = self._send("requests", "GET", "requests", params={"after": cursor}).json()
            lines = [text(line).encode() for line in page["lines"]]
            if lines:
                digest = hashlib.sha256(b"\n".join(lines)).hexdigest()
                yield Incoming(f"requests after {cursor or 'start'}", digest, lines.__iter__)
            cursor = page["next"]

    def refuse(self, digest: str, lines: Sequence[dict[str, object]]) -> str:
        """Post the refusals of one page."""
        body = text({"digest": digest, "lines": list(lines)}).encode()
        self._send("refusals", "POST", "refusals", content=body, headers=_headers(digest))
        return "refusals"

    def deliver(self, batch_id: str, number: int, reports: Sequence[Outgoing]) -> Answer:
        """Put each report; one that is not taken does not keep the others back."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            answers = list(pool.map(self._put, reports))
        return Answer(
            [answer for answer in answers if isinstance(answer, Receipt)],
            [answer for answer in answers if isinstance(answer, Fault)],
        )

    def _put(self, report: Outgoing) -> Receipt | Fault:
        path = f"reports/{report.report_id}/{report.version}"
        headers = _headers(f"{report.report_id}:{report.version}")
        try:
            answer = self._send("reports", "PUT", path, content=report.document, headers=headers)
            return Receipt(*report.key, str(answer.json()["receipt"]))
        except CaseSystemRefusedError as error:
            return Fault(*report.key, error.reason, final=True)
        except CaseSystemUnavailableError as error:
            return Fault(*report.key, error.reason, final=False)
        except (ValueError, KeyError, TypeError):
            return Fault(*report.key, "an answer without a receipt", final=False)

    def _send(self, step: str, method: str, path: str, **options: object) -> httpx.Response:
        """One call, again with growing pauses while the fault may pass."""
        again = Retrying(
            retry=retry_if_exception_type(_MayPassError),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_exponential_jitter(initial=0.1, max=5, jitter=0.1),
            reraise=True,
        )
        try:
            return again(self._once, step, method, path, options)
        except _MayPassError as fault:
            raise CaseSystemUnavailableError("HTTP", step, str(fault)) from None

    def _once(self, step: str, method: str, path: str, options: dict[str, object]) -> httpx.Response:
        try:
            answer = self.client.request(method, path, **options)  # type: ignore[arg-type]
        except httpx.TransportError as error:
            raise _MayPassError(type(error).__name__) from None
        if answer.status_code in _MAY_PASS:
            raise _MayPassError(f"status {answer.status_code}")
        if answer.is_error:
            raise CaseSystemRefusedError("HTTP", step, f"status {answer.status_code}")
        return answer


class _MayPassError(Exception):
    """A fault that may pass."""


def _headers(key: str) -> dict[str, str]:
    return {"Content-Type": "application/json", "Idempotency-Key": key}
