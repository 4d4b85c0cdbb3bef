"""R26 to R34 as far as intake and plan decide them: who may be asked about, and what it takes."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.contract import load_contracts
from pipelines import intake, plan, policy, tables
from pipelines.plan import NothingSelectedError, Query, QueryWithoutAuthorisationError
from pipelines.store import Store
from tests.cases import AT, authorisation, codes, id_number, member, put, refusals, request, workspace
from tests.planning import planned, rows, states

ADULT, OTHER, THIRD = id_number("19800307"), id_number("19810307"), id_number("19520307")
CHILD = id_number("20150307")
GUARDED = {"signed_by": "guardian", "guardian_name": "测试"}


def one(person: str | None = ADULT, **given: Any) -> dict[str, Any]:
    """A request of one member whose authorisation differs from a right one by ``given``."""
    return request("R-1", member(1, "R-1", person, authorisation=authorisation("A-1", **given)))


def household(*others: dict[str, Any]) -> dict[str, Any]:
    return request("R-1", member(1, "R-1", ADULT), *others)


def refused(folder: Path, *lines: dict[str, Any]) -> list[set[tuple[str, str]]]:
    ws = workspace(folder / "site")
    put(ws, "a.jsonl", *lines)
    intake.run(ws, AT)
    return [codes(refusal) for refusal in refusals(ws)]


def test_r26_a_newborn_counts_and_is_not_queryable(tmp_path: Path) -> None:
    newborn = member(2, "R-1", None, "child", birth_date="2026-08-20", authorisation=authorisation("A-2", **GUARDED))
    ws, batch = planned(tmp_path, household(newborn))
    assert states(ws, batch) == {1: {"ask"}, 2: {"not_queryable"}}
    assert rows(ws, batch, "member_no, role, birth_date::VARCHAR, person IS NULL", "members")[1] == (
        2, "member", "2026-08-20", True,
    )  # fmt: skip


def test_r26_no_number_and_no_date_of_birth_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, household(member(2, "R-1", None, "child"))) == [
        {("members[1].birth_date", "birth_date_missing")}
    ]


def test_r27_a_supporter_is_asked_about_only_with_own_consent(tmp_path: Path) -> None:
    silent = member(2, "R-1", OTHER, "child", role="supporter", authorisation=None)
    willing = member(3, "R-1", THIRD, "parent", role="supporter")
    ws, batch = planned(tmp_path, household(silent, willing))
    assert states(ws, batch) == {1: {"ask"}, 2: {"not_asked"}, 3: {"ask"}}


def test_r27_consent_of_a_supporter_is_not_given_by_somebody_else(tmp_path: Path) -> None:
    supporter = member(2, "R-1", OTHER, "child", role="supporter", authorisation=authorisation("A-2", **GUARDED))
    assert refused(tmp_path, household(supporter)) == [{("members[1].authorisation.signed_by", "signs_for_self")}]


@pytest.mark.parametrize("members", [[], [member(1, "R-1", ADULT, role="supporter")]])
def test_r28_a_household_of_none_is_refused(tmp_path: Path, members: list[dict[str, Any]]) -> None:
    (found,) = refused(tmp_path, request("R-1", member(1, "R-1", ADULT)) | {"members": members})
    assert found == {("members", "household_of_none")}


@pytest.mark.parametrize(
    ("given", "state"),
    [
        ({"signed_on": "2026-09-16"}, "ask"),
        ({"signed_on": "2026-09-17"}, "not_authorised"),
        ({"valid_until": "2026-09-16"}, "ask"),
        ({"valid_until": "2026-09-15"}, "not_authorised"),
    ],
)
def test_r29_not_before_the_signature_and_not_after_expiry(tmp_path: Path, given: dict[str, str], state: str) -> None:
    ws, batch = planned(tmp_path, one(**given))
    assert states(ws, batch) == {1: {state}}


def test_r29_without_an_authorisation_nobody_is_asked(tmp_path: Path) -> None:
    ws, batch = planned(tmp_path, request("R-1", member(1, "R-1", ADULT, authorisation=None)))
    assert states(ws, batch) == {1: {"not_authorised"}}
    with Store.open(ws.store_url).read() as connection:
        details = [
            json.loads(row.detail) for row in connection.execute(sa.select(tables.ledger)) if row.kind == "query"
        ]
    assert details
    assert all(detail["asked"] == 0 and detail["purposes"] == {} for detail in details)


def test_r29_the_day_is_the_batchs_own_not_todays(tmp_path: Path) -> None:
    line = one(signed_on="2026-09-10", valid_until="2026-09-12")
    ws, batch = planned(tmp_path, line, at=datetime.fromisoformat("2026-09-12T23:59:59+08:00"))
    assert states(ws, batch) == {1: {"ask"}}


def test_r31_after_a_withdrawal_the_member_is_not_asked_about(tmp_path: Path) -> None:
    withdrawal = {"withdrawal": {"request_id": "R-1", "member_no": 2, "on": "2026-09-15"}}
    ws, batch = planned(tmp_path, household(member(2, "R-1", OTHER, "spouse")), withdrawal)
    assert states(ws, batch) == {1: {"ask"}, 2: {"not_authorised"}}
    assert rows(ws, batch, "member_no, withdrawn_on::VARCHAR", "authorisations") == [(1, None), (2, "2026-09-15")]


def test_r31_a_withdrawn_request_is_in_no_plan(tmp_path: Path) -> None:
    lines = [request("R-1"), request("R-2"), {"withdrawal": {"request_id": "R-1", "on": "2026-09-15"}}]
    ws, batch = planned(tmp_path, *lines)
    assert rows(ws, batch, "request_id", "requests") == [("R-2",)]
    with pytest.raises(NothingSelectedError):
        plan.new_batch(ws, AT, ["R-1"])


def test_r31_withdrawn_between_the_batchs_making_and_its_plan(tmp_path: Path) -> None:
    ws = workspace(tmp_path / "site")
    put(ws, "a.jsonl", request("R-1"), request("R-2"))
    intake.run(ws, AT)
    batch = plan.new_batch(ws, AT)
    put(ws, "b.jsonl", {"withdrawal": {"request_id": "R-1", "on": "2026-09-15"}})
    intake.run(ws, AT)
    assert plan.run(batch, ws)["requests"] == 1
    assert rows(ws, batch, "DISTINCT request_id") == [("R-2",)]


def test_r32_an_authorisation_serves_one_application_only(tmp_path: Path) -> None:
    first, second = one(), request("R-2", member(1, "R-2", OTHER, authorisation=authorisation("A-1")))
    assert refused(tmp_path, first, second) == [{("members[0].authorisation.authorisation_id", "authorisation_used")}]


def test_r32_other_members_need_new_authorisations_of_everybody(tmp_path: Path) -> None:
    joined = household(member(2, "R-1", OTHER, "spouse")) | {"application_date": "2026-09-12"}
    assert refused(tmp_path, household(), joined) == [
        {("members[0].authorisation.authorisation_id", "authorisation_used")}
    ]


def test_r32_a_new_application_with_new_authorisations_is_planned_alone(tmp_path: Path) -> None:
    new = request("R-1", member(1, "R-1", ADULT, authorisation=authorisation("A-9")), application_date="2026-09-12")
    ws, batch = planned(tmp_path, household(), new)
    assert rows(ws, batch, "authorisation_id", "authorisations") == [("A-9",)]


def test_r32_one_authorisation_is_not_for_two_members(tmp_path: Path) -> None:
    both = household(member(2, "R-1", OTHER, "spouse", authorisation=authorisation("A-R-1-1")))
    assert refused(tmp_path, both) == [{("members[1].authorisation.authorisation_id", "duplicate_authorisation")}]


@pytest.mark.parametrize(
    ("person", "change", "given", "field"),
    [
        (CHILD, {}, {}, "signed_by"),
        (CHILD, {}, {"signed_by": "guardian"}, "guardian_name"),
        (CHILD, {}, GUARDED, None),
        (OTHER, {"legal_capacity": False}, {}, "signed_by"),
        (OTHER, {"legal_capacity": False}, GUARDED, None),
        (id_number("20080901"), {}, {}, None),
        (id_number("20080902"), {}, {}, "signed_by"),
        (None, {"birth_date": "2026-08-01"}, {}, "signed_by"),
    ],
)
def test_r33_a_minor_is_authorised_by_a_named_guardian(
    tmp_path: Path, person: str | None, change: dict[str, Any], given: dict[str, Any], field: str | None
) -> None:
    second = member(2, "R-1", person, "child", authorisation=authorisation("A-2", **given)) | change
    expected = [{(f"members[1].authorisation.{field}", "guardian_needed")}] if field else []
    assert refused(tmp_path, household(second)) == expected


def test_r33_a_guardian_signs_for_a_child_that_is_the_applicant(tmp_path: Path) -> None:
    orphan = member(1, "R-1", CHILD, authorisation=authorisation("A-1"))
    alone = request("R-1", orphan, programme="orphans_children")
    assert refused(tmp_path / "a", alone) == [{("members[0].authorisation.signed_by", "guardian_needed")}]
    guarded = member(1, "R-1", CHILD, authorisation=authorisation("A-1", **GUARDED))
    ws, batch = planned(tmp_path / "b", request("R-1", guarded, programme="orphans_children"))
    assert states(ws, batch) == {1: {"ask"}}


def test_r34_a_programme_for_one_person_asks_about_nobody_else_whatever_was_signed(tmp_path: Path) -> None:
    others = (member(2, "R-1", OTHER, "spouse"), member(3, "R-1", THIRD, "parent", role="supporter"))
    asked = {}
    for programme in ("subsistence_allowance", "destitute_support", "legal_aid", "disaster_relief"):
        line = request("R-1", member(1, "R-1", ADULT), *others, programme=programme)
        ws, batch = planned(tmp_path / programme, line)
        asked[programme] = [number for number, found in states(ws, batch).items() if found == {"ask"}]
    assert asked == {
        "subsistence_allowance": [1, 2, 3],
        "destitute_support": [1, 3],
        "legal_aid": [1],
        "disaster_relief": [1, 2],
    }


def test_r34_every_programme_asks_its_own_sources_and_no_others(tmp_path: Path) -> None:
    pack, contracts = policy.load_pack(policy.pack_folder("3703")), load_contracts()
    names = sorted(pack.programmes)
    lines = [
        request(f"R-{i}", member(1, f"R-{i}", id_number("19800307", i + 1)), programme=name)
        for i, name in enumerate(names)
    ]
    ws, batch = planned(tmp_path, *lines)
    found: dict[str, set[str]] = {}
    for request_id, dataset in rows(ws, batch, "DISTINCT request_id, dataset"):
        found.setdefault(request_id, set()).add(dataset)
    for i, name in enumerate(names):
        named = {d for d, need in pack.programmes[name].sources.items() if need == "required" or d in contracts}
        assert found[f"R-{i}"] == named, name


def test_r26_an_unidentified_person_is_accepted_where_the_programme_says_so(tmp_path: Path) -> None:
    unknown = member(1, "R-1", None, name="身份不明", authorisation=None)
    assert refused(tmp_path / "a", request("R-1", unknown)) == [{("members[0].birth_date", "birth_date_missing")}]
    for programme in ("emergency_medical", "vagrant_relief"):
        ws, batch = planned(tmp_path / programme, request("R-1", unknown, programme=programme))
        assert states(ws, batch) == {1: {"not_queryable"}}


def test_r34_only_departments_in_the_scope_are_asked(tmp_path: Path) -> None:
    ws, batch = planned(tmp_path, one(scope=["taxation", "banks"]))
    asked = {dataset.split("/")[0]: found for dataset, found in states(ws, batch, "dataset").items()}
    assert {name for name, found in asked.items() if found == {"ask"}} == {"taxation", "banks"}
    assert {name for name, found in asked.items() if found == {"not_authorised"}} == set(asked) - {"taxation", "banks"}


def test_r34_a_dataset_that_the_programme_does_not_name_is_never_asked(tmp_path: Path) -> None:
    ws, batch = planned(tmp_path, one())
    sources = policy.load_pack(policy.pack_folder("3703")).programmes["subsistence_allowance"].sources
    # one that is optional and that no contract describes cannot be asked
    contracts = load_contracts()
    assert set(states(ws, batch, "dataset")) == {
        name for name, need in sources.items() if need == "required" or (need == "optional" and name in contracts)
    }


def test_r34_the_ledger_has_every_query_with_purpose_requester_and_authorisations(tmp_path: Path) -> None:
    lines = [household(member(2, "R-1", OTHER, "spouse", authorisation=authorisation("A-2", scope=["banks"])))]
    lines.append(request("R-2", member(1, "R-2", THIRD), requester="370303-b", purpose="review"))
    ws, batch = planned(tmp_path, *lines)
    with Store.open(ws.store_url).read() as connection:
        found = connection.execute(sa.select(tables.ledger).where(tables.ledger.c.kind == "query")).all()
    details = {row.subject.rsplit("/", 1)[0]: json.loads(row.detail) for row in found}
    assert set(details) == set(states(ws, batch, "dataset"))
    tax = details["taxation/individual_income"]
    assert (tax["asked"], tax["persons"], tax["authorisations"], tax["not_authorised"]) == (2, 2, 2, 1)
    assert tax["requesters"] == {"370303-b": 1, "370303-mzj": 1}
    assert tax["purposes"] == {"review": 1, "subsistence allowance application": 1}
    assert details["banks/deposits"]["asked"] == 3
    assert details["banks/deposits"]["list_sha256"] != tax["list_sha256"]
    assert not any(ADULT in row.detail for row in found)


PERSON = {
    "request_id": ["R-1"], "member_no": [1], "person": ["t"], "authorisation_id": ["A-1"], "purpose": ["p"],
    "requester": ["q"],
}  # fmt: skip


@pytest.mark.parametrize("column", Query.REQUIRED)
@pytest.mark.parametrize("value", [None, ""])
def test_r34_a_query_that_lacks_anything_cannot_be_built(column: str, value: str | None) -> None:
    if column == "member_no" and value == "":
        pytest.skip("a number is never an empty text")
    Query("x/y", pa.table(PERSON), {}, "00")
    kind = pa.int64() if column == "member_no" else pa.string()
    with pytest.raises(QueryWithoutAuthorisationError, match=column):
        Query("x/y", pa.table(PERSON | {column: pa.array([value], kind)}), {}, "00")


def test_r34_a_query_lacking_a_column_altogether_cannot_be_built() -> None:
    with pytest.raises(KeyError):
        Query("x/y", pa.table(PERSON).drop_columns(["authorisation_id"]), {}, "00")


DAY = st.dates(datetime(2026, 9, 10).date(), datetime(2026, 9, 22).date())


@settings(max_examples=12, deadline=None)
@given(st.lists(st.tuples(DAY, DAY, st.booleans(), st.booleans()), min_size=1, max_size=12))
def test_r29_r34_whoever_is_asked_about_was_asked_rightly(
    tmp_path_factory: pytest.TempPathFactory, cases: list[tuple[Any, Any, bool, bool]]
) -> None:
    lines = []
    for i, (first, second, banks, withdrawn) in enumerate(cases):
        signed, until = sorted((first, second))
        scope = ["banks"] if banks else ["*"]
        given = authorisation(f"A-{i}", signed_on=str(signed), valid_until=str(until), scope=scope)
        lines.append(request(f"R-{i}", member(1, f"R-{i}", id_number("19800307", i + 1), authorisation=given)))
        if withdrawn:
            lines.append({"withdrawal": {"request_id": f"R-{i}", "member_no": 1, "on": "2026-09-16"}})
    ws, batch = planned(tmp_path_factory.mktemp("plan"), *lines)
    for request_id, dataset, state in rows(ws, batch, "request_id, dataset, state"):
        first, second, banks, withdrawn = cases[int(request_id[2:])]
        valid = min(first, second) <= AT.date() <= max(first, second) and not withdrawn
        assert state == ("ask" if valid and (not banks or dataset.startswith("banks/")) else "not_authorised")
