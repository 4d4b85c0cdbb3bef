"""What changes between two packs, and what issued reports would say under the other one."""

from __future__ import annotations

import copy
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.policy import Pack, load_pack, pack_folder, resolve
from pipelines.policy.diff import beyond_limits, changes, key_of, try_on
from pipelines.policy.explain import explain_html
from tests.rules.household import assess
from tests.unit.test_policy import ALLOWANCE, ON

Json = dict[str, Any]


def draft(folder: Path, file: str, parameter: str, line: int, **changed: Any) -> Pack:
    """The pack of 淄博 with one value otherwise."""
    shutil.copytree(pack_folder("3703"), folder / "3703", dirs_exist_ok=True)
    path = folder / "3703" / "parameters" / file
    document = yaml.safe_load(path.read_text("utf-8"))
    document["parameters"][parameter]["values"][line].update(changed)
    path.write_text(yaml.safe_dump(document, allow_unicode=True), "utf-8")
    return load_pack(folder / "3703")


@pytest.fixture(scope="module")
def zibo() -> Pack:
    return load_pack(pack_folder("3703"))


def report(story: Json) -> Json:
    """What ``try_on`` reads of a report, from an assessed story."""
    household = assess(story)
    tests = household.con.execute("SELECT test, figure, result, low, high FROM tests").fetchall()
    members = household.con.execute("SELECT member_no, counted FROM household_members").fetchall()
    (limits,) = household.con.execute("SELECT limits FROM conclusions").fetchone()
    lines = household.con.execute("SELECT dataset, member_no, state, quarantined_rows FROM member_coverage").fetchall()
    sources = household.con.execute("SELECT dataset, requirement FROM policy_sources").fetchall()
    return {
        "programme": {"id": ALLOWANCE}, "division": {"code": "370303"}, "area_kind": "urban",
        "application_date": "2026-09-15", "window": {"months": 12},
        "members": [{"member": no, "counted": counted} for no, counted in members],
        "tests": [{"test": t, "figure": f, "result": r, "value": {"low": a, "high": b}} for t, f, r, a, b in tests],
        "coverage": [{"dataset": d, "members": [m], "state": s, "quarantined": q} for d, m, s, q in lines],
        "sources": [{"dataset": d, "requirement": r} for d, r in sources],
        "conclusion": {"limits": limits},
    }  # fmt: skip


STORY = {
    "pack": "3703",
    "members": {"A": {}},
    "income": [
        {"who": "A", "category": "transfer", "kind": "pension_employee", "source": "social_security/pensions",
         "months": "2025-09..2026-08", "yuan": 1100},
    ],
}  # fmt: skip


def test_changes_name_the_value_its_place_and_its_first_day(zibo: Pack, tmp_path: Path) -> None:
    assert changes(zibo, zibo) == []
    new = draft(tmp_path, "standards.yaml", "standard", 3, value={"urban": "1180.00", "rural": "960.00"})
    (change,) = changes(zibo, new)
    assert (change.kind, change.where) == ("changed", "standard [3703 3703 urban] 2026-01-01")
    assert (change.before or "").startswith("1080.00")
    assert (change.after or "").startswith("1180.00")


def test_changes_name_sources_and_tests(zibo: Pack, tmp_path: Path) -> None:
    shutil.copytree(pack_folder("3703"), tmp_path / "3703")
    (tmp_path / "3703" / "programmes").mkdir()
    file = tmp_path / "3703" / "programmes" / f"{ALLOWANCE}.yaml"
    file.write_text("sources: {banks/wallets: required, securities/holdings: not_asked}", "utf-8")
    found = {change.where: (change.before, change.after) for change in changes(zibo, load_pack(tmp_path / "3703"))}
    assert found == {
        f"{ALLOWANCE}: banks/wallets": ("optional", "required"),
        f"{ALLOWANCE}: securities/holdings": ("required", "not_asked"),
    }


def test_a_raised_limit_is_tried_on_the_reports_own_figures(zibo: Pack, tmp_path: Path) -> None:
    new = draft(tmp_path, "standards.yaml", "standard", 3, value={"urban": "1180.00", "rural": "960.00"})
    document = report(STORY)
    assert document["conclusion"]["limits"] == "over_limit"
    key = key_of(document)
    assert beyond_limits(resolve(zibo, *key), resolve(new, *key)) == ()
    told = try_on(document, resolve(new, *key))
    assert (told.limits, told.tests) == ("within_limits", (("income", "exceeded", "satisfied"),))
    assert try_on(document, resolve(zibo, *key)).tests == ()


def test_r62_the_operator_is_tried_too(zibo: Pack, tmp_path: Path) -> None:
    document = report(STORY | {"income": [STORY["income"][0] | {"yuan": 1080}]})
    assert document["conclusion"]["limits"] == "over_limit"
    shutil.copytree(pack_folder("3703"), tmp_path / "3703")
    text = {"last_checked_on": date(2026, 11, 23), "parameters": {"income_operator": {"values": [
        {"value": "<=", "from": date(2026, 7, 1), "sure": "example", "note": "试 · a trial"}]}}}  # fmt: skip
    (tmp_path / "3703" / "parameters" / "trial.yaml").write_text(yaml.safe_dump(text, allow_unicode=True), "utf-8")
    assert try_on(document, resolve(load_pack(tmp_path / "3703"), *key_of(document))).limits == "within_limits"


def test_r06_a_raised_limit_does_not_close_what_a_missing_source_left_open(zibo: Pack, tmp_path: Path) -> None:
    new = draft(tmp_path, "standards.yaml", "standard", 3, value={"urban": "1180.00", "rural": "960.00"})
    document = report(STORY | {"not_covered": [{"source": "civil_affairs/death_funeral"}]})
    assert try_on(document, resolve(new, *key_of(document))).limits == "undetermined"
    answered = copy.deepcopy(document)
    for line in answered["coverage"]:
        line["state"] = "covered"
    assert try_on(answered, resolve(new, *key_of(document))).limits == "within_limits"


def test_a_change_of_the_window_or_a_deduction_is_more_than_a_limit(zibo: Pack, tmp_path: Path) -> None:
    key = (ALLOWANCE, "370303", "urban", ON)
    window = draft(tmp_path / "a", "income.yaml", "window_months", 0, value=6)
    assert beyond_limits(resolve(zibo, *key), resolve(window, *key)) == ("window_months",)
    rate = draft(tmp_path / "b", "income.yaml", "wage_deduction", 0, value="20")
    assert beyond_limits(resolve(zibo, *key), resolve(rate, *key)) == ("wage_deduction",)
    procedure = draft(tmp_path / "c", "procedure.yaml", "validity_months", 0, value=3)
    assert beyond_limits(resolve(zibo, *key), resolve(procedure, *key)) == ()


def test_the_page_of_a_programme_is_html_that_needs_nothing_else() -> None:
    page = explain_html(load_pack(pack_folder("4403")), "rigid_expenditure", "440304", "urban", ON)
    assert "<h1>刚性支出困难家庭 · family in hardship through rigid expenditure</h1>" in page
    assert "40 %" in page
    assert "10000 × (1 - 60 %) = 4000" in page
    assert "Who must authorise" in page
    assert "http" not in page
    assert "<script" not in page
    only = explain_html(load_pack(pack_folder("3703")), "orphans_children", "370303", "rural", ON)
    assert "本项目不设限额比较" in only
    assert "监护人" in only
    assert "<table>" in only


def test_texts_of_a_pack_are_escaped_on_the_page(tmp_path: Path) -> None:
    pack = draft(tmp_path, "income.yaml", "loss_offset", 0, note="<script>alert(1)</script> · x")
    page = explain_html(pack, ALLOWANCE, "370303", "urban", ON)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
