"""Consent that ends while a batch is under way: what is withheld, and which reports are not issued (R30, R31).

What is known when assessment begins takes the member's items out of the report. What ends later stops the report: it is
neither issued nor delivered, and the next batch makes another one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

import duckdb
import sqlalchemy as sa

from pipelines import ledger
from pipelines.batch import Batch, write_json
from pipelines.store import Store
from pipelines.tables import authorisations, requests, withdrawals
from pipelines.warehouse import scan

KNOWN = "ended.json"
Ended = tuple[str, int, str]  # request_id, member_no, reason


def ended_at_assessment(con: duckdb.DuckDBPyConnection, batch: Batch, store: Store) -> list[Ended]:
    """Authorisations of the batch that were withdrawn since the plan, as they were at the first call.

    A run that died is gone on with by the same list, so that no household is assessed by one and written by another.

    Args:
        con: reads the batch.
        batch: planned.
        store: the case store; its ledger says how many members' answers are withheld.
    """
    file = batch.folder / KNOWN
    if not file.exists():
        everywhere = _ended(store)
        planned = f"SELECT request_id FROM {scan(batch.folder / 'requests.parquet')}"
        of_batch = {request for (request,) in con.execute(planned).fetchall()} if everywhere else set()
        write_json(file, [row for row in everywhere if row[0] in of_batch])
    ended = _known(batch)
    if ended:
        told = hashlib.sha256(json.dumps(ended).encode()).hexdigest()
        ledger.append(store, "withheld", batch.id, told[:16], {"members": len(ended)})
    return ended


def ended_since_assessment(batch: Batch, store: Store) -> set[str]:
    """Requests whose reports may no longer be used: withdrawn, or one of their members' authorisations was (R31)."""
    known = set(_known(batch))
    return store.withdrawn_requests() | {row[0] for row in _ended(store) if row not in known}


def held_back(batch_id: str, stopped: Sequence[str]) -> list[ledger.Entry]:
    """The ledger's entry, if any, of assessed requests that got no report."""
    told = hashlib.sha256("\n".join(stopped).encode()).hexdigest()
    return [ledger.Entry("withheld", batch_id, f"reports/{told[:16]}", {"requests": len(stopped)})] if stopped else []


def _known(batch: Batch) -> list[Ended]:
    file = batch.folder / KNOWN
    rows = json.loads(file.read_text("utf-8")) if file.exists() else []
    return [(request, member, reason) for request, member, reason in rows]


def _ended(store: Store) -> list[Ended]:
    """Withdrawn authorisations of every request's newest application."""
    touched = sa.select(withdrawals.c.request_id)
    newest = sa.select(requests.c.request_id, sa.func.max(requests.c.application).label("application"))
    newest = newest.where(requests.c.request_id.in_(touched)).group_by(requests.c.request_id)
    current = newest.subquery()
    own = sa.and_(
        authorisations.c.request_id == current.c.request_id,
        authorisations.c.application == current.c.application,
    )
    found = sa.select(authorisations.c.request_id, authorisations.c.member_no).join(current, own)
    withdrawn = found.where(authorisations.c.withdrawn_on.is_not(None)).distinct().order_by(sa.text("1, 2"))
    with store.read() as connection:
        return [(request, member, "withdrawn") for request, member in connection.execute(withdrawn)]
