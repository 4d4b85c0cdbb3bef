"""Delivery: each report exactly once at the receiver, with a receipt, however often the process dies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from connectors.case_model import Answer, CaseSystemUnavailableError, Fault, Outgoing, Receipt
from pipelines import deliver, ledger, tables
from pipelines.deliver import DeliveryIncompleteError
from pipelines.settings import Workspace
from pipelines.store import Store, insert_many
from tests.cases import workspace
from tests.delivering import BATCH, delivered_until, held, issue, read
from tests.unit.test_store import request_row


@pytest.fixture
def ws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setattr(deliver, "PART_REPORTS", 3)
    return workspace(tmp_path / "site")


def ids(*numbers: int) -> list[str]:
    return [f"HD{i:04d}" for i in numbers]


def receipts(ws: Workspace) -> list[str]:
    store = Store.open(ws.store_url)
    with store.read() as connection:
        return list(connection.scalars(sa.select(tables.receipts.c.report_id).order_by(tables.receipts.c.report_id)))


def withdraw(ws: Workspace, request_id: str) -> None:
    with Store.open(ws.store_url).begin() as connection:
        insert_many(connection, tables.requests, [request_row(request_id, "withdrawn")])


def test_every_report_arrives_with_a_receipt(ws: Workspace) -> None:
    batch = issue(ws, 8)
    assert deliver.run(batch, ws, read) == {"delivered": 8}
    assert held(ws) == receipts(ws) == ids(*range(8))
    parts = sorted(path.name for path in (ws.root / "reports" / BATCH).iterdir())
    assert parts == [f"part-000{i}{end}" for i in (1, 2, 3) for end in (".jsonl", ".receipts.jsonl")]
    lines = (ws.root / "reports" / BATCH / "part-0003.receipts.jsonl").read_text().splitlines()
    assert [json.loads(line)["report_id"] for line in lines] == ids(6, 7)
    assert ledger.head(Store.open(ws.store_url))[0] == 3


def test_run_again_it_does_nothing(ws: Workspace) -> None:
    batch = issue(ws, 4)
    first = deliver.run(batch, ws, read)
    before = {path: path.stat().st_mtime_ns for path in (ws.root / "reports" / BATCH).iterdir()}
    assert deliver.run(batch, ws, read) == first
    (batch.folder / "stages" / "deliver.json").unlink()
    assert deliver.run(batch, ws, read) == first
    assert {path: path.stat().st_mtime_ns for path in (ws.root / "reports" / BATCH).iterdir()} == before


def test_nothing_to_deliver_is_done(ws: Workspace) -> None:
    assert deliver.run(issue(ws, 0), ws, read) == {}


def test_r31_withdrawn_requests_are_not_delivered(ws: Workspace) -> None:
    batch = issue(ws, 4)
    withdraw(ws, "R-0001")
    assert deliver.run(batch, ws, read) == {"cancelled": 1, "delivered": 3}
    assert held(ws) == receipts(ws) == ids(0, 2, 3)


POINTS = [
    (point, call, when)
    for point, calls in {
        "assign": (1,), "update": (1, 3, 4), "send": (1, 2, 3), "file": (1, 2, 3, 4), "receipts": (1, 3),
        "ledger": (1, 3), "mark": (1,),
    }.items()
    for call in calls
    for when in ("before", "after")
]  # fmt: skip


@pytest.mark.parametrize(("point", "call", "when"), POINTS)
def test_killed_anywhere_and_run_again(ws: Workspace, point: str, call: int, when: str) -> None:
    batch = issue(ws, 8)
    assert delivered_until(ws, point, call, when) == 9
    assert deliver.run(batch, ws, read) == {"delivered": 8}
    assert held(ws) == receipts(ws) == ids(*range(8))
    store = Store.open(ws.store_url)
    assert ledger.verify(store) is None
    assert ledger.head(store)[0] == 3


def test_withdrawn_after_it_was_sent_and_before_that_was_known(ws: Workspace) -> None:
    batch = issue(ws, 4)
    assert delivered_until(ws, "send", 1, "after") == 9
    withdraw(ws, "R-0001")
    assert deliver.run(batch, ws, read) == {"delivered": 4}
    assert held(ws) == receipts(ws) == ids(0, 1, 2, 3)


class Picky:
    """A receiver with a will of its own: what it answers for a report, by its id, call by call."""

    def __init__(self, answers: dict[str, list[str]]) -> None:
        self.answers = answers
        self.got: list[str] = []

    def deliver(self, batch_id: str, number: int, reports: Sequence[Outgoing]) -> Answer:
        taken, faults = [], []
        for report in reports:
            mood = self.answers.get(report.report_id, [])
            word = mood.pop(0) if mood else "take"
            if word == "take":
                self.got.append(report.report_id)
                taken.append(Receipt(*report.key, f"no. {len(self.got)}"))
            elif word != "ignore":
                faults.append(Fault(*report.key, word, final=word == "never"))
        return Answer(taken, faults)


def test_what_may_pass_is_kept_for_the_next_run(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    batch, picky = issue(ws, 5), Picky({"HD0001": ["busy"] * 2, "HD0003": ["never"], "HD0004": ["ignore"]})
    monkeypatch.setattr(deliver, "reports_end", lambda ws: picky)
    with pytest.raises(DeliveryIncompleteError, match="busy"):
        deliver.run(batch, ws, read)
    assert not batch.done("deliver")
    assert sorted(picky.got) == ids(0, 2, 4)
    result = deliver.run(batch, ws, read)
    assert result == {"delivered": 4, "refused": 1}
    assert sorted(picky.got) == receipts(ws) == ids(0, 1, 2, 4)


def test_an_unreachable_receiver_leaves_everything_as_it_was(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    class Down:
        def deliver(self, batch_id: str, number: int, reports: Sequence[Outgoing]) -> Answer:
            raise CaseSystemUnavailableError("HTTP", "reports", "ConnectError")

    batch = issue(ws, 5)
    with monkeypatch.context() as patch:
        patch.setattr(deliver, "reports_end", lambda ws: Down())
        with pytest.raises(CaseSystemUnavailableError):
            deliver.run(batch, ws, read)
    assert deliver.run(batch, ws, read) == {"delivered": 5}
