"""Laws of the intervals that hold for any household (rules.md section 1), on households that Hypothesis makes up."""

from __future__ import annotations

from copy import deepcopy

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.rules.household import Household, Story, assess, assess_all

YUAN = st.decimals(min_value=0, max_value=40_000, places=2, allow_nan=False)
HOLDINGS = (("deposit", "banks/deposits"), ("security", "securities/holdings"), ("insurance", "insurers/policies"))
SOURCES = (
    "banks/deposits",
    "securities/holdings",
    "taxation/individual_income",
    "natural_resources/real_estate_title",
)
# no shrinking: every step of it is an assessment, and the story that failed is short already
LAWS = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate],
)


@st.composite
def households(draw: st.DrawFn) -> Story:
    who = ["A", "B", "C"][: draw(st.integers(1, 3))]
    story: Story = {"members": {name: {"relation": "sibling"} for name in who}, "holding": [], "income": []}
    for number in range(draw(st.integers(0, 5))):
        kind, source = draw(st.sampled_from(HOLDINGS))
        holding = {
            "who": draw(st.sampled_from(who)),
            "class": kind,
            "asset": f"a{number}",
            "source": source,
            "yuan": draw(YUAN),
        }
        if kind == "deposit" and draw(st.booleans()):
            holding["with"] = [draw(st.sampled_from([*who, "outsider"]))]
        if draw(st.integers(0, 5)) == 0:
            holding["name"] = "somebody else"
        story["holding"].append(holding)
    for _ in range(draw(st.integers(0, 3))):
        story["income"].append(
            {
                "who": draw(st.sampled_from(who)),
                "category": draw(st.sampled_from(["wage", "transfer", "business"])),
                "source": "taxation/individual_income",
                "payer": draw(st.sampled_from(["工厂", "商店"])),
                "yuan": draw(YUAN),
                **draw(st.sampled_from([{"months": "2026-01..2026-03"}, {"months": "2025-09"}, {"year": 2025}])),
            }
        )
    return story


def _figures(household: Household) -> dict[str, tuple[int, float]]:
    found = household.rows("figures", "figure, low, high")
    return {figure: (low, float("inf") if high is None else high) for figure, low, high in found}


@LAWS
@given(households())
def test_every_interval_has_its_low_below_its_high(story: Story) -> None:
    assert all(0 <= low <= high for low, high in _figures(assess(story)).values())


@LAWS
@given(households(), st.sampled_from(SOURCES))
def test_r01_taking_a_source_away_never_makes_a_result_surer(story: Story, source: str) -> None:
    without = deepcopy(story) | {"not_covered": [{"source": source}]}
    before, after = assess_all(story, without)
    wider = _figures(after)
    for figure, (low, high) in _figures(before).items():
        assert wider[figure][0] <= low
        assert wider[figure][1] >= high
    results, results_without = dict(before.rows("tests", "test, result")), dict(after.rows("tests", "test, result"))
    assert all(results_without[test] in (result, "undetermined") for test, result in results.items())
    assert after.rows("conclusions", "limits")[0][0] != "within_limits"


@LAWS
@given(households(), YUAN)
def test_a_clean_asset_more_never_lowers_a_bound(story: Story, yuan: object) -> None:
    more = deepcopy(story)
    more["holding"].append(
        {"who": "A", "class": "deposit", "asset": "one more", "source": "banks/deposits", "yuan": yuan}
    )
    before, after = (_figures(household)["financial_assets"] for household in assess_all(story, more))
    assert after[0] >= before[0]
    assert after[1] >= before[1]


@LAWS
@given(households())
def test_r66_the_order_of_rows_changes_nothing(story: Story) -> None:
    turned = deepcopy(story)
    turned["holding"].reverse()
    turned["income"].reverse()
    one, other = assess_all(story, turned)
    for table in ("figures", "tests", "conclusions", "declaration"):
        assert one.rows(table, "* EXCLUDE (request_id)") == other.rows(table, "* EXCLUDE (request_id)")
