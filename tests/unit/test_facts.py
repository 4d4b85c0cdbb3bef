"""Facts: one table of each kind, also of a kind for which no dataset speaks."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipelines import facts
from pipelines.warehouse import SQL, connect

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
        facts.write_facts(con, tmp_path / "facts")
        facts.read_facts(con, tmp_path / "facts", 0)
        assert con.sql("SELECT * FROM fact_expense").fetchall() == []
        assert "amount_fen" in con.sql("SELECT * FROM fact_expense").columns
