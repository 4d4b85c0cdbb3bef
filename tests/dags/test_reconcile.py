"""Who is verified again at night, and who is not (R73); the nightly DAG, whole."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pipelines import intake, reconcile
from pipelines.batch import Batch
from pipelines.rotation import rotate
from pipelines.scheduled.waiting import late_sources
from pipelines.settings import Workspace
from pipelines.store import Store
from pipelines.verify import open_batch, run_stage
from tests.dags.airflow_home import Home
from tests.dags.conftest import configure, copied

FIRST = datetime.fromisoformat("2026-09-16T02:00:00+08:00")
TONIGHT = FIRST + timedelta(days=1)
TO_ASSESS = ("plan", "collect", "check_admitted")
TO_DELIVERY = (*TO_ASSESS, "assess", "check_assessed", "report", "deliver")


@pytest.fixture(scope="module")
def verified(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The county after its first night, with departments of its own; not to be changed."""
    root = tmp_path_factory.mktemp("first")
    shutil.copytree(made / "county", root / "county")
    ws = copied(made, root / "workspace")
    settings = {"connections": {"folder": {"kind": "folder", "path": "../county/departments", "attempts": 1}}}
    ws = configure(ws.root, **settings, case_systems={"requests": {"kind": "folder", "path": "../county/requests"}})
    intake.run(ws, FIRST)
    batch = open_batch(ws, FIRST)
    for stage in TO_DELIVERY:
        run_stage(stage, batch, ws)
    return root


@pytest.fixture
def site(verified: Path, tmp_path: Path) -> Workspace:
    shutil.copytree(verified, tmp_path, dirs_exist_ok=True)
    return Workspace.open(tmp_path / "workspace")


def deposits(ws: Workspace, change: Callable[[dict[str, str]], None]) -> None:
    """The banks send everything anew, with something changed in every row that the change touches."""
    folder = ws.root.parent / "county" / "departments" / "banks.deposits"
    manifest = next(folder.glob("*.manifest.json"))
    old = folder / json.loads(manifest.read_text())["file"]
    rows = list(csv.DictReader(old.open(encoding="utf-8", newline="")))
    for row in rows:
        change(row)
    new = folder / "deposits-20260916.csv"
    with new.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    told = json.loads(manifest.read_text()) | {
        "file": new.name, "digest": hashlib.sha256(new.read_bytes()).hexdigest(), "as_of": "2026-09-16",
    }  # fmt: skip
    (folder / f"{new.name}.manifest.json").write_text(json.dumps(told))
    old.unlink()
    manifest.unlink()


def member(ws: Workspace, request: str) -> str:
    """The ID number of a request's applicant, as the case system sent it."""
    for file in sorted((ws.root.parent / "county" / "requests").glob("*.jsonl")):
        for line in file.read_text("utf-8").splitlines():
            document = json.loads(line)
            if document.get("request_id") == request:
                return str(document["members"][0]["id_number"])
    raise AssertionError(request)


def tonight(ws: Workspace, at: datetime = TONIGHT) -> tuple[Batch, dict[str, list[str]]]:
    assert reconcile.divisions(ws) == ["370303"]
    batch = reconcile.watch(ws, "370303", at)
    for stage in TO_ASSESS:
        run_stage(stage, batch, ws)
    return batch, reconcile.due(batch, ws)


def with_account(ws: Workspace) -> str:
    """A request whose applicant has an account that the banks know."""
    folder = ws.root.parent / "county" / "departments" / "banks.deposits"
    known = {row["CKRSFZJHM"] for row in csv.DictReader(next(folder.glob("*.csv")).open(encoding="utf-8"))}
    store = Store.open(ws.store_url)
    requests = sorted(store.latest_reports())
    store.close()
    return next(request for request in requests if member(ws, request) in known)


def test_r73_nothing_has_changed_so_nobody_is_verified_again(site: Workspace) -> None:
    rotate(site)  # another key epoch is no change either
    deposits(site, lambda row: None)  # nor is a new file that says the same
    batch, due = tonight(site)
    assert due == {}
    assert reconcile.verify_due(batch, site) is None


def test_r73_a_row_about_a_member_that_changed_and_nobody_else(site: Workspace) -> None:
    request = with_account(site)
    number = member(site, request)
    deposits(site, lambda row: row.update(ZHYE="123.45") if row["CKRSFZJHM"] == number else None)
    batch, due = tonight(site)
    assert due == {request: ["source"]}
    second = reconcile.verify_due(batch, site)
    assert second is not None
    assert second.admitted_from == batch.id
    assert second.summary("report")["reports"] == 1
    # The night after, the second batch is what the report stands on.
    assert tonight(site, TONIGHT + timedelta(days=1))[1] == {}


def test_r73_a_source_that_is_down_has_changed_nothing_and_one_that_is_back_has(site: Workspace) -> None:
    folder = site.root.parent / "county" / "departments" / "banks.deposits"
    away = folder.with_name("away")
    folder.rename(away)
    assert tonight(site)[1] == {}
    # A report that was made without the banks is made again with them.
    batch = open_batch(site, TONIGHT + timedelta(hours=1))
    for stage in TO_DELIVERY:
        run_stage(stage, batch, site)
    away.rename(folder)
    _, due = tonight(site, TONIGHT + timedelta(days=1))
    assert len(due) == len(reconcile._in_payment(site))
    assert set(map(tuple, due.values())) == {("source",)}


def test_r73_a_report_that_reached_the_packs_age(site: Workspace) -> None:
    _, due = tonight(site, FIRST + timedelta(days=366))
    assert due
    assert all("age" in reasons for reasons in due.values())


def test_r73_an_authorisation_that_ended(site: Workspace) -> None:
    request = sorted(dict(json.loads(next(site.batches.glob("*/selection.json")).read_text())))[0]
    line = {"withdrawal": {"request_id": request, "member_no": 1, "on": "2026-09-16"}}
    inbox = site.root.parent / "county" / "requests" / "zz-withdrawal.jsonl"
    inbox.write_text(json.dumps(line) + "\n")
    assert intake.run(site, TONIGHT).withdrawn == 1
    _, due = tonight(site)
    assert set(due) == {request}
    assert "authorisation" in due[request]


def test_late_sources_are_those_whose_newest_file_is_too_old(site: Workspace) -> None:
    assert late_sources(site, FIRST) == []
    assert set(late_sources(site, FIRST + timedelta(days=400))) == set(site.settings.sources)
    shutil.rmtree(site.root.parent / "county" / "departments" / "banks.deposits")
    assert late_sources(site, FIRST) == ["banks/deposits"]


def test_the_nightly_dag_verifies_whom_the_function_names(site: Workspace, home: Home) -> None:
    request = with_account(site)
    number = member(site, request)
    deposits(site, lambda row: row.update(ZHYE="123.45") if row["CKRSFZJHM"] == number else None)
    # Securities are late: waited for in the triggerer, for no longer than the cut-off.
    securities = site.root.parent / "county" / "departments" / "securities.holdings"
    securities.rename(securities.with_name("late"))
    configure(site.root, nightly={"cut_off_minutes": 0})
    (told,) = home.test(site.root, [{"dag": "reconcile_nightly", "at": TONIGHT.isoformat(), "mark": "leave.quality"}])
    assert told.state == "success"
    assert told.of("wait_for_sources") == ["success"]
    assert told.of("leave.deliver") == ["success"]
    batches = [Batch.open(site.batches, path.name) for path in site.batches.iterdir()]
    first, second = sorted((b for b in batches if b.as_of == TONIGHT), key=lambda b: b.admitted_from or "")
    assert reconcile.due(first, site) == {request: ["source"]}
    assert second.admitted_from == first.id
    delivered = [json.loads(x) for x in next((site.root / "reports" / second.id).glob("part-????.jsonl")).open()]
    assert [(one["request_id"], one["version"]) for one in delivered] == [(request, 2)]
    assert {value for task, _, value in told.xcoms if task in ("watch", "verify_due")} == {first.id, second.id}
