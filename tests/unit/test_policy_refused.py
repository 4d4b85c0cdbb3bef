"""A pack that is wrong is refused by file and field, with a reason that its author understands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.policy import PolicyError, load_pack
from tests.unit.test_policy import edge_line, local, value, write_pack


@pytest.mark.parametrize(
    ("parameter", "line", "field", "reason"),
    [
        ("standard", value(1080.00), "value", "in quotes"),
        ("standard", value(1080), "value", "text in quotes"),
        ("standard", value("1,080.00"), "value", "1080.00"),
        ("standard", value("1080.001"), "value", "two decimals"),
        ("standard", value("-1.00"), "value", "1080.00"),
        ("standard", value({"suburban": "1.00"}), "value", "urban, rural"),
        ("window_months", value("12"), "value", "whole number"),
        ("window_months", value(-1), "value", "whole number"),
        ("window_months", value(True), "value", "whole number"),
        ("loss_offset", value("no"), "value", "true or false"),
        ("income_operator", value(">"), "value", "<, <="),
        ("bonus_rule", value("whenever"), "value", "period, paid"),
        ("wage_deduction", value("10 %"), "value", "'10'"),
        ("edge_multiple", value("a half more"), "value", "'1.5'"),
        ("student_stages", value(["kindergarten"]), "value", "undergraduate"),
        ("student_stages", value("undergraduate"), "value", "list"),
        ("standard", value("1.00", "2026-01-02", to="2026-01-01"), "to", "ends before"),
        ("standard", value("1.00", item="a"), "item", "no items"),
        ("income_excluded", value(True), "item", "scholarship"),
        ("income_excluded", value(True, item="lottery"), "item", "scholarship"),
        ("standard", value("1.00", programmes=["moon"]), "programmes", "not a programme"),
        ("standard", value("1.00", cites=["火星法 第一条"]), "cites", "no such law"),
        ("standard", value("1.00", cites=[]), "cites", "without a citation"),
        ("standard", value("1.00", sure="example", cites=[]), "note", "says why"),
        ("edge_standard", edge_line("edge_multiple * standrad"), "formula", "standrad is not a parameter"),
        ("edge_standard", edge_line("edge_multiple *"), "formula", "not a formula"),
        ("edge_standard", edge_line("standard", rounding="somehow"), "rounding", "half_up_yuan"),
        ("edge_standard", {**edge_line("standard"), "value": "1.00"}, "value", "one of them"),
    ],
)
def test_a_wrong_line(tmp_path: Path, parameter: str, line: dict[str, Any], field: str, reason: str) -> None:
    with pytest.raises(PolicyError) as caught:
        local(tmp_path, {parameter: [line]})
    assert caught.value.file == "local/parameters/local.yaml"
    assert caught.value.field == f"parameters.{parameter}.values.0.{field}"
    assert reason in caught.value.reason


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (value("1.00", colour="red"), "colour"),
        (value("1.00", sure="certainly"), "sure"),
        (value("1.00", "yesterday"), "from"),
        (value("1.00", divisions=["Zibo"]), "divisions"),
    ],
)
def test_a_line_that_does_not_fit_the_model(tmp_path: Path, line: dict[str, Any], field: str) -> None:
    with pytest.raises(PolicyError) as caught:
        local(tmp_path, {"standard": [line]})
    assert caught.value.field.endswith(f"values.0.{field}")


def test_overlapping_values_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="overlaps the value from 2020-01-01"):
        local(tmp_path, {"standard": [value("1.00"), value("2.00", "2026-01-01")]})
    same_day = [value("1.00", to="2026-01-01"), value("2.00", "2026-01-01")]
    with pytest.raises(PolicyError, match="overlaps"):
        local(tmp_path, {"standard": same_day})
    local(tmp_path, {"standard": [value({"urban": "1.00"}), value({"rural": "2.00"})]})


def test_a_division_outside_the_pack_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="lies outside"):
        local(tmp_path, {"standard": [value("1.00", divisions=["370102"])]}, division="3703")


def test_an_unknown_parameter_needs_title_and_unit(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="title and a unit"):
        local(tmp_path, {"standrad": [value("1.00")]})


def test_a_parameter_keeps_its_unit(tmp_path: Path) -> None:
    folder = write_pack(tmp_path, {})
    text = "last_checked_on: 2026-11-23\nparameters: {standard: {unit: months}}"
    (folder / "parameters" / "other.yaml").write_text(text, "utf-8")
    with pytest.raises(PolicyError, match=r"is yuan in national/parameters/standards\.yaml"):
        load_pack(folder)


def test_a_key_written_twice_is_refused(tmp_path: Path) -> None:
    folder = write_pack(tmp_path, {})
    text = "last_checked_on: 2026-11-23\nlast_checked_on: 2026-11-24\nparameters: {}"
    (folder / "parameters" / "twice.yaml").write_text(text, "utf-8")
    with pytest.raises(PolicyError) as caught:
        load_pack(folder)
    assert (caught.value.file, caught.value.field) == ("local/parameters/twice.yaml", "line 2")


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("tests: {income: {figure: income}}", "tests.income.title"),
        ("sources: {banks/deposits: perhaps}", "sources.banks/deposits"),
        ("cites: [火星法 第一条]", "cites"),
        ("colour: red", "colour"),
        ("like: moon", "like"),
        ("check_only: true", "check_only"),
        ("authorisation: {of: [supporters]}", "authorisation.of"),
        ("authorisation: {of: [members, applicant]}", "authorisation.of"),
        ("authorisation: {of: [members], cites: [火星法 第一条]}", "authorisation.cites"),
        ("sure: example", "note"),
    ],
)
def test_a_wrong_programme(tmp_path: Path, text: str, field: str) -> None:
    folder = write_pack(tmp_path, {})
    (folder / "programmes").mkdir()
    (folder / "programmes" / "subsistence_edge.yaml").write_text(text, "utf-8")
    with pytest.raises(PolicyError) as caught:
        load_pack(folder)
    assert (caught.value.file, caught.value.field) == ("local/programmes/subsistence_edge.yaml", field)


def test_a_new_programme_needs_a_title(tmp_path: Path) -> None:
    folder = write_pack(tmp_path, {})
    (folder / "programmes").mkdir()
    (folder / "programmes" / "moon.yaml").write_text("sources: {}", "utf-8")
    with pytest.raises(PolicyError, match="needs a title"):
        load_pack(folder)


def test_a_new_programme_says_who_must_authorise_and_whether_it_has_tests(tmp_path: Path) -> None:
    folder = write_pack(tmp_path, {})
    (folder / "programmes").mkdir()
    file = folder / "programmes" / "moon.yaml"
    file.write_text("title: {zh: 月, en: moon}\ncheck_only: true", "utf-8")
    with pytest.raises(PolicyError, match="who must authorise"):
        load_pack(folder)
    file.write_text("title: {zh: 月, en: moon}\nauthorisation: {of: [members]}", "utf-8")
    with pytest.raises(PolicyError, match="has tests, or says"):
        load_pack(folder)


def test_programmes_that_take_over_from_each_other_are_refused(tmp_path: Path) -> None:
    folder = write_pack(tmp_path, {})
    (folder / "programmes").mkdir()
    for name, other in (("sun", "moon"), ("moon", "sun")):
        (folder / "programmes" / f"{name}.yaml").write_text(f"like: {other}", "utf-8")
    with pytest.raises(PolicyError, match="circle"):
        load_pack(folder)


def test_packs_in_a_circle_and_missing_packs_are_refused(tmp_path: Path) -> None:
    write_pack(tmp_path, {}, pack="a", extends="b")
    write_pack(tmp_path, {}, pack="b", extends="a")
    with pytest.raises(PolicyError, match="circle"):
        load_pack(tmp_path / "a")
    write_pack(tmp_path, {}, pack="c", extends="nowhere")
    with pytest.raises(PolicyError, match="no such file"):
        load_pack(tmp_path / "c")


def test_errors_carry_no_machine_path(tmp_path: Path) -> None:
    with pytest.raises(PolicyError) as caught:
        load_pack(tmp_path / "nothing")
    assert str(tmp_path) not in str(caught.value)
