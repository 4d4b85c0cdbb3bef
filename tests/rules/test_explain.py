"""R65: every figure opens to its arithmetic, down to the rows, and works out again to what the report says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipelines.explain import UnknownFigureError, names, recomputed, tree
from tests.assessed import stories
from tests.issuing import issue_new

Json = dict[str, Any]


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Json]:
    """A report of every golden household that has members to count."""
    made = issue_new(tmp_path_factory.mktemp("golden"), list(stories()))
    return {request: json.loads(text) for request, text in made.items()}


def test_r65_every_figure_of_every_golden_report_works_out_to_the_reported_number(reports: dict[str, Json]) -> None:
    wrong = []
    for request, document in reports.items():
        for name in names(document):
            for node in tree(document, name).walk():
                if node.row:
                    continue
                said = node.result if node.unit == "answer" else (node.low, node.high)
                if recomputed(node) != said:
                    wrong.append((request, name, node.key, said, recomputed(node)))
    assert wrong == []
    assert len(reports) > 60


def test_r65_the_top_of_every_tree_is_the_number_of_the_report(reports: dict[str, Json]) -> None:
    for document in reports.values():
        reported = dict(_reported(document))
        for name in names(document):
            top = tree(document, name)
            value = top.result if top.unit == "answer" else {"low": top.low, "high": top.high}
            assert value == reported.pop(name), (document["request_id"], name)
        assert reported == {}


def _reported(document: Json) -> Any:
    income, assets = document["income"], document["assets"]
    yield "income", income["total_fen"]
    yield "income.per_capita", income["per_capita_monthly_fen"]
    for category, value in income["categories_fen"].items():
        yield f"income.{category}", value
    for name, key in (("financial_assets", "financial_fen"), ("homes", "homes"), ("vehicles", "vehicles")):
        yield name, assets[key]
    if assets["businesses"] is not None:
        yield "businesses", assets["businesses"]
    heads = sum(member["counted"] for member in document["members"])
    yield "counted", {"low": heads, "high": heads}
    for test in document["tests"]:
        yield f"test.{test['test']}", test["result"]
        yield f"limit.{test['test']}", {"low": test["limit"], "high": test["limit"]}
    for line in document["declaration"]:
        yield f"declared.{line['item']}", line["result"]
    for programme in document["suitable"]:
        for test in programme["tests"]:
            yield f"suitable.{programme['programme']['id']}.{test['test']}", test["result"]
    for part in ("limits", "declaration"):
        yield f"conclusion.{part}", document["conclusion"][part]
    for number, line in enumerate(income["deductions"], 1):
        yield f"deduction.{number}", line["amount_fen"]
    for item in income["items"]:
        yield f"item.income.{item['no']}", item["counted_fen"]
    for item in document["expenses"]:
        yield f"item.expense.{item['no']}", item["deducted_fen"]
    for item in assets["items"]:
        yield f"item.asset.{item['no']}", item["counted"]


def test_r65_the_tree_of_a_figure_reaches_every_row_of_its_items(reports: dict[str, Json]) -> None:
    for document in reports.values():
        income = document["income"]["items"] + document["expenses"]
        for name, items in (("income", income), ("financial_assets", document["assets"]["items"])):
            own = [i for i in items if name == "income" or i["figure"] == name]
            expected = sorted((f["extract"], f["row"], f["row_digest"]) for i in own for f in i["facts"])
            rows = [dict(node.row) for node in tree(document, name).walk() if node.row]
            assert sorted((r["extract"], r["row"], r["row_digest"]) for r in rows) == expected
            datasets = {source["dataset"] for source in document["sources"]}
            assert {row["dataset"] for row in rows} <= datasets


def test_r65_every_item_and_test_names_its_rule_and_every_limit_its_article(reports: dict[str, Json]) -> None:
    for document in reports.values():
        for name in names(document):
            for node in tree(document, name).walk():
                if node.key.startswith(("item.", "test.", "deduction.", "source.")):
                    assert node.rule, node.key
                if "limit_value." in node.key:
                    assert node.cites, node.key


def test_r06_a_missing_source_stands_in_the_tree_as_what_leaves_the_figure_open(reports: dict[str, Json]) -> None:
    (document,) = [d for r, d in reports.items() if "r36-" in r and _open(d)]
    missing = [n for n in tree(document, "test.financial_assets").walk() if n.how == "missing"]
    assert [(n.key, n.low, n.high, n.rule) for n in missing] == [("source.securities/holdings", 0, None, "R6")]


def _open(document: Json) -> bool:
    return document["assets"]["financial_fen"]["high"] is None


def test_an_unknown_figure_is_told_with_those_that_there_are(reports: dict[str, Json]) -> None:
    document = next(iter(reports.values()))
    with pytest.raises(UnknownFigureError, match=r"income\.per_capita.*conclusion\.limits"):
        tree(document, "wealth")


def test_the_tree_as_json_says_what_the_tree_says(reports: dict[str, Json]) -> None:
    document = next(d for d in reports.values() if d["income"]["deductions"])
    told = json.loads(json.dumps(tree(document, "income.per_capita").document(), ensure_ascii=False))
    assert (told["low"], told["high"]) == tuple(
        document["income"]["per_capita_monthly_fen"][b] for b in ("low", "high")
    )
    assert [factor["value"] for factor in told["factors"]] == [_heads(document), document["window"]["months"]]
    assert any(child.get("subtracted") for child in told["children"][0]["children"])


def _heads(document: Json) -> int:
    return sum(member["counted"] for member in document["members"])
