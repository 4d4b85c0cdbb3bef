"""Verify requests: when staff say so, when requests arrive, or when the REST API asks. Each task calls one step.

What a run does is in its form; everything in it is judged before anything is done.
"""

from __future__ import annotations

from airflow.sdk import Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException
from hedui_dags import (
    ANSWER,
    DEFAULTS,
    REASON,
    START,
    Approval,
    ask_departments,
    collect_join,
    collect_links,
    deliver,
    gate,
    quality,
    requests_asset,
    stage,
    who,
)

FORM = {
    "requests": Param(
        None,
        type=["null", "array"],
        items={"type": "string", "minLength": 1, "maxLength": 64},
        maxItems=1000,
        title="申请编号 · Requests",
        description="每行一个；留空为全部在办申请 · one a line; empty means every open request",
    ),
    "division": Param(
        None,
        type=["null", "string"],
        pattern=r"^\d{6}$",
        title="区划代码 · Division",
        description="六位县级代码；留空为全部 · six digits of a county; empty means all",
    ),
    "programme": Param(
        None,
        type=["null", "string"],
        pattern=r"^[a-z_]{2,64}$",
        title="救助项目 · Programme",
        description="政策包中的项目代码；留空为全部 · its code in the policy pack; empty means all",
    ),
    "collect": Param(
        "fresh",
        type="string",
        enum=["fresh", "admitted"],
        values_display={
            "fresh": "重新取数 · ask the departments",
            "admitted": "用已接收的数据（仅一份申请） · extracts in hand",
        },
        title="取数方式 · Extracts",
        description="窗口等候时用已接收的数据，只核对一份 · extracts in hand: one request, while staff wait",
    ),
    "priority": Param(
        "normal",
        type="string",
        enum=["normal", "urgent"],
        values_display={"normal": "普通 · normal", "urgent": "加急 · urgent"},
        title="优先级 · Priority",
        description="加急的先查询、先送达；记入台账 · asked and delivered before others; goes into the ledger",
    ),
    "as_of": Param(
        None,
        type=["null", "string"],
        format="date-time",
        title="核对时点 · As of",
        description="留空为现在；不能晚于现在 · empty means now; not in the future",
    ),
    "reason": REASON,
}


def _run():
    """The run's form, its moment, and who triggered it."""
    from pipelines.scheduled.steps import moment

    context = get_current_context()
    run = context["dag_run"]
    return dict(context["params"]), moment(run.run_after), who(run)


@dag(
    schedule=[requests_asset()],
    start_date=START,
    catchup=False,
    # A run that waits for a person holds no worker; how much runs at once is the pools' and the executor's to say.
    max_active_runs=64,
    default_args=DEFAULTS,
    params=FORM,
    tags=["hedui", "核对"],
    dag_display_name="核对申请 verify_requests",
    doc_md="接收申请、取数、核对、出具报告、送达 · take requests in, ask the departments, verify, report, deliver.",
)
def verify_requests():
    """Intake, one batch, its stages in order."""

    @task(retries=0)
    def intake() -> None:
        from pipelines.scheduled import steps

        steps.take_in(*_run())

    @task
    def open_batch() -> str:
        from pipelines.scheduled import steps

        batch_id = steps.open_batch(*_run(), get_current_context()["dag_run"].run_id)
        if batch_id is None:
            raise AirflowSkipException("没有需要核对的申请 nothing to verify")
        return batch_id

    @task
    def plan(batch_id: str) -> None:
        from pipelines.scheduled import steps

        if not steps.collects(batch_id):
            raise AirflowSkipException("one request on extracts in hand: verify_admitted")
        steps.stage("plan", batch_id)

    @task
    def verify_admitted(batch_id: str) -> None:
        from pipelines.scheduled import steps

        if steps.collects(batch_id):
            raise AirflowSkipException("the departments are asked")
        steps.verify_admitted(batch_id)

    batch_id = open_batch()
    planned = plan(batch_id)
    links, joined = collect_links(batch_id), collect_join(batch_id)
    admitted, assessed, products, report = (
        stage.override(task_id=name)(name=name, batch_id=batch_id)
        for name in ("check_admitted", "assess", "check_assessed", "report")
    )
    asked, left = Approval(task_id="approve", batch_id=batch_id, **ANSWER), deliver(batch_id)
    intake() >> batch_id
    planned >> ask_departments("collect_identity", True, batch_id) >> links
    planned >> links >> ask_departments("collect_source", False, batch_id) >> joined
    # Great Expectations confirms after the report stage, so that it counts one report per request too; nothing is
    # delivered before it has agreed.
    links >> joined >> admitted >> assessed >> products >> report >> (confirmed := quality(batch_id))
    [confirmed, verify_admitted(batch_id)] >> (passed := gate(batch_id, "approve", "deliver"))
    passed >> asked >> left
    passed >> left


verify_requests()
