"""What one story cannot tell: facts of a person in two requests, and a test of a figure that nothing feeds."""

from __future__ import annotations

import re

import pytest

from connectors.contract import load_contracts
from pipelines.assess import run_steps
from pipelines.facts import table_name
from pipelines.warehouse import SQL
from tests.rules.household import Household, Story, assess

TAX = "taxation/individual_income"


def _wage(**told: object) -> dict[str, object]:
    return {"who": "A", "category": "wage", "source": TAX, "payer": "工厂", "months": "2026-05", **told}


def _in_two_requests(story: Story) -> Household:
    """The story's household under a second request as well, assessed together."""
    household = assess(story)
    for table in ("requests", "members", "queries"):
        household.con.execute(f"INSERT INTO {table} SELECT * REPLACE ('Q2' AS request_id) FROM {table}")
    household.con.execute("INSERT INTO other_requests SELECT person, request_id FROM members WHERE person IS NOT NULL")
    run_steps(household.con)
    return household


def test_r20_r39_corrected_wage_of_a_person_in_two_requests_counts_once_in_each() -> None:
    original = _wage(record_ref="r1", yuan="500.00")
    correction = _wage(record_ref="r2", mark="correction", correction_of="r1", yuan="450.00")
    household = _in_two_requests({"members": {"A": {}}, "income": [original, correction]})
    wages = household.rows("figures", "request_id, low, high", "figure = 'income.wage'")
    assert wages == [("Q", 45_000, 45_000), ("Q2", 45_000, 45_000)]
    assert household.rows("income_lines", "request_id, count(*)", "TRUE GROUP BY request_id") == [("Q", 2), ("Q2", 2)]
    assert household.rows("review", "request_id", "code = 'in_two_households'") == [("Q",), ("Q2",)]


def test_r20_r40_wage_told_twice_of_a_person_in_two_requests_is_one_line_each() -> None:
    twice = [_wage(yuan="500.00"), _wage(yuan="520.00", source="social_security/pensions")]
    household = _in_two_requests({"members": {"A": {}}, "income": twice})
    found = household.rows("income_lines", "request_id, treatment")
    assert found == [(request, told) for request in ("Q", "Q2") for told in ("counted", "duplicate")]


def test_r20_a_persons_own_request_is_no_other_request() -> None:
    household = assess({"members": {"A": {}}})
    household.con.execute("INSERT INTO other_requests SELECT person, request_id FROM members")
    run_steps(household.con)
    assert household.rows("review", "code") == []


def test_r44_cap_holds_for_the_month_and_the_earner_however_many_payers() -> None:
    household = assess({"members": {"A": {}}, "income": [_wage(yuan="1000.00"), _wage(yuan="500.00", payer="商店")]})
    household.con.execute("UPDATE policy SET wage_deduction_cap_fen = 8000")
    run_steps(household.con)
    assert household.rows("deductions", "low_fen, high_fen") == [(8_000, 8_000)]
    assert household.rows("figures", "low, high", "figure = 'income'") == [(142_000, 142_000)]


def test_r06_a_test_of_a_figure_that_nothing_feeds_is_undetermined_and_does_not_vanish() -> None:
    household = assess({"members": {"A": {}}})
    household.con.execute(
        "INSERT INTO policy_tests SELECT * REPLACE ('boats' AS test, 'boats' AS figure, '<=' AS op, "
        "'household' AS scale, 'count' AS unit, 0 AS limit_value) FROM policy_tests LIMIT 1"
    )
    run_steps(household.con)
    assert household.rows("tests", "result", "test = 'boats'") == [("undetermined",)]
    assert household.rows("conclusions", "limits") == [("undetermined",)]


@pytest.mark.parametrize("dataset", sorted(load_contracts()))
def test_r06_a_dataset_feeds_every_category_of_income_that_its_facts_can_have(dataset: str) -> None:
    file = SQL / "facts" / "income" / f"{table_name(dataset)}.sql"
    text = file.read_text("utf-8") if file.exists() else ""
    told = re.findall(r"(?:THEN|ELSE) '(wage|business|property|transfer)'|'(\w+)' AS category", text)
    fed = {figure for figure in load_contracts()[dataset].feeds if figure.startswith("income.")}
    assert fed == {f"income.{one or other}" for one, other in told}
