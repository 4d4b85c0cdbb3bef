"""R1–R8: what it means that a source answered, and what it does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors import sources
from connectors.extract import SourceTimedOut
from pipelines import asking, collect
from tests.admitting import AMOUNT, ID, NAME, REF, Site, account, accounts, contract, person

A, B, C = person(1), person(2), person(3)
OTHER = contract("tax/incomes", [REF, ID, AMOUNT], ["record_ref"])
DATASETS = ("banks/accounts", "tax/incomes")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path, [accounts(), OTHER])


def asked(*persons: str) -> list[tuple[str, str | None, str]]:
    return [(dataset, who, "ask") for dataset in DATASETS for who in persons]


def test_r1_a_missing_extract_is_unavailable_and_stops_nobody_else(site: Site) -> None:
    site.deliver("tax/incomes", [{"BH": "1", "ZJHM": A, "JE": "5"}])
    batch = site.batch(asked(A, B))
    summary = collect.run(batch, site.ws)
    found = site.coverage(batch)
    for who in (A, B):
        row = found["banks/accounts", site.uuid(batch, who)]
        assert (row["state"], row["reason"], row["as_of"]) == ("unavailable", "unavailable", None)
        assert found["tax/incomes", site.uuid(batch, who)]["state"] == "covered"
    assert summary["datasets"]["banks/accounts"]["state"] == "unavailable"
    assert site.current(batch, "banks/accounts") == []


def test_r1_a_source_that_times_out_says_so(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.deliver("tax/incomes", [{"BH": "1", "ZJHM": A, "JE": "5"}])

    def slow(contract: Any, *rest: Any) -> Any:
        if contract.dataset == "banks/accounts":
            raise SourceTimedOut(contract.dataset, "poll", "600 s")
        return sources.open_extracts(contract, *rest)

    monkeypatch.setattr(asking, "open_extracts", slow)
    batch = site.batch(asked(A))
    collect.run(batch, site.ws)
    assert site.coverage(batch)["banks/accounts", site.uuid(batch, A)]["reason"] == "timed_out"


def test_r1_an_unknown_fault_of_a_connector_is_unavailable_and_its_text_is_not_kept(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError(f"row of {A}")

    monkeypatch.setattr(asking, "open_extracts", broken)
    batch = site.batch(asked(A))
    collect.run(batch, site.ws)
    assert site.coverage(batch)["tax/incomes", site.uuid(batch, A)]["state"] == "unavailable"
    assert A not in (batch.folder / "extracts.json").read_text("utf-8")


def test_r1_a_dataset_without_a_connection_is_unavailable(tmp_path: Path) -> None:
    site = Site(tmp_path, [accounts(), OTHER], configured=["tax/incomes"])
    site.deliver("tax/incomes", [])
    batch = site.batch(asked(A))
    collect.run(batch, site.ws)
    assert site.coverage(batch)["banks/accounts", site.uuid(batch, A)]["reason"] == "not_configured"


def test_r1_increments_without_the_full_extract_before_them_are_no_answer(tmp_path: Path) -> None:
    site = Site(tmp_path / "w", [accounts(mode="increment")])
    site.deliver("banks/accounts", [account(1, B)], mode="increment")
    batch = site.batch([("banks/accounts", A, "ask")])
    collect.run(batch, site.ws)
    assert site.coverage(batch)["banks/accounts", site.uuid(batch, A)]["state"] == "unavailable"


def test_r2_an_empty_extract_is_an_answer(site: Site) -> None:
    for dataset in DATASETS:
        site.deliver(dataset, [])
    batch = site.batch(asked(A))
    collect.run(batch, site.ws)
    assert {row["state"] for row in site.coverage(batch).values()} == {"covered"}
    assert site.current(batch, "banks/accounts") == []


@pytest.mark.parametrize("wrong", [{"rows": 3}, {"rows": 1}, {"digest": "0" * 64}])
def test_r2_a_wrong_count_or_digest_refuses_the_whole_extract(site: Site, wrong: dict[str, Any]) -> None:
    site.deliver("banks/accounts", [account(1, A), account(2, B)], **wrong)
    site.deliver("tax/incomes", [])
    batch = site.batch(asked(A, B))
    collect.run(batch, site.ws)
    row = site.coverage(batch)["banks/accounts", site.uuid(batch, A)]
    assert (row["state"], row["reason"]) == ("unavailable", "extract_refused")
    assert list((batch.folder / "admitted").glob("banks.accounts/*")) == []
    assert not list(batch.folder.rglob("*.part"))


def test_r2_a_refused_increment_takes_the_whole_dataset_with_it(site: Site, tmp_path: Path) -> None:
    of = accounts(mode="increment")
    site = Site(tmp_path / "w", [of])
    site.deliver("banks/accounts", [account(1, A)], name="1")
    site.deliver("banks/accounts", [account(2, A)], name="2", mode="increment", as_of="2026-09-01", rows=9)
    batch = site.batch([("banks/accounts", A, "ask")])
    collect.run(batch, site.ws)
    assert site.coverage(batch)["banks/accounts", site.uuid(batch, A)]["state"] == "unavailable"
    assert site.current(batch, "banks/accounts") == []


def test_r3_persons_missing_from_a_partial_answer_are_unanswered(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow as pa

    for dataset in DATASETS:
        site.deliver(dataset, [])

    def partial(contract: Any, *rest: Any) -> Any:
        found = sources.open_extracts(contract, *rest)
        if contract.dataset == "banks/accounts":
            found[0].answered = pa.array([A.lower(), C])
        return found

    monkeypatch.setattr(asking, "open_extracts", partial)
    batch = site.batch(asked(A, B))
    collect.run(batch, site.ws)
    states = {who: site.coverage(batch)["banks/accounts", site.uuid(batch, who)]["state"] for who in (A, B)}
    assert states == {A: "covered", B: "unanswered"}


@pytest.mark.parametrize(("as_of", "state"), [("2026-08-02", "covered"), ("2026-08-01", "stale")])
def test_r4_data_older_than_the_limit_is_stale_to_the_day(site: Site, as_of: str, state: str) -> None:
    site.deliver("banks/accounts", [account(1, A)], as_of=as_of)
    site.deliver("tax/incomes", [])
    batch = site.batch(asked(A))
    collect.run(batch, site.ws)
    row = site.coverage(batch)["banks/accounts", site.uuid(batch, A)]
    assert (row["state"], row["as_of"].isoformat()) == (state, as_of)
    assert len(site.current(batch, "banks/accounts")) == 1  # shown


def test_r4_an_old_base_with_a_fresh_increment_is_fresh(tmp_path: Path) -> None:
    site = Site(tmp_path, [accounts(mode="increment")])
    site.deliver("banks/accounts", [account(1, A)], name="1", as_of="2026-01-31")
    site.deliver("banks/accounts", [], name="2", mode="increment", as_of="2026-08-31")
    batch = site.batch([("banks/accounts", A, "ask")])
    collect.run(batch, site.ws)
    row = site.coverage(batch)["banks/accounts", site.uuid(batch, A)]
    assert (row["state"], row["as_of"].isoformat()) == ("covered", "2026-08-31")


def test_r6_what_was_not_asked_is_not_covered(site: Site) -> None:
    for dataset in DATASETS:
        site.deliver(dataset, [account(1, B)])
    states = [(A, "ask"), (B, "not_authorised"), (None, "not_queryable")]
    batch = site.batch([*(("banks/accounts", *one) for one in states), ("tax/incomes", C, "not_asked")])
    collect.run(batch, site.ws)
    found = site.coverage(batch)
    assert found["banks/accounts", site.uuid(batch, B)]["state"] == "not_authorised"
    assert found["banks/accounts", None]["state"] == "not_queryable"
    assert found["tax/incomes", site.uuid(batch, C)]["state"] == "not_asked"
    assert site.current(batch, "banks/accounts") == []  # and nothing of B was kept
    assert [e["dataset"] for e in site.extracts(batch)] == ["banks/accounts"]  # nor the tax office asked


def test_r7_the_same_extract_delivered_twice_changes_nothing(site: Site, tmp_path: Path) -> None:
    twice = Site(tmp_path / "twice", [accounts(), OTHER])
    results = []
    for one in (site, twice):
        one.deliver("banks/accounts", [account(1, A), account(2, B)])
        one.deliver("tax/incomes", [])
        if one is twice:
            one.deliver("banks/accounts", [account(1, A), account(2, B)], name="20260831-again", sequence=2)
        batch = one.batch(asked(A, B))
        collect.run(batch, one.ws)
        rows = one.current(batch, "banks/accounts")
        results.append([(r["record_ref"], r["amount_fen"], r["extract_seq"], r["extract_digest"]) for r in rows])
        assert sum(e["dataset"] == "banks/accounts" for e in one.extracts(batch)) == 1
    assert results[0] == results[1]


def test_r8_a_full_extract_replaces_and_an_increment_amends_and_deletes(tmp_path: Path) -> None:
    op = {"source": "CZ", "name": "op", "type": "code", "codes": {"1": "upsert", "3": "delete"}}
    of = contract("banks/accounts", [REF, ID, NAME, AMOUNT, op], ["record_ref"], mode="increment")
    site = Site(tmp_path, [of])

    def row(ref: int, amount: str, code: str = "1") -> dict[str, Any]:
        return account(ref, A, amount) | {"CZ": code}

    site.deliver("banks/accounts", [row(1, "1"), row(9, "9")], name="1", as_of="2026-06-30")
    site.deliver("banks/accounts", [row(1, "1"), row(2, "2"), row(3, "3")], name="2", as_of="2026-07-31")
    site.deliver("banks/accounts", [row(1, "10"), row(4, "4")], name="3", as_of="2026-08-10", mode="increment")
    gone = {"BH": "2", "ZJHM": A, "CZ": "3"}
    site.deliver("banks/accounts", [gone, row(1, "11")], name="4", as_of="2026-08-20", mode="increment")
    batch = site.batch([("banks/accounts", A, "ask")])
    collect.run(batch, site.ws)
    rows = site.current(batch, "banks/accounts")
    assert sorted((r["record_ref"], r["amount_fen"]) for r in rows) == [("1", 1100), ("3", 300), ("4", 400)]
    assert [e["extract_seq"] for e in site.extracts(batch)] == [1, 2, 3]
