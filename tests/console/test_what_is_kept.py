"""What people do in the console is in the ledger with who, when and why; what is personal is nowhere else."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from pipelines import ledger
from pipelines.console import access
from pipelines.errors import ConfigurationError
from tests.cases import request
from tests.console.conftest import OTHER, OWN, Console

NUMBER = request(OWN[0])["members"][0]["id_number"]
OTHERS_NUMBER = request(OTHER)["members"][0]["id_number"]


def sent(console: Console, path: str, user: str = "staff", **form: str) -> Any:
    return console.client(user).post(path, data=form | {"csrf": console.token(user)})


def newest(console: Console, kind: str) -> tuple[str, dict[str, Any]]:
    """Subject and detail of the newest entry of a kind."""
    entry = [one for one in console.entries() if one.kind == kind][-1]
    assert entry.at
    return entry.subject, json.loads(entry.detail)


def report(console: Console) -> str:
    row = console.store.latest_reports([OWN[0]])[OWN[0]]
    return f"/reports/{row.report_id}/{row.version}"


def test_each_opening_of_a_report_is_one_entry(console: Console) -> None:
    for purpose in ("低保审核", "低保审核", "复核异议"):
        answer = sent(console, f"{report(console)}/open", purpose=purpose)
        assert answer.status_code == 200
        assert "居民家庭经济状况核对报告" in answer.text
    entries = [one for one in console.entries() if one.kind == "report_opened"]
    assert [json.loads(one.detail)["purpose"] for one in entries] == ["低保审核", "低保审核", "复核异议"]
    assert {json.loads(one.detail)["by"] for one in entries} == {"staff"}
    assert ledger.verify(console.store) is None


def test_a_report_that_cannot_be_put_into_the_ledger_is_not_shown(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.console import site

    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(site, "append", full)
    for path in (f"{report(console)}/open", f"/requests/{OWN[0]}/members"):
        answer = sent(console, path, purpose="低保审核")
        assert answer.status_code == 500
        assert "居民家庭" not in answer.text
        assert NUMBER not in answer.text


@pytest.mark.parametrize("purpose", ["", "  ", "查", "x" * 201, f"查{NUMBER}的情况"])
def test_without_a_purpose_nothing_is_opened(console: Console, purpose: str) -> None:
    before = console.entries()
    for path, form in (
        (f"{report(console)}/open", {}),
        (f"/requests/{OWN[0]}/members", {}),
        ("/persons", {"id_number": NUMBER}),
    ):
        answer = sent(console, path, purpose=purpose, **form)
        assert answer.status_code in (409, 422)
        assert NUMBER not in answer.text
    assert console.entries() == before


def test_names_and_numbers_are_shown_with_a_purpose_only(console: Console) -> None:
    assert NUMBER not in console.client("staff").get(f"/requests/{OWN[0]}").text
    answer = sent(console, f"/requests/{OWN[0]}/members", purpose="电话核实")
    assert NUMBER in answer.text
    subject, detail = newest(console, "reidentified")
    assert subject.startswith(f"{OWN[0]}/staff/")
    assert (detail["by"], detail["purpose"], detail["members"]) == ("staff", "电话核实", 1)


def test_a_person_is_found_in_the_own_division_only(console: Console) -> None:
    found = sent(console, "/persons", id_number=f" {NUMBER.lower()} ", purpose="来访咨询")
    assert OWN[0] in found.text
    assert newest(console, "person_searched")[1] == {"by": "staff", "purpose": "来访咨询", "requests": [OWN[0]]}
    elsewhere = sent(console, "/persons", id_number=OTHERS_NUMBER, purpose="来访咨询")
    assert OTHER not in elsewhere.text
    assert newest(console, "person_searched")[1]["requests"] == []
    wrong = NUMBER[:-1] + ("1" if NUMBER[-1] != "1" else "2")
    assert sent(console, "/persons", id_number=wrong, purpose="来访咨询").status_code == 409


def test_an_id_number_in_the_search_for_requests_finds_nothing_and_is_not_repeated(console: Console) -> None:
    answer = sent(console, "/search", term=NUMBER)
    assert answer.status_code == 200
    assert NUMBER not in answer.text
    assert sent(console, "/search", term=OWN[1]).headers["location"].endswith(f"/requests/{OWN[1]}")


def test_no_personal_data_in_addresses_and_in_the_ledger(console: Console) -> None:
    pages = [
        sent(console, f"/requests/{OWN[0]}/members", purpose="电话核实"),
        sent(console, "/persons", id_number=NUMBER, purpose="来访咨询"),
        sent(console, f"{report(console)}/open", purpose="低保审核"),
    ]
    for page in pages:
        addresses = re.findall(r'(?:href|action|src)="([^"]*)"', page.text)
        assert addresses
        assert not any(NUMBER in one or "测试" in one for one in addresses)
        asked = re.findall(r'<form[^>]*method="get".*?</form>', page.text, re.S)
        assert not any(re.search(r'name="(term|id_number|purpose|reason)"', form) for form in asked)
    kept = "".join(one.detail + one.subject for one in console.entries())
    assert NUMBER not in kept
    assert "测试" not in kept


def test_a_run_of_one_household_is_asked_of_airflow(console: Console) -> None:
    answer = sent(console, f"/requests/{OWN[0]}/run", reason="家庭成员变化", collect="fresh", urgent="true")
    assert answer.status_code == 303
    ((name, asked),) = console.airflow.runs.items()
    assert asked == {
        "requests": [OWN[0]], "division": "370303", "reason": "家庭成员变化", "collect": "fresh", "priority": "urgent",
    }  # fmt: skip
    page = console.client("staff").get(f"/runs/{name}")
    assert "家庭成员变化" in page.text
    assert "加急" in page.text
    assert "refresh" not in page.text
    assert 'http-equiv="refresh"' in console.client("staff").get(f"/runs/{name}?watch=true").text


def test_the_gate_is_answered_with_a_reason(console: Console) -> None:
    console.airflow.runs["r1"] = {"division": "370304"}
    console.airflow.waiting.append("r1")
    page = console.client("reviewer").get("/approvals").text
    assert "&lt;b&gt;1&lt;/b&gt;" in page, "the facts are text, not HTML"
    assert "<table>" in page
    assert sent(console, "/runs/r1/answer", "reviewer", chosen="Reject", reason="来源异常").status_code == 303
    assert console.airflow.answers["r1"] == {"chosen_options": ["Reject"], "params_input": {"reason": "来源异常"}}
    assert sent(console, "/runs/r2/answer", "reviewer", chosen="Approve", reason="来源正常").status_code == 404


def test_sending_again_puts_the_report_back_and_wakes_the_delivery(console: Console) -> None:
    assert "重新送达" in console.client("staff").get("/outbox?state=delivered").text
    assert sent(console, f"{report(console)}/again", reason="业务系统未收到").status_code == 303
    assert OWN[0] in console.client("staff").get("/outbox?state=pending").text
    _, detail = newest(console, "delivery_repeated")
    assert detail == {"by": "staff", "reason": "业务系统未收到", "request": OWN[0]}
    assert [name for name in console.airflow.runs if "deliver_reports" in name]
    assert sent(console, f"{report(console)}/again", reason="业务系统未收到").status_code == 404, "it waits already"


def test_auditors_see_who_and_why_of_their_division(console: Console) -> None:
    sent(console, f"{report(console)}/open", purpose="低保审核")
    other = console.store.latest_reports([OTHER])[OTHER]
    assert sent(console, f"/reports/{other.report_id}/1/open", "elsewhere", purpose="低保审核").status_code == 200
    page = console.client("auditor").get("/ledger").text
    assert "低保审核" in page
    assert OWN[0] in page
    assert OTHER not in page
    assert OWN[0] not in console.client("auditor").get("/ledger?kind=approval").text


def test_small_counts_are_not_shown_to_auditors(console: Console) -> None:
    assert "&lt; 5" in console.client("auditor").get("/coverage").text
    assert "&lt; 5" not in console.client("staff").get("/coverage").text


def test_a_right_that_is_taken_away_ends_at_once(console: Console) -> None:
    assert console.client("staff").get("/requests").status_code == 200
    (console.ws.root / "access.yaml").write_text("users: {}\n", "utf-8")
    assert console.client("staff").get("/requests").status_code == 403
    (console.ws.root / "access.yaml").unlink()
    assert console.client("staff").get("/").status_code == 403


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("users: {a: {roles: [boss], divisions: ['3703']}}", "users.a.roles"),
        ("users: {a: {roles: [staff], divisions: ['37030']}}", "users.a.divisions"),
        ("users: {a: {roles: [], divisions: ['3703']}}", "users.a.roles"),
        ("users: {a: {roles: [staff]}}", "users.a.divisions"),
        ("users: [", "-"),
    ],
)
def test_a_wrong_access_file_is_told_by_field_and_lets_nobody_in(console: Console, text: str, field: str) -> None:
    (console.ws.root / "access.yaml").write_text(text, "utf-8")
    with pytest.raises(ConfigurationError) as caught:
        access.visitor(console.ws.root, "a")
    assert caught.value.field.startswith(field)
    assert console.client("staff").get("/requests").status_code == 500


def test_divisions_are_prefixes() -> None:
    city = access.Visitor("x", frozenset({access.Role.staff}), ("3703", "370102"))
    assert city.sees("370303")
    assert city.sees("370102")
    assert not city.sees("370402")
    assert not city.sees_all([])
    assert not access.Visitor("x", frozenset({access.Role.staff}), ()).sees("370303")


def test_no_table_behind_a_report_holds_a_floating_number(console: Console) -> None:
    """DuckDB's SUM is wider than a BIGINT, and Parquet keeps that as DOUBLE: a page cannot write it as money."""
    from pipelines.batch import Batch
    from pipelines.keys import KeyRing
    from pipelines.warehouse import connect, scan

    batch = Batch.open(console.ws.batches, console.store.latest_reports([OWN[0]])[OWN[0]].batch_id)
    with connect(KeyRing.open(console.ws.settings.keys, console.ws.root).data_key(batch.folder)) as con:
        found = [
            (file.stem, name)
            for file in sorted((batch.folder / "assessed").glob("*/*.parquet"))
            for name, kind, *_ in con.execute(f"DESCRIBE SELECT * FROM {scan(file)}").fetchall()
            if "DOUBLE" in kind or "FLOAT" in kind
        ]
    assert found == []


def test_a_request_names_its_programme_as_the_pack_does(console: Console) -> None:
    for path in (f"/requests/{OWN[0]}", "/requests"):
        page = console.client("staff").get(path).text
        assert "最低生活保障" in page
        assert "subsistence_allowance" not in page
