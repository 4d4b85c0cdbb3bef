"""All programmes of the guidance: each names whom it may ask, who authorises, and its tests or that it has none."""

from __future__ import annotations

from datetime import date
from functools import partial
from pathlib import Path

import pytest
import yaml

from pipelines.policy import Pack, ResolvedPolicy, load_pack, pack_folder, resolve, tables
from pipelines.policy.load import SHIPPED
from pipelines.policy.suitable import FORMED, suitable
from pipelines.warehouse import sql_text

ON = date(2026, 9, 15)
TESTED = {"subsistence_allowance", "subsistence_edge", "destitute_support", "rigid_expenditure"}
CHECK_ONLY = {
    "poverty_monitoring", "disaster_relief", "vagrant_relief", "orphans_children", "cleft_cerebral_palsy",
    "severe_mental_illness", "disabled_hardship", "two_cancers_women", "workers_hardship", "emergency_medical",
    "bravery_disabled", "bravery_fallen",
    "education_aid", "medical_aid", "housing_aid", "employment_aid", "legal_aid", "rehabilitation_aid", "temporary_aid",
}  # fmt: skip
PLACES = (("3703", "370303"), ("4403", "440304"))


@pytest.fixture(scope="module", params=PLACES, ids=lambda place: place[0])
def place(request: pytest.FixtureRequest) -> tuple[Pack, str]:
    return load_pack(pack_folder(request.param[0])), request.param[1]


def test_every_programme_of_the_guidance_is_there(place: tuple[Pack, str]) -> None:
    assert set(place[0].programmes) == TESTED | CHECK_ONLY
    assert {name for name, programme in place[0].programmes.items() if programme.check_only} == CHECK_ONLY


@pytest.mark.parametrize("name", sorted(TESTED | CHECK_ONLY))
def test_r34_each_programme_says_whom_it_may_ask_and_who_authorises(place: tuple[Pack, str], name: str) -> None:
    pack, division = place
    policy = resolve(pack, name, division, "urban", ON)
    assert policy.sources["public_security/household_registration"] == "required"
    assert policy.programme.authorisation.cites
    assert policy.programme.cites
    assert set(policy.tests) == (set() if name in CHECK_ONLY else set(policy.programme.tests))
    if name in CHECK_ONLY:
        assert policy.programme.sure == "example"
        assert policy.programme.note


def test_r33_who_is_looked_at_and_whether_supporters_may_be_asked(place: tuple[Pack, str]) -> None:
    pack, division = place
    names = ("subsistence_allowance", "destitute_support", "orphans_children", "legal_aid", "disaster_relief")
    rows = tables(pack, [(name, division, "urban", ON) for name in names])["policy"].to_pylist()
    assert [(row["programme"], row["unit"], row["supporters_asked"]) for row in rows] == [
        ("subsistence_allowance", "household", True),
        ("destitute_support", "person", True),
        ("orphans_children", "person", True),
        ("legal_aid", "person", False),
        ("disaster_relief", "household", False),
    ]


@pytest.mark.parametrize("pack_id", ["3703", "4403"])
def test_a_local_pack_copies_nothing(pack_id: str) -> None:
    """No parameter of a local pack says again what the baseline says, and no programme is written twice."""
    local, base = load_pack(pack_folder(pack_id)), load_pack(pack_folder("national"))
    for rows in local.rows.values():
        for row in (row for row in rows if row.depth == 1 and row.formula is None):
            told = [
                other.value
                for other in base.rows[row.parameter]
                if (other.item, other.end, other.area_kind, other.programme)
                == (row.item, row.end, row.area_kind, row.programme)
                and other.sure != "example"
                and other.start <= row.start
            ] if row.parameter in base.rows else []  # fmt: skip
            # a programme's own value is written again only over a value of the place for all programmes
            shadowed = row.programme and any(other.programme is None and other.depth == 1 for other in rows)
            assert row.value not in told or shadowed, f"{row.file} {row.field}"


def test_the_two_places_differ_where_localities_do() -> None:
    found = {}
    for pack_id, division in PLACES:
        policy = resolve(load_pack(pack_folder(pack_id)), "subsistence_allowance", division, "urban", ON)
        found[pack_id] = {name: settled.value for name, settled in policy.settings.items()}
    names = ("window_months", "bonus_rule", "loss_offset", "wage_deduction", "wage_deduction_cap", "adult_child_age")
    assert all(found["3703"][name] != found["4403"][name] for name in names)


def test_no_shandong_standard_after_2024_is_called_published() -> None:
    rows = load_pack(pack_folder("3703")).rows["standard"]
    assert {row.sure for row in rows if row.start > date(2024, 12, 31)} == {"example"}
    assert all(row.end is not None for row in rows if row.sure != "example")


def test_r42_the_basic_pension_ends_with_2025_for_the_allowance_and_not_for_the_destitute() -> None:
    pack = load_pack(pack_folder("4403"))

    def excluded(programme: str, on: date) -> bool:
        return "resident_basic_pension" in resolve(pack, programme, "440304", "urban", on).lists["income_excluded"]

    days = (date(2025, 12, 31), date(2026, 1, 1))
    assert [excluded("subsistence_allowance", day) for day in days] == [True, False]
    assert [excluded("destitute_support", day) for day in days] == [True, True]


def test_a_programme_file_is_short_or_takes_over() -> None:
    """Tests are written out once; the others take them over by name."""
    for path in (SHIPPED / "national" / "programmes").glob("*.yaml"):
        told = yaml.safe_load(Path(path).read_text("utf-8"))
        assert len(told.get("tests", {})) <= 3 or path.stem == "subsistence_allowance", path.stem


def test_the_figures_for_referral_are_those_that_every_household_has() -> None:
    kinds = sql_text("assess/figure_kinds.sql")
    assert all(f"('{figure}'," in kinds for figure in FORMED)


def test_r34_a_programme_for_referral_requires_nothing_that_was_not_asked(place: tuple[Pack, str]) -> None:
    pack, division = place
    for name in pack.programmes:
        policy = resolve(pack, name, division, "urban", ON)
        for other, unneeded in suitable(policy, lambda n: resolve(pack, n, division, "urban", ON)):
            required = {dataset for dataset, need in other.sources.items() if need == "required"}
            assert required <= set(policy.sources)
            assert set(unneeded) == {dataset for dataset in required if policy.sources[dataset] == "optional"}
            assert other.programme.authorisation.unit == policy.programme.authorisation.unit


def test_a_programme_whose_figures_are_formed_in_another_way_is_not_told() -> None:
    told = {}
    for pack_id, division in PLACES:
        pack = load_pack(pack_folder(pack_id))
        policy = resolve(pack, "rigid_expenditure", division, "urban", ON)
        told[pack_id] = [other.programme.name for other, _ in suitable(policy, partial(_resolved, pack, division))]
    # in 深圳 the twelve months of rigid expenditure do not answer the six of the allowance
    assert told == {"3703": ["subsistence_allowance", "subsistence_edge"], "4403": []}


def _resolved(pack: Pack, division: str, name: str) -> ResolvedPolicy:
    return resolve(pack, name, division, "urban", ON)


def test_days_between_two_changes_have_one_answer() -> None:
    """The tables are worked out once for all days of an era; each day gives what it gives alone."""
    pack = load_pack(pack_folder("3703"))
    days = [date(2024, 1, 1), date(2024, 12, 31), date(2025, 1, 1), date(2025, 12, 31), date(2026, 1, 1), ON]
    keys = [("subsistence_edge", "370303", "urban", day) for day in days]
    together = tables(pack, keys)
    for place, key in enumerate(keys):
        for name, alone in tables(pack, [key]).items():
            rows = [row for row in together[name].to_pylist() if row["policy_id"] == place]
            assert [{**row, "policy_id": 0} for row in rows] == alone.to_pylist()
