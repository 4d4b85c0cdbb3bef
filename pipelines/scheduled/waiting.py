"""What a run waits for: sources that are late, requests that arrive. Looked at, never read."""

from __future__ import annotations

from datetime import datetime, timedelta

import pyarrow as pa
import sqlalchemy as sa

from connectors.case_systems import requests_end
from connectors.contract import Contract, load_contracts
from connectors.extract import Asked
from connectors.sources import open_extracts
from pipelines.settings import Workspace
from pipelines.store import Store
from pipelines.tables import intakes


def late_sources(ws: Workspace, at: datetime) -> list[str]:
    """Datasets delivered as files whose newest is missing, or older than its contract's freshness on a day.

    Departments that are asked by database or HTTP answer when they are asked: for them nothing is awaited.
    """
    contracts = load_contracts(ws.contracts)
    found = []
    for dataset, source in sorted(ws.settings.sources.items()):
        if dataset not in contracts:
            continue
        contract = contracts[dataset].delivered(source.delivery)
        if contract.way == "files" and not _is_there(ws, contract, source.connection, at):
            found.append(dataset)
    return found


def arrived(ws: Workspace) -> list[str]:
    """Digests of what the case system has and no intake has read."""
    store = Store.open(ws.store_url)
    try:
        with store.read() as connection:
            known = set(connection.scalars(sa.select(intakes.c.digest)))
    finally:
        store.close()
    return sorted(incoming.digest for incoming in requests_end(ws).incoming() if incoming.digest not in known)


def _is_there(ws: Workspace, contract: Contract, connection: str, at: datetime) -> bool:
    named = ws.settings.connections.get(connection)
    if named is None:
        return True  # nobody to wait for
    day = at.date()
    asked = Asked(pa.array([], pa.string()), (day, day), "freshness", day)
    try:
        extracts = open_extracts(contract, named, asked, ws.root)
    except Exception:
        return False  # whatever keeps it from being opened may be over by the next look; collect tells what it was
    return bool(extracts) and extracts[-1].as_of >= day - timedelta(days=contract.freshness_days)
