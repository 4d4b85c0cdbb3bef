"""What a case system is to Hedui: requests come in, refusals and reports go out.

Each way (folder, database table, HTTP) gives the same promise for reports: what is sent again under the same key
(report_id and version) is at the receiver once, and the answer says what the receiver holds. So a delivery that was
killed is simply run again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from pipelines.errors import HeduiError


@dataclass(eq=False)
class CaseSystemUnavailableError(HeduiError):
    """The case system did not answer, or not in a way that may pass by itself."""

    way: str
    step: str
    reason: str

    zh = "低保系统({way})在 {step} 时不可用：{reason}"
    en = "the case system ({way}) is unavailable at {step}: {reason}"
    todo = "run the same command again later: nothing is taken or delivered twice"


@dataclass(eq=False)
class CaseSystemRefusedError(CaseSystemUnavailableError):
    """The case system answered that it will not; asking again would not help."""

    zh = "低保系统({way})在 {step} 时拒绝：{reason}"
    en = "the case system ({way}) refused at {step}: {reason}"
    todo = "check case_systems in hedui.yaml, the account and the address"


@dataclass(frozen=True)
class Incoming:
    """Lines that came together.

    Attributes:
        name: file, rows or page, for the refusals.
        digest: SHA-256 of the content: the same content again is recognised.
        lines: reads them, from the first, each time it is called.
    """

    name: str
    digest: str
    lines: Callable[[], Iterator[bytes]]


@dataclass(frozen=True)
class Outgoing:
    """A report on its way; ``document`` is canonical JSON, in one line."""

    report_id: str
    version: int
    document: bytes

    @property
    def key(self) -> tuple[str, int]:
        """What the receiver knows it by."""
        return (self.report_id, self.version)

    @property
    def digest(self) -> str:
        """SHA-256 of the document as it is sent."""
        return hashlib.sha256(self.document).hexdigest()


@dataclass(frozen=True)
class Receipt:
    """What the receiver holds: ``text`` is its own receipt, or the digest of what it has."""

    report_id: str
    version: int
    text: str

    @property
    def key(self) -> tuple[str, int]:
        """What the receiver knows it by."""
        return (self.report_id, self.version)


@dataclass(frozen=True)
class Fault:
    """A report that the receiver did not take; ``final`` when sending it again would not help."""

    report_id: str
    version: int
    reason: str
    final: bool


@dataclass(frozen=True)
class Answer:
    """What became of one delivery; reports in neither list are not at the receiver."""

    receipts: Sequence[Receipt]
    faults: Sequence[Fault] = ()


class RequestsEnd(Protocol):
    """Where requests come from."""

    def incoming(self) -> Iterator[Incoming]:
        """Everything that is there, oldest first."""


class ReportsEnd(Protocol):
    """Where refusals and reports go to."""

    def refuse(self, digest: str, lines: Sequence[dict[str, object]]) -> str:
        """Hand back the refused lines of one ``Incoming``; the same again changes nothing. Returns where to."""

    def deliver(self, batch_id: str, number: int, reports: Sequence[Outgoing]) -> Answer:
        """Send one delivery of a batch; the same again changes nothing."""


def text(value: object) -> str:
    """A value as canonical JSON."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
