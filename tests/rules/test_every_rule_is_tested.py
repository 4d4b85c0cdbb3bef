"""Every rule R1–R73 of the verification rules is named by at least one test, or by a golden household's rules."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

TESTS = Path(__file__).parent.parent
RULES = {f"R{number}" for number in range(1, 74)} | {"R19a", "R46a"}


def _named() -> set[str]:
    named = set()
    for file in TESTS.rglob("test_*.py"):
        for name in re.findall(r"def (test_\w+)", file.read_text("utf-8")):
            named |= {f"R{int(number)}{letter}" for number, letter in re.findall(r"_r(\d{1,2})(a?)(?=_)", name)}
    for file in (Path(__file__).parent / "golden").glob("*.yaml"):
        for story in yaml.safe_load(file.read_text("utf-8")):
            named |= set(story["rules"])
    return named


def test_every_rule_is_named_by_a_test() -> None:
    assert sorted(RULES - _named(), key=lambda rule: int(re.sub(r"\D", "", rule))) == []


def test_every_golden_household_names_rules_that_exist_and_its_own_first() -> None:
    for file in (Path(__file__).parent / "golden").glob("*.yaml"):
        for story in yaml.safe_load(file.read_text("utf-8")):
            assert set(story["rules"]) <= RULES, story["id"]
            assert story["name"], story["id"]
