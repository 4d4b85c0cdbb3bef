"""Collect as a stage: idempotent, safe to kill, the same whatever finishes first, and told in store and ledger."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from connectors import sources
from connectors.extract import SourceUnavailable
from pipelines import asking, collect
from pipelines.collect import NotAdmittedError
from pipelines.ledger import verify
from pipelines.store import Store
from tests.admitting import AMOUNT, ID, REF, Site, account, accounts, contract, person

A, B, C = person(1), person(2), person(3)
NAMES = [f"bank/{letter}" for letter in "abcde"]


def many(root: Path) -> Site:
    """Five sources, one of which holds nothing and one of which is missing."""
    site = Site(root, [contract(name, [REF, ID, AMOUNT], ["record_ref"]) for name in NAMES])
    for at, name in enumerate(NAMES[:-1]):
        rows = [{"BH": f"{at}{n}", "ZJHM": person(n), "JE": str(n)} for n in range(at * 10)]
        site.deliver(name, rows)
    return site


def queries() -> list[tuple[str, str | None, str]]:
    return [(name, who, "ask") for name in NAMES for who in (A, B)]


def outcome(site: Site, name: str = "b1") -> list[Any]:
    """Everything that may not depend on time or order."""
    from pipelines.batch import Batch

    batch = Batch.open(site.ws.batches, name)
    store = Store.open(site.ws.store_url)
    with store.read() as connection:
        entries = connection.exec_driver_sql(
            "SELECT seq, kind, batch_id, subject, detail FROM ledger ORDER BY seq"
        ).all()
    assert verify(store) is None
    store.close()
    tables = [site.read(batch, f"{table}.parquet") for table in ("coverage", "quarantine", "links")]
    rows = [site.current(batch, dataset) for dataset in NAMES]
    return [tables, rows, (batch.folder / "extracts.json").read_bytes(), entries]


def test_a_second_run_does_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = many(tmp_path)
    batch = site.batch(queries())
    first, before = collect.run(batch, site.ws), outcome(site)
    monkeypatch.setattr(asking, "open_extracts", lambda *_: pytest.fail("asked again"))
    assert collect.run(batch, site.ws) == first
    assert outcome(site) == before


def test_the_order_in_which_sources_answer_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = []
    for turn in range(2):
        site = many(tmp_path / str(turn))
        (site.ws.root / "keys" / "root.key").chmod(0o600)
        (site.ws.root / "keys" / "root.key").write_text("07" * 32)
        site.keyring = type(site.keyring).open(site.ws.settings.keys, site.ws.root)

        def delayed(contract: Any, *rest: Any, turn: int = turn) -> Any:
            at = NAMES.index(contract.dataset)
            time.sleep(0.05 * (at if turn else 4 - at))
            return sources.open_extracts(contract, *rest)

        monkeypatch.setattr(asking, "open_extracts", delayed)
        collect.run(site.batch(queries()), site.ws)
        results.append(outcome(site))
    assert results[0] == results[1]


def test_what_a_source_answered_is_kept_when_the_run_dies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site, straight = many(tmp_path / "killed"), many(tmp_path / "straight")
    asked: list[str] = []

    def dying(contract: Any, *rest: Any) -> Any:
        asked.append(contract.dataset)
        if len(asked) == 4:
            raise KeyboardInterrupt
        return sources.open_extracts(contract, *rest)

    monkeypatch.setattr(asking, "open_extracts", dying)
    batch = site.batch(queries())
    with pytest.raises(KeyboardInterrupt):
        collect.run(batch, site.ws)
    assert not batch.done("collect")
    collect.run(batch, site.ws)
    assert len(asked) <= len(NAMES) + 2  # those that had answered were not asked again
    collect.run(straight.batch(queries()), straight.ws)
    one, two = outcome(site), outcome(straight)
    assert [entry[1:4] for entry in one[3]] == [entry[1:4] for entry in two[3]]
    assert one[2] == two[2]


@pytest.mark.parametrize("seconds", [0.0, 0.1, 0.25])
def test_killed_at_any_moment_it_goes_on_as_if_nothing_had_been(tmp_path: Path, seconds: float) -> None:
    site = many(tmp_path)
    site.batch(queries())
    code = (
        "import sys; from pathlib import Path; from pipelines import collect; from pipelines.batch import Batch;"
        "from pipelines.settings import Workspace; ws = Workspace.open(Path(sys.argv[1]));"
        "print('on', flush=True); collect.run(Batch.open(ws.batches, 'b1'), ws)"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(site.ws.root)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    child.stdout.readline()
    time.sleep(seconds)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    from pipelines.batch import Batch

    summary: Any = collect.run(Batch.open(site.ws.batches, "b1"), site.ws)
    admitted = {name: one["rows_admitted"] for name, one in summary["datasets"].items()}
    assert admitted == {"bank/a": 0, "bank/b": 2, "bank/c": 2, "bank/d": 2, "bank/e": 0}
    outcome(site)


def test_the_summary_counts_rows_reasons_and_persons(tmp_path: Path) -> None:
    site = Site(tmp_path, [accounts()])
    site.deliver("banks/accounts", [account(1, A), account(2, A, "x"), account(3, None), account(4, B)])
    seen: list[tuple[str, int]] = []
    summary: Any = collect.run(
        site.batch([("banks/accounts", A, "ask"), ("banks/accounts", C, "not_authorised")]),
        site.ws,
        lambda dataset, rows: seen.append((dataset, rows)),
    )
    found = summary["datasets"]["banks/accounts"]
    assert found.pop("seconds") >= 0
    assert found == {
        "state": "answered",
        "reason": "",
        "extracts": 1,
        "rows_read": 4,
        "rows_admitted": 1,
        "quarantined": {"amount_fen:malformed_amount": 1, "person:identifier_missing": 1},
    }
    assert summary["coverage"] == {"banks/accounts": {"covered": 1, "not_authorised": 1}}
    assert seen == [("banks/accounts", 4)]


def test_store_and_ledger_know_what_was_admitted(tmp_path: Path) -> None:
    site = many(tmp_path)
    collect.run(site.batch(queries()), site.ws)
    store = Store.open(site.ws.store_url)
    (kept,) = store.extract_history("bank/d")
    assert (kept.rows_read, kept.rows_admitted, kept.state) == (30, 2, "admitted")
    with store.read() as connection:
        kinds = connection.exec_driver_sql("SELECT kind, count(*) FROM ledger GROUP BY kind ORDER BY kind").all()
    store.close()
    assert [tuple(row) for row in kinds] == [("admission", 4), ("source_failed", 1)]


def test_a_department_that_must_be_told_names_is_in_the_ledger_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = contract(
        "banks/told",
        [REF, ID, AMOUNT],
        ["record_ref"],
        delivery={"way": "http", "style": "ticket", "endpoint": "x"},
    )
    site = Site(tmp_path, [of])
    told: list[list[str]] = []

    def listening(contract: Any, connection: Any, asked: Any, root: Path) -> Any:
        told.append(asked.persons.to_pylist())
        store = Store.open(site.ws.store_url)
        with store.read() as session:
            rows = session.exec_driver_sql("SELECT kind, subject, detail FROM ledger").all()
        store.close()
        assert [tuple(row) for row in rows] == [
            ("reidentification", "banks/told", '{"persons":2,"purpose":"最低生活保障"}')
        ]
        raise SourceUnavailable("banks/told", "submit", "down")

    monkeypatch.setattr(asking, "open_extracts", listening)
    collect.run(site.batch([("banks/told", who, "ask") for who in (A, B)]), site.ws)
    assert [sorted(names) for names in told] == [sorted([A, B])]


def test_r61_history_comes_from_the_store(tmp_path: Path) -> None:
    site = Site(tmp_path, [accounts()])
    site.deliver("banks/accounts", [account(n, A, f"{n + 1}00") for n in range(30)])
    query = [("banks/accounts", A, "ask")]
    collect.run(site.batch(query, "b1"), site.ws)
    site.deliver("banks/accounts", [account(n, A, f"{n + 1}0000") for n in range(30)])
    batch = site.batch(query, "b2")
    collect.run(batch, site.ws)
    (row,) = site.coverage(batch).values()
    assert (row["state"], row["reason"]) == ("unavailable", "unit_jump")


def test_a_batch_that_reads_anothers_extracts_must_be_covered_by_it(tmp_path: Path) -> None:
    site = Site(tmp_path, [accounts()])
    site.deliver("banks/accounts", [account(1, A)])
    collect.run(site.batch([("banks/accounts", A, "ask"), ("banks/accounts", B, "not_authorised")], "b1"), site.ws)
    good = site.batch(
        [("banks/accounts", A, "ask"), ("banks/accounts", None, "not_queryable")], "b2", admitted_from="b1"
    )
    assert collect.run(good, site.ws) == {"admitted_from": "b1"}
    bad = site.batch([("banks/accounts", A, "ask"), ("banks/accounts", B, "ask")], "b3", admitted_from="b1")
    with pytest.raises(NotAdmittedError) as caught:
        collect.run(bad, site.ws)
    assert caught.value.queries == 1
