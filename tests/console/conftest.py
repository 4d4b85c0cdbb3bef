"""A verified county of two divisions, the console over it, and callers of every role.

Who somebody is comes from a header here instead of Airflow's login, and what the console asks of Airflow's REST API is
answered by a few routes; tests/airflow has both for real.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="hedui-test-airflow-"))

from fastapi import FastAPI, HTTPException, Request
from fastapi.testclient import TestClient

from pipelines import intake, verify
from pipelines.settings import Workspace
from pipelines.store import Store
from tests.cases import AT, put, request, workspace

ACCESS = """
users:
  staff: {roles: [staff], divisions: ["370303"], office: 370303-mzj}
  colleague: {roles: [staff], divisions: ["370303"]}
  reviewer: {roles: [reviewer], divisions: ["3703"]}
  auditor: {roles: [auditor], divisions: ["370303"]}
  administrator: {roles: [administrator], divisions: ["370303"]}
  elsewhere: {roles: [staff, reviewer, auditor, administrator], divisions: ["370304"]}
"""
OWN, OTHER = ("R-1001", "R-1002"), "R-2001"


@dataclass
class AirflowStub:
    """Airflow's REST API as far as the console calls it.

    Attributes:
        runs: conf of each run by its id.
        waiting: ids of the runs whose gate waits for an answer.
        answers: what was answered, by run.
    """

    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)

    def run(self, name: str) -> dict[str, Any]:
        return {
            "dag_id": "verify_requests", "dag_run_id": name, "state": "running", "triggering_user_name": "staff",
            "start_date": "2026-09-16T01:00:00Z", "end_date": None, "conf": self.runs[name],
        }  # fmt: skip

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/api/v2/dags/{dag}/dagRuns")
        async def trigger(dag: str, request: Request) -> dict[str, Any]:
            name = f"manual__{len(self.runs)}+{dag}"
            self.runs[name] = (await request.json())["conf"]
            return {"dag_run_id": name}

        @app.get("/api/v2/dags/verify_requests/dagRuns")
        def runs() -> dict[str, Any]:
            return {"dag_runs": [self.run(name) for name in self.runs]}

        @app.get("/api/v2/dags/verify_requests/dagRuns/{run}")
        def run(run: str) -> dict[str, Any]:
            if run not in self.runs:
                raise HTTPException(404)
            return self.run(run)

        @app.get("/api/v2/dags/verify_requests/dagRuns/{run}/taskInstances")
        def tasks(run: str) -> dict[str, Any]:
            task = {"task_id": "plan", "map_index": -1, "state": "success", "start_date": None, "end_date": None}
            return {"task_instances": [task]}

        @app.get("/api/v2/dags/verify_requests/dagRuns/~/hitlDetails")
        def asked() -> dict[str, Any]:
            return {"hitl_details": [self._question(name) for name in self.waiting]}

        @app.patch("/api/v2/dags/verify_requests/dagRuns/{run}/taskInstances/approve/-1/hitlDetails")
        async def answer(run: str, request: Request) -> dict[str, Any]:
            self.answers[run] = await request.json()
            return {}

        return app

    def _question(self, name: str) -> dict[str, Any]:
        task = {
            "dag_id": "verify_requests", "dag_run_id": name, "task_id": "approve", "map_index": -1,
            "state": "awaiting_input",
        }  # fmt: skip
        return {
            "task_instance": task, "subject": "关卡", "body": "| a |\n|-|\n| <b>1</b> |",
            "options": ["Approve", "Reject"], "created_at": "2026-09-16T01:00:00Z", "params": {"reason": {}},
        }  # fmt: skip


@dataclass
class Console:
    """The console over a workspace.

    Attributes:
        app: the console's own application.
        airflow: what stands for Airflow's REST API.
    """

    ws: Workspace
    store: Store
    app: FastAPI
    airflow: AirflowStub

    def client(self, user: str | None) -> TestClient:
        """A browser of somebody; of nobody if None."""
        from pipelines.console.plugin import AIRFLOW

        airflow = self.airflow.app()

        async def mounted(scope: Any, receive: Any, send: Any) -> None:
            scope[AIRFLOW] = airflow
            await self.app(scope, receive, send)

        headers = {"x-user": user} if user else {}
        return TestClient(mounted, "http://console", headers=headers, follow_redirects=False)

    def token(self, user: str) -> str:
        """The token in somebody's forms."""
        return re.findall(r'name="csrf" value="([0-9a-f]{64})"', self.client(user).get("/").text)[0]

    def entries(self) -> list[Any]:
        """The ledger."""
        import sqlalchemy as sa

        from pipelines.tables import ledger

        with self.store.read() as connection:
            return list(connection.execute(sa.select(ledger).order_by(ledger.c.seq)))


@pytest.fixture(scope="session")
def verified(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with three reports; no source is configured, so everything is not checked."""
    folder: Path = tmp_path_factory.mktemp("console") / "site"
    ws = workspace(folder)
    put(ws, "001.jsonl", request(OWN[0]), request(OWN[1]), request(OTHER, division="370304"))
    assert intake.run(ws, AT).refused == 0
    verify.run_batch(verify.open_batch(ws, AT), ws, confirm=False)
    (folder / "access.yaml").write_text(ACCESS, "utf-8")
    return folder


@pytest.fixture
def console(verified: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    """The console over a copy of the county."""
    import shutil

    from airflow.api_fastapi.app import create_auth_manager
    from airflow.api_fastapi.core_api.security import get_user

    from pipelines.console.app import create_app

    create_auth_manager()  # the API server has one when it starts

    copy = tmp_path / "site"
    shutil.copytree(verified, copy)
    monkeypatch.setenv("HEDUI_WORKSPACE", str(copy))
    app = create_app()

    class User:
        def __init__(self, name: str) -> None:
            self.name = name

        def get_name(self) -> str:
            return self.name

    def caller(request: Request) -> User:
        if "x-user" not in request.headers:
            raise HTTPException(401)
        return User(request.headers["x-user"])

    app.dependency_overrides[get_user] = caller
    ws = Workspace.open(copy)
    store = Store.open(ws.store_url)
    yield Console(ws, store, app, AirflowStub())
    store.close()
