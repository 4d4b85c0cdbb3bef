"""Every night: everybody in payment is looked at, and verified again if something has changed (R73); by division.

One division that fails stops no other. The departments are asked for all divisions, each within its own pool.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import BaseSensorOperator, TriggerRule, dag, get_current_context, task, task_group
from airflow.timetables.trigger import CronTriggerTimetable
from hedui_dags import (
    ANSWER,
    DEFAULTS,
    HERE,
    START,
    Approval,
    ask_departments,
    collect_join,
    collect_links,
    deliver,
    nightly,
    quality,
    stage,
)


class SourcesThere(BaseSensorOperator):
    """Waits for sources that are late, in the triggerer, until the cut-off; then the run goes on with what is there."""

    def execute(self, context) -> None:
        """Look once; wait only if something is late."""
        from pipelines.scheduled import steps
        from pipelines.scheduled.triggers import SourcesThere as There

        at = context["dag_run"].run_after
        moment = steps.moment(at).isoformat()
        if steps.late_sources(moment):
            cut_off = at + timedelta(minutes=nightly().cut_off_minutes)
            seconds = nightly().look_minutes * 60
            self.defer(trigger=There(moment, cut_off.isoformat(), seconds), method_name="go_on")

    def go_on(self, context, event) -> None:
        """Whatever is late now comes out unavailable or stale, as every source that does not answer."""
        self.log.info("late: %s", "、".join(event["late"]) or "-")


@dag(
    schedule=CronTriggerTimetable(nightly().starts, timezone=HERE),
    start_date=START,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    tags=["hedui", "核对"],
    dag_display_name="夜间复核 reconcile_nightly",
    doc_md="对在保家庭比对数据变化，有变化、到期或新申请的重新核对 · verify again whom something has changed for.",
)
def reconcile_nightly():
    """Divisions side by side; a batch collects for all in payment, a second one verifies those who are due."""

    @task
    def divisions() -> list[str]:
        from pipelines.scheduled import steps

        return steps.divisions()

    @task
    def watch(division: str) -> str:
        from pipelines.scheduled import steps

        return steps.watch_division(division, steps.moment(get_current_context()["dag_run"].run_after))

    @task(trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS)
    def verify_due(batch_id: str) -> str | None:
        from pipelines.scheduled import steps

        return steps.verify_due(batch_id)

    @task(trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS)
    def due(found) -> list[str]:
        return [batch_id for batch_id in found if batch_id]

    @task_group
    def leave(batch_id):
        quality(batch_id) >> Approval(task_id="approve", batch_id=batch_id, **ANSWER) >> deliver(batch_id)

    batches = watch.expand(division=divisions())
    SourcesThere(task_id="wait_for_sources") >> batches
    each = stage.override(trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS)
    planned = each.override(task_id="plan").partial(name="plan").expand(batch_id=batches)
    links, joined = collect_links.expand(batch_id=batches), collect_join.expand(batch_id=batches)
    admitted = each.override(task_id="check_admitted").partial(name="check_admitted").expand(batch_id=batches)
    verified = verify_due.expand(batch_id=batches)
    planned >> ask_departments("collect_identity", True, batches) >> links
    planned >> links >> ask_departments("collect_source", False, batches) >> joined
    links >> joined >> admitted >> verified
    leave.expand(batch_id=due(verified))


reconcile_nightly()
