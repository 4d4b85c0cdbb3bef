"""R9–R19 where an extract is admitted: whose row it is, and what happens when that cannot be said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import collect
from pipelines.admission import current_view_sql
from pipelines.errors import EpochMixedError
from pipelines.scoping import Scope, uuids
from tests.admitting import AMOUNT, ID, REF, Lab, Site, account, accounts, contract, extract, person

A, B, C, D = person(1), person(2), person(3), person(4)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def wrong_check(number: str) -> str:
    return number[:17] + ("1" if number[17] != "1" else "2")


def test_r9_a_wrong_check_digit_is_quarantined_and_never_repaired(lab: Lab) -> None:
    rows = [account(1, A), account(2, wrong_check(A)), account(3, wrong_check(C))]
    admitted = lab.admit(accounts(), extract(accounts(), rows), [A])
    assert [row["record_ref"] for row in lab.rows(admitted)] == ["1"]
    reason = "identifier_bad_check_digit"
    assert lab.quarantine(admitted) == [(2, "person", reason, None), (3, "person", reason, None)]
    assert admitted.quarantined == {f"person:{reason}": 2}


def test_r10_a_15_digit_number_is_the_same_person(lab: Lab) -> None:
    old = A[:6] + A[8:17]
    admitted = lab.admit(accounts(), extract(accounts(), [account(1, old)]), [A])
    assert [row["person"] for row in lab.rows(admitted)] == [lab.uuid(A)]


@pytest.mark.parametrize("form", ["　{}", " {} ", "{}\t", "{}\ufeff"])
def test_r11_blanks_full_width_and_lower_case_are_normalised_first(lab: Lab, form: str) -> None:
    with_x = next(person(n) for n in range(100) if person(n).endswith("X"))
    wide = "".join(chr(ord(c) + 0xFEE0) for c in with_x.lower())
    rows = [account(1, form.format(wide)), account(2, form.format(with_x.lower()))]
    admitted = lab.admit(accounts(), extract(accounts(), rows), [with_x])
    assert [row["person"] for row in lab.rows(admitted)] == [lab.uuid(with_x)] * 2


def test_r12_another_name_is_kept_beside_the_same_number(lab: Lab) -> None:
    rows = [account(1, A, name="张三"), account(2, A, name="张 三"), account(3, A, name="李四")]
    names = [row["person_name"] for row in lab.rows(lab.admit(accounts(), extract(accounts(), rows), [A]))]
    assert names[0] == names[1] != names[2]


def test_r13_the_same_name_with_another_number_is_not_admitted(lab: Lab) -> None:
    admitted = lab.admit(accounts(), extract(accounts(), [account(1, B, name="张三")]), [A])
    assert lab.rows(admitted) == []


def test_r14_a_name_without_a_number_is_quarantined_and_nobodys(lab: Lab) -> None:
    rows = [account(1, A, name="张三"), account(2, None, name="张三"), account(3, "  ", name="张三")]
    admitted = lab.admit(accounts(), extract(accounts(), rows), [A])
    assert [row["record_ref"] for row in lab.rows(admitted)] == ["1"]
    assert lab.quarantine(admitted) == [(n, "person", "identifier_missing", None) for n in (2, 3)]


REGISTER = contract(
    "public_security/register",
    [
        ID,
        {
            "source": "GL",
            "name": "linked_person",
            "type": "id",
            "kind": "person",
            "subject": True,
            "nullable": True,
        },
    ],
    ["person"],
    identity=True,
    feeds=["identity"],
)


@pytest.mark.parametrize("link", [{"ZJHM": A, "GL": B}, {"ZJHM": B, "GL": A}])
def test_r16_an_official_link_and_nothing_else_extends_whom_we_ask_for(tmp_path: Path, link: dict[str, str]) -> None:
    site = Site(tmp_path, [REGISTER, accounts()])
    site.deliver("public_security/register", [link, {"ZJHM": C, "GL": D}])
    site.deliver("banks/accounts", [account(1, A), account(2, B), account(3, C), account(4, D)])
    batch = site.batch([(dataset, A, "ask") for dataset in site.contracts])
    collect.run(batch, site.ws)
    assert [row["record_ref"] for row in site.current(batch, "banks/accounts")] == ["1", "2"]
    pairs = [(row["person"], row["other"]) for row in site.read(batch, "links.parquet")]
    assert pairs == [(site.uuid(batch, A), site.uuid(batch, B))]


def test_r16_a_link_in_any_other_source_counts_for_nothing(tmp_path: Path) -> None:
    pairs = contract("civil_affairs/pairs", [ID, REGISTER.columns[1].model_dump()], ["person"])
    site = Site(tmp_path, [pairs, accounts()])
    site.deliver("civil_affairs/pairs", [{"ZJHM": A, "GL": B}])
    site.deliver("banks/accounts", [account(1, A), account(2, B)])
    batch = site.batch([(dataset, A, "ask") for dataset in site.contracts])
    collect.run(batch, site.ws)
    assert [row["record_ref"] for row in site.current(batch, "banks/accounts")] == ["1"]
    assert site.read(batch, "links.parquet") == []


def test_r17_an_area_code_in_no_table_is_counted_and_not_refused(lab: Lab) -> None:
    strange = person(5, area="379999")
    admitted = lab.admit(accounts(), extract(accounts(), [account(1, strange), account(2, A)]), [strange])
    assert len(lab.rows(admitted)) == 1
    assert (admitted.unknown_areas, admitted.quarantined) == (1, {})


def test_r18_bytes_that_cannot_be_decoded_refuse_the_file_with_their_position(tmp_path: Path) -> None:
    site = Site(tmp_path, [accounts()])
    good = f"BH,ZJHM,XM,JE\n1,{A},张三,5\n2,{A},".encode()
    site.deliver_bytes("banks/accounts", good + b"\xff\xfe,5\n", rows=2)
    batch = site.batch([("banks/accounts", A, "ask")])
    collect.run(batch, site.ws)
    (refused,) = site.extracts(batch)
    assert refused["reason"] == "undecodable"
    assert refused["error"]["fields"]["position"] == str(len(good))
    assert not list((batch.folder / "admitted").rglob("*"))


def test_r19_rotation_keeps_every_join_and_epochs_never_mix(tmp_path: Path) -> None:
    site = Site(tmp_path, [accounts()])
    site.deliver("banks/accounts", [account(1, A), account(2, B)])
    query = [("banks/accounts", A, "ask")]
    old = site.batch(query, "old")
    collect.run(old, site.ws)
    new = site.batch(query, "new", epoch=2)
    collect.run(new, site.ws)
    (before,), (after,) = site.current(old, "banks/accounts"), site.current(new, "banks/accounts")
    assert before["person"] != after["person"]
    carried = site.tokeniser(new).retoken(site.tokeniser(old).persons(pa.array([A])).values, 1)
    assert carried.to_pylist() == [after["person"]]
    assert (before["record_ref"], before["row_digest"]) == (after["record_ref"], after["row_digest"])
    mixed = site.batch(query, "mixed", epoch=2, admitted_from="old")
    with pytest.raises(EpochMixedError):
        collect.run(mixed, site.ws)


def test_a_person_with_a_quarantined_row_does_not_look_clean(tmp_path: Path) -> None:
    site = Site(tmp_path, [accounts()])
    site.deliver("banks/accounts", [account(1, A), account(2, A, "oops"), account(3, A, "0.005"), account(4, B, "x")])
    batch = site.batch([("banks/accounts", A, "ask"), ("banks/accounts", C, "ask")])
    collect.run(batch, site.ws)
    found = site.coverage(batch)
    assert found["banks/accounts", site.uuid(batch, A)]["quarantined_rows"] == 2
    assert found["banks/accounts", site.uuid(batch, C)]["quarantined_rows"] == 0
    reasons = {(row["row_no"], row["column"], row["reason"]) for row in site.read(batch, "quarantine.parquet")}
    assert reasons == {(2, "amount_fen", "malformed_amount"), (3, "amount_fen", "part_of_a_fen")}


def vehicles() -> Any:
    plate = {"source": "HP", "name": "plate", "type": "id", "kind": "plate"}
    op = {"source": "CZ", "name": "op", "type": "code", "codes": {"1": "upsert", "3": "delete"}}
    return contract("police/vehicles", [plate, ID, AMOUNT, op], ["plate"], mode="increment")


def vehicle(plate: str, who: str | None, amount: str | None = "5", op: str = "1") -> dict[str, Any]:
    return {"HP": plate, "ZJHM": who, "JE": amount, "CZ": op}


@pytest.mark.parametrize(
    "change",
    [
        vehicle("鲁C10001", B),
        vehicle("鲁 C·10001", B, "x"),
        vehicle("鲁C10001", None, None, "3"),
        vehicle("鲁C10001", A, None, "3"),
    ],
)
def test_r8_a_thing_that_went_to_somebody_else_is_no_longer_held(lab: Lab, change: dict[str, Any]) -> None:
    of = vehicles()
    first = lab.admit(of, extract(of, [vehicle("鲁C10001", A), vehicle("鲁C10002", A)]), [A])
    later = extract(of, [change, vehicle("鲁C10003", C)], name="two", mode="increment")
    second = lab.admit(of, later, [A], seq=2, earlier=[first.path])
    rows = lab.current(of, first, second)
    assert len(rows) == 1
    (gone,) = lab.rows(second)
    assert gone["op"] == "delete"
    assert gone["person"] in (None, lab.uuid(A))  # nothing of B is kept
    assert gone["amount_fen"] is None


def test_r8_a_deletion_that_names_nobody_is_not_a_wrong_identifier(lab: Lab) -> None:
    of = vehicles()
    first = lab.admit(of, extract(of, [vehicle("鲁C10001", A)]), [A])
    later = extract(of, [vehicle("鲁C99999", None, None, "3")], name="two", mode="increment")
    second = lab.admit(of, later, [A], seq=2, earlier=[first.path])
    assert (lab.rows(second), second.quarantined) == ([], {})


def test_a_wrong_row_under_a_known_key_concerns_its_holder(lab: Lab) -> None:
    of = vehicles()
    first = lab.admit(of, extract(of, [vehicle("鲁C10001", A)]), [A])
    later = extract(of, [vehicle("鲁C10001", wrong_check(B))], name="two", mode="increment")
    second = lab.admit(of, later, [A], seq=2, earlier=[first.path])
    assert lab.quarantine(second) == [(1, "person", "identifier_bad_check_digit", lab.uuid(A))]
    assert len(lab.current(of, first, second)) == 1


def test_several_holders_in_one_cell_become_a_list_of_tokens(lab: Lab) -> None:
    others = {
        "source": "GT",
        "name": "co_holders",
        "type": "id",
        "kind": "person",
        "multiple": ";",
        "nullable": True,
    }
    of = contract("banks/joint", [REF, ID, others], ["record_ref"])
    cells = [f"{B};{C}", f" {B} ; ", "", None, f"{B};{wrong_check(C)}"]
    rows = [{"BH": str(n), "ZJHM": A, "GT": cell} for n, cell in enumerate(cells)]
    admitted = lab.admit(of, extract(of, rows, batch_rows=2), [A])
    b, c = lab.uuid(B), lab.uuid(C)
    assert [row["co_holders"] for row in lab.rows(admitted)] == [[b, c], [b], None, None]
    assert lab.quarantine(admitted) == [(5, "co_holders", "identifier_bad_check_digit", lab.uuid(A))]


def test_an_empty_view_has_the_columns_of_a_full_one(lab: Lab) -> None:
    of = vehicles()
    admitted = lab.admit(of, extract(of, [vehicle("鲁C10001", A)]), [A])
    described = [
        lab.query(f"SELECT column_name, column_type FROM (DESCRIBE {current_view_sql(of, paths)})")
        for paths in ([], [admitted.path])
    ]
    assert described[0] == described[1]


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.binary(min_size=16, max_size=16)),
    st.lists(st.one_of(st.none(), st.binary(min_size=16, max_size=16))),
    st.data(),
)
def test_a_scope_is_exactly_its_set(inside: list[bytes], others: list[bytes | None], data: st.DataObject) -> None:
    some = data.draw(st.lists(st.sampled_from(inside))) if inside else []
    column = [
        *others,
        *some,
        *(token[:8] + b"\0" * 8 for token in inside),
        *(token[:15] + b"\0" for token in inside),
    ]
    scope = Scope(uuids(pa.array(inside, pa.binary(16))))
    found = scope.contains(uuids(pa.array(column, pa.binary(16))))
    assert found.tolist() == [token is not None and token in set(inside) for token in column]
