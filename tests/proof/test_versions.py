"""R5, R7, R69, R70: when there is a later version of a report, what it says otherwise, and what objections do."""

from __future__ import annotations

import json
import shutil
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.contract import load_contracts
from pipelines import cli, ledger, tables
from pipelines.batch import Batch
from pipelines.demo import AS_OF
from pipelines.replay import again, as_issued
from pipelines.settings import Workspace
from pipelines.store import Store
from pipelines.workdays import term
from tests.proof import county

NEXT_NIGHT = AS_OF + timedelta(hours=20)


@pytest.fixture
def site(verified: tuple[Workspace, Batch], tmp_path: Path) -> Workspace:
    """The verified county, to be changed."""
    return county.copy(verified[0], tmp_path / "site")


@pytest.fixture(scope="module")
def assessed_again(verified: tuple[Workspace, Batch], tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The county asked and assessed again the next night, not reported yet; not to be changed."""
    ws = county.copy(verified[0], tmp_path_factory.mktemp("next") / "site")
    county.run(ws, NEXT_NIGHT, stages=county.UP_TO_REPORT)
    return ws


def rows_of(ws: Workspace) -> dict[str, Any]:
    store = Store.open(ws.store_url)
    found = store.latest_reports()
    assert ledger.verify(store) is None
    store.close()
    return found


def report_of(ws: Workspace, request: str) -> dict[str, Any]:
    return dict(json.loads(as_issued(ws, rows_of(ws)[request])))


def said(capsys: pytest.CaptureFixture[str], ws: Workspace, *arguments: str) -> tuple[int, Any]:
    capsys.readouterr()
    code = cli.run([*arguments, "-w", str(ws.root), "--json"])
    told = capsys.readouterr()
    return code, json.loads(told.out or told.err)


def at(hours: int) -> str:
    return (AS_OF + timedelta(hours=hours)).isoformat()


def test_r05_r07_a_batch_that_finds_nothing_new_issues_and_delivers_nothing(
    assessed_again: Workspace, tmp_path: Path
) -> None:
    site = county.copy(assessed_again, tmp_path / "site")
    before = rows_of(site)
    later = county.run(site, NEXT_NIGHT)
    counts = later.summary("report")
    assert (counts["reports"], counts["new"], counts["unchanged"]) == (0, 0, len(before))
    assert rows_of(site) == before
    assert county.delivered(site, later) == {}
    assert later.summary("deliver") == {}
    store = Store.open(site.store_url)
    with store.read() as connection:
        kept = connection.execute(sa.select(sa.func.count()).select_from(tables.confirmations)).scalar()
    store.close()
    assert kept == len(before)


def test_r05_a_report_whose_validity_has_passed_is_issued_anew(
    assessed_again: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines import report

    site = county.copy(assessed_again, tmp_path / "site")

    monkeypatch.setattr(report, "holds_on", lambda earlier, draft, on: _holds(earlier, draft, on))
    later = county.run(site, NEXT_NIGHT)
    assert later.summary("report")["new"] == len(rows_of(site))


def _holds(earlier: bytes, draft: bytes, on: date) -> bool:
    from pipelines.versions import holds_on

    valid = date.fromisoformat(json.loads(earlier)["valid_until"])
    assert holds_on(earlier, draft, valid)
    return holds_on(earlier, draft, valid + timedelta(days=1))


def test_r05_late_data_makes_a_later_version_and_the_page_says_by_whose_answer(
    taken_in: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ws = county.copy(taken_in, tmp_path / "site")
    departments = tmp_path / "departments"
    shutil.copytree(Path(ws.settings.connections["folder"].path), departments)  # type: ignore[union-attr]
    connections = {"folder": {"kind": "folder", "path": str(departments)}}
    ws = county.copy(ws, tmp_path / "late", connections=connections)
    hidden = departments / load_contracts()["banks/deposits"].folder
    hidden.rename(tmp_path / "not_sent_yet")
    first = county.run(ws)
    old = {request: as_issued(ws, row) for request, row in rows_of(ws).items()}
    (tmp_path / "not_sent_yet").rename(hidden)
    county.run(ws, AS_OF + timedelta(hours=5))
    new = rows_of(ws)
    assert {row.version for row in new.values()} == {2}
    assert {row.supersedes for row in new.values()} == {1}
    for request, content in old.items():
        store = Store.open(ws.store_url)
        row = store.report(new[request].report_id, 1)
        store.close()
        assert row is not None
        assert (row.batch_id, as_issued(ws, row)) == (first.id, content)
    request = min(new)
    page = tmp_path / "difference.html"
    _, told = said(capsys, ws, "report", "diff", request, "--out", str(page))
    assert (told["before"]["version"], told["after"]["version"]) == (1, 2)
    (source,) = [c for c in told["changes"] if c["kind"] == "source"]
    assert {line["state"] for line in source["before"]} == {"unavailable"}
    assert {line["state"] for line in source["after"]} == {"covered"}
    assert source["by"]
    assert any(source["by"] in reason["zh"] for reason in told["because"])
    figures = {c["name"]["zh"] for c in told["changes"] if c["kind"] == "figure"}
    assert any("financial_assets" in name for name in figures)
    text = page.read_text("utf-8")
    assert source["by"] in text
    assert "<script" not in text
    assert "http" not in text


def an_item(ws: Workspace) -> tuple[str, dict[str, Any]]:
    """A household whose deposit counts in full and could be taken out of use."""
    for request in sorted(rows_of(ws)):
        for item in report_of(ws, request)["assets"]["items"]:
            if item["class"] == "deposit" and item["treatment"] == "counted" and item["counted"]["low"] > 0:
                return request, item
    raise AssertionError("no such household")


def test_r69_an_objection_freezes_the_fact_and_leads_to_a_new_version_when_it_ends(
    site: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    request, item = an_item(site)
    before = report_of(site, request)
    code, opened = said(
        capsys, site, "objection", "open", request, "--item", f"asset.{item['no']}", "--ground", "not_mine",
        "--by", "370303-mzj", "--at", at(3),
    )  # fmt: skip
    assert code == 0
    assert (opened["state"], opened["dataset"], opened["new_version"]) == ("open", "banks/deposits", 2)
    assert opened["due_on"] == term(AS_OF.date(), 10).on.isoformat()  # R70

    frozen = report_of(site, request)
    (own,) = [i for i in frozen["assets"]["items"] if i["facts"] == item["facts"]]
    assert (own["treatment"], own["reason"], own["rule"]) == ("disputed", "under_objection", "R69")
    assert own["counted"] == {"low": 0, "high": item["counted"]["high"]}
    assert frozen["assets"]["financial_fen"]["low"] == before["assets"]["financial_fen"]["low"] - item["counted"]["low"]
    assert "under_objection" in {reason["code"] for reason in frozen["conclusion"]["review"]}
    assert frozen["supersedes"] == 1

    name = opened["objection_id"]
    answer = ("objection", "answer", name, "--by", "370303-bank", "--at", at(5))
    code, told = said(capsys, site, "objection", "close", name, "--by", "370303-mzj", "--at", at(4))
    assert (code, told["error"]) == (2, "ObjectionStepError")
    assert said(capsys, site, *answer, "--outcome", "confirmed")[1]["state"] == "answered"
    _, closed = said(capsys, site, "objection", "close", name, "--by", "370303-mzj", "--at", at(6))
    assert (closed["state"], closed["outcome"], closed["new_version"]) == ("closed", "confirmed", 3)
    assert report_of(site, request)["assets"] == before["assets"]

    _, difference = said(capsys, site, "report", "diff", request)
    assert (difference["before"]["version"], difference["after"]["version"]) == (2, 3)
    assert "确认无误" in "".join(reason["zh"] for reason in difference["because"])
    assert "370303-bank" in "".join(reason["zh"] for reason in difference["because"])
    # each version is made again as it was, whatever was objected since, and for whatever moment (R66)
    backdated = ("objection", "open", request, "--item", f"asset.{item['no']}", "--by", "370303-mzj", "--at", at(2))
    assert said(capsys, site, *backdated, "--no-verify")[0] == 0
    store = Store.open(site.store_url)
    versions = [store.report(before["report_id"], number) for number in (1, 2, 3)]
    with store.read() as connection:
        events = connection.execute(sa.select(tables.objection_events.c.kind)).scalars().all()
    store.close()
    assert sorted(events) == ["answered", "closed", "opened", "opened"]
    for row in versions:
        assert row is not None
        assert again(site, row) == as_issued(site, row)


def test_r69_a_fact_that_was_said_to_be_corrected_stays_out_until_the_correction_comes(
    site: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    request, item = an_item(site)
    _, opened = said(
        capsys, site, "objection", "open", request, "--item", f"asset.{item['no']}", "--by", "370303-mzj",
        "--at", at(3), "--no-verify",
    )  # fmt: skip
    name = opened["objection_id"]
    said(capsys, site, "objection", "answer", name, "--outcome", "corrected", "--by", "370303-bank", "--at", at(4))
    _, closed = said(capsys, site, "objection", "close", name, "--by", "370303-mzj", "--at", at(5))
    assert closed["new_version"] == 2
    (own,) = [i for i in report_of(site, request)["assets"]["items"] if i["facts"] == item["facts"]]
    assert (own["treatment"], own["reason"]) == ("disputed", "correction_awaited")


def test_r70_a_department_that_does_not_answer_in_time_is_listed_as_overdue(
    site: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    request, item = an_item(site)
    _, opened = said(
        capsys, site, "objection", "open", request, "--item", f"asset.{item['no']}", "--by", "370303-mzj",
        "--at", at(3), "--no-verify",
    )  # fmt: skip
    due = datetime.fromisoformat(f"{opened['due_on']}T09:00:00+08:00")
    code, (one,) = said(capsys, site, "objection", "list", "--at", due.isoformat())
    assert (code, one["overdue"]) == (0, False)
    code, (one,) = said(capsys, site, "objection", "list", "--at", (due + timedelta(days=1)).isoformat())
    assert (code, one["overdue"], one["frozen_rows"]) == (1, True, len(item["facts"]))
    _, told = said(
        capsys, site, "objection", "open", request, "--item", f"asset.{item['no']}", "--by", "370303-mzj",
        "--at", "2027-12-28T09:00:00+08:00", "--no-verify",
    )  # fmt: skip
    assert told["error"] == "CalendarEndsError"
    code, _ = said(capsys, site, "objection", "open", request, "--item", "asset.99", "--by", "370303-mzj")
    assert code == 2


def test_r69_nothing_of_an_objection_in_the_ledger_is_personal(
    site: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    request, item = an_item(site)
    said(
        capsys, site, "objection", "open", request, "--item", f"item.asset.{item['no']}", "--by", "370303-mzj",
        "--at", at(3), "--no-verify",
    )  # fmt: skip
    store = Store.open(site.store_url)
    query = sa.select(tables.ledger.c.detail).where(tables.ledger.c.kind == "objection")
    with store.read() as connection:
        (detail,) = connection.scalars(query)
    store.close()
    assert set(json.loads(detail)) == {"at", "dataset", "kind", "outcome", "reason", "rows", "rule"}
    assert not any(fact["row_digest"] in detail for fact in item["facts"])
