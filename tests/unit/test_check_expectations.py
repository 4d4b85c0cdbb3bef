"""Expectations: the native count, its verdict, and that Great Expectations counts the same."""

import json
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from pydantic import ValidationError

from connectors.contract import load_contracts
from expectations.contracts import suite_for
from expectations.native import run_suite, worst
from expectations.suite import Expectation, Suite, product_suites

AS_OF = "2026-09-16"
SECRET = "鲁C99999"


def expectation(**fields: object) -> Expectation:
    return Expectation.model_validate({"name": "x", "zh": "甲", "en": "a", **fields})


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute(
        "CREATE TABLE t AS SELECT i AS id, i % 10 AS k, CASE WHEN i % 4 = 0 THEN NULL ELSE 'a' END AS code, "
        f"'{SECRET}' AS plate, DATE '2026-01-01' + i::INTEGER AS day FROM range(100) r(i)"
    )
    return con


SUITE = Suite(
    name="made.up",
    table="t",
    zh="表",
    en="Table",
    expectations=[
        expectation(name="id_given", kind="not_null", columns=["id"]),
        expectation(name="code_given", kind="not_null", columns=["code"], fail_above=0.3),
        expectation(name="code_known", kind="in_set", columns=["code"], values=["a", "it's"]),
        expectation(name="plate_known", kind="in_set", columns=["plate"], values=["other"]),
        expectation(name="day_plausible", kind="between", columns=["day"], high="DATE '2026-03-31'"),
        expectation(name="id_once", kind="unique", columns=["id"]),
        expectation(name="k_once", kind="unique", columns=["k"]),
        expectation(name="k_plate_once", kind="unique", columns=["k", "plate"]),
        expectation(name="small", kind="rows", broken="id >= 98", fail_above=0.02),
    ],
)
BROKEN = {
    "id_given": (0, "pass"),
    "code_given": (25, "warn"),
    "code_known": (0, "pass"),
    "plate_known": (100, "fail"),
    "day_plausible": (10, "fail"),
    "id_once": (0, "pass"),
    "k_once": (100, "fail"),
    "k_plate_once": (100, "fail"),
    "small": (2, "warn"),
}


def test_native_count_and_verdict(con: duckdb.DuckDBPyConnection) -> None:
    assert {c.name: (c.broken, c.verdict) for c in run_suite(con, SUITE)} == BROKEN


def test_empty_table_passes() -> None:
    con = duckdb.connect()
    con.execute("CREATE TABLE t (id INT, k INT, code VARCHAR, plate VARCHAR, day DATE)")
    assert {c.verdict for c in run_suite(con, SUITE)} == {"pass"}


def test_great_expectations_counts_the_same_and_shows_no_value(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    from expectations import gx

    confirmed = {
        (c.suite, c.name): c.broken for c in gx.run(con, [[SUITE]], tmp_path, datetime(2026, 9, 16, tzinfo=UTC))
    }
    assert confirmed == {("made.up", name): broken for name, (broken, _) in BROKEN.items()}
    assert (tmp_path / gx.PAGES / "index.html").is_file()
    pages = [f for f in tmp_path.rglob("*") if f.suffix in (".html", ".json")]
    assert pages
    escaped = json.dumps(SECRET)[1:-1]
    for page in pages:
        text = page.read_text("utf-8")
        assert SECRET not in text
        assert escaped not in text


def test_worst() -> None:
    assert worst([]) == "pass"
    assert worst(["pass", "fail", "warn"]) == "fail"


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "not_null"},
        {"kind": "in_set", "columns": ["a"]},
        {"kind": "between", "columns": ["a"]},
        {"kind": "rows"},
    ],
)
def test_incomplete_expectation_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        expectation(**fields)


def test_every_contract_has_a_suite_of_its_own() -> None:
    for dataset, contract in load_contracts().items():
        suite = suite_for(contract, AS_OF)
        assert suite.name == dataset.replace("/", ".")
        names = {e.name for e in suite.expectations}
        assert {"row_has_evidence", "row_once", "key_once"} < names
        assert names > {f"{c.name}_code" for c in contract.columns if c.type == "code"}


def test_dataset_expectations_use_columns_of_their_contract() -> None:
    for contract in load_contracts().values():
        types = {
            "id": "UUID",
            "name": "UUID",
            "display": "BLOB",
            "money": "BIGINT",
            "int": "BIGINT",
            "date": "DATE",
        }
        types |= {"month": "DATE", "code": "VARCHAR", "flag": "BOOLEAN", "text": "VARCHAR"}
        columns = [
            f'"{c.name}" {types[c.type]}{"[]" if c.multiple else ""}'
            for c in contract.columns
            if c.sensitivity != "drop"
        ]
        evidence = ["extract_digest VARCHAR", "row_no BIGINT", "row_digest VARCHAR"]
        con = duckdb.connect()
        suite = suite_for(contract, AS_OF)
        con.execute(f"CREATE TABLE {suite.table} ({', '.join(columns + evidence)})")
        assert all(c.verdict == "pass" for c in run_suite(con, suite))


def test_one_suite_a_product() -> None:
    tables = [suite.table for suite in product_suites()]
    assert len(set(tables)) == len(tables)
    assert {"households", "figures", "tests", "conclusions", "member_coverage", "income_items"} <= set(tables)
