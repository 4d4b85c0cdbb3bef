"""Official exchange rates of the made worlds (R58); a currency or a day that is not here has none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Rate:
    """Millionths of a yuan for ``unit`` of a currency, official from its first to its last day."""

    currency: str
    first: date
    last: date
    unit: int
    micro: int


RATES = (
    Rate("USD", date(2023, 1, 1), date(2026, 8, 31), 1, 7_105_000),
    Rate("USD", date(2026, 9, 1), date(2029, 1, 1), 1, 7_110_000),
    Rate("JPY", date(2026, 8, 1), date(2026, 10, 1), 100, 4_830_000),
)


def in_yuan(fen: int, currency: str, day: date) -> int | None:
    """So much of another currency in fen, rounded down, by the rate of the day that the balance speaks of."""
    for rate in RATES:
        if rate.currency == currency and rate.first <= day <= rate.last:
            return fen * rate.micro // (rate.unit * 1_000_000)
    return None
