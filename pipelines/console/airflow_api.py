"""Airflow as the console uses it: its public REST API, called within the server with the caller's own login.

So every rule of Airflow's auth manager holds here as well, and its own log has who did what.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx
from airflow.api_fastapi.auth.managers.base_auth_manager import COOKIE_NAME_JWT_TOKEN
from anyio import from_thread
from fastapi import Request

from pipelines.console.plugin import AIRFLOW
from pipelines.errors import HeduiError

VERIFY, DELIVER = "verify_requests", "deliver_reports"
_NOT_FOUND = 404
_REFUSED = 400


@dataclass(eq=False)
class AirflowRefusedError(HeduiError):
    """Airflow does not do what it was asked."""

    status: int
    what: str

    zh = "Airflow 未接受该操作（{status}）：{what}"
    en = "Airflow refused ({status}): {what}"
    todo = "请系统管理员检查 DAG 和用户在 Airflow 中的角色 / see that the DAG is there and what the user may do"


@dataclass(frozen=True)
class Run:
    """A run of a DAG.

    Attributes:
        asked: what the form or the schedule told it.
        by: who triggered it; empty for the schedule.
    """

    dag_id: str
    run_id: str
    state: str
    by: str
    started: str | None
    ended: str | None
    asked: Mapping[str, Any] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in ("success", "failed")


@dataclass(frozen=True)
class TaskState:
    """Where one task of a run stands; ``map_index`` is -1 for a task that is not mapped."""

    task_id: str
    map_index: int
    state: str | None
    started: str | None
    ended: str | None


@dataclass(frozen=True)
class Question:
    """What the gate asks a person."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    subject: str
    body: str
    asked_at: str
    options: Sequence[str]
    params: Sequence[str]


def trigger(request: Request, dag_id: str, asked: Mapping[str, Any]) -> str:
    """Start a run; returns its id."""
    started = _call(request, "POST", f"/dags/{dag_id}/dagRuns", {"conf": dict(asked), "logical_date": None})
    return str(started["dag_run_id"])


def runs(request: Request, limit: int = 50) -> list[Run]:
    """The newest runs of the verification."""
    params = {"limit": limit, "order_by": "-run_after"}
    found = _call(request, "GET", f"/dags/{VERIFY}/dagRuns", params=params, or_none=True)
    return [_run(one) for one in found.get("dag_runs", [])]


def run(request: Request, run_id: str) -> Run | None:
    """One run of the verification."""
    found = _call(request, "GET", f"/dags/{VERIFY}/dagRuns/{quote(run_id, safe='')}", or_none=True)
    return _run(found) if found else None


def tasks(request: Request, run_id: str) -> list[TaskState]:
    """The tasks of a run, as they were planned."""
    path = f"/dags/{VERIFY}/dagRuns/{quote(run_id, safe='')}/taskInstances"
    found = _call(request, "GET", path, params={"limit": 1000})
    return [
        TaskState(one["task_id"], one["map_index"], one["state"], one["start_date"], one["end_date"])
        for one in found["task_instances"]
    ]


def questions(request: Request) -> list[Question]:
    """What waits for a person's answer."""
    path = f"/dags/{VERIFY}/dagRuns/~/hitlDetails"
    found = _call(request, "GET", path, params={"response_received": "false", "limit": 200}, or_none=True)
    return [
        _question(one)
        for one in found.get("hitl_details", [])
        if one["task_instance"]["state"] not in ("success", "failed", "skipped", "removed")
    ]


def answer(request: Request, question: Question, option: str, params: Mapping[str, Any]) -> None:
    """Answer as the caller."""
    path = (
        f"/dags/{question.dag_id}/dagRuns/{quote(question.run_id, safe='')}"
        f"/taskInstances/{question.task_id}/{question.map_index}/hitlDetails"
    )
    _call(request, "PATCH", path, {"chosen_options": [option], "params_input": dict(params)})


def _run(one: Mapping[str, Any]) -> Run:
    return Run(
        one["dag_id"], one["dag_run_id"], one["state"], one.get("triggering_user_name") or "",
        one["start_date"], one["end_date"], one.get("conf") or {},
    )  # fmt: skip


def _question(one: Mapping[str, Any]) -> Question:
    task = one["task_instance"]
    return Question(
        task["dag_id"], task["dag_run_id"], task["task_id"], task["map_index"], one["subject"], one["body"] or "",
        one["created_at"], tuple(one["options"]), tuple(one.get("params") or {}),
    )  # fmt: skip


def _call(
    request: Request,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    params: Mapping[str, Any] | None = None,
    or_none: bool = False,
) -> dict[str, Any]:
    """One call of the REST API; what is not there is empty if ``or_none``.

    Raises:
        AirflowRefusedError: Airflow refused it.
    """

    async def sent() -> httpx.Response:
        transport = httpx.ASGITransport(app=request.scope[AIRFLOW], raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://airflow") as client:
            headers = {"authorization": f"Bearer {_token(request)}"}
            return await client.request(method, f"/api/v2{path}", json=body, params=params, headers=headers)

    answered: httpx.Response = from_thread.run(sent)
    if or_none and answered.status_code == _NOT_FOUND:
        return {}
    if answered.status_code >= _REFUSED:
        raise AirflowRefusedError(answered.status_code, _told(answered))
    return dict(answered.json())


def _token(request: Request) -> str:
    """The caller's own login."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return given if scheme.lower() == "bearer" else request.cookies.get(COOKIE_NAME_JWT_TOKEN, "")


def _told(answered: httpx.Response) -> str:
    """Airflow's own words, short."""
    try:
        detail = answered.json().get("detail", "")
    except ValueError:
        return ""
    return str(detail)[:300]
