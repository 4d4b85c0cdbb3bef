"""verify_requests, run whole: the same bytes as the command line; a source that stays down stops nobody else.

Whoever is to be told of failures is told by mail.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from pipelines import intake
from pipelines.batch import Batch
from pipelines.local_airflow.standing import free_port
from pipelines.settings import Workspace
from pipelines.store import Store
from pipelines.verify import open_batch, run_batch
from tests.dags.airflow_home import Home, Told
from tests.dags.conftest import KEPT, configure, copied

AT = datetime.fromisoformat("2026-09-16T02:00:00+08:00")
LATER = "2026-09-16T03:00:00+08:00"
REASON = "年度复核"
AFTER_COLLECT = "intake|check_.*|verify_admitted|assess|report|quality|gate|approve|deliver"


def ledger(ws: Workspace) -> list[tuple[str, str, str]]:
    store = Store.open(ws.store_url)
    with store.read() as connection:
        rows = connection.exec_driver_sql("SELECT kind, subject, detail FROM ledger ORDER BY seq").all()
    store.close()
    return [tuple(row) for row in rows]


def files(ws: Workspace, folder: str) -> dict[str, bytes]:
    root = ws.root / folder
    return {str(file.relative_to(root)): file.read_bytes() for file in sorted(root.rglob("*")) if file.is_file()}


class Letterbox:
    """What a mail server took."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        return "250 OK"


@pytest.fixture(scope="module")
def post() -> Iterator[Controller]:
    """A mail server on this machine; its ``handler`` is a Letterbox."""
    server = Controller(Letterbox(), hostname="127.0.0.1", port=free_port())
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def runs(
    home: Home, made: Path, post: Controller, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Workspace, list[Told]]:
    """All requests with one source down; one on what was admitted; a wrong form; one whose source never answers."""
    ws = copied(made, tmp_path_factory.mktemp("dag") / "workspace")
    sources = {name: source.model_dump() for name, source in ws.settings.sources.items()}
    departments = {name: one.model_dump() for name, one in ws.settings.departments.items()}
    ws = configure(
        ws.root,
        connections=ws_connections(ws) | {"gone": {"kind": "folder", "path": "gone", "attempts": 1}},
        sources=sources | {KEPT[-1]: {"connection": "gone"}},
        departments=departments | {"securities": {"pause_minutes": 0, "tries": 2, "minutes": 0.06}},
        notify={"mail_host": "127.0.0.1", "mail_port": post.port, "mail_to": ["duty@example.gov.cn"]},
    )
    whole = {"dag": "verify_requests", "at": AT.isoformat(), "conf": {"reason": REASON}}
    one = {"dag": "verify_requests", "at": LATER, "mark": "intake",
           "conf": {"reason": REASON, "requests": ["R370303-2026-000001"], "collect": "admitted",
                    "priority": "urgent"}}  # fmt: skip
    wrong = {"dag": "verify_requests", "at": LATER, "conf": {"reason": "37030319800101123X", "division": "999999"}}
    # A pipe that nobody writes to: whoever opens it waits.
    slow = {"dag": "verify_requests", "at": "2026-09-16T04:00:00+08:00", "mark": AFTER_COLLECT,
            "conf": {"reason": REASON, "requests": ["R370303-2026-000002"]},
            "pipes": [str(ws.root / "gone/securities.holdings/a.csv.manifest.json")]}  # fmt: skip
    return ws, home.test(ws.root, [whole, one, wrong, slow])


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
    assert told[0].tries["collect_source.securities", KEPT[-1]] == 2  # a folder may come back, so it is tried again
    batch = Batch.open(ws.batches, told[0].batch)
    coverage = batch.summary("collect")["coverage"]
    assert isinstance(coverage, dict)
    assert set(coverage[KEPT[-1]]) == {"unavailable"}
    assert set(coverage[KEPT[2]]) == {"covered"}


def test_a_source_that_overruns_its_time_stops_nobody_else(runs: tuple[Workspace, list[Told]]) -> None:
    ws, told = runs
    asked = {at: state for (task, at), state in told[3].tasks.items() if task.startswith("collect_")}
    assert [asked[name] for name in KEPT] == ["success", "success", "success", "failed"]
    assert told[3].tries["collect_source.securities", KEPT[-1]] == 2
    summary: Any = Batch.open(ws.batches, told[3].batch).summary("collect")
    assert summary["datasets"][KEPT[-1]]["reason"] == "timed_out"
    assert set(summary["coverage"][KEPT[-1]]) == {"unavailable"}
    assert set(summary["coverage"][KEPT[2]]) == {"covered"}


def test_failures_are_told_by_mail_with_what_to_do_and_of_whom_nothing(
    runs: tuple[Workspace, list[Told]], post: Controller, made: Path
) -> None:
    _, told = runs
    down, wrong, slow = post.handler.mails
    for mail, run, task, says, todo in (
        (
            down,
            told[0],
            "collect_source.securities securities/holdings",
            "相关人员记为未能核实",
            "check folder, address",
        ),
        (wrong, told[2], "intake", "核对申请表有误", "correct the fields"),
        (slow, told[3], "collect_source.securities securities/holdings", "超时", "minutes of the department"),
    ):
        text = mail.get_body().get_content()  # type: ignore[union-attr]
        assert mail["To"] == "duty@example.gov.cn"
        assert mail["Subject"] == f"核对任务失败 Hedui: verify_requests · {task}"
        assert says in text
        assert todo in text
        assert run.run_id in text
        (attached,) = (json.loads(part.get_content()) for part in mail.iter_attachments())
        assert attached["task"] == task
    assert f"/quality/batches/{told[3].batch}/" in slow.get_body().get_content()
    # Neither what was typed into the form nor anybody of the county.
    whole = "".join(
        str(part.get_content()) for mail in (down, wrong, slow) for part in mail.walk() if not part.is_multipart()
    )
    assert not any(value in whole for value in ["37030319800101123X", *personal(made)])


def personal(made: Path) -> set[str]:
    """Names and numbers of everybody in the county's requests."""
    lines = [line for file in (made / "county/requests").glob("*.jsonl") for line in file.open(encoding="utf-8")]
    members = [member for line in lines for member in json.loads(line).get("members", ())]
    found = {member["name"] for member in members} | {member["id_number"] for member in members if member["id_number"]}
    assert len(found) > 10
    return found


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
    assert len(list(ws.batches.iterdir())) == len({one.batch for one in (told[0], told[1], told[3])})


def test_xcom_holds_batch_references_only(runs: tuple[Workspace, list[Told]]) -> None:
    ws, told = runs
    known = {path.name for path in ws.batches.iterdir()}
    held = {(task, value) for one in told for task, key, value in one.xcoms if key == "return_value"}
    assert {task for task, _ in held} == {"open_batch"}
    assert {value for _, value in held} <= known


def test_every_task_of_an_urgent_run_comes_before_every_task_of_another(runs: tuple[Workspace, list[Told]]) -> None:
    """Airflow gives a free place of a pool, and of the executor, to the task with the greatest weight."""
    _, told = runs
    normal, urgent = (told[place].weights for place in (0, 1))
    assert min(urgent.values()) > max(normal.values())
    first, last = ("intake", "-1"), ("deliver", "-1")
    assert urgent[first] - urgent[last] == normal[first] - normal[last] > 0


def test_who_asked_and_why_is_in_the_ledger(runs: tuple[Workspace, list[Told]]) -> None:
    ws, told = runs
    entries = {subject: json.loads(detail) for kind, subject, detail in ledger(ws) if kind == "run_requested"}
    assert set(entries) == {told[place].run_id for place in (0, 1, 3)}
    assert entries[told[1].run_id] | {"by": "x"} == {
        "by": "x", "reason": REASON, "division": None, "programme": None, "requests": 1, "urgent": True,
        "admitted": True,
    }  # fmt: skip
