"""The two main DAGs under the real scheduler, on PostgreSQL, with the county's departments answering."""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import Any

from pipelines.airflow_config.airflow_local_settings import URGENT
from pipelines.batch import Batch
from pipelines.local_airflow.standing import Standing
from pipelines.settings import Workspace
from pipelines.store import Store

REASON = "窗口复核"
SECONDS = 600
AIM = 20.0  # seconds from Trigger to a delivered report, on an idle machine; what is measured is printed


def states(tasks: list[dict[str, Any]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for task in tasks:
        found.setdefault(task["task_id"], set()).add(task["state"])
    return found


def batch_of(standing: Standing, dag: str, run: str, task: str, index: int = -1) -> Batch:
    path = f"/dags/{dag}/dagRuns/{run}/taskInstances/{task}/xcomEntries/return_value"
    value = standing.rest("administrator").get(path, map_index=index)["value"]
    return Batch.open(Workspace.open(standing.workspace).batches, str(value))


def outbox(standing: Standing, batch: Batch) -> set[str]:
    store = Store.open(Workspace.open(standing.workspace).store_url)
    with store.read() as connection:
        query = f"SELECT state FROM outbox WHERE batch_id = '{batch.id}'"
        found = set(connection.exec_driver_sql(query).scalars())
    store.close()
    return found


def test_one_household_on_extracts_in_hand(standing: Standing, standing_requests: list[str], capsys: Any) -> None:
    staff = standing.rest("staff")
    asked = {"requests": [standing_requests[-1]], "collect": "admitted", "reason": REASON, "priority": "urgent"}
    begun = time.monotonic()
    run = staff.trigger("verify_requests", asked)
    assert staff.wait("verify_requests", run, SECONDS)["state"] == "success"
    took = time.monotonic() - begun
    tasks = staff.tasks("verify_requests", run)
    found = states(tasks)
    assert found["verify_admitted"] == found["gate"] == found["deliver"] == {"success"}
    assert found["collect_join"] == found["quality"] == {"skipped"}
    assert min(task["priority_weight"] for task in tasks) > URGENT, "before all that is not urgent"
    batch = batch_of(standing, "verify_requests", run, "open_batch")
    assert outbox(standing, batch) <= {"delivered"}
    where = {t["task_id"]: round(t["duration"] or 0, 1) for t in tasks if t["state"] == "success"}
    with capsys.disabled():
        print(f"\ntrigger → delivered: {took:.1f} s (aim {AIM:g}), of which tasks {sum(where.values()):.1f}: {where}")


def test_requests_that_arrive_are_verified_and_delivered(standing: Standing) -> None:
    """The arrival names nobody: the run takes in what is there, and verifies those whom nobody has reported on."""
    administrator = standing.rest("administrator")
    asset = next(a for a in administrator.get("/assets")["assets"] if a["name"] == "hedui_requests")
    administrator.http.post("/assets/events", json={"asset_id": asset["id"], "extra": {}}).raise_for_status()
    end = time.monotonic() + 60
    while not (runs := administrator.get("/dags/verify_requests/dagRuns", run_type="asset_triggered")["dag_runs"]):
        assert time.monotonic() < end, "no run was made of the event"
        time.sleep(0.5)
    run = runs[0]["dag_run_id"]
    assert administrator.wait("verify_requests", run, SECONDS)["state"] == "success"
    found = states(administrator.tasks("verify_requests", run))
    departments = {name: state for name, state in found.items() if name.startswith("collect_source.")}
    assert set().union(*departments.values()) == {"success"}
    assert len(departments) > 10
    batch = batch_of(standing, "verify_requests", run, "open_batch")
    chosen = dict(json.loads((batch.folder / "selection.json").read_text()))
    assert len(chosen) == 12
    assert outbox(standing, batch) == {"delivered"}


def test_the_night_finds_that_nothing_has_changed(standing: Standing) -> None:
    """By its schedule: catch-up is off, so a DAG that is let go runs for the last night, and for that one alone."""
    administrator = standing.rest("administrator")
    administrator.unpause("reconcile_nightly")
    try:
        end = time.monotonic() + 60
        while not (runs := administrator.get("/dags/reconcile_nightly/dagRuns")["dag_runs"]):
            assert time.monotonic() < end, "the schedule made no run"
            time.sleep(0.5)
        assert [one["run_type"] for one in runs] == ["scheduled"]
        run = runs[0]["dag_run_id"]
        assert administrator.wait("reconcile_nightly", run, SECONDS)["state"] == "success"
        found = states(administrator.tasks("reconcile_nightly", run))
    finally:
        administrator.http.patch("/dags/reconcile_nightly", json={"is_paused": True}).raise_for_status()
    assert found["verify_due"] == {"success"}
    assert found["leave.deliver"] == {"skipped"}
    batch = batch_of(standing, "reconcile_nightly", run, "watch", 0)
    assert batch.as_of <= datetime.now().astimezone()
    assert json.loads((batch.folder / "due.json").read_text()) == {}
