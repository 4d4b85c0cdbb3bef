"""A story as ``story`` writes it, read back into a world, so that what once differed can be told again."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal
from typing import Any

import yaml

from tests.reference.generate import COVERED, World
from tests.reference.packs import feeds
from tests.reference.story import COUNTS, LABELS, NAMES
from tests.reference.told import Answer, Expense, Fact, Holding, Household, Income, Limit, Link, Member, Policy, Status

OUTSIDE = 100  # so that nobody of another household of the world becomes a member
UNTOLD: dict[str, Any] = {"co_holders": (), "suspended": False, "contested": False}
KINDS: dict[str, type[Fact]] = {
    "income": Income,
    "holding": Holding,
    "status": Status,
    "link": Link,
    "expense": Expense,
}


def retell(text: str) -> tuple[World, list[Policy]]:
    """The world of one story, and its policy."""
    told = yaml.safe_load(text)[0]
    policy = read_policy(told["policy"])
    members = [read_member(NAMES.index(letter) + 1, given) for letter, given in told["members"].items()]
    household = Household(str(told["id"]), told["reference"], policy, members, {}, {})
    household.declared = {
        item: value if item in COUNTS else fen(value) for item, value in told.get("declared", {}).items()
    }
    household.answers = read_answers(told, household)
    household.ended = {NAMES.index(letter) + 1: "withdrawn" for letter in told.get("authorisation_ended", [])}
    household.elsewhere = {number(letter): "elsewhere" for letter in told.get("also_in_another_request", [])}
    facts = {kind: [read_fact(of, given) for given in told.get(kind, [])] for kind, of in KINDS.items()}
    household.income, household.holdings = facts["income"], facts["holding"]  # type: ignore[assignment]
    household.expenses = facts["expense"]  # type: ignore[assignment]
    household.doubted = {int(no): why for no, why in told.get("doubted_rows", {}).items()}
    household.gates = frozenset(told.get("failed_gates", []))
    household.statuses, household.links = facts["status"], facts["link"]  # type: ignore[assignment]
    return World([household], [0]), [policy]


def read_policy(given: dict[str, Any]) -> Policy:
    """A policy; the figures that datasets feed are as their contracts say."""
    sets = {name: frozenset(given[name]) for name in ("student_stages", "income_excluded")}
    sets["expenses"] = {kind: tuple(value) for kind, value in given["expenses"].items()}
    tests = tuple(Limit(**test) for test in given["tests"])
    return Policy(**given | sets | {"tests": tests, "feeds": feeds()})


def read_member(place: int, given: dict[str, Any]) -> Member:
    """A member under the number of its letter."""
    return Member(
        number=place, person=None if given.get("number") is False else place, name=place, relation=given["relation"],
        role=given["role"], birth=given["born"], married=given.get("married"), student_stage=given.get("student"),
        full_time=given["full_time"], capacity=given.get("capacity", True),
        supports=(given.get("own_household"), given.get("supports")),
        statuses=tuple((kind, start, end) for kind, start, end in given.get("statuses", [])),
    )  # fmt: skip


def read_answers(told: dict[str, Any], household: Household) -> dict[tuple[int, str], Answer]:
    """Every source covered, but what the story says otherwise."""
    answers = {
        (m.number, dataset): COVERED if m.person is not None else Answer("not_queryable")
        for m in household.members
        for dataset in household.policy.sources
    }
    for gap in told.get("not_covered", []):
        answers[NAMES.index(gap["who"]) + 1, gap["source"]] = Answer(gap["state"])
    for bad in told.get("quarantined", []):
        answers[NAMES.index(bad["who"]) + 1, bad["source"]] = Answer("covered", 1)
    return answers


def read_fact(of: type[Fact], given: dict[str, Any]) -> Fact:
    """A fact of one kind, in fen, of numbers."""
    words = {theirs: ours for ours, theirs in LABELS.items()}
    row = {words.get(label, label): value for label, value in given.items()}
    row |= {"no": row.pop("row"), "person": number(row.pop("who")), "dataset": row.pop("source")}
    row["name"] = None if "name" not in row else NAMES.index(row["name"]) + 1 if row["name"] in NAMES else 77
    for label, field in (("yuan", "amount" if of in (Income, Expense) else "value"), ("sold_for", "proceeds")):
        if label in row:
            row[field] = fen(row.pop(label))
    if "with" in row:
        row["co_holders"] = tuple(number(holder) for holder in row.pop("with"))
    if "other" in row:
        row["other"] = number(row["other"])
    untold = {field.name: UNTOLD.get(field.name) for field in fields(of) if field.name not in row}
    return of(**row | untold)


def number(word: str) -> int:
    """The number of a letter or of an outsider."""
    return NAMES.index(word) + 1 if word in NAMES else OUTSIDE + int(word.removeprefix("outsider "))


def fen(yuan: object) -> int:
    """Yuan as written, in fen."""
    return int(Decimal(str(yuan)).scaleb(2))
