"""The shipped packs: their own tests, and what check and explain say of them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pipelines.policy import Pack, load_pack, pack_folder
from pipelines.policy.cases import Case, differences, read_cases
from pipelines.policy.check import check
from pipelines.policy.explain import explain
from pipelines.policy.load import SHIPPED
from tests.unit.test_policy import ALLOWANCE, EDGE, ON, edge_line, local, value

TODAY = date(2026, 11, 23)
FOLDERS = [*sorted(path.parent for path in SHIPPED.glob("*/pack.yaml"))]
FOLDERS += sorted(path.parent for path in (Path(__file__).resolve().parents[1] / "packs").glob("*/pack.yaml"))
CASES = [(folder, name, case) for folder in FOLDERS for name, case in read_cases(folder)]


@pytest.mark.parametrize(("folder", "name", "case"), CASES, ids=[f"{name}: {case.name}" for _, name, case in CASES])
def test_pack_case(folder: Path, name: str, case: Case) -> None:
    assert differences(load_pack(folder), case) == []


def test_a_wrong_expectation_is_found() -> None:
    pack = load_pack(pack_folder("3703"))
    case = next(case for name, case in read_cases(pack.folder) if name.endswith("standards.yaml"))
    wrong = case.model_copy(update={"expected": case.expected.model_copy(update={"limits": {"income": "<= 989.00"}})})
    assert differences(pack, wrong) == ["income: < 989.00, expected <= 989.00"]
    refused = case.model_copy(update={"expected": case.expected.model_copy(update={"refused": "standard"})})
    assert differences(pack, refused) == ["standard has a value"]
    early = case.model_copy(update={"date": date(2022, 12, 31)})
    assert differences(pack, early) == ["refused standard, before the first value"]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_no_shipped_pack_has_an_error(folder: Path) -> None:
    # what is published of 济南 ends with 2024, when nobody knew of rigid expenditure
    findings = check(load_pack(folder), date(2024, 6, 1) if folder.name == "3701" else TODAY)
    errors = [finding.where for finding in findings if finding.level == "error"]
    assert [where for where in errors if folder.name != "3701" or not where.startswith("rigid_expenditure")] == []


def found(pack: Pack, level: str, on: date = TODAY) -> list[str]:
    return [f"{finding.where} {finding.en}" for finding in check(pack, on) if finding.level == level]


def test_check_says_what_ends() -> None:
    warnings = found(load_pack(pack_folder("3703")), "warning")
    assert [text for text in warnings if " end" in text] == [
        "3703/parameters/household.yaml: adult_child_age will end on 2027-04-30, with no value after",
        "3703/parameters/procedure.yaml: objection_days will end on 2027-04-30, with no value after",
        "3703/parameters/standards.yaml: edge_standard will end on 2027-10-31, with no value after",
    ]
    national = found(load_pack(pack_folder("national")), "warning")
    assert [text for text in national if "resident_basic_pension ended on 2025-12-31" in text]


def test_check_says_what_is_stale() -> None:
    pack = load_pack(pack_folder("3703"))
    assert not any("last checked" in text for text in found(pack, "warning", date(2027, 11, 23)))
    stale = [text for text in found(pack, "warning", date(2027, 11, 24)) if "last checked on 2026-11-23" in text]
    assert any("standards.yaml: standard " in text for text in stale)


def test_check_names_every_example_in_force() -> None:
    notes = found(load_pack(pack_folder("3703")), "note")
    assert any("standards.yaml: standard an example" in text for text in notes)
    assert not any("edge_multiple" in text for text in notes)


def test_check_finds_gaps_and_unknown_names(tmp_path: Path) -> None:
    lines = [value("1.00", to="2025-12-31"), value("2.00", "2026-02-01", divisions=["370399"])]
    pack = local(tmp_path, {"standard": [*lines, value("3.00", "2026-03-01")], "minimum_wage": [value("9.00")]})
    programmes = pack.folder / "programmes"
    programmes.mkdir()
    (programmes / f"{EDGE}.yaml").write_text("sources: {moon/rocks: required}", "utf-8")
    pack = load_pack(pack.folder)
    warnings = " ".join(found(pack, "warning"))
    assert "no value in between: 2025-12-31 – 2026-03-01" in warnings
    assert "division 370399 is not in the current table" in warnings
    assert "minimum_wage nothing reads it" in warnings
    assert "no contract for moon/rocks yet: every report will say" in warnings


def test_check_tries_every_place_and_the_packs_own_cases(tmp_path: Path) -> None:
    pack = local(tmp_path, {"standard": [value("1.00", to="2026-01-31")], "edge_standard": [edge_line("2 * standard")]})
    (pack.folder / "tests").mkdir()
    text = (
        "cases:\n- name: 标准\n  date: 2026-01-01\n"
        f"  input: {{programme: {ALLOWANCE}, division: '370303', area_kind: urban}}\n"
        "  expected: {limits: {income: '< 2.00'}}\n"
    )
    (pack.folder / "tests" / "a.yaml").write_text(text, "utf-8")
    errors = found(pack, "error")
    assert any("standard has no value on 2026-11-23" in error for error in errors)
    assert "local/tests/a.yaml: 标准 not as expected: income: < 1.00, expected < 2.00" in errors


def test_explain_gives_every_limit_with_its_working_and_ground() -> None:
    page = explain(load_pack(pack_folder("3703")), EDGE, "370303", "urban", ON)
    for part in (
        "# 最低生活保障边缘家庭 · subsistence edge family",
        "张店区 370303, 城镇 urban",
        "**低于 below 1620.00** 元/人·月 yuan per head and month",
        "min(1.5 × 1080.00, 2400.00) = 1620.00",
        "《山东省最低生活保障边缘家庭认定办法》",
        "24 × 1080.00 = 25920.00",
        "values rest on examples: not for real use.",
        "经营主体数",
        "| 优待抚恤金 benefits for veterans",
        "| banks/wallets | 可查 optional |",
    ):
        assert part in page


def test_explain_states_what_has_ended() -> None:
    page = explain(load_pack(pack_folder("3703").parents[2] / "tests/packs/example"), ALLOWANCE, "370303", "urban", ON)
    assert "2021-07-01 – 2025-12-31 **已终止 ended**" in page
