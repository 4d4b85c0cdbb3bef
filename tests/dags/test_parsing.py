"""Every DAG: quick to parse, nothing heavy at its top, its own file alone, every stage in its place."""

import json

import pytest

from tests.dags.airflow_home import DAGS, NAMES, environment, python

PARSE = """
import sys, time, json
import airflow.sdk, pendulum, pydantic, yaml
from airflow.providers.standard.operators import hitl
sys.path.insert(0, sys.argv[1])
told = {}
for name in sys.argv[2:]:
    sys.modules.pop("hedui_dags", None)
    start = time.perf_counter()
    dag = getattr(__import__(name), name)()
    told[name] = {
        "seconds": time.perf_counter() - start,
        "edges": sorted((t.task_id, d) for t in dag.tasks for d in t.downstream_task_ids),
        "pools": sorted({t.pool for t in dag.tasks}),
        "retries": sorted((t.task_id, t.retries) for t in dag.tasks),
        "catchup": dag.catchup, "active": dag.max_active_runs, "tags": sorted(dag.tags),
    }
heavy = ("duckdb", "pyarrow", "pandas", "great_expectations", "sqlglot", "numpy", "pipelines.store")
print(json.dumps({"dags": told, "heavy": [m for m in heavy if m in sys.modules]}))
"""


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> dict:
    env = environment(tmp_path_factory.mktemp("parsing"), None)
    return json.loads(python(PARSE, env, str(DAGS), *NAMES).splitlines()[-1])


def test_every_dag_has_a_file_of_its_name() -> None:
    files = {file.stem for file in DAGS.glob("*.py")} - {"hedui_dags"}
    assert files == set(NAMES)


def test_every_dag_parses_in_less_than_a_second_and_imports_nothing_heavy(parsed: dict) -> None:
    assert {name: told["seconds"] for name, told in parsed["dags"].items() if told["seconds"] >= 1} == {}
    assert parsed["heavy"] == []
    assert all("hedui" in told["tags"] and told["catchup"] is False for told in parsed["dags"].values())


def test_nothing_is_delivered_before_great_expectations_has_agreed(parsed: dict) -> None:
    edges = {tuple(edge) for edge in parsed["dags"]["verify_requests"]["edges"]}
    assert {("intake", "open_batch"), ("open_batch", "plan"), ("collect_join", "check_admitted")} <= edges
    assert ("report", "quality") in edges
    assert reaches(edges, "quality", "deliver")
    assert reaches(edges, "collect_source.banks", "collect_join")


def test_a_department_is_asked_in_its_own_pool(parsed: dict) -> None:
    pools = parsed["dags"]["verify_requests"]["pools"]
    departments = {file.parent.name for file in (DAGS.parent / "connectors" / "contracts").glob("*/*.yaml")}
    assert {f"hedui_{name}" for name in departments} == {pool for pool in pools if pool.startswith("hedui_")}


def reaches(edges: set[tuple[str, str]], before: str, after: str) -> bool:
    found, new = set(), {before}
    while new:
        found |= new
        new = {late for early, late in edges if early in new} - found
    return after in found


def test_dags_hold_no_logic() -> None:
    """A DAG's file says when and in what order: it never opens the store, DuckDB or a file of a batch."""
    for name in NAMES:
        text = (DAGS / f"{name}.py").read_text("utf-8")
        assert not any(word in text for word in ("sqlalchemy", "duckdb", "SELECT ", "read_text", "Store.")), name
