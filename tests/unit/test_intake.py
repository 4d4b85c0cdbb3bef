"""Intake: whole requests in, bad ones back with every error, the same again nothing, killed and run again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import intake, ledger, tables
from pipelines.request_texts import STRUCTURE, TEXTS
from pipelines.requests import Request, read_line
from pipelines.settings import Workspace
from pipelines.store import Store
from tests.cases import (
    AT,
    authorisation,
    codes,
    id_number,
    member,
    put,
    refusals,
    request,
    take_in_by_threes,
    workspace,
)
from tests.dying import died_at

BAD_ID = "380101199003070000"


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return workspace(tmp_path / "site")


def rows(ws: Workspace, table: sa.Table, *columns: str) -> list[tuple[Any, ...]]:
    store = Store.open(ws.store_url)
    with store.read() as connection:
        query = sa.select(*(table.c[c] for c in columns)).order_by(*(table.c[c] for c in columns))
        found = [tuple(row) for row in connection.execute(query)]
    store.close()
    return found


def refused(ws: Workspace, *lines: dict[str, Any] | bytes, name: str = "a.jsonl") -> list[set[tuple[str, str]]]:
    """The codes of each refused line."""
    put(ws, name, *lines)
    intake.run(ws, AT)
    return [codes(refusal) for refusal in refusals(ws)]


def test_good_requests_are_kept_sealed(ws: Workspace) -> None:
    line = request("R-1")
    put(ws, "a.jsonl", line)
    result = intake.run(ws, AT)
    assert (result.lines, result.accepted, result.refused) == (1, 1, 0)
    assert rows(ws, tables.requests, "request_id", "state", "division") == [("R-1", "open", "370303")]
    person = line["members"][0]["id_number"].encode()
    files = [path.read_bytes() for path in (ws.root / "state").iterdir()]
    assert files
    assert not any(person in content or "测试".encode() in content for content in files)


def test_the_good_ones_of_a_file_go_on(ws: Workspace) -> None:
    put(ws, "a.jsonl", request("R-1"), b"{", request("R-2", division="x"), b"", request("R-3"))
    result = intake.run(ws, AT)
    assert (result.lines, result.accepted, result.refused) == (4, 2, 2)
    assert [(r["file"], r["line"], r["request_id"]) for r in refusals(ws)] == [
        ("a.jsonl", 2, None),
        ("a.jsonl", 3, "R-2"),
    ]


def test_every_error_at_once_and_in_two_languages(ws: Workspace) -> None:
    bad = request(
        "R-1",
        member(1, "R-1", BAD_ID, authorisation=authorisation("A", valid_until="2026-08-01", scope=["moon"])),
        member(1, "R-1", id_number("20150101"), "dog"),
        member(3, "R-1", None, "child"),
        division="99",
        application_date="2026-12-01",
        purpose=id_number("19900101"),
        declaration={"income.wage": 24000, "gold": "1"},
        extra=1,
    )
    (found,) = refused(ws, bad)
    assert found == {
        ("division", "wrong_form"),
        ("extra", "unknown_field"),
        ("declaration.income.wage", "not_text"),
        ("declaration.gold", "unknown_field"),
        ("members[1].relation", "not_allowed"),
        ("members[0].id_number", "id_bad_check_digit"),
        ("members[0].authorisation.valid_until", "ends_before"),
        ("members[0].authorisation.scope[0]", "unknown_department"),
        ("members[1].member_no", "duplicate_member_no"),
        ("members[2].birth_date", "birth_date_missing"),
        ("application_date", "in_future"),
        ("purpose", "identifier_in_text"),
    }
    for problem in refusals(ws)[0]["problems"]:
        assert problem["zh"]
        assert problem["en"]


def test_no_refusal_repeats_a_value(ws: Workspace) -> None:
    person = id_number("19900307")
    bad = request("R-1", member(1, "R-1", person + "9", name="张三丰" * 40), division=person, requester=person)
    bad[person] = "李四光"
    bad["request_id"] = person
    refused(ws, bad)
    (text,) = [path.read_text("utf-8") for path in (ws.root / "reports").glob("refusals-*")]
    assert person not in text
    assert "张三丰" not in text
    assert "李四光" not in text


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"members": []}, ("members", "household_of_none")),
        ({"programme": "free_money"}, ("programme", "unknown_programme")),
        ({"division": "440103"}, ("division", "unknown_division")),
        ({"application_date": "1999-01-01"}, ("application_date", "no_policy_yet")),
        ({"reference_date": "2026-10-01"}, ("reference_date", "in_future")),
        ({"area_kind": "moon"}, ("area_kind", "not_allowed")),
        ({"declaration": {"income.wage": "1e3"}}, ("declaration.income.wage", "wrong_form")),
        ({"declaration": {"income.wage": "-1.00"}}, ("declaration.income.wage", "wrong_form")),
        ({"declaration": {"income.wage": "1.005"}}, ("declaration.income.wage", "wrong_form")),
        ({"declaration": {"homes": "1"}}, ("declaration.homes", "not_integer")),
        ({"declaration": {"homes": -1}}, ("declaration.homes", "out_of_range")),
        ({"request_id": "a b"}, ("request_id", "wrong_form")),
        ({"purpose": ""}, ("purpose", "empty")),
    ],
)
def test_what_is_wrong_with_a_request(ws: Workspace, change: dict[str, Any], problem: tuple[str, str]) -> None:
    assert refused(ws, request("R-1") | change) == [{problem}]


@pytest.mark.parametrize(
    ("person", "code"),
    [
        (BAD_ID, "id_bad_check_digit"),
        ("38010119900230001", "id_wrong_length"),
        ("380101199002300010", "id_bad_date"),
        ("3.80101E+17", "id_scientific_notation"),
        ("   ", "id_missing"),
    ],
)
def test_r09_a_wrong_number_is_refused_and_never_repaired(ws: Workspace, person: str, code: str) -> None:
    assert refused(ws, request("R-1", member(1, "R-1", person))) == [{("members[0].id_number", code)}]


@pytest.mark.parametrize(
    ("change", "path", "code"),
    [
        ({"birth_date": "1990-03-08"}, "birth_date", "birth_date_differs"),
        (
            {"statuses": [{"kind": "prison", "from": "2026-01-01", "to": "2025-01-01"}]},
            "statuses[0].to",
            "ends_before",
        ),
        ({"statuses": [{"kind": "astronaut", "from": "2026-01-01"}]}, "statuses[0].kind", "not_allowed"),
        ({"student": {"stage": "kindergarten_of_life", "full_time": True}}, "student.stage", "not_allowed"),
        ({"student": {"stage": "primary"}}, "student.full_time", "missing"),
        ({"id_kind": "passport", "id_number": "E12345678"}, "birth_date", "birth_date_missing"),
        ({"role": "boss"}, "role", "not_allowed"),
        ({"married": "yes"}, "married", "not_boolean"),
    ],
)
def test_what_is_wrong_with_a_member(ws: Workspace, change: dict[str, Any], path: str, code: str) -> None:
    line = request("R-1", member(1, "R-1", id_number("19900307")) | change)
    assert refused(ws, line) == [{(f"members[0].{path}", code)}]


def test_one_applicant_and_nobody_twice(ws: Workspace) -> None:
    person = id_number("19900307")
    first, second = member(1, "R-1", person), member(2, "R-1", person.lower() + " ")
    assert refused(ws, request("R-1", first, second)) == [
        {("members", "one_applicant"), ("members[1].id_number", "duplicate_member")}
    ]


def test_a_member_born_after_the_reference_date(ws: Workspace) -> None:
    newborn = member(2, "R-1", None, "child", birth_date="2026-09-11", authorisation=None)
    line = request("R-1", member(1, "R-1", id_number("19900307")), newborn)
    assert refused(ws, line) == [{("members[1].birth_date", "born_later")}]


def test_the_same_again_changes_nothing(ws: Workspace) -> None:
    first, again = request("R-1"), dict(reversed(request("R-1").items()))
    put(ws, "a.jsonl", first, first)
    assert (intake.run(ws, AT).accepted, intake.run(ws, AT).lines) == (1, 0)
    put(ws, "b.jsonl", again)
    result = intake.run(ws, AT)
    assert (result.known, result.refused) == (1, 0)
    assert len(rows(ws, tables.requests, "request_id")) == 1


def test_a_changed_request_is_refused_unless_it_is_a_new_application(ws: Workspace) -> None:
    assert refused(ws, request("R-1"), request("R-1", purpose="another")) == [
        {("request_id", "changed_request"), ("members[0].authorisation.authorisation_id", "authorisation_used")}
    ]
    new = member(1, "R-1", id_number("19900307"), authorisation=authorisation("A-new"))
    put(ws, "c.jsonl", request("R-1", new, application_date="2026-09-12"))
    assert intake.run(ws, AT).accepted == 1
    assert rows(ws, tables.requests, "application", "state") == [(1, "superseded"), (2, "open")]
    put(ws, "d.jsonl", request("R-1"))
    assert intake.run(ws, AT).known == 1


def test_r31_a_withdrawal_stops_the_request_and_queues_deletion(ws: Workspace) -> None:
    put(ws, "a.jsonl", request("R-1"), request("R-2"), {"withdrawal": {"request_id": "R-1", "on": "2026-09-12"}})
    result = intake.run(ws, AT)
    assert (result.accepted, result.withdrawn) == (2, 1)
    assert rows(ws, tables.requests, "request_id", "state") == [("R-1", "withdrawn"), ("R-2", "open")]
    assert [row[1:] for row in rows(ws, tables.withdrawals, "request_id", "member_no", "deleted_at")] == [(0, None)]
    withdrawn = rows(ws, tables.authorisations, "request_id", "withdrawn_on")
    assert [(request_id, day is not None) for request_id, day in withdrawn] == [("R-1", True), ("R-2", False)]
    put(ws, "b.jsonl", {"withdrawal": {"request_id": "R-1", "on": "2026-09-12"}}, request("R-1"))
    assert intake.run(ws, AT).known == 2
    assert rows(ws, tables.requests, "state") == [("open",), ("withdrawn",)]


def test_r31_one_member_withdraws(ws: Workspace) -> None:
    persons = [member(1, "R-1", id_number("19900307")), member(2, "R-1", id_number("19910307"), "spouse")]
    put(ws, "a.jsonl", request("R-1", *persons))
    intake.run(ws, AT)
    put(ws, "b.jsonl", {"withdrawal": {"request_id": "R-1", "member_no": 2, "on": "2026-09-12"}})
    intake.run(ws, AT)
    days = rows(ws, tables.authorisations, "member_no", "withdrawn_on")
    assert [(number, str(day)) for number, day in days] == [(1, "None"), (2, "2026-09-12")]
    assert rows(ws, tables.requests, "state") == [("open",)]
    kinds = [row[0] for row in rows(ws, tables.ledger, "kind")]
    assert kinds == ["intake", "intake", "token_cipher", "withdrawal"]


@pytest.mark.parametrize(
    ("withdrawal", "problem"),
    [
        ({"request_id": "R-9", "on": "2026-09-12"}, ("withdrawal.request_id", "unknown_request")),
        ({"request_id": "R-1", "on": "2026-10-12"}, ("withdrawal.on", "in_future")),
        ({"request_id": "R-1", "member_no": 7, "on": "2026-09-12"}, ("withdrawal.member_no", "unknown_member")),
        ({"request_id": "R-1", "why": "x", "on": "2026-09-12"}, ("withdrawal.why", "unknown_field")),
        ({"request_id": "R-1"}, ("withdrawal.on", "missing")),
    ],
)
def test_what_is_wrong_with_a_withdrawal(ws: Workspace, withdrawal: dict[str, Any], problem: tuple[str, str]) -> None:
    assert refused(ws, request("R-1"), {"withdrawal": withdrawal}) == [{problem}]


@pytest.mark.parametrize("line", [b"{", b"[]", b"\xff\xfe", b'"x"', b"null", b"[" * 100_000, b"NaN"])
def test_what_is_no_request_at_all(ws: Workspace, line: bytes) -> None:
    (found,) = refused(ws, line)
    assert {code for _, code in found} <= {"not_json", "not_an_object"}


def test_a_byte_order_mark_is_let_pass(ws: Workspace) -> None:
    put(ws, "a.jsonl", b"\xef\xbb\xbf" + json.dumps(request("R-1")).encode() + b"\r")
    assert intake.run(ws, AT).accepted == 1


@settings(max_examples=300, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*list(request("R-1")), "x"]), inner)
        ),
        max_leaves=8,
    ),
    st.sampled_from([*request("R-1"), "withdrawal"]),
)
def test_any_value_in_any_field_gives_problems_never_an_exception(value: Any, field: str) -> None:
    line = read_line(json.dumps(request("R-1") | {field: value}).encode())
    for problem in line.problems:
        assert problem.document()["zh"]
    assert line.request is not None or line.withdrawal is not None or line.problems


def test_every_code_has_both_texts() -> None:
    assert set(STRUCTURE.values()) <= set(TEXTS)
    assert all(zh and en for zh, en in TEXTS.values())


def test_canonical_text_does_not_depend_on_how_it_was_written() -> None:
    first = request("R-1")
    spelled = first | {
        "reference_date": None,
        "members": [first["members"][0] | {"role": "member", "statuses": []}],
    }
    one, other = (read_line(json.dumps(line, indent=i).encode()).request for line, i in ((first, None), (spelled, 1)))
    assert isinstance(one, Request)
    assert isinstance(other, Request)
    assert one.canonical() == other.canonical()


KILLED = {
    "write": "pipelines.applications:Applications.write",
    "find": "pipelines.applications:find",
    "finish": "pipelines.intake:_Reader.finish",
    "refuse": "connectors.case_folder:FolderEnd.refuse",
    "ledger": "pipelines.applications:append_within",
}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("point", "call"), [("write", 1), ("write", 2), ("find", 5), ("refuse", 1), ("finish", 1), ("ledger", 1)]
)
def test_killed_anywhere_and_run_again(tmp_path: Path, point: str, call: int, when: str) -> None:
    lines = [request(f"R-{i}") for i in range(8)]
    lines[5] = request("R-5", division="x")
    lines[6] = {"withdrawal": {"request_id": "R-1", "on": "2026-09-12"}}
    states = []
    for name in ("killed", "whole"):
        ws = workspace(tmp_path / name)
        put(ws, "a.jsonl", *lines)
        if name == "killed":
            assert died_at(KILLED[point], call, when, take_in_by_threes, ws.root) == 9
        intake.run(ws, AT)
        entries = rows(ws, tables.ledger, "kind", "subject", "detail")
        states.append((rows(ws, tables.requests, "request_id", "state"), entries, refusals(ws)))
        store = Store.open(ws.store_url)
        assert ledger.verify(store) is None
        assert intake.run(ws, AT).lines == 0
    assert states[0] == states[1]
