"""Laws that hold between one assessment and another, on many random households at once (sql/ against itself)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest

from pipelines.assess import RESULTS
from tests.reference import columns, compare, scaling
from tests.reference.against import assessed, draw
from tests.reference.generate import World
from tests.reference.pen import BUSINESSES, DEPOSITS, TITLES, VEHICLES
from tests.reference.told import Holding, Household, Policy

SEED, WORLDS = 77, 500
MORE = {"deposit": DEPOSITS, "dwelling": TITLES, "vehicle": VEHICLES, "business": BUSINESSES}
Shapes = dict[str, compare.Shape]
# a source that says who is counted, or that overrules another, does more than feed a figure
FEEDING = ("banks/account_interest", "insurers/policies", "securities/holdings", "public_security/vehicle_registration",
           "social_security/pensions", "taxation/annual_settlement")  # fmt: skip


@pytest.fixture(scope="module")
def drawn() -> tuple[list[World], list[Policy]]:
    return draw(SEED, WORLDS)


@pytest.fixture(scope="module")
def before(drawn: tuple[list[World], list[Policy]]) -> Shapes:
    return found(*drawn)


def found(worlds: Sequence[World], policies: Sequence[Policy], threads: int = 2) -> Shapes:
    with assessed(worlds, policies, threads) as con:
        return compare.of_sql(con)


def tables(worlds: Sequence[World], policies: Sequence[Policy], threads: int) -> dict[str, list[tuple]]:
    with assessed(worlds, policies, threads) as con:
        return {name: con.execute(f"SELECT * FROM {name} ORDER BY ALL").fetchall() for name in RESULTS}


def test_r66_order_of_rows_and_number_of_threads_change_nothing(drawn: tuple[list[World], list[Policy]]) -> None:
    worlds, policies = drawn
    one = tables(worlds, policies, threads=1)
    assert one == tables(worlds, policies, threads=4)
    assert one == tables(scaling.in_another_order(worlds, 1), policies, threads=2)


def test_r07_r08_splitting_an_extract_and_the_order_of_its_files_change_nothing(
    drawn: tuple[list[World], list[Policy]], before: Shapes, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = columns.fact_row

    def split(place: int, fact: columns.Told) -> dict[str, object]:
        return whole(place, fact) | {"extract_digest": f"sha256:{fact.no % 3}"}

    monkeypatch.setattr(columns, "fact_row", split)
    worlds, policies = drawn
    assert tables(worlds, policies, 1) == tables(scaling.in_another_order(worlds, 2), policies, 2)
    for request, shape in found(worlds, policies).items():
        for aspect in before[request].keys() - {"treatment"}:  # which record of a netted line has its label is not told
            assert shape[aspect] == before[request][aspect], (request, aspect)


def test_r19_other_tokens_change_nothing(
    drawn: tuple[list[World], list[Policy]], before: Shapes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def relabelled(place: int, number: int | None) -> str | None:
        mixed = ((place + 1) * columns.PERSONS + (number or 0)) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % (1 << 128)
        text = f"{mixed:032x}"
        return None if number is None else f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    monkeypatch.setattr(columns, "token", relabelled)
    assert found(*drawn) == before


@pytest.mark.parametrize("dataset", FEEDING)
def test_r01_taking_a_source_away_never_makes_a_result_surer(
    drawn: tuple[list[World], list[Policy]], before: Shapes, dataset: str
) -> None:
    worlds, policies = drawn
    without = found(scaling.each(worlds, lambda told: scaling.without_source(told, dataset)), policies)
    for told in columns.households(worlds):
        if told.policy.sources.get(dataset) != "required" or "dead" in before[told.request_id]["members"].values():
            continue  # the silence of an optional source, or of what is asked of one who died, widens nothing
        sure, less = before[told.request_id], without[told.request_id]
        for test, (*_, result) in sure["tests"].items():
            assert less["tests"][test][3] in (result, "undetermined"), (told.request_id, test)
        for figure, (low, high) in sure["figures"].items():
            after = less["figures"][figure]
            assert after[0] <= low, (told.request_id, figure)
            assert after[1] is None or (high is not None and after[1] >= high), (told.request_id, figure)


def test_a_clean_asset_more_never_lowers_a_bound(drawn: tuple[list[World], list[Policy]], before: Shapes) -> None:
    worlds, policies = drawn
    more = found(scaling.each(worlds, with_more), policies)
    for told in columns.households(worlds):
        for figure in ("financial_assets", "homes", "vehicles", "businesses"):
            low, high = before[told.request_id]["figures"][figure]
            after = more[told.request_id]["figures"][figure]
            assert after[0] >= low, (told.request_id, figure)
            assert after[1] is None or (high is not None and after[1] >= high), (told.request_id, figure)


def with_more(told: Household) -> Household:
    """The household with an account, a home, a vehicle and a business more, of its first member who has a number."""
    holder = next((m for m in told.members if m.person is not None), None)
    if holder is None:
        return told
    more = [
        Holding(
            no=990 + place, person=holder.person or 0, name=holder.name, dataset=dataset, what=what, asset="one more",
            ownership="sole", share_bp=10_000, co_holders=(), value=4321, currency="CNY", status="held", status_on=None,
            acquired_on=None, as_of=None, mirrors=None, custodial=None, use=None, proceeds=None,
        )
        for place, (what, dataset) in enumerate(MORE.items())
    ]  # fmt: skip
    return replace(told, holdings=[*told.holdings, *more])


def test_r62_raising_a_limit_never_turns_satisfied_into_exceeded(
    drawn: tuple[list[World], list[Policy]], before: Shapes
) -> None:
    worlds, policies = drawn
    rng = Random(5)
    raised = [
        replace(policy, tests=tuple(replace(t, limit=t.limit + rng.choice((1, 1000))) for t in policy.tests))
        for policy in policies
    ]
    order = ("exceeded", "undetermined", "satisfied")
    for request, shape in found(worlds, raised).items():
        for test, (*_, result) in before[request]["tests"].items():
            assert order.index(shape["tests"][test][3]) >= order.index(result)


def test_multiplying_every_amount_and_limit_changes_no_conclusion(drawn: tuple[list[World], list[Policy]]) -> None:
    worlds, policies = drawn
    exact = 60_000  # so that no rate and no share leaves a part of a fen
    one = found(scaling.times(worlds, exact), scaling.policies_times(policies, exact))
    seven = found(scaling.times(worlds, 7 * exact), scaling.policies_times(policies, 7 * exact))
    for request, shape in one.items():
        for aspect in ("limits", "declared", "review", "decisive", "members", "treatment"):
            assert seven[request][aspect] == shape[aspect], (request, aspect)
        results = {test: worked[3] for test, worked in shape["tests"].items()}
        assert {test: worked[3] for test, worked in seven[request]["tests"].items()} == results
