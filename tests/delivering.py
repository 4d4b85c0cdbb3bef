"""A batch with issued reports for tests of delivery, and a process that delivers it and dies on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines import deliver
from pipelines.batch import Batch
from pipelines.settings import Workspace
from pipelines.store import ReportRow, Store
from tests.cases import AT
from tests.dying import died_at

BATCH = "b1"
KILLED = {
    "send": "connectors.case_folder:FolderEnd.deliver",
    "file": "connectors.case_folder:whole_file",
    "ledger": "pipelines.deliver:append_within",
    "receipts": "pipelines.deliver:insert_new",
    "update": "pipelines.deliver:_update",
    "mark": "pipelines.batch:Batch.mark",
    "assign": "pipelines.deliver:_Sender.assign",
}


@dataclass(frozen=True)
class Document:
    report_id: str
    version: int
    content: bytes


def issue(ws: Workspace, count: int) -> Batch:
    """Put ``count`` reports into the store and the outbox; the batch that has them."""
    store = Store.open(ws.store_url)
    store.put_reports(
        [ReportRow(f"HD{i:04d}", 1, f"R-{i:04d}", BATCH, f"d{i}", "part-0000.parquet") for i in range(count)]
    )
    store.close()
    (ws.root / "count").write_text(str(count))
    return Batch.create(ws.batches, BATCH, AT)


def read(batch: Batch, key: bytes) -> Iterator[Document]:
    """Documents that say which report they are, in two writing systems."""
    for i in range(int((batch.folder.parent.parent / "count").read_text())):
        body: dict[str, Any] = {"report_id": f"HD{i:04d}", "title": "核对报告", "version": 1}
        yield Document(f"HD{i:04d}", 1, json.dumps(body, ensure_ascii=False).encode())


def held(ws: Workspace) -> list[str]:
    """Report ids that lie in the folder case system, in order, as often as they are there."""
    parts = sorted(p for p in (ws.root / "reports").glob("*/part-*.jsonl") if "receipts" not in p.name)
    return sorted(json.loads(line)["report_id"] for part in parts for line in part.read_text("utf-8").splitlines())


def deliver_by_threes(folder: Path) -> None:
    """Deliver the batch of a workspace, three reports a part."""
    deliver.PART_REPORTS = 3
    ws = Workspace.open(folder)
    deliver.run(Batch.open(ws.batches, BATCH), ws, read)


def delivered_until(ws: Workspace, point: str, call: int, when: str) -> int:
    """Deliver in a process of its own that dies at the given call; returns its exit status, 9 if it did."""
    return died_at(KILLED[point], call, when, deliver_by_threes, ws.root)
