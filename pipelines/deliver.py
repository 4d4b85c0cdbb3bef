"""Deliver: reports out of the outbox to the case system, each exactly once, with a receipt.

A report is assigned to a numbered delivery of its batch before it is sent. The case system tells, for one that is
sent again, what it holds already; so this may be killed anywhere and run again. Reports of requests that were
withdrawn are not delivered (R31).
"""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import sqlalchemy as sa
import structlog

from connectors.case_model import Answer, Outgoing, Receipt, ReportsEnd, text
from connectors.case_systems import reports_end
from pipelines.batch import Batch
from pipelines.consent import ended_since_assessment
from pipelines.errors import HeduiError
from pipelines.keys import KeyRing
from pipelines.ledger import Entry, append_within
from pipelines.report import documents
from pipelines.settings import Workspace
from pipelines.store import Store, find, insert_new
from pipelines.tables import outbox, receipts, reports

PART_REPORTS = 2_000
_PASSES = 2
_log = structlog.get_logger()
Key = tuple[str, int]


class Document(Protocol):
    """A report as the report stage gives it."""

    @property
    def report_id(self) -> str:
        """With ``version``, its key."""

    @property
    def version(self) -> int:
        """With ``report_id``, its key."""

    @property
    def content(self) -> bytes:
        """Canonical JSON, signed."""


Read = Callable[[Batch, bytes], Iterable[Document]]


@dataclass(eq=False)
class DeliveryIncompleteError(HeduiError):
    """Some reports did not arrive, for a reason that may pass."""

    batch: str
    reports: int
    reason: str

    zh = "批次 {batch} 有 {reports} 份报告未送达：{reason}"
    en = "batch {batch}: {reports} reports did not arrive: {reason}"
    todo = "run the same command again: what arrived is not sent twice"


def run(
    batch: Batch, ws: Workspace, read: Read = documents, progress: Callable[[int], None] = lambda done: None
) -> dict[str, object]:
    """Deliver every report of the batch that has no receipt yet.

    Args:
        batch: with its reports issued.
        ws: the workspace; case_systems.reports says where to.
        read: all documents of the batch, in the order of request_id.
        progress: told how many reports have been sent.

    Returns:
        Counts by state of the outbox, as left in the stage's mark.

    Raises:
        DeliveryIncompleteError: some reports did not arrive; what did is kept.
        CaseSystemUnavailableError: the case system could not be reached at all.
    """
    if batch.done("deliver"):
        return batch.summary("deliver")
    return again(batch, ws, read, progress)


def again(
    batch: Batch, ws: Workspace, read: Read = documents, progress: Callable[[int], None] = lambda done: None
) -> dict[str, object]:
    """As ``run``, also for a batch that was delivered before: somebody has put a report back into the outbox."""
    key = KeyRing.open(ws.settings.keys, ws.root).data_key(batch.source_folder)
    store = Store.open(ws.store_url)
    try:
        with _alone(batch):
            sender = _Sender(batch, store, reports_end(ws), progress)
            sender.cancel()
            for _ in range(_PASSES):
                sender.assign()
                if not sender.send(read(batch, key)):
                    break
            summary = sender.counts()
    finally:
        store.close()
    if "pending" in summary:
        raise DeliveryIncompleteError(batch.id, int(str(summary["pending"])), sender.fault)
    batch.mark("deliver", summary)
    return summary


@contextmanager
def _alone(batch: Batch) -> Iterator[None]:
    """Wait until no other process delivers this batch: two would write the same part at once."""
    with (batch.folder / ".deliver.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@dataclass
class _Sender:
    """One run of deliveries.

    Attributes:
        fault: the last reason why a report did not arrive.
    """

    batch: Batch
    store: Store
    end: ReportsEnd
    progress: Callable[[int], None]
    fault: str = "the receiver did not say"
    _sent: int = 0
    _buffers: dict[int, list[Outgoing]] = field(default_factory=dict)

    def cancel(self) -> None:
        """Take reports of withdrawn requests, and of withdrawn members, out of the outbox (R31)."""
        withdrawn = sorted(ended_since_assessment(self.batch, self.store))
        with self.store.begin() as connection:
            own = find(connection, reports, "request_id", withdrawn, reports.c.batch_id == self.batch.id)
            keys = {(row.report_id, row.version) for row in own}
            pending = {(row.report_id, row.version) for row in self._pending(connection)}
            _update(connection, sorted(keys & pending), state="cancelled")

    def assign(self) -> None:
        """Give every report that has none the number of a delivery, in the order of request_id."""
        with self.store.begin() as connection:
            last = sa.select(sa.func.max(outbox.c.delivery)).where(outbox.c.batch_id == self.batch.id)
            number = (connection.scalar(last) or 0) + 1
            keys = [(row.report_id, row.version) for row in self._pending(connection) if row.delivery is None]
            for start in range(0, len(keys), PART_REPORTS):
                _update(connection, keys[start : start + PART_REPORTS], delivery=number + start // PART_REPORTS)

    def send(self, documents: Iterable[Document]) -> bool:
        """Send every delivery; returns whether some report was left over for another one."""
        with self.store.read() as connection:
            waiting = {(row.report_id, row.version): row.delivery for row in self._pending(connection)}
        sizes: dict[int, int] = {}
        for number in waiting.values():
            sizes[number] = sizes.get(number, 0) + 1
        left_over = False
        for document in documents if waiting else ():
            number = waiting.get((document.report_id, document.version))
            if number is None:
                continue
            buffer = self._buffers.setdefault(number, [])
            buffer.append(Outgoing(document.report_id, document.version, document.content))
            if len(buffer) == sizes[number]:
                left_over |= self._deliver(number, self._buffers.pop(number))
        return left_over

    def counts(self) -> dict[str, object]:
        """Reports of the batch by the state of their delivery."""
        query = sa.select(outbox.c.state, sa.func.count()).where(outbox.c.batch_id == self.batch.id)
        with self.store.read() as connection:
            return dict(sorted((row[0], row[1]) for row in connection.execute(query.group_by(outbox.c.state))))

    def _deliver(self, number: int, sent: Sequence[Outgoing]) -> bool:
        """Send one delivery and keep what became of it, in one transaction."""
        answer = self.end.deliver(self.batch.id, number, sent)
        held = {receipt.key for receipt in answer.receipts}
        faulty = {(fault.report_id, fault.version) for fault in answer.faults}
        left_over = [report.key for report in sent if report.key not in held and report.key not in faulty]
        with self.store.begin() as connection:
            # What a part holds was delivered, even if its request was withdrawn while this process was dead.
            _update(connection, sorted(held), state="delivered", last_error=None, attempts=outbox.c.attempts + 1)
            _update(connection, left_over, delivery=None)
            self._keep_faults(connection, answer)
            self._keep_receipts(connection, number, answer.receipts)
        self._sent += len(sent)
        self.progress(self._sent)
        _log.info("deliver.part", batch=self.batch.id, number=number, receipts=len(held), faults=len(faulty))
        return bool(left_over)

    def _keep_faults(self, connection: sa.Connection, answer: Answer) -> None:
        for fault in answer.faults:
            state = "refused" if fault.final else "pending"
            values = {"state": state, "last_error": fault.reason, "attempts": outbox.c.attempts + 1}
            _update(connection, [(fault.report_id, fault.version)], **values)
            if not fault.final:
                self.fault = fault.reason

    def _keep_receipts(self, connection: sa.Connection, number: int, got: Sequence[Receipt]) -> None:
        if not got:
            return
        at = self.store.now()
        rows = [{"report_id": r.report_id, "version": r.version, "receipt": r.text, "received_at": at} for r in got]
        insert_new(connection, receipts, rows)
        lines = [[receipt.report_id, receipt.version, receipt.text] for receipt in got]
        digest = hashlib.sha256(text(sorted(lines)).encode()).hexdigest()
        detail = {"reports": len(got), "receipts_sha256": digest}
        append_within(connection, [Entry("delivery", self.batch.id, f"{number:04d}/{digest[:16]}", detail)], at)

    def _pending(self, connection: sa.Connection) -> Sequence[sa.Row]:
        same = sa.and_(reports.c.report_id == outbox.c.report_id, reports.c.version == outbox.c.version)
        query = sa.select(outbox.c.report_id, outbox.c.version, outbox.c.delivery).join(reports, same)
        query = query.where(outbox.c.batch_id == self.batch.id, outbox.c.state == "pending")
        return connection.execute(query.order_by(reports.c.request_id, outbox.c.version)).all()


def _update(connection: sa.Connection, keys: Sequence[Key], **values: object) -> None:
    """Set columns of the outbox for these reports."""
    if keys:
        which = sa.and_(outbox.c.report_id == sa.bindparam("r"), outbox.c.version == sa.bindparam("v"))
        connection.execute(outbox.update().where(which).values(**values), [{"r": r, "v": v} for r, v in keys])
