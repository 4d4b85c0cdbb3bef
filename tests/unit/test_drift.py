"""Every dataset in numbers beside its last extract: what jumps fails, what moves warns."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from connectors.contract import load_contracts
from expectations.contracts import table_name
from expectations.native import run_by
from expectations.profile import Delivered, measures
from expectations.suite import suite_of
from pipelines import drift
from pipelines.batch import Batch, write_json
from pipelines.commands.setting_up import init
from pipelines.settings import Workspace
from pipelines.store import Store

ON = date(2026, 9, 16)
PENSIONS = "social_security/pensions"
ROW = {"dataset": "a/b", "measure": "median", "column": "amount_fen", "bound": None}


def verdict(**told: object) -> tuple[str, list[str]]:
    """Verdict and broken expectations of one measure."""
    row = {"now": 0, "n": 1000, "before": None, "n_before": 1000} | ROW | told
    with duckdb.connect() as con:
        drift.put(con, [row])
        (judged,) = drift.judged(con)
        gate = {
            name: max(c.verdict for c in found) for name, found in run_by(con, suite_of("drift"), "dataset").items()
        }
    assert gate.keys() == {"a/b"}
    return judged["verdict"], judged["broken"]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"now": 6_000_000, "before": 60_000}, ("fail", ["no_jump_by_a_hundred", "amounts_steady"])),
        ({"now": 600, "before": 60_000}, ("fail", ["no_jump_by_a_hundred", "amounts_steady"])),
        ({"now": 6_000_000, "before": 60_000, "n": 29}, ("pass", [])),
        ({"now": 190_000, "before": 60_000}, ("warn", ["amounts_steady"])),
        ({"now": 170_000, "before": 60_000}, ("pass", [])),
        ({"now": 170_000}, ("pass", [])),
        ({"measure": "found", "now": 100, "before": 3000}, ("fail", ["persons_are_still_found", "found_share_steady"])),
        ({"measure": "found", "now": 1900, "before": 3000}, ("warn", ["found_share_steady"])),
        ({"measure": "found", "now": 1900, "before": 3000, "n": 20, "n_before": 20}, ("pass", [])),
        ({"measure": "delivered", "now": 90, "before": 1000}, ("fail", ["extract_is_not_cut", "extract_size_steady"])),
        ({"measure": "delivered", "now": 2100, "before": 1000}, ("warn", ["extract_size_steady"])),
        ({"measure": "empty", "now": 2500, "before": 400}, ("warn", ["empty_share_steady"])),
        ({"measure": "code", "now": 0, "before": 2100}, ("warn", ["codes_steady"])),
        ({"measure": "set_aside", "now": 130, "before": 20, "bound": 500}, ("warn", ["set_aside_steady"])),
        ({"measure": "set_aside", "now": 260, "bound": 500}, ("warn", ["set_aside_far_from_its_limit"])),
        ({"measure": "thin_months", "now": 1}, ("warn", ["no_month_missing"])),
        ({"measure": "age", "now": 46, "n": 1, "bound": 45}, ("warn", ["fresh"])),
        ({"measure": "age", "now": 45, "n": 1, "bound": 45}, ("pass", [])),
        ({"measure": "answered", "now": 9499}, ("warn", ["everybody_answered"])),
    ],
)
def test_what_a_measure_is_told_by(told: dict[str, object], expected: tuple[str, list[str]]) -> None:
    assert verdict(**told) == expected


def pensions(months: str, amount: str = "60000") -> dict[tuple[str, str], int]:
    """Measures of pensions of 50 persons over some months, two of sixty asked not answered."""
    with duckdb.connect() as con:
        con.execute(
            f"CREATE TABLE {table_name(PENSIONS)} AS SELECT md5(p::VARCHAR)::UUID AS person, 'employee' AS kind, "
            f"DATE '2025-09-01' + to_months(m::INTEGER) AS month, {amount}::BIGINT AS amount_fen, "
            "NULL::DATE AS paid_on, false AS arrears "
            f"FROM range(50) a(p), (SELECT unnest({months}) AS m)"
        )
        con.execute("ALTER TABLE social_security__pensions ALTER month TYPE DATE")
        con.execute(
            f"CREATE TABLE coverage AS SELECT '{PENSIONS}' AS dataset, md5(p::VARCHAR)::UUID AS person, "
            "CASE WHEN p < 58 THEN 'covered' ELSE 'unanswered' END AS state FROM range(60) a(p)"
        )
        contract = load_contracts()[PENSIONS]
        delivered = Delivered(1000, 20, ON - timedelta(days=3))
        found = measures(con, contract, delivered, {"covered": 58, "unanswered": 2}, ON)
    return {(one.measure, one.column): one.now for one in found}


def test_a_dataset_in_numbers() -> None:
    found = pensions("range(12)")
    assert found["delivered", ""] == 1000
    assert found["age", ""] == 3
    assert found["set_aside", ""] == 200
    assert found["answered", ""] == 58 * 10_000 // 60
    assert found["found", ""] == 50 * 10_000 // 58
    assert found["median", "amount_fen"] == 60_000
    assert found["code", "kind=employee"] == 10_000
    assert found["thin_months", "month"] == 0


def test_a_month_that_is_missing_is_seen_and_one_still_to_come_is_not() -> None:
    assert pensions("[m FOR m IN range(12) IF m <> 5]")["thin_months", "month"] == 1
    assert pensions("range(11)")["thin_months", "month"] == 0  # August: it ended 16 days ago, 45 may pass
    assert pensions("range(9)")["thin_months", "month"] == 1  # July too is missing by then
    assert pensions("range(4, 12)")["thin_months", "month"] == 0  # none before the first


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    init(tmp_path / "ws")
    return Workspace.open(tmp_path / "ws")


def batch(ws: Workspace, day: int, gate: str, now: int) -> Batch:
    """A batch of a September night that measured one median."""
    made = Batch.create(ws.batches, f"b{day}", datetime.fromisoformat(f"2026-09-{day:02}T02:00:00+08:00"))
    write_json(made.folder / "gates.json", {"a/b": gate})
    write_json(made.folder / drift.PROFILE, [ROW | {"now": now, "n": 100, "before": None, "n_before": None}])
    return made


def before(ws: Workspace, day: int) -> int | None:
    made = Batch.create(ws.batches, f"b{day}", datetime.fromisoformat(f"2026-09-{day:02}T02:00:00+08:00"))
    with closing(Store.open(ws.store_url)) as store:
        found = drift._before(made, {"a/b"}, store)
    return found["a/b", "median", "amount_fen"]["now"] if found else None


def test_r61_the_measure_is_the_newest_extract_that_was_used(ws: Workspace) -> None:
    batch(ws, 1, "pass", 60_000)
    batch(ws, 2, "warn", 61_000)
    refused = batch(ws, 3, "fail", 6_000_000)
    batch(ws, 9, "pass", 70_000)
    assert before(ws, 4) == 61_000
    assert before(ws, 1) is None
    with closing(Store.open(ws.store_url)) as store:
        drift.accept(store, refused, "a/b", "370303-mzj")
        with pytest.raises(drift.NothingRefusedError):
            drift.accept(store, Batch.open(ws.batches, "b2"), "a/b", "370303-mzj")
    assert before(ws, 4) == 6_000_000
    assert json.loads((refused.folder / "gates.json").read_text()) == {"a/b": "fail"}
