"""Rotate the token keys: by a person, with a reason. A batch that is under way keeps its own epoch."""

from __future__ import annotations

from airflow.sdk import dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException
from hedui_dags import DEFAULTS, REASON, START, who


@dag(
    schedule=None,
    start_date=START,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    params={"reason": REASON},
    tags=["hedui", "核对"],
    dag_display_name="轮换密钥 rotate_keys",
    doc_md="开始下一期令牌密钥；旧批次仍可读 · begin the next epoch of the token keys; old batches stay readable.",
)
def rotate_keys():
    """One task; cut short, it is finished by its next try."""

    @task
    def rotate() -> None:
        from pipelines.scheduled import steps
        from pipelines.scheduled.form import FormRefusedError

        context = get_current_context()
        run = context["dag_run"]
        try:
            steps.rotate(dict(context["params"]), who(run), run.run_id)
        except FormRefusedError as error:
            raise AirflowFailException(str(error)) from error  # another try would be refused as well

    rotate()


rotate_keys()
