"""Every night: take requests in and verify them. When and in what order; each task calls one stage.

The workspace is the environment variable HEDUI_WORKSPACE of Airflow's workers. A task that is run again finds what
is done and goes on.
"""

from __future__ import annotations

import os
from datetime import timedelta

import pendulum
from airflow.sdk import dag, task


def _workspace():
    from pathlib import Path

    from pipelines.settings import Workspace

    return Workspace.open(Path(os.environ["HEDUI_WORKSPACE"]))


def _moment(at):
    """The run's moment in the county's time; never the clock, so that a retry is the same batch."""
    from datetime import datetime

    return datetime.fromisoformat(at.in_timezone("Asia/Shanghai").isoformat())


def _stage(name: str, batch_id: str) -> None:
    from pipelines.batch import Batch
    from pipelines.verify import run_stage

    ws = _workspace()
    run_stage(name, Batch.open(ws.batches, batch_id), ws)


@dag(
    schedule="0 2 * * *",
    start_date=pendulum.datetime(2026, 7, 1, tz="Asia/Shanghai"),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=10)},
    tags=["hedui"],
    doc_md="核对申请:接收、核对、送达 · take requests in, verify them, deliver the reports.",
)
def verify_requests():
    """Intake, one batch, its stages in order."""

    @task
    def intake(data_interval_end=None, logical_date=None) -> None:
        from pipelines import intake

        intake.run(_workspace(), _moment(data_interval_end or logical_date))

    @task
    def open_batch(data_interval_end=None, logical_date=None) -> str:
        from pipelines.verify import open_batch

        return open_batch(_workspace(), _moment(data_interval_end or logical_date)).id

    @task
    def stage(name: str, batch_id: str) -> None:
        _stage(name, batch_id)

    batch_id = open_batch()
    steps = {name: stage.override(task_id=name)(name, batch_id) for name in _ORDER}
    intake() >> batch_id
    for before, after in _EDGES:
        steps[before] >> steps[after]


_ORDER = ("plan", "collect", "check_admitted", "assess", "check_assessed", "report", "quality", "deliver")
# Great Expectations confirms beside the report stage; nothing is delivered before it has agreed.
_EDGES = (
    ("plan", "collect"),
    ("collect", "check_admitted"),
    ("check_admitted", "assess"),
    ("assess", "check_assessed"),
    ("check_assessed", "report"),
    ("check_assessed", "quality"),
    ("report", "deliver"),
    ("quality", "deliver"),
)

verify_requests()
