"""Case systems for real: a folder, a PostgreSQL, an HTTP server that misbehaves on command."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest
import sqlalchemy as sa

from connectors import case_http
from connectors.case_database import DatabaseEnd, tables
from connectors.case_folder import FolderEnd
from connectors.case_http import HttpEnd
from connectors.case_model import CaseSystemRefusedError, CaseSystemUnavailableError, Outgoing
from connectors.case_systems import reports_end, requests_end
from pipelines import deliver, intake, plan
from pipelines.errors import ConfigurationError
from tests.cases import AT, put, request, workspace
from tests.databases import new_database, store_url  # noqa: F401
from tests.delivering import issue, read


def outgoing(number: int, text: str = "核对") -> Outgoing:
    return Outgoing(f"HD{number}", 1, json.dumps({"report_id": f"HD{number}", "version": 1, "t": text}).encode())


# A folder ----------------------------------------------------------------------------------------------------------


def test_a_part_that_is_there_is_answered_and_not_written_again(tmp_path: Path) -> None:
    end = FolderEnd(tmp_path)
    first = end.deliver("b1", 1, [outgoing(1), outgoing(2)])
    part = tmp_path / "b1" / "part-0001.jsonl"
    content = part.read_bytes()
    again = end.deliver("b1", 1, [outgoing(2), outgoing(3)])
    assert part.read_bytes() == content
    assert again == first
    assert [receipt.report_id for receipt in again.receipts] == ["HD1", "HD2"]


def test_files_that_are_not_whole_yet_are_not_taken(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.tmp").write_text("{}")
    (tmp_path / "b.jsonl").write_text("{}\n{}")
    (incoming,) = FolderEnd(tmp_path).incoming()
    assert (incoming.name, list(incoming.lines()), list(incoming.lines())) == (
        "b.jsonl",
        [b"{}", b"{}"],
        [b"{}", b"{}"],
    )


def test_a_way_without_its_address_is_a_wrong_configuration(tmp_path: Path) -> None:
    ws = workspace(tmp_path, case_systems={"requests": {"kind": "http"}, "reports": {"kind": "folder"}})
    with pytest.raises(ConfigurationError, match=r"case_systems\.requests\.url"):
        requests_end(ws)
    with pytest.raises(ConfigurationError, match=r"case_systems\.reports\.path"):
        reports_end(ws)


# A database --------------------------------------------------------------------------------------------------------


def made(url: str) -> tuple[sa.Engine, sa.Table, sa.Table, sa.Table]:
    """A case system's database with its three tables."""
    if url.startswith("sqlite:///"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(url)
    requests, _, _ = tables("applications")
    _, reports, refusals = tables("results")
    for table in (requests, reports, refusals):
        table.create(engine)
    return engine, requests, reports, refusals


def test_requests_and_reports_through_a_database(tmp_path: Path, store_url: str) -> None:  # noqa: F811
    engine, requests, reports, refusals = made(store_url)
    ends = {"requests": "applications", "reports": "results"}
    ws = workspace(
        tmp_path / "site", case_systems={k: {"kind": "database", "url": store_url, "table": t} for k, t in ends.items()}
    )
    with engine.begin() as connection:
        lines = [request("R-1"), request("R-2", division="x"), request("R-3")]
        rows = [{"line_no": i + 7, "document": json.dumps(line)} for i, line in enumerate(lines)]
        connection.execute(requests.insert(), rows)
    result = intake.run(ws, AT)
    assert (result.accepted, result.refused, result.refusals) == (2, 1, ["results_refusals"])
    assert intake.run(ws, AT).lines == 0
    assert deliver.run(issue(ws, 5), ws, read) == {"delivered": 5}
    with engine.begin() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(reports)) == 5
        document = json.loads(connection.scalar(sa.select(refusals.c.document)))
        assert (document["request_id"], document["line"]) == ("R-2", 2)


def test_a_report_is_in_the_database_once_whoever_sends_it(store_url: str) -> None:  # noqa: F811
    engine, _, reports, _ = made(store_url)
    ends = [DatabaseEnd(store_url, "results") for _ in range(4 if store_url.startswith("postgres") else 1)]
    batch = [outgoing(i) for i in range(200)]
    threads = [threading.Thread(target=end.deliver, args=("b1", 1, batch)) for end in ends]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answer = ends[0].deliver("b1", 1, batch)
    assert len(answer.receipts) == 200
    with engine.begin() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(reports)) == 200


def test_another_content_under_the_same_key_is_a_fault(store_url: str) -> None:  # noqa: F811
    made(store_url)
    end = DatabaseEnd(store_url, "results")
    end.deliver("b1", 1, [outgoing(1)])
    answer = end.deliver("b1", 1, [outgoing(1, "changed"), outgoing(2)])
    assert [receipt.report_id for receipt in answer.receipts] == ["HD2"]
    assert [(fault.report_id, fault.final) for fault in answer.faults] == [("HD1", True)]


def test_a_table_that_is_not_there_is_told_without_a_value() -> None:
    with pytest.raises(CaseSystemRefusedError) as error:
        DatabaseEnd(new_database(), "results").deliver("b1", 1, [outgoing(1, "秘密")])
    assert "秘密" not in str(error.value)


def test_a_database_that_is_down(tmp_path: Path) -> None:
    end = DatabaseEnd("postgresql+psycopg://nobody@127.0.0.1:1/none?connect_timeout=1", "results")
    with pytest.raises(CaseSystemUnavailableError):
        end.deliver("b1", 1, [outgoing(1)])


# HTTP --------------------------------------------------------------------------------------------------------------


class CaseServer(ThreadingHTTPServer):
    """Keeps one report under a key; ``orders`` are statuses (or "cut", "mute") for the next calls of a kind."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.pages: list[list[dict[str, Any]]] = []
        self.reports: dict[str, bytes] = {}
        self.refusals: dict[str, Any] = {}
        self.orders: dict[str, list[int | str]] = {}
        self.calls: list[str] = []
        self.lock = threading.Lock()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that was cut on command is no news."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: CaseServer

    def log_message(self, *args: Any) -> None:
        return

    def answer(self, status: int, document: object = None) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def obeys(self, kind: str, *, late: bool) -> bool:
        """Do what was ordered for this call; ``late`` orders come after the work was done."""
        with self.server.lock:
            orders = self.server.orders.get(kind, [])
            if not orders or (orders[0] in ("cut", "mute")) != late:
                return False
            order = orders.pop(0)
        if order == "cut":
            self.close_connection = True
            self.connection.close()
        else:
            self.answer(200 if order == "mute" else int(order))
        return True

    def do_GET(self) -> None:
        if self.obeys("requests", late=False):
            return
        cursor = int(parse_qs(urlparse(self.path).query).get("after", ["0"])[0] or 0)
        following = str(cursor + 1) if cursor + 1 < len(self.server.pages) else None
        self.answer(200, {"lines": self.server.pages[cursor] if self.server.pages else [], "next": following})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.refusals[self.headers["Idempotency-Key"]] = body
        self.answer(200, {})

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        key = self.headers["Idempotency-Key"]
        self.server.calls.append(key)
        if self.obeys(key, late=False):
            return
        with self.server.lock:
            kept = self.server.reports.setdefault(key, content)
        if self.obeys(key, late=True):
            return
        self.answer(200 if kept == content else 409, {"receipt": f"no. {list(self.server.reports).index(key)}"})


@pytest.fixture
def server() -> Iterator[CaseServer]:
    server = CaseServer()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def address(server: CaseServer) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}"


def test_requests_and_reports_through_http(tmp_path: Path, server: CaseServer) -> None:
    (tmp_path / "token").write_text("secret\n")
    way = {"kind": "http", "url": address(server), "token_file": str(tmp_path / "token")}
    ws = workspace(tmp_path / "site", case_systems={"requests": way, "reports": way})
    server.pages = [[request("R-1"), request("R-2", division="x")], [request("R-3")]]
    server.orders = {"requests": [503, 429]}
    result = intake.run(ws, AT)
    assert (result.accepted, result.refused, result.files) == (2, 1, 2)
    ((digest, body),) = server.refusals.items()
    assert (body["digest"], body["lines"][0]["request_id"]) == (digest, "R-2")
    assert deliver.run(issue(ws, 5), ws, read) == {"delivered": 5}
    assert sorted(server.reports) == [f"HD000{i}:1" for i in range(5)]


@pytest.mark.parametrize("orders", [[500], [503, 502], ["cut"], ["cut", 500]])
def test_what_passes_is_tried_again_and_arrives_once(server: CaseServer, orders: list[int | str]) -> None:
    server.orders = {"HD1:1": list(orders)}
    answer = HttpEnd(address(server)).deliver("b1", 1, [outgoing(1), outgoing(2)])
    assert sorted(receipt.report_id for receipt in answer.receipts) == ["HD1", "HD2"]
    assert server.calls.count("HD1:1") == len(orders) + 1
    assert sorted(server.reports) == ["HD1:1", "HD2:1"]


@pytest.mark.parametrize(
    ("order", "final", "calls"), [(400, True, 1), (403, True, 1), ("mute", False, 1), (500, False, 2)]
)
def test_what_does_not_pass_is_a_fault_of_that_report_alone(
    server: CaseServer, monkeypatch: pytest.MonkeyPatch, order: int | str, final: bool, calls: int
) -> None:
    monkeypatch.setattr(case_http, "_ATTEMPTS", 2)
    server.orders = {"HD1:1": [order] * 2}
    answer = HttpEnd(address(server)).deliver("b1", 1, [outgoing(1), outgoing(2)])
    assert [receipt.report_id for receipt in answer.receipts] == ["HD2"]
    assert [(fault.report_id, fault.final) for fault in answer.faults] == [("HD1", final)]
    assert server.calls.count("HD1:1") == calls


def test_another_content_under_the_same_key_is_refused(server: CaseServer) -> None:
    end = HttpEnd(address(server))
    end.deliver("b1", 1, [outgoing(1)])
    (fault,) = end.deliver("b1", 1, [outgoing(1, "changed")]).faults
    assert (fault.final, fault.reason) == (True, "status 409")


def test_a_server_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(case_http, "_ATTEMPTS", 2)
    end = HttpEnd("http://127.0.0.1:9")
    with pytest.raises(CaseSystemUnavailableError):
        list(end.incoming())
    (fault,) = end.deliver("b1", 1, [outgoing(1)]).faults
    assert not fault.final


def test_a_store_in_postgresql_serves_intake_plan_and_delivery(tmp_path: Path) -> None:
    ws = workspace(tmp_path / "site", store=new_database())
    put(ws, "a.jsonl", request("R-1"), request("R-1"), request("R-2", division="x"))
    result = intake.run(ws, AT)
    assert (result.accepted, result.known, result.refused) == (1, 1, 1)
    assert plan.run(plan.new_batch(ws, AT), ws)["requests"] == 1
    assert deliver.run(issue(ws, 5), ws, read) == {"delivered": 5}
