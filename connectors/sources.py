"""Every way to a department behind one call, and what ``hedui sources`` shows of each."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa

from connectors.connections import Connection, DatabaseConnection, FolderConnection, HttpConnection, SftpConnection
from connectors.contract import Contract, ContractError, DatabaseDelivery, FilesDelivery, HttpDelivery
from connectors.extract import Asked, Extract
from pipelines.errors import HeduiError

NOBODY = "000000190001010000"


def open_extracts(contract: Contract, connection: Connection, asked: Asked, root: Path) -> list[Extract]:
    """What a department answers, oldest extract first; a site's own delivery is already in the contract.

    Args:
        contract: as delivered here (``Contract.delivered``).
        connection: of the kind that the delivery needs.
        asked: persons, window, purpose and day of asking.
        root: where relative paths of the connection start.

    Raises:
        ContractError: the connection is of another kind than the delivery.
        SourceUnavailable, ExtractRefused, ContractViolation: see connectors.extract.
    """
    # Each way brings libraries of its own: only what is asked is waited for.
    match contract.delivery, connection:
        case FilesDelivery() as delivery, FolderConnection() | SftpConnection():
            from connectors.files import open_files

            return open_files(contract, delivery, connection, asked, root)
        case DatabaseDelivery() as delivery, DatabaseConnection():
            from connectors.database import open_database

            return open_database(contract, delivery, connection, asked, root)
        case HttpDelivery(style="person") as delivery, HttpConnection():
            from connectors.http_persons import open_persons

            return open_persons(contract, delivery, connection, asked, root)
        case HttpDelivery() as delivery, HttpConnection():
            from connectors.http import open_http

            return open_http(contract, delivery, connection, asked, root)
    reason = f"delivery by {contract.way} does not go with a connection of kind {connection.kind}"
    raise ContractError(f"sources.{contract.dataset}", "connection", reason)


@dataclass(frozen=True)
class SourceState:
    """One line of ``hedui sources``.

    Attributes:
        dataset: its key.
        title_zh: title in Chinese.
        title_en: title in English.
        provider_zh: department in Chinese.
        provider_en: department in English.
        way: files, database or http, and over what.
        last_as_of: day of the newest extract; for databases and services the day they answer for.
        fresh: whether that day is within the contract's limit on the day of asking.
        reachable: whether the test call was answered.
        seconds: how long the test call took.
        error: why it was not.
    """

    dataset: str
    title_zh: str
    title_en: str
    provider_zh: str
    provider_en: str
    way: str
    last_as_of: date | None
    fresh: bool
    reachable: bool
    seconds: float
    error: HeduiError | None


def probe(contract: Contract, connection: Connection, on: date, root: Path) -> SourceState:
    """Make the test call: look for extracts, or ask for one number that nobody has; nothing is read or kept."""
    asked = Asked(pa.array([NOBODY], pa.string()), (on, on), "connection test", on)
    started, error, extracts = time.perf_counter(), None, list[Extract]()
    try:
        extracts = open_extracts(contract, connection, asked, root)
    except HeduiError as raised:
        error = raised
    last = max((extract.as_of for extract in extracts), default=None)
    return SourceState(
        dataset=contract.dataset,
        title_zh=contract.title.zh,
        title_en=contract.title.en,
        provider_zh=contract.provider.zh,
        provider_en=contract.provider.en,
        way=f"{contract.way} ({connection.kind})",
        last_as_of=last,
        fresh=last is not None and is_fresh(contract, last, on),
        reachable=error is None,
        seconds=time.perf_counter() - started,
        error=error,
    )


def is_fresh(contract: Contract, as_of: date, on: date) -> bool:
    """Whether data of ``as_of`` still count on the day of asking (R4)."""
    return (on - as_of).days <= contract.freshness_days
