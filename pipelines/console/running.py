"""Runs: verify one household again, watch a run, answer what its gate asks."""

from __future__ import annotations

from itertools import groupby
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, Query
from fastapi.responses import HTMLResponse, Response

from pipelines.console import airflow_api, cases
from pipelines.console.access import Permission
from pipelines.console.forms import Reason
from pipelines.console.guard import Call, CaseCall, Needs, NeedsCase, NeedsRun, NoSuchThingError, RunCall
from pipelines.console.pages import show, to, words

router = APIRouter()
# The approval of verify_requests; the options are those of Airflow's approval operator.
APPROVE, REJECT, REASON = "Approve", "Reject", "reason"


def questions(call: Call) -> list[tuple[airflow_api.Question, airflow_api.Run]]:
    """What waits for an answer, where all that the run verifies is of the caller's divisions."""
    found = []
    for question in airflow_api.questions(call.request):
        run = airflow_api.run(call.request, question.run_id)
        if run and call.visitor.sees_all(cases.divisions_of_run(call.site, run.asked)):
            found.append((question, run))
    return found


@router.post("/requests/{request_id}/run")
def again(
    call: Annotated[CaseCall, Depends(NeedsCase(Permission.run))],
    reason: Reason,
    collect: Annotated[Literal["fresh", "admitted"], Form()] = "admitted",
    urgent: Annotated[bool, Form()] = False,
) -> Response:
    """Verify one household again."""
    return to(call.request, "runs", start(call, reason, collect, "urgent" if urgent else "normal"))


def start(call: CaseCall, reason: str, collect: str, priority: str = "normal") -> str:
    """Start the verification of one request as the caller; returns the run's id."""
    asked = {
        "requests": [call.case.request_id], "division": call.case.division, "reason": reason, "collect": collect,
        "priority": priority,
    }  # fmt: skip
    return airflow_api.trigger(call.request, airflow_api.VERIFY, asked)


@router.get("/runs")
def runs(call: Annotated[Call, Depends(Needs(Permission.runs))]) -> HTMLResponse:
    """The newest runs that speak of the caller's divisions only."""
    own = [
        run
        for run in airflow_api.runs(call.request)
        if call.visitor.sees_all(cases.divisions_of_run(call.site, run.asked))
    ]
    return show(call, "runs.html.j2", runs=own)


@router.get("/runs/{run_id}")
def run(
    call: Annotated[RunCall, Depends(NeedsRun(Permission.runs))], watch: Annotated[bool, Query()] = False
) -> HTMLResponse:
    """One run, task by task; it reloads itself for whoever asks it to."""
    return show(call, "run.html.j2", run=call.run, steps=_steps(call), watch=watch and not call.run.over)


@router.get("/approvals")
def approvals(call: Annotated[Call, Depends(Needs(Permission.approve))]) -> HTMLResponse:
    """What the gate asks, with its facts."""
    return show(call, "approvals.html.j2", asked=questions(call))


@router.post("/runs/{run_id}/answer")
def answer(
    call: Annotated[RunCall, Depends(NeedsRun(Permission.approve))],
    chosen: Annotated[Literal["Approve", "Reject"], Form()],
    reason: Reason,
) -> Response:
    """Answer what a run asks; Airflow keeps who answered, the run puts it into the ledger."""
    question = next((one for one, run in questions(call) if run.run_id == call.run.run_id), None)
    if question is None:
        raise NoSuchThingError
    airflow_api.answer(call.request, question, chosen, {name: reason for name in question.params if name == REASON})
    return to(call.request, "runs", call.run.run_id)


def _steps(call: RunCall) -> list[dict[str, Any]]:
    """Steps in their order; the tasks of a group, and of a mapped one, as one line with counts."""
    order = {name: place for place, name in enumerate(words()["step"])}

    def name(task: airflow_api.TaskState) -> str:
        return task.task_id.partition(".")[0]

    tasks = airflow_api.tasks(call.request, call.run.run_id)
    tasks.sort(key=lambda task: (order.get(name(task), len(order)), task.task_id, task.map_index))
    return [_step(step, list(group)) for step, group in groupby(tasks, key=name)]


def _step(name: str, tasks: list[airflow_api.TaskState]) -> dict[str, Any]:
    counts: dict[str, int] = {}
    for task in tasks:
        counts[task.state or "none"] = counts.get(task.state or "none", 0) + 1
    started = min((task.started for task in tasks if task.started), default=None)
    ended = max((task.ended for task in tasks if task.ended), default=None)
    stuck = sorted({task.task_id.partition(".")[2] for task in tasks if task.state == "failed"} - {""})
    over = all(task.ended for task in tasks)
    return {"name": name, "states": counts, "started": started, "ended": ended if over else None, "stuck": stuck}
