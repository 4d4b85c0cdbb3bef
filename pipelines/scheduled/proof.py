"""The proof that retention did what it says (R72): every key that had to go is gone, and the ledger has it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from pipelines import ledger, retention
from pipelines.errors import HeduiError
from pipelines.keys import DESTROYED, WRAPPED
from pipelines.settings import Workspace
from pipelines.store import Store
from pipelines.tables import ledger as entries


@dataclass(eq=False)
class NotExpiredError(HeduiError):
    """Something that retention had to destroy is still there, or its proof is not."""

    batches: int
    what: str

    zh = "保存期限执行后仍有 {batches} 个批次不符：{what}"
    en = "after retention {batches} batches are not as they must be: {what}"
    todo = "run it again; if this stays, compare the batches' folders with the ledger: hedui ledger verify"


def prove(ws: Workspace, at: datetime) -> int:
    """Look again, as somebody would who does not trust the run; what was found is an entry of the ledger.

    Args:
        ws: after ``retention.run`` of the same moment.
        at: that moment.

    Returns:
        How many batches' keys are destroyed.

    Raises:
        NotExpiredError: a batch past its time has files or a key, the ledger lacks its proof, or its chain is broken.
    """
    left = retention.run(ws, at, only_tell=True)
    store = Store.open(ws.store_url)
    try:
        told = _told(store)
        marks = sorted(ws.batches.glob(f"*/{DESTROYED}"))
        wrong = [path.parent.name for path in marks if not _holds(path.parent.name, told, ws)]
        broken = ledger.verify(store)
        for names, what in ((left.destroyed, "not destroyed"), (wrong, "no proof, or the key is there")):
            if names:
                raise NotExpiredError(len(names), what)
        if broken is not None:
            raise NotExpiredError(0, f"ledger entry {broken.seq}: {broken.reason}")
        seq, head = ledger.head(store)
        detail = {"destroyed": len(marks), "waiting": left.waiting, "ledger_seq": seq, "ledger_head": head}
        ledger.append(store, "retention_proof", None, f"{at.isoformat()}/{head[:16]}", detail)
    finally:
        store.close()
    return len(marks)


def _told(store: Store) -> dict[str, str]:
    """Batch → digest of its destroyed key, by the ledger."""
    query = sa.select(entries.c.batch_id, entries.c.detail)
    query = query.where(entries.c.kind == "retention", entries.c.subject == "destroyed")
    with store.read() as connection:
        return {row.batch_id: json.loads(row.detail)["wrapped_key_sha256"] for row in connection.execute(query)}


def _holds(batch_id: str, told: dict[str, str], ws: Workspace) -> bool:
    folder = ws.batches / batch_id
    mark = json.loads((folder / DESTROYED).read_text("utf-8"))
    return not (folder / WRAPPED).exists() and told.get(batch_id) == mark["wrapped_key_sha256"]
