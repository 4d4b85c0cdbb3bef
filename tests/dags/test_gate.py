"""The gate, what is told of failures, and the DAGs of the outbox, of retention and of the keys, each run whole."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipelines import gate, intake, ledger, outbox, tables
from pipelines.batch import Batch, write_json
from pipelines.errors import StageFailedError
from pipelines.keys import DESTROYED
from pipelines.outbox import deliver_waiting
from pipelines.scheduled import notify
from pipelines.scheduled.form import FormRefusedError, read, read_reason, selected
from pipelines.settings import Workspace
from pipelines.store import Store
from pipelines.verify import open_batch, run_stage
from tests.dags.airflow_home import Home
from tests.dags.conftest import configure, copied

AT = datetime.fromisoformat("2026-09-16T02:00:00+08:00")
TO_REPORT = ("plan", "collect", "check_admitted", "assess", "check_assessed", "report")
REQUEST = "R370303-2026-000001"


@pytest.fixture(scope="module")
def reported(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every report issued, none delivered; not to be changed."""
    ws = copied(made, tmp_path_factory.mktemp("reported") / "workspace")
    intake.run(ws, AT)
    batch = open_batch(ws, AT)
    for stage in TO_REPORT:
        run_stage(stage, batch, ws)
    batch.mark("quality", {"confirmed": 0})  # Great Expectations has its own tests
    return ws.root


@pytest.fixture
def site(reported: Path, tmp_path: Path) -> tuple[Workspace, Batch]:
    ws = copied(reported.parent, tmp_path / "workspace")
    return ws, Batch.open(ws.batches, next(ws.batches.iterdir()).name)


def warn(batch: Batch) -> None:
    gates = batch.folder / "gates.json"
    write_json(gates, json.loads(gates.read_text()) | {"banks/deposits": "warn"})


@contextmanager
def stored(ws: Workspace) -> Iterator[Store]:
    store = Store.open(ws.store_url)
    try:
        yield store
    finally:
        store.close()


def states(ws: Workspace) -> set[str]:
    with stored(ws) as store, store.read() as connection:
        return set(connection.scalars(sa.select(tables.outbox.c.state)))


def test_nothing_to_see_and_the_reports_may_leave(site: tuple[Workspace, Batch]) -> None:
    ws, batch = site
    assert not gate.run(batch, ws).waits
    assert deliver_waiting(ws).delivered == [batch.id]
    assert states(ws) == {"delivered"}


def test_a_warning_waits_for_a_person_and_a_rejection_stops_delivery(site: tuple[Workspace, Batch]) -> None:
    ws, batch = site
    warn(batch)
    facts = gate.run(batch, ws)
    assert facts.warned == ["banks/deposits"]
    assert "banks/deposits" in facts.text(batch)
    assert deliver_waiting(ws).held == [batch.id]
    gate.answer(batch, ws, approved=False, by="reviewer", reason="银行数据有疑问", at="2026-09-16T08:00:00+08:00")
    assert deliver_waiting(ws).held == [batch.id]
    assert states(ws) == {"pending"}
    gate.answer(batch, ws, approved=True, by="reviewer", reason="银行已说明", at="2026-09-16T09:00:00+08:00")
    assert deliver_waiting(ws).delivered == [batch.id]
    assert states(ws) == {"delivered"}


def test_what_was_stopped_is_issued_anew_and_not_taken_as_known(site: tuple[Workspace, Batch]) -> None:
    ws, batch = site
    warn(batch)
    gate.run(batch, ws)
    gate.answer(batch, ws, approved=False, by="reviewer", reason="银行数据有疑问", at="2026-09-16T08:00:00+08:00")
    again = open_batch(ws, AT + timedelta(hours=1))
    for stage in TO_REPORT:
        run_stage(stage, again, ws)
    assert again.summary("report")["unchanged"] == 0
    assert again.summary("report")["new"] == batch.summary("report")["new"]


def test_a_share_over_a_limit_that_jumps_against_its_history(site: tuple[Workspace, Batch]) -> None:
    ws, batch = site
    ws = configure(ws.root, gate={"households": 1, "batches": 3})
    for days, over in enumerate((10, 12, 11), 1):
        earlier = Batch.create(ws.batches, f"earlier{days}", AT - timedelta(days=days))
        with stored(ws) as store:
            store.put_batch(earlier, 100)
        limits = {"subsistence_allowance": {"over_limit": over, "within_limits": 100 - over}}
        earlier.mark(gate.STAGE, {"warned": [], "failed": [], "jumps": [], "limits": limits, "waits": False})
    facts = gate.run(batch, ws)
    counts = facts.limits["subsistence_allowance"]
    share = counts.get("over_limit", 0) * 1000 // sum(counts.values())
    assert facts.waits == (abs(share - 110) >= 100)
    assert [(jump.programme, jump.now, jump.before) for jump in facts.jumps] == [("subsistence_allowance", share, 110)]


def test_a_report_that_is_put_back_is_delivered_again(site: tuple[Workspace, Batch]) -> None:
    ws, batch = site
    deliver_waiting(ws)
    with stored(ws) as store, store.begin() as connection:
        connection.execute(tables.outbox.update().values(state="pending", delivery=None))
    assert deliver_waiting(ws).delivered == [batch.id]
    assert states(ws) == {"delivered"}


def test_urgent_reports_leave_the_outbox_first(site: tuple[Workspace, Batch]) -> None:
    ws, batch = site
    later = Batch.create(ws.batches, "later", AT + timedelta(hours=1))
    with stored(ws) as store:
        with store.begin() as connection:
            own = tables.outbox.c.report_id.in_(sa.select(sa.func.min(tables.outbox.c.report_id)))
            connection.execute(tables.outbox.update().where(own).values(batch_id=later.id))
        ledger.append(store, "run_requested", batch.id, "run 1", {"by": "staff", "urgent": False})
        assert [one.id for one in outbox._waiting(ws, store)] == [batch.id, later.id]
        ledger.append(store, "run_requested", later.id, "run 2", {"by": "staff", "urgent": True})
        assert [one.id for one in outbox._waiting(ws, store)] == [later.id, batch.id]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "reason"),
        ({"reason": "复核", "division": "370303"}, "reason"),
        ({"reason": "复核 37030319800101123X"}, "reason"),
        ({"reason": "年度复核", "division": "3703"}, "division"),
        ({"reason": "年度复核", "division": "999999"}, "division"),
        ({"reason": "年度复核", "programme": "nothing"}, "programme"),
        ({"reason": "年度复核", "priority": "soon"}, "priority"),
        ({"reason": "年度复核", "as_of": "2027-01-01"}, "as_of"),
        ({"reason": "年度复核", "as_of": "tomorrow"}, "as_of"),
        ({"reason": "年度复核", "requests": ["R-404"]}, "requests"),
        ({"reason": "年度复核", "requests": ["37030319800101123X"]}, "requests"),
        ({"reason": "年度复核", "collect": "admitted"}, "collect"),
        ({"reason": "年度复核", "requests": [REQUEST], "programme": "orphans_children"}, "requests"),
        ({"reason": "年度复核", "anything": 1}, "anything"),
    ],
)
def test_a_form_is_judged_as_a_whole(reported: Path, given: dict[str, object], field: str) -> None:
    with pytest.raises(FormRefusedError) as refused:
        read(given, Workspace.open(reported), AT, "staff")
    assert field in refused.value.problems
    assert "37030319800101123X" not in str(refused.value)


def test_keys_are_rotated_by_administrators_alone(reported: Path, tmp_path: Path) -> None:
    ws = copied(reported.parent, tmp_path / "workspace")
    users = "users:\n  a: {roles: [administrator], divisions: ['37']}\n  s: {roles: [staff], divisions: ['37']}\n"
    (ws.root / "access.yaml").write_text(users)
    assert read_reason({"reason": "年度轮换"}, ws, "a") == "年度轮换"
    for name in ("s", "nobody"):
        with pytest.raises(FormRefusedError):
            read_reason({"reason": "年度轮换"}, ws, name)


def test_what_a_form_selects(reported: Path) -> None:
    ws = Workspace.open(reported)
    assert selected(read({"reason": "年度复核"}, ws, AT, "staff"), ws) is None
    assert selected(read({"reason": "年度复核", "requests": [REQUEST]}, ws, AT, "staff"), ws) == [REQUEST]
    own = selected(read({"reason": "年度复核", "division": "370303"}, ws, AT, "staff"), ws)
    assert own is not None
    assert REQUEST in own
    # An arrival is about those that nobody has reported on; all have been.
    assert selected(read({}, ws, AT, None), ws) == []


def test_a_failure_is_told_with_what_to_do_and_no_value(reported: Path) -> None:
    told: list[bytes] = []

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    ws = Workspace.open(reported)
    ws.settings = ws.settings.model_copy(
        update={"notify": type(ws.settings.notify)(webhook=f"http://127.0.0.1:{server.server_port}/")}
    )
    ours = notify.message("d", "r", "t", "http://log", StageFailedError("b1", "plan", "KeyError"), "http://page")
    other = notify.message("d", "r", "t", "http://log", ValueError("武雅磊 59052119830616413X"), "")
    assert notify.send(ws, ours) == notify.send(ws, other) == 1
    server.shutdown()
    server.server_close()
    first, second = (json.loads(text) for text in told)
    assert "b1" in first["zh"]
    assert first["todo"] == StageFailedError.todo
    assert first["quality"] == "http://page"
    assert "59052119830616413X" not in told[1].decode()
    assert second["error"] == "ValueError"
    gone = type(ws.settings.notify)(webhook="http://127.0.0.1:1/")
    ws.settings = ws.settings.model_copy(update={"notify": gone})
    assert notify.send(ws, ours) == 0  # and the failure itself is not hidden by it


def test_outbox_retention_and_keys_by_their_dags(site: tuple[Workspace, Batch], home: Home) -> None:
    ws, batch = site
    runs = [
        {"dag": "deliver_reports", "at": AT.isoformat()},
        {"dag": "rotate_keys", "at": AT.isoformat(), "conf": {"reason": "年度轮换"}},
        {"dag": "rotate_keys", "at": AT.isoformat(), "conf": {}},
        {"dag": "expire_data", "at": (AT + timedelta(days=800)).isoformat()},
    ]
    told = home.test(ws.root, runs)
    assert [one.state for one in told] == ["success", "success", "failed", "success"]  # no reason, no rotation
    assert states(ws) == {"delivered"}
    assert (batch.folder / DESTROYED).exists()
    with stored(ws) as store, store.read() as connection:
        rows = connection.execute(sa.select(tables.ledger.c.kind, tables.ledger.c.detail).order_by(tables.ledger.c.seq))
        entries = [(row.kind, json.loads(row.detail)) for row in rows]
    kinds = [kind for kind, _ in entries]
    assert kinds[-1] == "retention_proof"
    assert entries[-1][1]["destroyed"] == 1
    assert [detail["reason"] for kind, detail in entries if kind == "run_requested"] == ["年度轮换"]
