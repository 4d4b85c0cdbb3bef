"""Retention: what was withdrawn is deleted, what is past its time loses its key, and the ledger has the proof."""

from __future__ import annotations

from airflow.sdk import dag, get_current_context, task
from hedui_dags import DEFAULTS, START


@dag(
    schedule="30 5 * * *",
    start_date=START,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    tags=["hedui", "核对"],
    dag_display_name="到期销毁 expire_data",
    doc_md="删除已撤回的数据，销毁到期批次的密钥并留存证明 · delete, destroy keys past their time, prove it.",
)
def expire_data():
    """One task: destroy, then look again."""

    @task
    def expire() -> None:
        from pipelines.scheduled import steps

        steps.expire(steps.moment(get_current_context()["dag_run"].run_after))

    expire()


expire_data()
