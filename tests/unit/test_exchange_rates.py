"""Exchange rates: a site's own file, refused where it contradicts itself (R58)."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipelines.exchange_rates import EXAMPLE, ExchangeRateError, load

HEAD = "published_on,last_day,currency,unit,rate,source,sure\n"


def test_r58_a_rate_is_kept_exactly_with_its_source(tmp_path: Path) -> None:
    file = tmp_path / "rates.csv"
    file.write_text(HEAD + "2026-09-10,2026-09-13,USD,1,7.1234,中国外汇交易中心,official\n", encoding="utf-8")
    con = duckdb.connect()
    load(con, file)
    assert con.execute("SELECT rate_micro, rate, source FROM exchange_rates").fetchall() == [
        (7_123_400, "7.123400", "中国外汇交易中心")
    ]


def test_r58_without_a_file_there_is_no_rate_and_every_example_says_so() -> None:
    con = duckdb.connect()
    load(con, None)
    assert con.execute("SELECT count(*) FROM exchange_rates").fetchall() == [(0,)]
    load(con, EXAMPLE)
    assert con.execute("SELECT DISTINCT sure FROM exchange_rates").fetchall() == [("example",)]


@pytest.mark.parametrize(
    "lines",
    [
        "2026-09-10,2026-09-13,USD,1,7.1,x,official\n2026-09-12,2026-09-14,USD,1,7.2,x,official\n",
        "2026-09-10,2026-09-13,USD,1,7.1,x,official\n2026-09-10,2026-09-13,USD,1,7.2,x,official\n",
        "2026-09-10,2026-09-13,USD,1,0,x,official\n",
        "2026-09-10,2026-09-09,USD,1,7.1,x,official\n",
        "2026-09-10,2026-09-13,USD,1,7.1,x,guess\n",
        "2026-09-10,2026-09-13,USD,1,about seven,x,official\n",
    ],
)
def test_r58_rates_that_contradict_each_other_or_say_nothing_are_refused(tmp_path: Path, lines: str) -> None:
    file = tmp_path / "rates.csv"
    file.write_text(HEAD + lines, encoding="utf-8")
    with pytest.raises(ExchangeRateError):
        load(duckdb.connect(), file)
