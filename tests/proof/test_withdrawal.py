"""R30, R31 end to end: consent that ends while a batch is under way; nothing of it is shown, nothing is delivered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from pipelines import intake, ledger, report, tables
from pipelines.batch import Batch
from pipelines.demo import AS_OF
from pipelines.keys import KeyRing
from pipelines.settings import Workspace
from pipelines.store import Store
from pipelines.verify import open_batch, run_stage
from tests.proof import county

Verified = tuple[Workspace, Batch]
ISSUED = ("assess", "check_assessed", "report")


@pytest.fixture
def undisturbed(verified: Verified) -> dict[str, dict[str, Any]]:
    """Reports as they are when nobody withdraws anything."""
    return {request: json.loads(line) for request, line in county.delivered(*verified).items()}


def withdraw(ws: Workspace, request: str, member: int | None = None) -> None:
    """The case system sends a withdrawal, and it is taken in."""
    inbox = ws.root / "inbox"
    line = {"withdrawal": {"request_id": request, "on": "2026-09-16"} | ({"member_no": member} if member else {})}
    (inbox / f"{len(list(inbox.iterdir())):03d}.jsonl").write_text(json.dumps(line) + "\n")
    assert intake.run(ws, AS_OF).withdrawn == 1


@pytest.fixture
def under_way(asked: Workspace, tmp_path: Path) -> tuple[Workspace, Batch]:
    """A batch whose extracts are there, and which was not assessed yet."""
    ws = county.own(asked, tmp_path / "workspace")
    return ws, county.run(ws, stages=county.ASKED)


def finish(ws: Workspace, batch: Batch, *stages: str) -> dict[str, dict[str, Any]]:
    """The other stages; returns the batch's reports."""
    for stage in stages:
        run_stage(stage, batch, ws)
    key = KeyRing.open(ws.settings.keys, ws.root).data_key(batch.source_folder)
    return {document.request_id: json.loads(document.content) for document in report.documents(batch, key)}


def select(ws: Workspace, query: sa.Select[Any]) -> list[tuple[Any, ...]]:
    store = Store.open(ws.store_url)
    with store.read() as connection:
        found = [tuple(row) for row in connection.execute(query)]
    assert ledger.verify(store) is None
    store.close()
    return found


def entries(ws: Workspace, kind: str) -> list[dict[str, Any]]:
    table = tables.ledger
    return [json.loads(detail) for (detail,) in select(ws, sa.select(table.c.detail).where(table.c.kind == kind))]


def items(found: dict[str, Any], member: int | None = None) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = found["income"]["items"] + found["assets"]["items"]
    return [item for item in listed if member in (None, item["member"])]


def somebody(reports: dict[str, dict[str, Any]]) -> tuple[str, int]:
    """A request and the last of its members, who has income and property of their own."""
    for request, found in sorted(reports.items()):
        last = max(member["member"] for member in found["members"])
        own = items(found, last)
        if last > 1 and {"category" in item for item in own} == {True, False}:
            return request, last
    raise AssertionError("no such household")


def test_r30_what_consent_no_longer_covers_is_withheld(
    under_way: tuple[Workspace, Batch], undisturbed: dict[str, dict[str, Any]]
) -> None:
    request, member = somebody(undisturbed)
    before = undisturbed[request]
    ws, batch = under_way
    withdraw(ws, request, member)
    reports = finish(ws, batch, *ISSUED, "deliver")
    after = reports[request]

    assert items(before, member)
    assert items(after, member) == []
    held = {fact["row_digest"] for item in items(before, member) for fact in item["facts"]}
    assert not held & {fact["row_digest"] for item in items(after) for fact in item["facts"]}
    assert not any(digest in json.dumps(after) for digest in held)
    assert items(after, 1) or items(before, 1) == []

    withheld = {line["dataset"]: line["items"] for line in after["withheld"]}
    assert {(line["member"], line["reason"]) for line in after["withheld"]} == {(member, "withdrawn")}
    assert all(withheld[item["dataset"]] for item in items(before, member) if "category" in item)
    assert sum(withheld.values()) >= len(items(before, member))
    states = {line["state"] for line in after["coverage"] if member in line["members"]}
    assert states == {"not_authorised"}
    assert "authorisation_ended" in {reason["code"] for reason in after["conclusion"]["review"]}
    assert entries(ws, "withheld") == [{"members": 1}]
    # nobody else's report is another one
    signed = ("signature", "digest")
    others = [{k: v for k, v in found.items() if k not in signed} for r, found in reports.items() if r != request]
    assert others == [{k: v for k, v in undisturbed[r].items() if k not in signed} for r in reports if r != request]


def test_r31_consent_that_ends_after_assessment_stops_the_report(
    under_way: tuple[Workspace, Batch], undisturbed: dict[str, dict[str, Any]]
) -> None:
    first, second = [r for r in sorted(undisturbed) if len(undisturbed[r]["members"]) > 1][:2]
    ws, batch = under_way
    finish(ws, batch, "assess", "check_assessed")
    withdraw(ws, first, 2)
    assert set(finish(ws, batch, "report")) == set(undisturbed) - {first}
    assert entries(ws, "withheld") == [{"requests": 1}]
    withdraw(ws, second, 2)
    run_stage("deliver", batch, ws)
    assert set(county.delivered(ws, batch)) == set(undisturbed) - {first, second}
    # the next batch says the rest, and nothing twice
    later = county.run(ws, AS_OF.replace(hour=4))
    reports = {request: json.loads(line) for request, line in county.delivered(ws, later).items()}
    assert set(reports) == {first, second}
    assert all(items(reports[request], 2) == [] for request in (first, second))


def test_r30_r31_a_withdrawn_request_leads_to_no_report_and_no_delivery(
    under_way: tuple[Workspace, Batch], undisturbed: dict[str, dict[str, Any]]
) -> None:
    first, second, third = sorted(undisturbed)[:3]
    ws, batch = under_way
    withdraw(ws, first)
    assert set(finish(ws, batch, "assess", "check_assessed")) == set()
    assert "members" in entries(ws, "withheld")[0]
    withdraw(ws, second)
    reports = finish(ws, batch, "report")
    assert set(reports) == set(undisturbed) - {first, second}
    withdraw(ws, third)
    run_stage("deliver", batch, ws)
    assert set(county.delivered(ws, batch)) == set(undisturbed) - {first, second, third}

    same = sa.and_(tables.reports.c.report_id == tables.outbox.c.report_id)
    outbox = sa.select(tables.reports.c.request_id, tables.outbox.c.state).join(tables.outbox, same)
    states = dict(select(ws, outbox))
    assert states.pop(third) == "cancelled"
    assert set(states.values()) == {"delivered"}
    queue = sa.select(tables.withdrawals.c.request_id, tables.withdrawals.c.deleted_at)
    assert select(ws, queue.order_by("request_id")) == [(request, None) for request in (first, second, third)]
    assert len(entries(ws, "withdrawal")) == 3
    # and no later batch has them
    later = open_batch(ws, AS_OF.replace(hour=4))
    chosen = {request for request, _ in json.loads((later.folder / "selection.json").read_text())}
    assert chosen == set(undisturbed) - {first, second, third}
