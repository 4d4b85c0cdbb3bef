"""The outbox as a whole: every batch with reports that wait is delivered, one after the other, urgent ones first.

Not where a person has to answer first. What one run leaves the next one takes up, and a batch that cannot be delivered
stops no other.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import sqlalchemy as sa
import structlog

from pipelines import deliver, gate
from pipelines.batch import Batch
from pipelines.errors import HeduiError
from pipelines.keys import DESTROYED
from pipelines.settings import Workspace
from pipelines.store import Store, find
from pipelines.tables import ledger, outbox

log = structlog.get_logger()


@dataclass(eq=False)
class OutboxNotEmptyError(HeduiError):
    """Reports did not arrive; they stay in the outbox."""

    batches: int
    first: str

    zh = "发件箱中有 {batches} 个批次未能送达：{first}"
    en = "{batches} batches in the outbox could not be delivered: {first}"
    todo = "the next run tries again; see that the case system can be reached"


@dataclass
class Waited:
    """What became of the batches that had reports in the outbox."""

    delivered: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def deliver_waiting(ws: Workspace) -> Waited:
    """Deliver what waits.

    Returns:
        Batches that were delivered, that a person has to answer for, and that are still on their way to the gate.

    Raises:
        OutboxNotEmptyError: of some batch not everything arrived; all others were tried.
    """
    told, first = Waited(), ""
    store = Store.open(ws.store_url)
    try:
        for batch in _waiting(ws, store):
            if not _ready(batch):
                told.unfinished.append(batch.id)
            elif not gate.may_leave(batch, ws, store):
                told.held.append(batch.id)
            else:
                try:
                    deliver.again(batch, ws)
                    told.delivered.append(batch.id)
                except HeduiError as error:
                    told.failed.append(batch.id)
                    first = first or str(error)
    finally:
        store.close()
    log.info("outbox", **{name: len(names) for name, names in vars(told).items()})
    if told.failed:
        raise OutboxNotEmptyError(len(told.failed), first)
    return told


def _waiting(ws: Workspace, store: Store) -> list[Batch]:
    """Batches with pending reports, urgent ones and old ones first; one whose key was destroyed has nothing to send."""
    query = sa.select(outbox.c.batch_id).where(outbox.c.state == "pending").distinct()
    with store.read() as connection:
        names = list(connection.scalars(query))
        urgent = _urgent(connection, names)
    known = [name for name in names if (ws.batches / name / "batch.json").exists()]
    found = [
        batch for name in known if not ((batch := Batch.open(ws.batches, name)).source_folder / DESTROYED).exists()
    ]
    return sorted(found, key=lambda batch: (batch.id not in urgent, batch.as_of, batch.id))


def _urgent(connection: sa.Connection, names: list[str]) -> set[str]:
    """Which of these batches somebody asked for as urgent, by the ledger."""
    asked = find(connection, ledger, "batch_id", names, ledger.c.kind == "run_requested")
    return {row.batch_id for row in asked if json.loads(row.detail).get("urgent")}


def _ready(batch: Batch) -> bool:
    """Whether its reports are issued and Great Expectations has agreed; extracts in hand were confirmed before."""
    return batch.done("report") and (batch.done("quality") or batch.admitted_from is not None)
