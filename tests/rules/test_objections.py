"""R69: what is under objection is not used: a status is said of nobody, an amount is disputed, the report says so."""

from __future__ import annotations

from pipelines import facts
from pipelines.assess import run_steps
from tests.assessed import stories
from tests.rules.household import Household, assess

DEAD = "r21_r22_pension_dated_after_death_is_disputed_and_goes_to_review"


def under_objection(story: str, kind: str, where: str) -> tuple[Household, int]:
    """The household of a story, assessed again while rows of it are under objection."""
    household = assess(stories()[story])
    rows = household.con.execute(f"SELECT row_digest FROM numbered_{kind} WHERE {where}").fetchall()
    facts.freeze(household.con, [(digest, "under_objection") for (digest,) in rows])
    facts._divide(household.con)
    run_steps(household.con)
    return household, len(rows)


def test_r69_a_death_under_objection_takes_nobody_out_of_the_household() -> None:
    before = assess(stories()[DEAD]).con.execute("SELECT member_no FROM household_members WHERE NOT counted").fetchall()
    household, rows = under_objection(DEAD, "status", "kind = 'death'")
    assert (len(before), rows) == (1, 1)
    assert household.con.execute("SELECT count(*) FROM household_members WHERE NOT counted").fetchone() == (0,)
    review = "SELECT rule, member_no, len(facts) FROM review WHERE code = 'under_objection'"
    assert household.con.execute(review).fetchall() == [("R69", before[0][0], 1)]


def test_r69_an_income_under_objection_counts_from_nothing_to_its_amount() -> None:
    story = "r36_r41_r42_r44_r52_r56_r57_worked_example"
    household, rows = under_objection(story, "income", "category = 'wage'")
    assert rows == 12
    item = "SELECT treatment, reason, rule, low_fen, high_fen FROM income_items WHERE category = 'wage'"
    assert household.con.execute(item).fetchall() == [("disputed", "under_objection", "R69", 0, 2_400_000)]
    figure = "SELECT low, high FROM figures WHERE figure = 'income.wage'"
    assert household.con.execute(figure).fetchone() == (0, 2_400_000)
    assert "under_objection" in {code for (code,) in household.con.execute("SELECT code FROM review").fetchall()}
