"""R31, R72: what was withdrawn is deleted, what is old is destroyed; the ledger keeps the proof, nothing personal."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from pipelines import cli, intake, ledger, retention, tables
from pipelines.batch import Batch
from pipelines.demo import AS_OF
from pipelines.issued import ReportDeletedError
from pipelines.keys import DataKeyDestroyedError, KeyRing
from pipelines.replay import again, as_issued
from pipelines.settings import Workspace
from pipelines.store import Store
from pipelines.verify import open_batch, run_batch, run_stage
from pipelines.warehouse import connect, scan
from tests.proof import county

LATER = AS_OF + timedelta(days=1)
OLD = AS_OF + timedelta(days=600)


@pytest.fixture
def site(verified: tuple[Workspace, Batch], tmp_path: Path) -> Workspace:
    """The verified county, to be changed."""
    return county.own(verified[0], tmp_path / "site")


def withdraw(ws: Workspace, request: str, member: int | None = None) -> None:
    line = {"withdrawal": {"request_id": request, "on": "2026-09-16"} | ({"member_no": member} if member else {})}
    (ws.root / "inbox" / f"{request}.jsonl").write_text(json.dumps(line) + "\n")
    assert intake.run(ws, AS_OF).withdrawn == 1


def rows_of(ws: Workspace) -> dict[str, Any]:
    store = Store.open(ws.store_url)
    found = store.latest_reports()
    store.close()
    return found


def select(ws: Workspace, query: sa.Select[Any]) -> list[Any]:
    store = Store.open(ws.store_url)
    with store.read() as connection:
        found = [tuple(row) for row in connection.execute(query)]
    assert ledger.verify(store) is None
    store.close()
    return found


def counted(ws: Workspace, batch: Batch, table: str, where: str) -> int:
    """Rows of every file of that name in the batch."""
    key = KeyRing.open(ws.settings.keys, ws.root).data_key(batch.source_folder)
    with connect(key) as con:
        files = sorted(batch.folder.rglob(f"{table}.parquet"))
        return int(con.execute(f"SELECT count(*) FROM {scan(*files)} WHERE {where}").fetchone()[0])


def anywhere(ws: Workspace, batch: Batch, token: str) -> dict[str, int]:
    """Rows about a person in every file of the batch that names persons, by the folder it lies in."""
    key = KeyRing.open(ws.settings.keys, ws.root).data_key(batch.source_folder)
    found: dict[str, int] = {}
    with connect(key) as con:
        for file in sorted(batch.folder.rglob("*.parquet")):
            columns = {name for name, *_ in con.execute(f"DESCRIBE SELECT * FROM {scan(file)}").fetchall()}
            if "person" in columns:
                query = f"SELECT count(*) FROM {scan(file)} WHERE person = '{token}'::UUID"
                place = file.relative_to(batch.folder).parts[0]
                found[place] = found.get(place, 0) + con.execute(query).fetchone()[0]
    return {place: rows for place, rows in found.items() if rows}


def token_of(ws: Workspace, batch: Batch, request: str, member: int) -> str:
    key = KeyRing.open(ws.settings.keys, ws.root).data_key(batch.source_folder)
    with connect(key) as con:
        members = scan(batch.folder / "members.parquet")
        query = f"SELECT person::VARCHAR FROM {members} WHERE request_id = ? AND member_no = ?"
        return str(con.execute(query, [request, member]).fetchone()[0])


def test_r31_a_withdrawn_request_is_deleted_everywhere_and_nothing_else(
    site: Workspace, verified: tuple[Workspace, Batch]
) -> None:
    batch = Batch.open(site.batches, verified[1].id)
    first, other = sorted(rows_of(site))[:2]
    token = token_of(site, batch, first, 1)
    assert {"admitted", "facts", "coverage.parquet", "members.parquet"} <= set(anywhere(site, batch, token))
    before = {request: as_issued(site, row) for request, row in rows_of(site).items() if request != first}
    withdraw(site, first)
    told = retention.run(site, LATER, only_tell=True)
    assert (told.deleted, told.waiting) == (1, 0)
    assert as_issued(site, rows_of(site)[first])

    done = retention.run(site, LATER)
    assert (done.deleted, done.waiting, done.destroyed, done.cleared) == (1, 0, [], 0)
    assert retention.run(site, LATER) == retention.Done()
    for table in ("members", "requests", "queries", "declarations", "income_items", "figures", "conclusions"):
        assert counted(site, batch, table, f"request_id = '{first}'") == 0
        assert table == "income_items" or counted(site, batch, table, f"request_id = '{other}'")
    assert anywhere(site, batch, token) == {}
    with pytest.raises(ReportDeletedError):
        as_issued(site, rows_of(site)[first])
    with pytest.raises(ReportDeletedError):
        again(site, rows_of(site)[first])
    # every other report is as it was, signature and all, and can be made again
    assert {request: as_issued(site, row) for request, row in rows_of(site).items() if request != first} == before
    assert again(site, rows_of(site)[other]) == before[other]

    r, m = tables.requests, tables.members
    ((document, state),) = select(site, sa.select(r.c.document, r.c.state).where(r.c.request_id == first))
    assert (document, state) == (b"", "withdrawn")
    assert {person for (person,) in select(site, sa.select(m.c.person).where(m.c.request_id == first))} == {None}
    (entry,) = select(site, sa.select(tables.ledger.c.detail).where(tables.ledger.c.kind == "deletion"))
    assert json.loads(entry[0]) == {"batches": 1, "reports": 1}


def test_r31_what_departments_sent_about_a_withdrawn_member_is_deleted(
    site: Workspace, verified: tuple[Workspace, Batch]
) -> None:
    batch = Batch.open(site.batches, verified[1].id)
    request = next(
        r for r, row in sorted(rows_of(site).items()) if len(json.loads(as_issued(site, row))["members"]) > 1
    )
    token, own = token_of(site, batch, request, 2), token_of(site, batch, request, 1)
    withdraw(site, request, 2)
    assert retention.run(site, LATER).deleted == 1
    assert set(anywhere(site, batch, token)) <= {"members.parquet", "queries.parquet", "other_requests.parquet"}
    assert {"admitted", "facts", "coverage.parquet"} <= set(anywhere(site, batch, own))
    assert counted(site, batch, "members", f"request_id = '{request}'") > 1
    with pytest.raises(ReportDeletedError):
        as_issued(site, rows_of(site)[request])


def test_r31_deletion_waits_for_a_batch_that_is_under_way(site: Workspace) -> None:
    request = min(rows_of(site))
    under_way = open_batch(site, LATER)
    run_stage("plan", under_way, site)
    withdraw(site, request)
    assert cli.run(["retention", "run", "--at", LATER.isoformat(), "-w", str(site.root)]) == 1
    done = retention.run(site, LATER)
    assert (done.deleted, done.waiting) == (0, 1)
    queue = tables.withdrawals.c
    assert select(site, sa.select(queue.deleted_at)) == [(None,)]


def test_r72_at_the_end_of_retention_key_and_files_go_and_the_ledger_keeps_the_proof(
    site: Workspace, verified: tuple[Workspace, Batch], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    batch = Batch.open(site.batches, verified[1].id)
    request, row = min(rows_of(site).items())
    file = tmp_path / "report.json"
    file.write_bytes(as_issued(site, row))
    alone = open_batch(site, AS_OF + timedelta(hours=2), request)
    run_batch(alone, site, confirm=False)

    assert retention.run(site, LATER).destroyed == []
    done = retention.run(site, OLD)
    assert sorted(done.destroyed) == sorted([batch.id, alone.id])
    assert done.cleared == len(rows_of(site))
    assert retention.run(site, OLD) == retention.Done()

    for one in (batch, alone):
        left = {path.relative_to(one.folder).parts[0] for path in one.folder.rglob("*") if path.is_file()}
        assert left <= set(retention.KEPT)
        assert not list(one.folder.rglob("*.parquet"))
    assert not (batch.folder / "key.wrapped").exists()
    with pytest.raises(DataKeyDestroyedError):
        as_issued(site, row)
    code = cli.run(["report", "recompute", str(file), "-w", str(site.root), "--json"])
    assert (code, json.loads(capsys.readouterr().err)["error"]) == (3, "DataKeyDestroyedError")
    for arguments in (["--replay", row.report_id], ["--request", request]):
        assert cli.run(["verify", *arguments, "-w", str(site.root), "--json"]) in (2, 3)
        assert json.loads(capsys.readouterr().err)["error"] in ("DataKeyDestroyedError", "NothingSelectedError")
    assert cli.run(["ledger", "verify", "-w", str(site.root)]) == 0

    query = sa.select(tables.ledger.c.batch_id, tables.ledger.c.detail).where(tables.ledger.c.kind == "retention")
    details = {name: json.loads(detail) for name, detail in select(site, query)}
    assert details.keys() == {batch.id, alone.id}
    assert {len(detail["wrapped_key_sha256"]) for detail in details.values()} == {64}
    documents = select(site, sa.select(tables.requests.c.document).distinct())
    assert documents == [(b"",)]
    assert select(site, sa.select(tables.members.c.person).distinct()) == [(None,)]


def test_r72_a_run_that_died_goes_on(
    site: Workspace, verified: tuple[Workspace, Batch], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(retention.shutil, "rmtree", die)
        with pytest.raises(Killed):
            retention.run(site, OLD)
    assert retention.run(site, OLD).destroyed == [verified[1].id]
    assert retention.run(site, OLD).destroyed == []


def test_r72_the_period_is_of_the_configuration(site: Workspace, tmp_path: Path) -> None:
    longer = county.copy(site, tmp_path / "longer", retention={"data_months": 24})
    assert retention.run(longer, OLD, only_tell=True).destroyed == []
    assert len(retention.run(site, OLD, only_tell=True).destroyed) == 1
