"""Working days by the official calendar, days worked in exchange for holidays (调休) included (R70).

The calendar is data (data/work_calendar.csv): the days that are not as the week says. A year is known when the file has
days of it; of a year whose notice the State Council has not published yet, only the statutory holidays are known, and
what was counted with them says that it is provisional.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib import resources

from pipelines.errors import HeduiError

CALENDAR = "data/work_calendar.csv"
OFFICIAL = "official"


@dataclass(eq=False)
class CalendarEndsError(HeduiError):
    """A day lies in a year whose calendar is not known."""

    year: int
    first: int
    last: int

    zh = "{year} 年不在工作日历内（{first}—{last} 年），不能计算工作日"
    en = "{year} is outside the working calendar ({first} to {last}): working days cannot be counted"
    todo = "add the year as the State Council has published it to pipelines/data/work_calendar.csv"
    exit_code = 2


@dataclass(frozen=True)
class Due:
    """The last day of a term; ``provisional`` if it was counted with days that are not published yet."""

    on: date
    provisional: bool


@cache
def _calendar() -> tuple[dict[date, bool], dict[int, bool]]:
    """Days that are not as the week says, and of every year whether its notice is published."""
    text = resources.files("pipelines").joinpath(CALENDAR).read_text("utf-8")
    days: dict[date, bool] = {}
    years: dict[int, bool] = {}
    for row in csv.DictReader(text.splitlines()):
        day = date.fromisoformat(row["date"])
        days[day] = row["is_workday"] == "1"
        years[day.year] = years.get(day.year, True) and row["status"] == OFFICIAL
    return days, years


def is_working_day(day: date) -> bool:
    """Whether offices work on a day.

    Raises:
        CalendarEndsError: the calendar of its year is not known.
    """
    days, years = _calendar()
    if day.year not in years:
        raise CalendarEndsError(day.year, min(years), max(years))
    return days.get(day, day.weekday() < 5)


def is_provisional(day: date) -> bool:
    """Whether the calendar of a day's year may still change."""
    return not _calendar()[1].get(day.year, False)


def term(start: date, days: int) -> Due:
    """The last of ``days`` working days; the day on which a term begins is not counted (民法典 Art 201).

    Args:
        start: the day on which it begins.
        days: how many working days.

    Raises:
        CalendarEndsError: it ends in a year whose calendar is not known.
    """
    day, left = start, days
    provisional = False
    while left:
        day += timedelta(days=1)
        left -= is_working_day(day)
        provisional = provisional or is_provisional(day)
    return Due(day, provisional)


def last_day(start: date, days: int, unit: str) -> Due:
    """The last day of a term in the unit that the policy pack gives: ``working_days``, or days as they come."""
    return term(start, days) if unit == "working_days" else Due(start + timedelta(days=days), False)
