"""Airflow's REST API as one user: what a program at a site would do, too."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx

ENDED = ("success", "failed")


class Rest:
    """A session of one user at Airflow's REST API."""

    def __init__(self, url: str, user: str, password: str) -> None:
        answer = httpx.post(f"{url}/auth/token", json={"username": user, "password": password}, timeout=30)
        answer.raise_for_status()
        bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        self.http = httpx.Client(base_url=f"{url}/api/v2", headers=bearer, timeout=30)

    def get(self, path: str, **parameters: Any) -> Any:
        """A JSON answer."""
        answer = self.http.get(path, params=parameters)
        answer.raise_for_status()
        return answer.json()

    def make_pools(self, pools: Mapping[str, Mapping[str, Any]]) -> None:
        """Make pools, or bring them to what is given."""
        entities = [{"name": name, **pool} for name, pool in pools.items()]
        actions = [{"action": "create", "entities": entities, "action_on_existence": "overwrite"}]
        self.http.patch("/pools", json={"actions": actions}).raise_for_status()

    def unpause(self, dag: str) -> None:
        """Let a DAG run."""
        self.http.patch(f"/dags/{dag}", json={"is_paused": False}).raise_for_status()

    def trigger(self, dag: str, conf: dict[str, Any]) -> str:
        """Start a run, as a person does who fills in the form; returns its id."""
        answer = self.http.post(f"/dags/{dag}/dagRuns", json={"logical_date": None, "conf": conf})
        answer.raise_for_status()
        return str(answer.json()["dag_run_id"])

    def run(self, dag: str, run: str) -> dict[str, Any]:
        """A run as it stands."""
        document: dict[str, Any] = self.get(f"/dags/{dag}/dagRuns/{run}")
        return document

    def tasks(self, dag: str, run: str) -> list[dict[str, Any]]:
        """Task instances of a run, mapped ones one by one."""
        found: list[dict[str, Any]] = self.get(f"/dags/{dag}/dagRuns/{run}/taskInstances", limit=1000)["task_instances"]
        return found

    def wait(
        self, dag: str, run: str, seconds: float = 240, until: Callable[[dict[str, Any]], bool] | None = None
    ) -> dict[str, Any]:
        """Wait until a run has ended, or until ``until`` says so of it.

        Raises:
            TimeoutError: it has not, with the states of its tasks.
        """
        reached = until or (lambda document: document["state"] in ENDED)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            document = self.run(dag, run)
            if reached(document):
                return document
            time.sleep(0.25)
        states = {task["task_id"]: task["state"] for task in self.tasks(dag, run)}
        raise TimeoutError(f"{dag} {run}: {document['state']} after {seconds} s, {states}")
