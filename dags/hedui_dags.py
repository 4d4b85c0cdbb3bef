"""What the DAGs share: how departments are asked, each within what it allows, and what every task has in common.

Read when a DAG is parsed, so nothing heavy is imported here; what a task does is in pipelines/scheduled/.
"""

from __future__ import annotations

import os
from collections import defaultdict
from datetime import timedelta
from functools import cache
from pathlib import Path

import pendulum
from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import (
    Asset,
    AssetWatcher,
    BaseNotifier,
    BaseOperatorLink,
    Param,
    TriggerRule,
    get_current_context,
    task,
    task_group,
)
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, AirflowTaskTimeout

import connectors

HERE = "Asia/Shanghai"
START = pendulum.datetime(2026, 7, 1, tz=HERE)
ANSWER_WITHIN = timedelta(days=14)


class TellOfFailure(BaseNotifier):
    """Tells whoever hedui.yaml names what happened and what to do; no personal data."""

    def notify(self, context) -> None:
        """Told by the task that failed, after its last try."""
        from pipelines.scheduled import notify, steps

        instance, error = context["ti"], context.get("exception")
        batch = getattr(instance.task, "op_kwargs", {}).get("batch_id")
        dataset = getattr(instance.task, "op_kwargs", {}).get("dataset", "")
        name = f"{instance.task_id} {dataset}".strip()
        page = steps.quality_page(batch) if isinstance(batch, str) else ""
        told = notify.message(instance.dag_id, instance.run_id, name, instance.log_url, error, page)
        notify.send(steps.workspace(), told)


DEFAULTS = {"retries": 2, "retry_delay": timedelta(minutes=5), "on_failure_callback": [TellOfFailure()]}
REASON = Param(
    None,
    type=["null", "string"],
    minLength=4,
    maxLength=200,
    title="事由（人工触发必填） · Reason",
    description="记入台账；不要写姓名和证件号 · goes into the ledger; no names, no ID numbers",
)


class QualityLink(BaseOperatorLink):
    """From a run to the batch's page of the auditors' site."""

    name = "数据质量 Data quality"

    def get_link(self, operator, *, ti_key) -> str:
        """The page's address."""
        from pipelines.scheduled import steps

        return steps.quality_page(operator.op_kwargs["batch_id"])


class Approval(ApprovalOperator):
    """A named person's answer, with the batch's facts before them; the answer goes into the ledger and into no XCom."""

    template_fields = (*ApprovalOperator.template_fields, "batch_id")

    def __init__(self, *, batch_id, **kwargs) -> None:
        super().__init__(**kwargs)
        self.batch_id = batch_id

    def execute(self, context):
        """Show the facts, then wait; a batch that nobody has to answer for goes on at once."""
        from pipelines.scheduled import steps

        if not steps.waits(self.batch_id):
            return None
        self.body = steps.gate_text(self.batch_id)
        return super().execute(context)

    def execute_complete(self, context, event):
        """Keep the answer before anything follows from it."""
        from pipelines.scheduled import steps

        if "error" not in event:
            approved = event["chosen_options"] == [self.APPROVE]
            by = (event.get("responded_by_user") or {}).get("name") or "-"
            reason = (event.get("params_input") or {}).get("reason") or "未写理由 none given"
            # Whoever may not answer has not answered: the task fails, and its next try asks again.
            steps.keep_answer(self.batch_id, approved, by, reason, str(event["responded_at"]))
        return super().execute_complete(context, event)


ANSWER = {
    "subject": "核对批次等待确认 · a batch waits for approval",
    "params": {
        "reason": Param(
            None,  # a run begins with none; the console asks for one
            type=["null", "string"],
            minLength=4,
            maxLength=200,
            title="理由 · Reason",
            description="记入台账 · into the ledger",
        )
    },
    "response_timeout": ANSWER_WITHIN,
    "retries": 20,
    "retry_delay": timedelta(seconds=5),
    "do_xcom_push": False,
}


def who(run) -> str | None:
    """Who triggered a run; None for the schedule and for arrivals."""
    return None if run.run_type in ("asset_triggered", "scheduled") else run.triggering_user_name or str(run.run_type)


@cache
def settings():
    """The site's hedui.yaml; None where there is no workspace, as when a DAG is only looked at."""
    from pipelines.settings import Workspace

    folder = os.environ.get("HEDUI_WORKSPACE")
    return Workspace.open(Path(folder)) if folder and (Path(folder) / "hedui.yaml").is_file() else None


def requests_asset() -> Asset:
    """What wakes the verification of requests that have arrived; watched where hedui.yaml says how often."""
    site, watchers = settings(), []
    if site is not None and site.settings.arrival_minutes is not None:
        from pipelines.scheduled.triggers import RequestsArrived

        watchers = [AssetWatcher("requests", RequestsArrived(site.settings.arrival_minutes * 60))]
    return Asset(name="hedui_requests", uri="hedui://requests", watchers=watchers)


@cache
def datasets() -> dict[bool, dict[str, list[str]]]:
    """The site's datasets by department, those that say who is who (True) apart from the others.

    By the names of the contracts' files: reading them would take longer than all else of parsing.
    """
    site = settings()
    folder = (site.contracts if site else None) or Path(connectors.__file__).parent / "contracts"
    found: dict[bool, dict[str, list[str]]] = {True: defaultdict(list), False: defaultdict(list)}
    for file in sorted(folder.glob("*/*.yaml")):
        name = f"{file.parent.name}/{file.stem}"
        if site is None or name in site.settings.sources:
            found["\nidentity: true\n" in file.read_text("utf-8")][file.parent.name].append(name)
    return found


def department(name: str):
    """What a department can bear."""
    from pipelines.settings import Department

    site = settings()
    return site.settings.department(name) if site else Department()


def nightly():
    """When the nightly run begins, and how long it waits."""
    from pipelines.settings import Nightly

    site = settings()
    return site.settings.nightly if site else Nightly()


def pool(name: str) -> str:
    """The pool that keeps a department from being asked for more at once than it allows."""
    return f"hedui_{name}"


def ask_departments(group: str, identity: bool, batch_id):
    """A group with one mapped task for each department: an instance per dataset, with its pool, tries and time-out."""

    @task_group(group_id=group)
    def asked():
        for name, listed in datasets()[identity].items():
            bears = department(name)
            asking = task(ask_source).override(
                task_id=name,
                pool=pool(name),
                retries=bears.tries - 1,
                retry_delay=timedelta(minutes=bears.pause_minutes),
                execution_timeout=timedelta(minutes=bears.minutes),
                map_index_template="{{ task.op_kwargs['dataset'] }}",
            )
            asking.partial(batch_id=batch_id, minutes=bears.minutes).expand(dataset=listed)

    return asked()


def ask_source(batch_id, dataset: str, minutes: float) -> None:
    """Ask one source, for one batch or several. One that stays down fails here, and stops nobody else."""
    from pipelines.asking import may_pass
    from pipelines.collect import out_of_time
    from pipelines.errors import HeduiError
    from pipelines.scheduled import steps

    instance = get_current_context()["ti"]
    last_try = instance.try_number > instance.max_tries
    batches, failures = [batch_id] if isinstance(batch_id, str) else list(batch_id), []
    for place, one in enumerate(batches):
        try:
            # One that the plan does not name is not asked, and not skipped either: what follows is skipped with it.
            steps.ask_source(one, dataset, last_try)
        except AirflowTaskTimeout:
            if not last_try:
                raise
            # Those that it was not asked for any more have no answer either.
            failures += [out_of_time(steps.opened(left)[0], dataset, minutes) for left in batches[place:]]
            break
        except HeduiError as error:
            failures.append(error)
    if any(map(may_pass, failures)):
        raise next(filter(may_pass, failures))
    if failures:
        raise AirflowFailException(str(failures[0])) from failures[0]  # asking again would not help


@task
def stage(name: str, batch_id: str) -> None:
    """One stage of a batch."""
    from pipelines.scheduled import steps

    steps.stage(name, batch_id)


def quality(batch_id):
    """Great Expectations' confirmation, with a link from the run to the page."""
    done = stage.override(task_id="quality")(name="quality", batch_id=batch_id)
    done.operator.operator_extra_links = (QualityLink(),)
    return done


@task.branch(trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS, do_xcom_push=False)
def gate(batch_id: str, ask: str, deliver: str) -> str:
    """Whether a person has to answer before the reports leave."""
    from pipelines.scheduled import steps

    return ask if steps.waits(batch_id) else deliver


@task(trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS)
def deliver(batch_id: str) -> None:
    """Out of the outbox, each report exactly once; nothing leaves that a person has not agreed to."""
    from pipelines.scheduled import steps

    if steps.waits(batch_id):
        raise AirflowSkipException("未获同意 not approved")
    steps.stage("deliver", batch_id)


@task(trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS)
def collect_links(batch_id: str) -> None:
    """Who is who, before the others are asked."""
    from pipelines import collect
    from pipelines.scheduled import steps

    collect.links(*steps.opened(batch_id))


@task(trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS)
def collect_join(batch_id: str) -> None:
    """What came of all sources; one that stayed down leaves its persons `unavailable`."""
    from pipelines import collect
    from pipelines.scheduled import steps

    collect.join(*steps.opened(batch_id))
