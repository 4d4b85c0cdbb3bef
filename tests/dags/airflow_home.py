"""An Airflow of a test: its own home and database, no servers; DAGs run whole by ``dag.test()`` in another process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DAGS = Path(__file__).resolve().parents[2] / "dags"
CONFIG = DAGS.parent / "pipelines" / "airflow_config"
NAMES = ("verify_requests", "deliver_reports", "expire_data", "rotate_keys", "reconcile_nightly")

RUN = """
import datetime, json, os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from airflow.models.xcom import XComModel
from airflow.utils.session import create_session
told = []
for wanted in json.loads(sys.argv[2]):
    name = wanted["dag"]
    for pipe in wanted.get("pipes", ()):
        os.makedirs(os.path.dirname(pipe))
        os.mkfifo(pipe)
    dag = getattr(__import__(name), name)()
    run = dag.test(
        run_after=datetime.datetime.fromisoformat(wanted["at"]), logical_date=None, run_conf=wanted.get("conf"),
        mark_success_pattern=wanted.get("mark"),
    )
    with create_session() as session:
        xcoms = [(x.task_id, x.key, str(x.value)) for x in session.query(XComModel).filter_by(run_id=run.run_id)]
    tasks = [
        [t.task_id, t.rendered_map_index or t.map_index, t.state, t.try_number, t.priority_weight]
        for t in run.get_task_instances()
    ]
    told.append({"state": run.state, "run_id": run.run_id, "tasks": tasks, "xcoms": xcoms})
Path(sys.argv[3]).write_text(json.dumps(told))
"""


def environment(home: Path, workspace: Path | None) -> dict[str, str]:
    """What Airflow is started with; nothing of the machine's own Airflow."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "HEDUI"))}
    return own | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "PYTHONPATH": os.pathsep.join([str(CONFIG), os.environ.get("PYTHONPATH", "")]),
        **({"HEDUI_WORKSPACE": str(workspace)} if workspace else {}),
    }


def python(code: str, env: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


@dataclass
class Told:
    """What became of a run: its state, each task's state, tries and weight by its id (and dataset), its XCom."""

    state: str
    run_id: str
    tasks: dict[tuple[str, str], str]
    tries: dict[tuple[str, str], int]
    weights: dict[tuple[str, str], int]
    xcoms: list[tuple[str, str, str]]

    @property
    def batch(self) -> str:
        """The name of the batch that the run opened."""
        return next(value for task, _, value in self.xcoms if task == "open_batch")

    def of(self, task: str) -> list[str]:
        return [state for (name, _), state in self.tasks.items() if name == task]


@dataclass
class Home:
    """An Airflow home with a migrated database."""

    folder: Path

    def migrate(self) -> None:
        command = [sys.executable, "-m", "airflow", "db", "migrate"]
        subprocess.run(command, env=environment(self.folder, None), capture_output=True, check=True)

    def test(self, workspace: Path, runs: Sequence[dict[str, Any]]) -> list[Told]:
        """Run DAGs one after the other, each whole, by ``dag.test()``; ``pipes`` of a run are made before it."""
        out = self.folder / "told.json"
        with (self.folder / "run.log").open("w") as log:
            done = subprocess.run(
                [sys.executable, "-c", RUN, str(DAGS), json.dumps(list(runs)), str(out)],
                env=environment(self.folder, workspace), stdout=log, stderr=subprocess.STDOUT, check=False,
            )  # fmt: skip
        assert done.returncode == 0, (self.folder / "run.log").read_text()[-4000:]
        return [
            Told(
                one["state"], one["run_id"], {(t, str(at)): state for t, at, state, *_ in one["tasks"]},
                {(t, str(at)): tries for t, at, _, tries, _ in one["tasks"]},
                {(t, str(at)): weight for t, at, *_, weight in one["tasks"]}, [tuple(x) for x in one["xcoms"]],
            )
            for one in json.loads(out.read_text())
        ]  # fmt: skip
