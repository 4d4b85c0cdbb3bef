"""Every type of column, from what departments write to what is kept, and the reason when it is not."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.identifiers import IdProblem
from pipelines.typing_sql import typed_select
from tests.admitting import ID, contract

CON = duckdb.connect()
KEY = b"k" * 32


def typed_rows(column: dict[str, Any], values: list[Any], op: list[str] | None = None) -> list[dict[str, Any]]:
    """The typing SQL over rows of one clean person and ``values``."""
    marks = [{"source": "op", "name": "op", "type": "code", "codes": {"U": "upsert", "D": "delete"}}] if op else []
    of = contract("a/b", [ID, {"source": "v"} | column, *marks], ["person"], mode="increment" if op else "full")
    n = len(values)
    table = {
        "row_no": pa.array(range(1, n + 1), pa.int64()),
        "s0": ["id"] * n,
        "s1": pa.array(values, pa.string()) if not values or isinstance(values[0], str | None) else pa.array(values),
        "t0": pa.ExtensionArray.from_storage(pa.uuid(), pa.array([b"1" * 16] * n, pa.binary(16))),
        "r0": pa.array([IdProblem.ok] * n, pa.uint8()),
        "in0": [True] * n,
    }
    CON.register("given", pa.table(table | ({"s2": op} if op else {})))
    padded = KEY.ljust(64, b"\0")
    CON.execute("SET VARIABLE row_inner = ?", [bytes(b ^ 0x36 for b in padded)])
    CON.execute("SET VARIABLE row_outer = ?", [bytes(b ^ 0x5C for b in padded)])
    found: list[dict[str, Any]] = (
        CON.execute(f"FROM ({typed_select(of, 'given')}) ORDER BY row_no").to_arrow_table().to_pylist()
    )
    return found


def typed(column: dict[str, Any], *values: Any) -> list[tuple[Any, str]]:
    """Value and reason of each."""
    return [(row[str(column["name"])], row["problems"].partition(":")[2]) for row in typed_rows(column, list(values))]


YUAN = {"name": "x_fen", "type": "money", "unit": "元"}
WAN = {"name": "x_fen", "type": "money", "unit": "万元"}
FEN = {"name": "x_fen", "type": "money", "unit": "分"}


@pytest.mark.parametrize(
    ("unit", "delivered", "fen"),
    [
        (YUAN, "1234.56", 123456),
        (YUAN, "1,234.56", 123456),
        (YUAN, "-1,234,567.8", -123456780),
        (YUAN, "+0.29", 29),
        (YUAN, "0.570", 57),
        (YUAN, " 12 ", 1200),
        (YUAN, "-0.05", -5),
        (YUAN, "92233720368547758.07", 2**63 - 1),
        (WAN, "1.000001", 1000001),
        (WAN, "35.5", 35500000),
        (WAN, "0.07", 70000),
        (FEN, "12345", 12345),
        (FEN, "12345.00", 12345),
        (YUAN, Decimal("1234.50"), 123450),
    ],
)
def test_money_is_exact(unit: dict[str, Any], delivered: Any, fen: int) -> None:
    assert typed(unit, delivered) == [(fen, "")]


@pytest.mark.parametrize(
    ("unit", "delivered", "reason"),
    [
        (YUAN, "0.005", "part_of_a_fen"),
        (YUAN, "1.2345", "part_of_a_fen"),
        (WAN, "1.0000001", "part_of_a_fen"),
        (FEN, "0.5", "part_of_a_fen"),
        (YUAN, "92233720368547758.08", "amount_too_large"),
        (YUAN, "1e3", "malformed_amount"),
        (YUAN, "1_000", "malformed_amount"),
        (YUAN, "12,34.00", "malformed_amount"),
        (YUAN, "1,2345", "malformed_amount"),
        (YUAN, "￥12", "malformed_amount"),
        (YUAN, "12元", "malformed_amount"),
        (YUAN, ".5", "malformed_amount"),
        (YUAN, "5.", "malformed_amount"),
        (YUAN, "NaN", "malformed_amount"),
        (YUAN, "0x10", "malformed_amount"),
        (YUAN, "１２", "malformed_amount"),
        (YUAN, "", "missing"),
        (YUAN, None, "missing"),
    ],
)
def test_money_that_is_not_exact_is_refused(unit: dict[str, Any], delivered: Any, reason: str) -> None:
    assert typed(unit, delivered) == [(None, reason)]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(-(2**63) + 1, 2**63 - 1), min_size=1),
    st.sampled_from([(YUAN, 2), (WAN, 6), (FEN, 0)]),
    st.booleans(),
)
def test_money_round_trips_from_its_decimal_text(
    amounts: list[int], unit: tuple[dict[str, Any], int], commas: bool
) -> None:
    column, places = unit
    texts = []
    for amount in amounts:
        whole, part = divmod(abs(amount), 10**places)
        text = f"{whole:,}" if commas else str(whole)
        texts.append(("-" if amount < 0 else "") + text + (f".{part:0{places}d}" if places else ""))
    assert typed(column, *texts) == [(amount, "") for amount in amounts]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(alphabet="0123456789.,-+eE%元 ", max_size=12), min_size=1))
def test_money_is_what_the_text_says_or_nothing(texts: list[str]) -> None:
    for text, (fen, reason) in zip(texts, typed(YUAN, *texts), strict=True):
        assert (fen is None) == bool(reason)
        if fen is not None:
            assert Decimal(text.strip().replace(",", "")) * 100 == fen


DAY = {"name": "d", "type": "date", "nullable": True}


@pytest.mark.parametrize(
    "delivered", ["20260701", "2026-07-01", "2026/7/1", "2026-7-1", "2026-07-01 00:00:00", date(2026, 7, 1)]
)
def test_dates_in_every_usual_form(delivered: Any) -> None:
    assert typed(DAY, delivered) == [(date(2026, 7, 1), "")]


@pytest.mark.parametrize(
    "nothing", ["00000000", "99991231", "9999-12-31", "9999/12/31", "", "  ", None, date(9999, 12, 31)]
)
def test_dates_that_mean_nothing_are_null_and_missing_where_one_is_needed(nothing: Any) -> None:
    assert typed(DAY, nothing) == [(None, "")]
    assert typed(DAY | {"nullable": False}, nothing) == [(None, "missing")]


@pytest.mark.parametrize(
    "wrong",
    [
        "20260230",
        "2026-13-01",
        "2026071",
        "2026/7-1",
        "01/07/2026",
        "infinity",
        "epoch",
        "2026年7月1日",
        "12026-07-01",
    ],
)
def test_dates_that_no_calendar_has_are_refused(wrong: str) -> None:
    assert typed(DAY, wrong) == [(None, "malformed_date")]


@pytest.mark.parametrize("delivered", ["202607", "2026-07", "2026/7", "20260731", "2026-07-15"])
def test_months(delivered: str) -> None:
    assert typed({"name": "m", "type": "month"}, delivered) == [(date(2026, 7, 1), "")]
    assert typed({"name": "m", "type": "month"}, "202613") == [(None, "malformed_month")]


def test_codes_flags_text_and_whole_numbers() -> None:
    code = {"name": "c", "type": "code", "codes": {"1": "sole", "it's": "joint"}}
    assert typed(code, "1", " it's ", "9", None) == [
        ("sole", ""),
        ("joint", ""),
        (None, "unknown_code"),
        (None, "missing"),
    ]
    flag = {"name": "f", "type": "flag"}
    assert typed(flag, "1", "0", "是", "N", "2") == [
        (True, ""),
        (False, ""),
        (True, ""),
        (False, ""),
        (None, "unknown_flag"),
    ]
    assert typed({"name": "t", "type": "text"}, " 甲公司 ", "") == [("甲公司", ""), (None, "missing")]
    year = {"name": "y", "type": "int"}
    assert typed(year, "2025", "2025.5", "x") == [(2025, ""), (None, "not_whole"), (None, "malformed_number")]
    assert typed({"name": "a", "type": "int", "factor": 100}, "89.45", "89.456") == [
        (8945, ""),
        (None, "not_whole"),
    ]


SHARE = {"name": "share_bp", "type": "int", "factor": 100, "nullable": True}


@pytest.mark.parametrize(
    ("delivered", "points"),
    [
        ("50", 5000),
        ("33.33", 3333),
        ("50%", 5000),
        ("0.5%", 50),
        ("1/2", 5000),
        ("1/3", 3333),
        ("2／3", 6667),
        ("100", 10000),
    ],
)
def test_shares_become_basis_points(delivered: str, points: int) -> None:
    assert typed(SHARE, delivered) == [(points, "")]
    assert typed(SHARE | {"factor": 10_000}, "0.5") == [(5000, "")]


@pytest.mark.parametrize("delivered", ["0.5", "1", "3/2", "1/0", "101"])
def test_shares_are_not_guessed(delivered: str) -> None:
    assert typed(SHARE, delivered) == [(None, "ambiguous_share")]


@pytest.mark.parametrize("delivered", ["half", "-1", "1/2/3"])
def test_shares_that_are_none_are_refused(delivered: str) -> None:
    assert typed(SHARE, delivered) == [(None, "malformed_share")]


@pytest.mark.parametrize("unknown", ["0", "0.00", "0%", "", None])
def test_a_share_of_nothing_is_unknown(unknown: str | None) -> None:
    assert typed(SHARE, unknown) == [(None, "")]


def test_a_deletion_needs_no_more_than_its_key() -> None:
    rows = typed_rows(YUAN, [None, None, "x"], op=["U", "D", "D"])
    assert [row["problems"] for row in rows] == ["x_fen:missing", "", "x_fen:malformed_amount"]
    assert [row["op"] for row in rows] == ["upsert", "delete", "delete"]


def test_the_row_digest_is_hmac_sha256_of_the_row_as_delivered() -> None:
    (row,) = typed_rows({"name": "t", "type": "text"}, ['甲"公司 '])
    message = json.dumps(["id", '甲"公司 '], ensure_ascii=False, separators=(",", ":")).encode()
    assert row["row_digest"] == hmac.new(KEY, message, hashlib.sha256).hexdigest()[:32]


def test_no_two_rows_give_one_digest_by_moving_a_boundary() -> None:
    texts = ['a","b', 'a"', "a", "", None, "null", "a\\", "a,b"]
    digests = {row["row_digest"] for row in typed_rows({"name": "t", "type": "text", "nullable": True}, texts)}
    assert len(digests) == len(texts)
