"""verify_requests, run whole: the same bytes as the command line; a source that stays down stops nobody else."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from pipelines import intake
from pipelines.batch import Batch
from pipelines.settings import Workspace
from pipelines.store import Store
from pipelines.verify import open_batch, run_batch
from tests.dags.airflow_home import Home, Told
from tests.dags.conftest import KEPT, configure, copied

AT = datetime.fromisoformat("2026-09-16T02:00:00+08:00")
LATER = "2026-09-16T03:00:00+08:00"
REASON = "年度复核"


def ledger(ws: Workspace) -> list[tuple[str, str, str]]:
    store = Store.open(ws.store_url)
    with store.read() as connection:
        rows = connection.exec_driver_sql("SELECT kind, subject, detail FROM ledger ORDER BY seq").all()
    store.close()
    return [tuple(row) for row in rows]


def files(ws: Workspace, folder: str) -> dict[str, bytes]:
    root = ws.root / folder
    return {str(file.relative_to(root)): file.read_bytes() for file in sorted(root.rglob("*")) if file.is_file()}


@pytest.fixture(scope="module")
def runs(home: Home, made: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, list[Told]]:
    """All requests with one source down; then one of them on what was admitted; then a form that is wrong."""
    ws = copied(made, tmp_path_factory.mktemp("dag") / "workspace")
    ws = configure(
        ws.root, connections=ws_connections(ws) | {"gone": {"kind": "folder", "path": "/nowhere", "attempts": 1}}
    )
    sources = {name: source.model_dump() for name, source in ws.settings.sources.items()}
    ws = configure(ws.root, sources=sources | {KEPT[-1]: {"connection": "gone"}})
    whole = {"dag": "verify_requests", "at": AT.isoformat(), "conf": {"reason": REASON}}
    one = {"dag": "verify_requests", "at": LATER, "mark": "intake",
           "conf": {"reason": REASON, "requests": ["R370303-2026-000001"], "collect": "admitted"}}  # fmt: skip
    wrong = {"dag": "verify_requests", "at": LATER, "conf": {"reason": "37030319800101123X", "division": "999999"}}
    return ws, home.test(ws.root, [whole, one, wrong])


def ws_connections(ws: Workspace) -> dict[str, object]:
    return {name: one.model_dump(mode="json", exclude_none=True) for name, one in ws.settings.connections.items()}


def test_the_dag_and_the_command_line_give_the_same_bytes(
    runs: tuple[Workspace, list[Told]], tmp_path: Path, made: Path
) -> None:
    ws, told = runs
    assert told[0].state == "success"
    other = copied(made, tmp_path / "workspace")
    (other.root / "hedui.yaml").write_text((ws.root / "hedui.yaml").read_text())
    other = Workspace.open(other.root)
    intake.run(other, AT)
    batch = open_batch(other, AT)
    run_batch(batch, other, confirm=False)
    mine = {name: text for name, text in files(ws, "reports").items() if name.startswith(batch.id)}
    assert mine == files(other, "reports")
    for name in ("extracts.json", "gates.json", "checked_assessed.json"):
        assert (ws.batches / batch.id / name).read_bytes() == (batch.folder / name).read_bytes()
    # Also the ledger, but for who asked for the run.
    assert [entry for entry in ledger(ws) if entry[0] != "run_requested"][: len(ledger(other))] == ledger(other)


def test_a_source_that_stays_down_stops_nobody_else(runs: tuple[Workspace, list[Told]]) -> None:
    ws, told = runs
    asked = {at: state for (task, at), state in told[0].tasks.items() if task.startswith("collect_")}
    assert [asked[name] for name in KEPT] == ["success", "success", "success", "failed"]
    assert told[0].tries["collect_source.securities", KEPT[-1]] == 3  # a folder may come back, so it is tried again
    batch = Batch.open(ws.batches, told[0].batch)
    coverage = batch.summary("collect")["coverage"]
    assert isinstance(coverage, dict)
    assert set(coverage[KEPT[-1]]) == {"unavailable"}
    assert set(coverage[KEPT[2]]) == {"covered"}


def test_one_request_on_extracts_in_hand_asks_nobody(runs: tuple[Workspace, list[Told]]) -> None:
    ws, told = runs
    assert told[1].state == "success"
    assert told[1].of("plan") == told[1].of("check_admitted") == ["skipped"]
    assert told[1].of("verify_admitted") == told[1].of("deliver") == ["success"]
    batches = [one.batch for one in told[:2]]
    assert Batch.open(ws.batches, batches[1]).admitted_from == batches[0]


def test_a_wrong_form_does_nothing_and_repeats_nothing(runs: tuple[Workspace, list[Told]], home: Home) -> None:
    ws, told = runs
    assert told[2].state == "failed"
    assert told[2].of("intake") == ["failed"]
    assert told[2].of("open_batch") == ["upstream_failed"]
    assert len(list(ws.batches.iterdir())) == 2


def test_xcom_holds_batch_references_only(runs: tuple[Workspace, list[Told]]) -> None:
    ws, told = runs
    known = {path.name for path in ws.batches.iterdir()}
    held = {(task, value) for one in told for task, key, value in one.xcoms if key == "return_value"}
    assert {task for task, _ in held} == {"open_batch"}
    assert {value for _, value in held} <= known


def test_who_asked_and_why_is_in_the_ledger(runs: tuple[Workspace, list[Told]]) -> None:
    ws, told = runs
    entries = {subject: json.loads(detail) for kind, subject, detail in ledger(ws) if kind == "run_requested"}
    assert set(entries) == {told[0].run_id, told[1].run_id}
    assert entries[told[1].run_id] | {"by": "x"} == {
        "by": "x", "reason": REASON, "division": None, "programme": None, "requests": 1, "urgent": False,
        "admitted": True,
    }  # fmt: skip
