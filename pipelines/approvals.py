"""What people have answered for batches that waited at the gate, by the ledger."""

from __future__ import annotations

import json

import sqlalchemy as sa

from pipelines.store import Store
from pipelines.tables import ledger

APPROVAL, APPROVED, REJECTED = "approval", "approved", "rejected"


def answered(store: Store, batch_id: str) -> str | None:
    """The newest answer for a batch, None if nobody has answered."""
    return _answers(store, ledger.c.batch_id == batch_id).get(batch_id)


def rejected(store: Store) -> set[str]:
    """Batches whose delivery a person has stopped."""
    return {batch_id for batch_id, answer in _answers(store).items() if answer == REJECTED}


def _answers(store: Store, *where: sa.ColumnElement[bool]) -> dict[str, str]:
    """The newest answer of each batch."""
    query = sa.select(ledger.c.batch_id, ledger.c.detail).where(ledger.c.kind == APPROVAL, *where)
    with store.read() as connection:
        rows = connection.execute(query.order_by(ledger.c.seq))
        return {row.batch_id: str(json.loads(row.detail)["answer"]) for row in rows}
