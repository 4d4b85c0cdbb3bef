"""R70: working days by the official calendar; what is not published yet says so, and beyond it there is an error."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest

from pipelines import workdays
from pipelines.workdays import CalendarEndsError, Due, is_working_day, last_day, term
from tests.issuing import issued

D = date.fromisoformat


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2026-02-14", True),  # a Saturday worked in exchange for the Spring Festival
        ("2026-02-16", False),  # a Monday within the Spring Festival
        ("2026-10-01", False),
        ("2026-10-10", True),  # a Saturday worked in exchange for the National Day
        ("2026-11-21", False),  # a Saturday
        ("2026-11-23", True),
        ("2027-10-01", False),
    ],
)
def test_r70_a_day_is_worked_as_the_notice_says(day: str, works: bool) -> None:
    assert is_working_day(D(day)) is works


def test_r70_ten_working_days_pass_over_the_national_day_and_count_the_day_worked_in_exchange() -> None:
    # from Monday 2026-09-21: 22, 23, 24, (25–27 mid-autumn holiday), 28, 29, 30, (1–7 holiday), 8, 9, Saturday 10, 12
    assert term(D("2026-09-21"), 10) == Due(D("2026-10-12"), provisional=False)


def test_r70_a_term_that_reaches_into_a_year_without_a_notice_is_provisional() -> None:
    assert term(D("2026-12-25"), 3) == Due(D("2026-12-30"), provisional=False)
    assert term(D("2026-12-25"), 10).provisional
    assert term(D("2027-03-01"), 1) == Due(D("2027-03-02"), provisional=True)


@pytest.mark.parametrize("start", ["2023-12-20", "2027-12-27"])
def test_r70_outside_the_calendar_there_is_a_clear_error(start: str) -> None:
    with pytest.raises(CalendarEndsError, match=r"2023|2028") as told:
        term(D(start), 10)
    assert (told.value.first, told.value.last, told.value.exit_code) == (2024, 2027, 2)


def test_r70_a_pack_without_working_days_counts_days_as_they_come() -> None:
    assert last_day(D("2026-09-21"), 10, "days") == Due(D("2026-10-01"), provisional=False)


def test_r70_every_report_tells_its_last_day_in_working_days() -> None:
    for found in issued().values():
        objection = found["objection"]
        assert objection["unit"] == "working_days"
        assert objection["until"] == term(D(found["as_of"][:10]), objection["days"]).on.isoformat()
        assert objection["provisional"] is False


def test_r70_the_calendar_names_a_notice_for_every_day() -> None:
    text = (Path(workdays.__file__).parent / workdays.CALENDAR).read_text("utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert {row["date"][:4] for row in rows} == {"2024", "2025", "2026", "2027"}
    assert all(row["notice"] and row["notice_date"] for row in rows)
    assert {row["date"][:4] for row in rows if row["status"] != "official"} == {"2027"}
