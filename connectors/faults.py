"""What may pass and what will not: turns a library's exception into an error of ours, and tries again."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TypeVar

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from connectors.connections import Connection
from connectors.extract import SourceRefused, SourceTimedOut, SourceUnavailable

T = TypeVar("T")
_WILL_NOT_PASS = {"PermissionDenied", "HostKeyNotVerifiable", "SFTPPermissionDenied"}


class MayPass(Exception):
    """A fault that may pass; carries the error to raise when it does not."""

    def __init__(self, error: SourceUnavailable) -> None:
        super().__init__()
        self.error = error


def persist(connection: Connection, call: Callable[[], T]) -> T:
    """Call, and call again with growing pauses while the fault may pass, ``connection.attempts`` times in all.

    Raises:
        SourceUnavailable: the last fault, or at once what will not pass.
    """
    again = Retrying(
        retry=retry_if_exception_type(MayPass),
        stop=stop_after_attempt(connection.attempts),
        wait=wait_exponential_jitter(initial=0.1, max=10, jitter=0.1),
        reraise=True,
    )
    try:
        return again(call)
    except MayPass as fault:
        raise fault.error from None


def source_error(dataset: str, step: str, error: BaseException) -> SourceUnavailable:
    """Name an exception of the file system, SSH or a driver without its message, which may hold values."""
    reason = type(error).__name__
    if isinstance(error, (TimeoutError, socket.timeout)) or "Timeout" in reason:
        return SourceTimedOut(dataset, step, reason)
    if isinstance(error, PermissionError) or reason in _WILL_NOT_PASS:
        return SourceRefused(dataset, step, reason)
    if isinstance(error, OSError) and error.strerror:
        reason = f"{reason}: {error.strerror}"
    return SourceUnavailable(dataset, step, reason)


def fault(dataset: str, step: str, error: BaseException) -> Exception:
    """The exception to raise within ``persist``: one that may pass, unless the source refused."""
    named = source_error(dataset, step, error)
    return named if isinstance(named, SourceRefused) else MayPass(named)
