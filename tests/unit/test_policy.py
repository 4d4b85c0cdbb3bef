"""Policy packs: which value holds on which day and place, and what becomes a table."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.policy import (
    SCHEMAS,
    Pack,
    PolicyDateError,
    PolicyEndedError,
    PolicyError,
    PolicyMissingError,
    load_pack,
    pack_folder,
    resolve,
    tables,
)

EXAMPLE = Path(__file__).resolve().parents[1] / "packs" / "example"
ALLOWANCE, EDGE = "subsistence_allowance", "subsistence_edge"
ON = date(2026, 9, 15)
LAW = {"令1号": {"document": "令1号"}}


def value(raw: Any, start: str = "2020-01-01", **more: Any) -> dict[str, Any]:
    """A value line that is official."""
    return {"value": raw, "from": start, "sure": "official", "cites": ["令1号 第一条"], **more}


def write_pack(folder: Path, parameters: dict[str, list[dict[str, Any]]], **head: Any) -> Path:
    """A pack on top of the worked example's, in a folder of its own."""
    if not (folder / "example").exists():
        shutil.copytree(EXAMPLE, folder / "example")
    name = head.get("pack", "local")
    (folder / name / "parameters").mkdir(parents=True, exist_ok=True)
    titled = {"pack": name, "extends": "example", "division": "", "version": "1", "laws": LAW, **head}
    titled["title"] = {"zh": "地方", "en": "local"}
    (folder / name / "pack.yaml").write_text(yaml.safe_dump(titled, allow_unicode=True), "utf-8")
    listed = {key: {"values": lines} for key, lines in parameters.items()}
    document = {"last_checked_on": date(2026, 11, 23), "parameters": listed}
    (folder / name / "parameters" / "local.yaml").write_text(yaml.safe_dump(document, allow_unicode=True), "utf-8")
    return folder / name


def local(folder: Path, parameters: dict[str, list[dict[str, Any]]], **head: Any) -> Pack:
    return load_pack(write_pack(folder, parameters, **head))


@pytest.fixture(scope="module")
def zibo() -> Pack:
    return load_pack(pack_folder("3703"))


def income_limit(pack: Pack, division: str = "370303", kind: str = "urban", on: date = ON) -> int:
    return resolve(pack, ALLOWANCE, division, kind, on).tests["income"].limit_value


# --- R63: the limit in force on the application date, for the longest matching division and the kind of area


def test_r63_the_limit_is_that_of_the_application_date(zibo: Pack) -> None:
    days = [date(2023, 1, 1), date(2023, 12, 31), date(2024, 1, 1), date(2024, 12, 31), date(2025, 1, 1), ON]
    assert [income_limit(zibo, on=day) for day in days] == [92_400, 92_400, 98_900, 98_900, 103_500, 108_000]


def test_r63_urban_and_rural_limits_differ(zibo: Pack) -> None:
    assert income_limit(zibo, kind="urban", on=date(2024, 6, 1)) == 98_900
    assert income_limit(zibo, kind="rural", on=date(2024, 6, 1)) == 87_700


def test_r63_the_longest_division_code_wins(tmp_path: Path) -> None:
    pack = local(
        tmp_path,
        {
            "standard": [
                value("1100.00", divisions=["37"]),
                value("1200.00", divisions=["3703"]),
                value("1300.00", divisions=["370303"]),
            ]
        },
    )
    limits = {code: income_limit(pack, code) for code in ("370303", "370304", "370102", "440305")}
    assert limits == {"370303": 130_000, "370304": 120_000, "370102": 110_000, "440305": 100_000}


def test_r63_a_districts_rural_value_leaves_the_citys_urban_one(tmp_path: Path) -> None:
    lines = [value({"urban": "1114.00", "rural": "884.00"}), value({"rural": "1114.00"}, divisions=["370103"])]
    pack = local(tmp_path, {"standard": lines})
    assert income_limit(pack, "370103", "rural") == 111_400
    assert income_limit(pack, "370103", "urban") == 111_400
    assert income_limit(pack, "370112", "rural") == 88_400


def test_r63_before_a_district_had_its_own_value_the_citys_holds(tmp_path: Path) -> None:
    lines = [value("1000.00"), value("1200.00", "2026-01-01", divisions=["370303"])]
    pack = local(tmp_path, {"standard": lines})
    assert income_limit(pack, on=date(2025, 12, 31)) == 100_000
    assert income_limit(pack, on=date(2026, 1, 1)) == 120_000


@given(
    codes=st.sets(st.sampled_from(["3", "37", "370", "3703", "37030", "370303", "3704", "44"]), max_size=6),
    division=st.sampled_from(["370303", "370304", "370402", "440305"]),
)
@settings(max_examples=25, deadline=None)
def test_r63_longest_match_for_any_set_of_codes(
    tmp_path_factory: pytest.TempPathFactory, codes: set[str], division: str
) -> None:
    codes = {code for code in codes if len(code) > 1}
    lines = [value(f"{2000 + int(code)}.00", divisions=[code]) for code in sorted(codes)]
    pack = local(tmp_path_factory.mktemp("pack"), {"standard": lines})
    matching = sorted((code for code in codes if division.startswith(code)), key=len)
    expected = (2000 + int(matching[-1])) * 100 if matching else 100_000
    assert income_limit(pack, division) == expected


def test_a_local_pack_goes_before_its_baseline(tmp_path: Path) -> None:
    assert income_limit(local(tmp_path, {"standard": [value("1234.56")]})) == 123_456


def test_a_longer_code_of_the_baseline_goes_before_a_shorter_local_one(tmp_path: Path) -> None:
    write_pack(tmp_path, {"standard": [value("1300.00", divisions=["370303"])]}, pack="province")
    pack = local(tmp_path, {"standard": [value("1200.00", divisions=["3703"])]}, extends="province")
    assert (income_limit(pack, "370303"), income_limit(pack, "370304")) == (130_000, 120_000)


def test_a_code_matches_from_its_beginning_only(tmp_path: Path) -> None:
    assert income_limit(local(tmp_path, {"standard": [value("1300.00", divisions=["0303"])]})) == 100_000


def test_a_programmes_own_value_goes_before_the_kinds_own(tmp_path: Path) -> None:
    lines = [value("1100.00", programmes=[ALLOWANCE]), value({"urban": "1200.00"})]
    assert income_limit(local(tmp_path, {"standard": lines})) == 110_000


def test_a_programmes_own_value_goes_before_the_general_one(zibo: Pack) -> None:
    months = {name: resolve(zibo, name, "370303", "urban", ON).value("validity_months") for name in (ALLOWANCE, EDGE)}
    assert months == {ALLOWANCE: 12, EDGE: 6}


# --- dates


def test_before_the_first_value_is_an_error_that_names_it(zibo: Pack) -> None:
    with pytest.raises(PolicyDateError) as caught:
        resolve(zibo, ALLOWANCE, "370303", "urban", date(2022, 12, 31))
    assert (caught.value.parameter, caught.value.first) == ("standard", date(2023, 1, 1))


def test_without_an_end_a_value_stays_open(zibo: Pack, tmp_path: Path) -> None:
    assert income_limit(zibo, on=date(2027, 4, 30)) == 108_000
    assert income_limit(load_pack(EXAMPLE), on=date(2099, 12, 31)) == 100_000


def test_after_a_stated_end_is_an_error_that_names_it(zibo: Pack) -> None:
    with pytest.raises(PolicyEndedError) as caught:
        resolve(zibo, ALLOWANCE, "370303", "urban", date(2027, 5, 1))
    assert (caught.value.parameter, caught.value.ended) == ("adult_child_age", date(2027, 4, 30))


def test_an_ended_local_value_does_not_fall_back_to_the_baseline(tmp_path: Path) -> None:
    pack = local(tmp_path, {"standard": [value("1200.00", to="2026-06-30")]})
    assert income_limit(pack, on=date(2026, 6, 30)) == 120_000
    with pytest.raises(PolicyEndedError):
        income_limit(pack, on=date(2026, 7, 1))


def test_a_gap_between_two_values_is_an_error(tmp_path: Path) -> None:
    pack = local(tmp_path, {"standard": [value("1.00", to="2025-12-31"), value("2.00", "2026-02-01")]})
    with pytest.raises(PolicyEndedError):
        income_limit(pack, on=date(2026, 1, 15))


def test_the_error_names_the_last_end_before_the_day(tmp_path: Path) -> None:
    lines = [
        value("1.00", to="2024-12-31"),
        value("2.00", "2025-01-01", to="2025-12-31"),
        value("3.00", "2027-01-01"),
    ]
    with pytest.raises(PolicyEndedError) as caught:
        income_limit(local(tmp_path, {"standard": lines}))
    assert caught.value.ended == date(2025, 12, 31)


def test_another_city_is_not_served(zibo: Pack) -> None:
    for division, kind in (("370102", "urban"), ("370303", "suburban")):
        with pytest.raises(PolicyMissingError):
            resolve(zibo, ALLOWANCE, division, kind, ON)
    with pytest.raises(PolicyMissingError):
        resolve(zibo, "moon_landing", "370303", "urban", ON)


def test_the_baseline_alone_has_no_standard() -> None:
    with pytest.raises(PolicyMissingError):
        resolve(load_pack(pack_folder("national")), ALLOWANCE, "370303", "urban", ON)


@given(st.integers(0, 4 * 366))
@settings(deadline=None)
def test_every_day_of_four_years_has_one_standard(offset: int) -> None:
    pack = load_pack(pack_folder("3703"))
    day = date(2023, 1, 1) + timedelta(days=offset)
    by_year = {2023: 92_400, 2024: 98_900, 2025: 103_500, 2026: 108_000, 2027: 108_000}
    assert income_limit(pack, on=day) == by_year[day.year]


# --- R62, R44, R42


def test_r62_the_operator_is_the_packs(tmp_path: Path, zibo: Pack) -> None:
    found = {row["test"]: row["op"] for row in lines_of(zibo, "policy_tests")}
    counts = dict.fromkeys(("homes", "vehicles", "businesses"), "<=")
    assert found == {"income": "<", "financial_assets": "<=", **counts}
    changed = local(tmp_path, {"income_operator": [value("<=")], "asset_operator": [value("<")]})
    found = {row["test"]: row["op"] for row in lines_of(changed, "policy_tests")}
    assert (found["income"], found["financial_assets"]) == ("<=", "<")


def test_r44_rate_and_cap_of_the_employment_cost(tmp_path: Path, zibo: Pack) -> None:
    row = lines_of(zibo, "policy")[0]
    assert (row["wage_deduction_bp"], row["wage_deduction_cap_fen"]) == (1000, None)
    changed = local(tmp_path, {"wage_deduction": [value("12.5")], "wage_deduction_cap": [value("870.00")]})
    row = lines_of(changed, "policy")[0]
    assert (row["wage_deduction_bp"], row["wage_deduction_cap_fen"]) == (1250, 87_000)


def test_r42_each_excluded_income_has_its_article(zibo: Pack) -> None:
    cites = {row["kind"]: row["cites"] for row in lines_of(zibo, "policy_income_excluded")}
    article = "《最低生活保障审核确认办法》(民发〔2021〕57号)第十三条第三款"
    items = {"bravery": "第一项", "family": "第一项", "scholarship": "第一项", "veteran": "第一项"}
    items |= {"social": "第二项", "assistance": "第二项"}
    elsewhere = {"resident_basic_pension", "disability_living_allowance", "disability_nursing_allowance"}
    allowances = "《关于全面建立困难残疾人生活补贴和重度残疾人护理补贴制度的意见》(国发〔2015〕52号)"
    assert {kind: cites[kind] for kind in elsewhere} == {
        "resident_basic_pension": "示例 example",
        "disability_living_allowance": allowances,
        "disability_nursing_allowance": allowances,
    }
    others = {kind: cited for kind, cited in cites.items() if kind not in elsewhere}
    assert len(others) > 5
    assert others == {kind: article + items[kind.partition("_")[0]] for kind in others}


def test_r42_an_exclusion_ends_on_its_day() -> None:
    pack = load_pack(EXAMPLE)
    for on, held in ((date(2025, 12, 31), True), (date(2026, 1, 1), False)):
        kinds = {row["kind"] for row in lines_of(pack, "policy_income_excluded", on)}
        assert ("resident_basic_pension" in kinds) is held
    ended = resolve(pack, ALLOWANCE, "370303", "urban", ON).ended
    assert [(row.item, row.end) for row in ended] == [("resident_basic_pension", date(2025, 12, 31))]


def test_r42_a_locality_may_switch_an_exclusion_off(tmp_path: Path) -> None:
    for off in (False, "none"):
        pack = local(tmp_path, {"income_excluded": [value(off, item="scholarship")]})
        assert "scholarship" not in {row["kind"] for row in lines_of(pack, "policy_income_excluded")}


def test_r23_statuses_that_leave_the_household(tmp_path: Path, zibo: Pack) -> None:
    found = {row["kind"]: (row["min_years"], row["counted"]) for row in lines_of(zibo, "policy_statuses")}
    expected = {
        "clergy": (3, False),
        "compulsory_treatment": (0, False),
        "missing": (0, False),
        "prison": (0, False),
    }
    assert found == expected
    pack = local(tmp_path, {"excluded_status": [value(0, item="conscript"), value("none", item="prison")]})
    found = {row["kind"]: (row["min_years"], row["counted"]) for row in lines_of(pack, "policy_statuses")}
    assert (found["conscript"], found["prison"]) == ((0, False), (0, True))


# --- tables


def lines_of(pack: Pack, table: str, on: date = ON) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = tables(pack, [(ALLOWANCE, "370303", "urban", on)])[table].to_pylist()
    return rows


def test_tables_have_their_schema_and_are_keyed_by_place_in_the_list(zibo: Pack) -> None:
    keys = [(ALLOWANCE, "370303", "urban", ON), (EDGE, "370322", "rural", date(2024, 5, 1))]
    found = tables(zibo, keys)
    assert {name: table.schema for name, table in found.items()} == SCHEMAS
    policy = found["policy"].to_pylist()
    assert [row["policy_id"] for row in policy] == [0, 1]
    assert [row["programme_zh"] for row in policy] == ["最低生活保障", "最低生活保障边缘家庭"]
    assert {row["digest"] for row in policy} == {zibo.digest}
    incomes = [row for row in found["policy_tests"].to_pylist() if row["test"] == "income"]
    assert [(row["policy_id"], row["limit_value"], row["formula"]) for row in incomes] == [
        (0, 108_000, "1080.00"),
        (1, 131_550, "min(1.5 × 877.00, 1820.00) = 1315.50"),
    ]
    assert set(found["policy_tolerances"].column("policy_id").to_pylist()) == {0, 1}


def test_no_keys_give_empty_tables(zibo: Pack) -> None:
    assert {name: table.num_rows for name, table in tables(zibo, []).items()} == dict.fromkeys(SCHEMAS, 0)


def test_every_declared_item_has_its_tolerance(zibo: Pack) -> None:
    found = {row["item"]: row["tolerance"] for row in lines_of(zibo, "policy_tolerances")}
    money = dict.fromkeys(
        ("income.wage", "income.business", "income.property", "income.transfer", "financial_assets"), 50_000
    )
    assert found == {**money, "homes": 0, "vehicles": 0, "businesses": 0}


def test_r34_sources_are_the_programmes(tmp_path: Path, zibo: Pack) -> None:
    found = {row["dataset"]: row["requirement"] for row in lines_of(zibo, "policy_sources")}
    required = {name for name, need in found.items() if need == "required"}
    assert {
        "market_regulation/business_registration",
        "taxation/individual_income",
        "banks/deposits",
        "securities/holdings",
    } <= required
    assert {"banks/account_interest", "banks/wallets"} <= set(found) - required
    asked = len(found)
    folder = write_pack(tmp_path, {})
    (folder / "programmes").mkdir()
    text = "sources: {banks/wallets: required, securities/holdings: not_asked}"
    (folder / "programmes" / f"{ALLOWANCE}.yaml").write_text(text, "utf-8")
    found = {row["dataset"]: row["requirement"] for row in lines_of(load_pack(folder), "policy_sources")}
    assert found["banks/wallets"] == "required"
    assert "securities/holdings" not in found
    assert len(found) == asked - 1


def test_r53_vehicles_for_the_disabled_are_exempt(zibo: Pack) -> None:
    assert [row["use_character"] for row in lines_of(zibo, "policy_vehicle_exempt")] == ["disabled"]


def test_a_test_without_a_limit_here_is_left_out(tmp_path: Path, zibo: Pack) -> None:
    assert resolve(zibo, ALLOWANCE, "370303", "urban", ON).tests["businesses"].limit_value == 1
    pack = local(tmp_path, {"business_limit": [value("none")]})
    assert resolve(pack, ALLOWANCE, "370303", "urban", ON).skipped == ("businesses",)


def test_a_law_is_not_cited_before_it_was_in_force(zibo: Pack) -> None:
    cites = {on: resolve(zibo, ALLOWANCE, "370303", "urban", on).tests["income"].cites for on in (date(2024, 6, 1), ON)}
    assert cites[date(2024, 6, 1)] == ("《社会救助暂行办法》(国务院令第649号)第九条", "淄民〔2024〕10号")
    assert cites[ON] == ("《中华人民共和国社会救助法》第十八条",)


# --- limits worked out


def test_the_edge_standard_is_capped_by_the_minimum_wage_of_the_county(tmp_path: Path, zibo: Pack) -> None:
    def edge(pack: Pack, division: str) -> int:
        return resolve(pack, EDGE, division, "urban", ON).tests["income"].limit_value

    assert edge(zibo, "370322") == 162_000
    folder = tmp_path / "capped"
    shutil.copytree(pack_folder("3703"), folder / "3703")
    file = folder / "3703" / "parameters" / "standards.yaml"
    file.write_text(file.read_text("utf-8").replace('"2020.00"', '"1600.00"'), "utf-8")
    capped = load_pack(folder / "3703")
    assert (edge(capped, "370322"), edge(capped, "370303")) == (160_000, 162_000)


def test_a_multiple_that_leaves_a_remainder_needs_its_rounding(tmp_path: Path) -> None:
    odd = {"standard": [value("1000.01")]}
    with pytest.raises(PolicyError, match="rounding"):
        resolve(local(tmp_path, odd), EDGE, "370303", "urban", ON)
    rounded = {**odd, "edge_standard": [edge_line("edge_multiple * standard", rounding="half_up_yuan")]}
    pack = local(tmp_path, rounded)
    assert resolve(pack, EDGE, "370303", "urban", ON).tests["income"].limit_value == 150_000


def edge_line(formula: str, **more: Any) -> dict[str, Any]:
    line = value(None, **more)
    del line["value"]
    return {**line, "formula": formula}


def test_a_percentage_in_a_formula_is_a_share(tmp_path: Path) -> None:
    pack = local(tmp_path, {"edge_standard": [edge_line("standard + wage_deduction * standard")]})
    resolved = resolve(pack, EDGE, "370303", "urban", ON).tests["income"]
    assert (resolved.limit_value, resolved.limit.working) == (110_000, "1000.00 + 10 % × 1000.00 = 1100.00")


def test_formulas_that_lead_back_to_themselves_are_refused(tmp_path: Path) -> None:
    pack = local(tmp_path, {"edge_standard": [edge_line("2 * edge_standard")]})
    with pytest.raises(PolicyError, match="back to itself"):
        resolve(pack, EDGE, "370303", "urban", ON)


def test_a_formula_must_give_the_unit_of_its_parameter(tmp_path: Path) -> None:
    pack = local(tmp_path, {"edge_standard": [edge_line("edge_multiple * asset_months")]})
    with pytest.raises(PolicyError, match="does not give yuan"):
        resolve(pack, EDGE, "370303", "urban", ON)


# --- the digest


def test_the_digest_is_of_the_content(tmp_path: Path) -> None:
    lines = [value("1.00", to="2025-12-31"), value("2.00", "2026-01-01")]
    first = local(tmp_path / "a", {"standard": lines, "asset_months": [value(30)]})
    second = local(tmp_path / "b", {"asset_months": [value(30)], "standard": lines[::-1]})
    assert first.digest == second.digest
    third = local(tmp_path / "c", {"standard": lines, "asset_months": [value(31)]})
    assert third.digest != first.digest
    assert len(first.digest) == 64


def test_the_digest_covers_what_a_pack_extends(tmp_path: Path) -> None:
    first = local(tmp_path, {})
    file = tmp_path / "example" / "parameters" / "values.yaml"
    file.write_text(file.read_text("utf-8").replace('"1000.00"', '"1001.00"'), "utf-8")
    assert load_pack(first.folder).digest != first.digest
