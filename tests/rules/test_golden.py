"""Golden households: every story of tests/rules/golden/*.yaml, assessed and compared line by line."""

from __future__ import annotations

import yaml

from tests.rules.household import Household, Story
from tests.rules.together import GOLDEN, household, stories

COUNTS = ("homes", "vehicles", "businesses")


def _test(name: str, story: Story):
    def test() -> None:
        found = household(name)
        told = story["expect"]
        assert {line: FOUND[line](found, expected) for line, expected in told.items()} == told

    test.__doc__ = story["name"]
    return test


# one test a story, named by its id: pytest -k r36
for _name, _story in stories().items():
    globals()[f"test_{_name}"] = _test(_name, _story)


def test_no_two_stories_have_one_name() -> None:
    told = [story["id"] for path in GOLDEN.glob("*.yaml") for story in yaml.safe_load(path.read_text("utf-8"))]
    assert sorted(told) == sorted(set(told))


def _bound(figure: str, value: int | None) -> object:
    if value is None:
        return "unbounded"
    return value if figure in COUNTS else value / 100


def _figures(household: Household, expected: dict) -> dict:
    found = {figure: (low, high) for figure, low, high in household.rows("figures", "figure, low, high")}
    return {f: [_bound(f, found[f][0]), _bound(f, found[f][1])] for f in expected}


def _pairs(table: str, key: str, value: str):
    def look(household: Household, expected: dict) -> dict:
        found = dict(household.rows(table, f"{key}, {value}"))
        return {name: found.get(name) for name in expected}

    return look


def _one(table: str, column: str):
    return lambda household, expected: household.rows(table, column)[0][0]


def _decisive(household: Household, expected: dict) -> dict:
    found: dict[str, list] = {}
    for test, _, dataset in household.rows("decisive", "test, rank, dataset"):
        found.setdefault(test, []).append(dataset)
    return {test: found.get(test, []) for test in expected}


def _limits(household: Household, expected: dict) -> dict:
    found = {test: (limit, unit) for test, limit, unit in household.rows("tests", "test, limit_total, unit")}
    return {test: found[test][0] / 100 if found[test][1] == "fen" else found[test][0] for test in expected}


def _treatments(table: str, key: str):
    def look(household: Household, expected: dict) -> dict:
        found: dict[str, set] = {}
        for name, treatment in household.rows(table, f"{key}, treatment"):
            found.setdefault(name, set()).add(treatment)
        return {name: " ".join(sorted(found.get(name, {"absent"}))) for name in expected}

    return look


def _suitable(household: Household, expected: dict) -> dict:
    return dict(household.rows("suitable", "programme, limits"))


def _amounts(household: Household, expected: dict) -> dict:
    """Of the decisive ones of each test, in their order: the source and what it moves."""
    found: dict[str, list] = {test: [] for test in expected}
    for test, _, dataset, amount in household.rows("decisive", "test, rank, dataset, amount"):
        if test in found:
            found[test].append([dataset, _bound(test, amount)])
    return found


def _rules(table: str, key: str):
    def look(household: Household, _: object) -> dict:
        found: dict[str, set] = {}
        for name, rule in household.rows(table, f"{key}, rule"):
            found.setdefault(name, set()).add(rule)
        return {name: " ".join(sorted(rules)) for name, rules in found.items()}

    return look


FOUND = {
    "asset_rules": _rules("asset_items", "asset"),
    "income_rules": _rules("income_items", "payer"),
    "decisive_amounts": _amounts,
    "review_of": lambda household, _: [list(line) for line in household.rows("review", "code, member_no, dataset")],
    "bills": lambda household, _: {
        amount / 100: reason for amount, reason in household.rows("member_expenses", "amount_fen, reason")
    },
    "share_left": lambda household, _: [high for (high,) in household.rows("shares", "high")],
    "suitable_tests": lambda household, expected: {
        f"{programme}.{test}": result
        for programme, test, result in household.rows("suitable_tests", "programme, test, result")
        if f"{programme}.{test}" in expected
    },
    "suitable": _suitable,
    "counted": _one("households", "counted"),
    "window": lambda household, _: list(household.rows("households", "window_from, window_to")[0]),
    "figures": _figures,
    "tests": _pairs("tests", "test", "result"),
    "limit_totals": _limits,
    "limits": _one("conclusions", "limits"),
    "declaration": _one("conclusions", "declaration"),
    "declared_items": _pairs("declaration", "item", "result"),
    "material": _pairs("declaration", "item", "material"),
    "decisive": _decisive,
    "review": lambda household, _: sorted({code for (code,) in household.rows("review", "code")}),
    "members": _pairs("household_members", "member_no", "why"),
    "incomes": _treatments("income_items", "kind"),
    "assets": _treatments("asset_items", "asset"),
    "payers": lambda household, _: sorted(
        {payer for (payer,) in household.rows("income_items", "COALESCE(one_off, payer)")}
    ),
    "deductions": lambda household, _: [low / 100 for (low,) in household.rows("deductions", "low_fen")],
    "expenses": lambda household, _: [
        [kind, treatment, low / 100, high / 100]
        for kind, treatment, low, high in household.rows("expense_items", "kind, treatment, low_fen, high_fen")
    ],
    "net": lambda household, expected: {
        asset: [net / 100, owed / 100]
        for asset, net, owed in household.rows("asset_items", "asset, net_fen, mortgage_fen")
        if asset in expected
    },
    "rates": lambda household, expected: {
        asset: [rate, unit]
        for asset, rate, unit in household.rows("asset_items", "asset, rate, rate_unit")
        if asset in expected
    },
    "support": lambda household, _: [
        [low / 100, "unbounded" if high is None else high / 100]
        for low, high in household.rows("support_lines", "low_fen, high_fen")
    ],
    "withheld": lambda household, _: sorted(
        {dataset for (dataset,) in household.rows("withheld", "dataset", "items > 0")}
    ),
}
