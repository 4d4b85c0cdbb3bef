"""Facts: one table of each kind, also of a kind for which no dataset speaks."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipelines import facts
from pipelines.warehouse import SQL, connect
from tests.admitting import Lab, account, accounts, extract, person

KEY = bytes(range(32))


@pytest.mark.parametrize("kind", facts.KINDS)
def test_every_kind_of_fact_has_its_columns_and_no_rows_of_its_own(kind: str) -> None:
    relation = duckdb.sql((SQL / "facts" / f"{kind}.sql").read_text("utf-8"))
    assert {"person", "name_token", "dataset", "extract_digest", "row_no", "row_digest"} <= set(relation.columns)
    assert relation.fetchall() == []


def test_a_kind_for_which_no_dataset_speaks_is_an_empty_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of one kind may be empty or missing: the expenses of sql/facts/expense.sql have had none."""
    monkeypatch.setattr(facts, "KINDS", ("expense",))
    monkeypatch.setattr(facts, "SQL", tmp_path)
    with connect(KEY) as con:
        con.execute("CREATE TABLE shard_persons (person UUID, shard INTEGER)")
        facts.number_extracts(con, [])
        facts.write_facts(con, tmp_path / "facts")
        facts.read_facts(con, tmp_path / "facts", 0)
        assert con.sql("SELECT * FROM fact_expense").fetchall() == []
        assert "amount_fen" in con.sql("SELECT * FROM fact_expense").columns


def test_r65_a_facts_number_leads_back_to_its_row() -> None:
    """Extracts in any order, the last row that a number can hold, several facts of one row."""
    rows = [
        ("b/one", "sha256:2", 1, 0), ("b/one", "sha256:2", 1, 1),
        ("b/one", "sha256:1", facts.ROWS - 1, facts.PARTS - 1),
        ("a/two", "sha256:2", 7, None),
    ]  # fmt: skip
    con = duckdb.connect()
    for kind in facts.KINDS:
        con.execute(f"CREATE TABLE told_{kind} AS {(SQL / 'facts' / f'{kind}.sql').read_text('utf-8')}")
        con.executemany(
            f"INSERT INTO told_{kind} (dataset, extract_digest, row_no, part, row_digest) VALUES (?, ?, ?, ?, 'd')",
            rows,
        )
    facts.number_facts(con)
    found = con.execute("SELECT dataset, extract_digest, row_no, count(*) FROM evidence GROUP BY ALL").fetchall()
    kinds = len(facts.KINDS)
    assert sorted(found) == [
        ("a/two", "sha256:2", 7, kinds), ("b/one", "sha256:1", facts.ROWS - 1, kinds),
        ("b/one", "sha256:2", 1, 2 * kinds),
    ]  # fmt: skip
    assert con.execute("SELECT count(DISTINCT fact_no) FROM evidence").fetchone() == (len(rows) * kinds,)
    ordered = con.execute("SELECT dataset, extract_digest, row_no FROM evidence ORDER BY fact_no LIMIT 4").fetchall()
    assert ordered == sorted(ordered)


@pytest.mark.parametrize(("mode", "told"), [("full", 2), ("increment", 1)])
def test_r08_two_different_rows_under_one_key_of_a_full_extract_are_disputed(
    tmp_path: Path, mode: str, told: int
) -> None:
    """In an increment the later takes the place of the earlier; in a full extract both stay, and neither is certain."""
    lab = Lab(tmp_path)
    of = accounts(mode=mode)
    rows = [account(1, person(1)), account(1, person(1), "900.00"), account(2, person(1)), account(2, person(1))]
    given = [row | {"_op": "upsert"} for row in rows] if mode == "increment" else rows
    admitted = lab.admit(of, extract(of, given), [person(1)])
    with connect(lab.data_key) as con:
        facts.create_current_views(con, {of.dataset: of}, {of.dataset: [admitted.path]})
        facts.freeze(con, [])
        facts.write_conflicts(con, tmp_path)
        facts.dispute_conflicts(con, tmp_path)
        standing = con.sql("SELECT amount_fen FROM banks__accounts WHERE record_ref = '1'").fetchall()
        assert len(standing) == told
        assert con.sql("SELECT count(*) FROM banks__accounts WHERE record_ref = '2'").fetchall() == [(1,)]
        assert con.sql("SELECT DISTINCT reason FROM frozen").fetchall() == ([("conflicting_rows",)] if told > 1 else [])
        assert con.sql("SELECT count(*) FROM frozen").fetchall() == [(2 if told > 1 else 0,)]
