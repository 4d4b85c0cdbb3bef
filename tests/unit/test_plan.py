"""The plan's tables, its determinism, and what is in it when the process dies or the key epoch has changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipelines import intake, ledger, plan, tables
from pipelines.batch import Batch
from pipelines.keys import KeyRing
from pipelines.opening import SealedFields
from pipelines.rotation import rotate
from pipelines.store import Store
from pipelines.warehouse import connect, scan
from tests.cases import AT, authorisation, id_number, member, put, request, workspace
from tests.dying import died_at
from tests.planning import plan_all, planned, rows

ADULT, OTHER = id_number("19800307"), id_number("19810307")


def full() -> dict[str, object]:
    spouse = member(
        2, "R-1", OTHER.lower() + " ", "spouse", married=True, statuses=[{"kind": "prison", "from": "2025-01-01"}]
    )
    student = member(
        3, "R-1", "E12345678", "child", id_kind="passport", birth_date="2004-02-29", legal_capacity=False,
        student={"stage": "undergraduate", "full_time": True},
        authorisation=authorisation("A-3", signed_by="guardian", guardian_name="测试", scope=["banks", "taxation"]),
    )  # fmt: skip
    declaration = {
        "income.wage": "24000.10",
        "income.transfer": "0",
        "financial_assets": "9999999999999.99",
        "homes": 0,
    }
    return request(
        "R-1", member(1, "R-1", ADULT), spouse, student, declaration=declaration, reference_date="2026-03-01"
    )


def test_the_documents_own_example_is_taken_in(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "requests.md").read_text("utf-8")
    request_line, withdrawal = (json.loads(part.partition("```")[0]) for part in text.split("```json")[1:])
    ws, batch = planned(tmp_path, request_line, withdrawal)
    assert rows(ws, batch, "member_no, address_protected", "members") == [(1, True), (2, False)]
    assert rows(ws, batch, "member_no, withdrawn_on IS NULL", "authorisations") == [(1, True), (2, False)]


def test_the_tables_say_what_the_request_said(tmp_path: Path) -> None:
    ws, batch = planned(tmp_path, full())
    assert rows(ws, batch, "request_id, policy_id, division, reference_date::VARCHAR", "requests") == [
        ("R-1", 0, "370303", "2026-03-01")
    ]
    columns = "member_no, relation, birth_date::VARCHAR, married, student_stage, student_full_time, legal_capacity"
    assert rows(ws, batch, columns, "members") == [
        (1, "applicant", "1980-03-07", None, None, False, True),
        (2, "spouse", "1981-03-07", True, None, False, True),
        (3, "child", "2004-02-29", None, "undergraduate", True, False),
    ]
    assert rows(ws, batch, "member_no, kind, from_on::VARCHAR, to_on", "member_statuses") == [
        (2, "prison", "2025-01-01", None)
    ]
    assert rows(ws, batch, "item, declared", "declarations") == [
        ("financial_assets", 999999999999999),
        ("homes", 0),
        ("income.transfer", 0),
        ("income.wage", 2400010),
    ]
    assert rows(ws, batch, "member_no, scope", "authorisations")[2] == (3, ["banks", "taxation"])
    assert rows(ws, batch, "DISTINCT window_from::VARCHAR, window_to::VARCHAR") == [("2025-03-01", "2026-03-01")]
    assert [number for (number,) in rows(ws, batch, "query_id")] == list(range(1, len(rows(ws, batch, "query_id")) + 1))


def test_what_a_report_shows_opens_again_as_it_was_delivered(tmp_path: Path) -> None:
    ws, batch = planned(tmp_path, full())
    ring = KeyRing.open(ws.settings.keys, ws.root)
    with connect(ring.data_key(batch.folder)) as con:
        members = scan(batch.folder / "members.parquet")
        sealed = con.execute(f"SELECT display FROM {members} ORDER BY member_no").to_arrow_table()["display"]
    opened = SealedFields.of(ring, batch).members(sealed.combine_chunks()).to_pylist()
    assert f'"id_number":"{OTHER.lower()} "' in opened[1]


def test_no_raw_value_is_in_the_batchs_folder(tmp_path: Path) -> None:
    _, batch = planned(tmp_path, full())
    for path in batch.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(value.encode() in content for value in (ADULT, OTHER, "E12345678", "测试"))


def test_the_same_requests_and_moment_give_the_same_batch(tmp_path: Path) -> None:
    ws, batch = planned(tmp_path, request("R-1"), request("R-2"))
    assert plan.new_batch(ws, AT).id == batch.id
    assert plan.new_batch(ws, AT, ["R-2", "R-1"]).id == batch.id
    assert plan.new_batch(ws, AT, ["R-1"]).id != batch.id
    assert plan.new_batch(ws, AT.replace(hour=3)).id != batch.id


def test_only_the_requests_given_are_planned(tmp_path: Path) -> None:
    ws, batch = planned(tmp_path, request("R-1"), request("R-2"))
    one = plan.new_batch(ws, AT, ["R-2"], admitted_from=batch.id)
    assert plan.run(one, ws)["requests"] == 1
    assert rows(ws, one, "request_id", "requests") == [("R-2",)]


def test_r20_a_person_in_two_open_requests_is_found_in_both(tmp_path: Path) -> None:
    lines = [request(f"R-{i}", member(1, f"R-{i}", id_number("19800307", max(i, 2)))) for i in (1, 2, 3)]
    lines.append(
        request("R-4", member(1, "R-4", OTHER), member(2, "R-4", id_number("19800307", 3), "child", role="supporter"))
    )
    ws, batch = planned(tmp_path, *lines)
    assert [row[0] for row in rows(ws, batch, "request_id", "other_requests")] == ["R-1", "R-2"]
    one = plan.new_batch(ws, AT, ["R-2"])
    plan.run(one, ws)
    person = rows(ws, one, "person", "members")
    assert rows(ws, one, "person, request_id", "other_requests") == [(*person[0], "R-1"), (*person[0], "R-2")]


def test_r20_a_withdrawn_request_is_no_other_request(tmp_path: Path) -> None:
    lines = [request(f"R-{i}", member(1, f"R-{i}", ADULT)) for i in (1, 2)]
    ws, batch = planned(tmp_path, *lines, {"withdrawal": {"request_id": "R-1", "on": "2026-09-15"}})
    assert rows(ws, batch, "request_id", "other_requests") == []


def test_r19_tokens_are_of_the_batchs_epoch_whatever_the_store_has(tmp_path: Path) -> None:
    lines = [request(f"R-{i}", member(1, f"R-{i}", ADULT)) for i in (1, 2)]
    ws, batch = planned(tmp_path, *lines)
    rotate(ws)
    later = plan.new_batch(ws, AT.replace(hour=4))
    assert later.epoch == 2
    plan.run(later, ws)
    old, new = (set(rows(ws, b, "person", "members")) for b in (batch, later))
    assert len(old) == len(new) == 1
    assert old != new
    assert {(person,) for person, _ in rows(ws, later, "person, request_id", "other_requests")} == new


def test_run_again_it_does_nothing(tmp_path: Path) -> None:
    ws, batch = planned(tmp_path, full())
    before = {path: path.stat().st_mtime_ns for path in batch.folder.rglob("*.parquet")}
    plan.run(batch, ws)
    assert {path: path.stat().st_mtime_ns for path in batch.folder.rglob("*.parquet")} == before


KILLED = {
    "write": "pipelines.plan:write_parquet",
    "batch": "pipelines.store:Store.put_batch",
    "ledger": "pipelines.ledger:append_many",
    "mark": "pipelines.batch:Batch.mark",
}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("point", "call"), [("write", 1), ("write", 6), ("batch", 1), ("ledger", 1), ("mark", 1)])
def test_killed_anywhere_and_run_again(tmp_path: Path, point: str, call: int, when: str) -> None:
    ws = workspace(tmp_path / "site")
    put(ws, "a.jsonl", full(), request("R-2"))
    intake.run(ws, AT)
    assert died_at(KILLED[point], call, when, plan_all, ws.root) == 9
    batch = plan.new_batch(ws, AT)
    assert plan.run(batch, ws)["requests"] == 2
    assert sorted(path.name for path in ws.batches.iterdir()) == [batch.id]
    store = Store.open(ws.store_url)
    assert ledger.verify(store) is None
    with store.read() as connection:
        subjects = connection.scalars(sa.select(tables.ledger.c.subject).where(tables.ledger.c.kind == "query")).all()
    assert len(subjects) == plan.run(batch, ws)["datasets"]
    assert isinstance(batch, Batch)
