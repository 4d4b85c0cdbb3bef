"""Deliver what waits in the outbox: every few minutes, and whenever somebody sends a report again."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import dag, task
from hedui_dags import DEFAULTS, START


@dag(
    schedule=timedelta(minutes=5),
    start_date=START,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS | {"retries": 0},  # the next run is the next try
    tags=["hedui", "核对"],
    dag_display_name="送达报告 deliver_reports",
    doc_md="把发件箱中待送达的报告送出；等待确认的除外 · deliver what waits, but for what waits for approval.",
)
def deliver_reports():
    """One task: the outbox."""

    @task
    def outbox() -> None:
        from pipelines.scheduled import steps

        steps.deliver_outbox()

    outbox()


deliver_reports()
