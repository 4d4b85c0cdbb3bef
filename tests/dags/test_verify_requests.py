"""The nightly DAG: quick to parse, no heavy import at its top, every stage in its place, and it runs."""

import json
import os
import subprocess
import sys
from pathlib import Path

DAGS = Path(__file__).resolve().parents[2] / "dags"

PARSE = """
import sys, time, json
import airflow.sdk, pendulum
start = time.perf_counter()
sys.path.insert(0, sys.argv[1])
import verify_requests
dag = verify_requests.verify_requests()
print(json.dumps({
    "seconds": time.perf_counter() - start,
    "heavy": [m for m in ("pipelines", "duckdb", "pyarrow", "pandas", "great_expectations") if m in sys.modules],
    "edges": sorted((t.task_id, d) for t in dag.tasks for d in t.downstream_task_ids),
}))
"""

RUN = """
import datetime, json, sys, types
from pathlib import Path
calls = []
import pipelines.verify as verify
stages = types.ModuleType("recorded_stages")
for name in verify.STAGES:
    setattr(stages, name, lambda batch, ws, name=name: calls.append(name))
sys.modules["recorded_stages"] = stages
verify.STAGES = {name: ("recorded_stages", name) for name in verify.STAGES}
intake = types.ModuleType("pipelines.intake")
intake.run = lambda ws, at: calls.append("intake")
import pipelines
sys.modules["pipelines.intake"] = pipelines.intake = intake
from pipelines.batch import Batch
verify.open_batch = lambda ws, as_of: Batch.create(ws.batches, "night", as_of)
sys.path.insert(0, sys.argv[1])
import verify_requests
run = verify_requests.verify_requests().test(logical_date=datetime.datetime(2026, 9, 15, 18, tzinfo=datetime.UTC))
Path(sys.argv[2]).write_text(json.dumps({"state": run.state, "calls": calls}))
"""


def airflow_environment(tmp_path: Path) -> dict[str, str]:
    home = tmp_path / "airflow"
    return os.environ | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "HEDUI_WORKSPACE": str(tmp_path / "ws"),
    }


def python(code: str, environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


def test_parses_quickly_with_every_stage_in_its_place(tmp_path: Path) -> None:
    told = json.loads(python(PARSE, airflow_environment(tmp_path), str(DAGS)).splitlines()[-1])
    assert told["seconds"] < 1
    assert told["heavy"] == []
    edges = {tuple(edge) for edge in told["edges"]}
    assert {("intake", "open_batch"), ("collect", "check_admitted"), ("check_admitted", "assess")} <= edges
    # nothing leaves before Great Expectations has agreed
    assert {("quality", "deliver"), ("report", "deliver")} <= edges


def test_runs_every_stage_once_in_order(tmp_path: Path) -> None:
    environment = airflow_environment(tmp_path)
    init = (
        "import sys; from pathlib import Path; from pipelines.commands.setting_up import init; init(Path(sys.argv[1]))"
    )
    python(init, environment, str(tmp_path / "ws"))
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], env=environment, capture_output=True, check=True)
    out = tmp_path / "told.json"
    python(RUN, environment, str(DAGS), str(out))
    told = json.loads(out.read_text())
    assert told["state"] == "success"
    calls = told["calls"]
    assert sorted(calls) == sorted(set(calls))
    assert calls[:6] == ["intake", "plan", "collect", "check_admitted", "assess", "check_assessed"]
    assert calls[-1] == "deliver"
