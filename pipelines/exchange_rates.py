"""Official exchange rates as a table that sql/ joins (R58): a site's own file, or the shipped example.

The file is CSV: ``published_on`` and ``last_day`` (the days on which the rate is the official one; a rate published
before a holiday holds to its last day), ``currency``, ``unit`` (how much of the currency), ``rate`` (yuan for so
much, as a decimal text), ``source`` (stored with every figure), ``sure`` (official or example).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipelines.errors import HeduiError

EXAMPLE = Path(__file__).parent / "data" / "exchange_rates_example.csv"
_COLUMNS = {
    "published_on": "DATE", "last_day": "DATE", "currency": "VARCHAR", "unit": "BIGINT", "rate": "DECIMAL(18, 6)",
    "source": "VARCHAR", "sure": "VARCHAR",
}  # fmt: skip
_WRONG = """
SELECT currency, CAST(published_on AS VARCHAR) FROM exchange_rates r
WHERE rate_micro <= 0 OR unit <= 0 OR last_day < published_on OR source IS NULL OR currency IS NULL
  OR sure NOT IN ('official', 'example') OR EXISTS (
    SELECT 1 FROM exchange_rates o WHERE o.currency = r.currency AND o.published_on > r.published_on
      AND o.published_on <= r.last_day)
  OR (SELECT count(*) FROM exchange_rates o WHERE o.currency = r.currency AND o.published_on = r.published_on) > 1
ORDER BY ALL LIMIT 1"""


@dataclass(eq=False)
class ExchangeRateError(HeduiError):
    """The file of exchange rates cannot be used: two rates for one day, or one that says nothing."""

    file: str
    where: str

    zh = "汇率文件 {file} 有误：{where}"
    en = "the file of exchange rates {file} is wrong: {where}"
    todo = "give each currency and day one rate above 0 with its source; columns as in docs/policy-packs.md"
    exit_code = 2


def load(con: duckdb.DuckDBPyConnection, file: Path | None) -> None:
    """Make the table ``exchange_rates``; without a file it is empty, and other currencies stay unpriced.

    Args:
        con: takes the table.
        file: CSV as above; ``rate_micro`` is the rate in millionths of a yuan.

    Raises:
        ExchangeRateError: the file cannot be read, or its rates contradict each other.
    """
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in _COLUMNS.items())
    source = f"read_csv('{file or EXAMPLE}', header = true, columns = {{{columns}}})" + ("" if file else " WHERE FALSE")
    try:
        con.execute(
            "CREATE OR REPLACE TABLE exchange_rates AS SELECT currency, published_on, last_day, unit, "
            "CAST(rate AS VARCHAR) AS rate, CAST(rate * 1000000 AS BIGINT) AS rate_micro, source, sure "
            f"FROM {source}"
        )
    except duckdb.Error:
        raise ExchangeRateError(str(file), "columns or values") from None
    wrong = con.execute(_WRONG).fetchone()
    if wrong:
        raise ExchangeRateError(str(file), f"{wrong[0]} {wrong[1]}")
