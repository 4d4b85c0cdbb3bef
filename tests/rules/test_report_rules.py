"""R65, R66, R67, R71: what a report leads to, that it is the same every time, what it never says, whom it is about."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from connectors.contract import load_contracts
from pipelines import documents, render, report, signing, texts
from pipelines.settings import Limits
from pipelines.store import Store
from pipelines.warehouse import SQL
from tests.assessed import (
    DATA_KEY,
    PROTECTED,
    SHOWN,
    STORIES,
    PlainOpener,
    id_number,
    request_of,
    stories,
    write,
)
from tests.issuing import all_issued, contents, issue, issue_new, issued

# What a decision says, in either language; 不是审核确认决定 and 证据 are how a report says that it is none.
DECISION = re.compile(
    r"批准|核准|予以保障|给予救助|准予|拒绝|驳回|不予(?!列示)|停发|停止(?!牌)|取消|减发|降低保障|终止救助|退出保障|资格"
    r"|\b(approv|refus|reject|den(y|ied|ial)|stop|terminat|revok|eligib|ineligib|disqualif|grant(ed|s)?\b|reduc)",
    re.IGNORECASE,
)

UNPROTECTED = "r48_title_and_filing_of_one_unit_are_one_home"


def test_r65_every_item_leads_to_extract_row_digest_and_rule() -> None:
    for found in issued().values():
        extracts = {extract["id"]: extract for source in found["sources"] for extract in source["extracts"]}
        items = found["income"]["items"] + found["assets"]["items"]
        for item in items:
            assert item["facts"], item
            assert re.fullmatch(r"R\d+[a-z]?", item["rule"])
        for holder in items + found["conclusion"]["review"]:
            for fact in holder["facts"]:
                assert fact["extract"] in extracts
                assert fact["row"] >= 1
                assert re.fullmatch("[0-9a-f]{32}", fact["row_digest"])
        for identifier, extract in extracts.items():
            assert extract["digest"].partition(":")[2].startswith(identifier)


def test_r65_figures_are_the_sums_of_their_items() -> None:
    for found in issued().values():
        for bound in ("low", "high"):
            for category, figure in found["income"]["categories_fen"].items():
                own = [i["counted_fen"][bound] for i in found["income"]["items"] if i["category"] == category]
                if figure[bound] is not None:
                    assert figure[bound] == max(sum(own), 0)
            for name, key in (("financial_assets", "financial_fen"), ("homes", "homes"), ("vehicles", "vehicles")):
                own = [i["counted"][bound] for i in found["assets"]["items"] if i["figure"] == name]
                if found["assets"][key][bound] is not None:
                    assert found["assets"][key][bound] == sum(own)


def test_r65_every_decisive_fact_leads_to_its_item(tmp_path: Path) -> None:
    twelve_months = "r62_income_exactly_at_a_limit_with_less_than_is_exceeded"
    made = [json.loads(text) for text in issue_new(tmp_path, [twelve_months]).values()] + list(issued().values())
    kinds = set()
    for found in made:
        items = {"income": found["income"]["items"], "asset": found["assets"]["items"]}
        for decisive in found["decisive"]:
            if decisive["kind"] == "fact":
                own = [i for i in items[decisive["item_kind"]] if i["no"] == decisive["item"]]
                assert [i["member"] for i in own] == [decisive["member"]]
                assert own[0].get("dataset", decisive["dataset"]) == decisive["dataset"]
                kinds.add(decisive["item_kind"])
    assert kinds == {"income", "asset"}


def test_r65_every_result_names_its_limit_and_its_ground() -> None:
    for found in issued().values():
        assert found["tests"]
        for test in found["tests"]:
            assert test["cites"]
            low, high, limit = test["value"]["low"], test["value"]["high"], test["limit"]
            fits = (lambda v: v < limit) if test["op"] == "<" else (lambda v: v <= limit)  # noqa: B023
            expected = "satisfied" if high is not None and fits(high) else "undetermined" if fits(low) else "exceeded"
            assert test["result"] == expected


def test_r66_same_inputs_same_bytes_in_any_order_and_number_of_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = all_issued()
    monkeypatch.setattr(documents, "SHARD", 3)
    monkeypatch.setattr(documents.shards, "__defaults__", (3,))
    backwards = issue_new(tmp_path / "a", STORIES[::-1], Limits(threads=1, memory="400MB"))
    assert backwards == expected


def test_r66_nothing_depends_on_the_clock_or_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = write(tmp_path / "batches", STORIES[:2])
    made = []
    for day, name in ((1, "early"), (28, "late")):
        from datetime import UTC, datetime

        store = Store.open(f"sqlite:///{tmp_path}/{name}.sqlite", lambda day=day: datetime(2031, 1, day, tzinfo=UTC))
        issue(batch, store)
        made.append(contents(batch))
    assert made[0] == made[1]


def test_r67_no_text_template_or_schema_says_what_a_decision_says() -> None:
    package = resources.files("pipelines")
    said = {"schema": json.dumps(signing.schema(), ensure_ascii=False)}
    pages = ("templates/report.html.j2", "templates/report.css", "templates/difference.html.j2")
    for name in (*pages, "render.py", "difference_page.py", "versions.py", "commands/why_text.py"):
        said[name] = package.joinpath(name).read_text("utf-8")
    for file in (SQL / "report").glob("*.sql"):
        said[file.name] = file.read_text("utf-8")
    for kind, codes in texts.texts().items():
        if kind not in ("failure", "gate", "quarantine"):  # these are about sources and rows, and never in a report
            said |= {f"{kind}.{code}": f"{words.zh} {words.en}" for code, words in codes.items()}
    assert {name: DECISION.findall(text) for name, text in said.items() if DECISION.search(text)} == {}


def test_r67_no_report_and_no_page_says_what_a_decision_says() -> None:
    for found in issued().values():
        for kept in (json.dumps(found, ensure_ascii=False), render.html(found)):
            assert DECISION.search(kept) is None, DECISION.search(kept)
        assert "不是审核确认决定" in render.html(found)


@pytest.mark.parametrize("words", ["不予批准", "拒绝", "停发低保金", "取消资格", "approve", "is refused", "stopped"])
def test_r67_would_be_noticed(words: str) -> None:
    assert DECISION.search(words)


def _texts(node: Any) -> set[str]:
    if isinstance(node, dict):
        return set().union(*(_texts(child) for child in node.values())) if node else set()
    if isinstance(node, list):
        return set().union(*(_texts(child) for child in node)) if node else set()
    return {node} if isinstance(node, str) else set()


def test_r71_report_holds_data_of_its_own_household_only() -> None:
    found = issued()
    household = {request_of(story): list(stories()).index(story) for story in STORIES}
    for request, document in found.items():
        text = json.dumps(document, ensure_ascii=False)
        for other in found.keys() - {request}:
            assert other not in text
            assert found[other]["report_id"] not in text
            assert found[other]["digest"] not in text
            assert not [no for no in (1, 2, 3) if id_number(household[other], no) in text]
            own = {item["display"] for item in document["assets"]["items"]}
            assert not {i["display"] for i in found[other]["assets"]["items"]} & own - {None}
        numbers = {member["id_number"] for member in document["members"]} - {None}
        assert numbers <= {id_number(household[request], no) for no in range(1, 6)}


def test_r71_protected_addresses_are_masked_and_their_evidence_stays(tmp_path: Path) -> None:
    words = "地址保密 address protected"
    street = SHOWN["dwelling"].partition("{}")[0]
    masked = issued()[request_of(PROTECTED)]
    homes = [item for item in masked["assets"]["items"] if item["class"] == "dwelling"]
    assert homes
    assert {item["display"] for item in homes} == {words}
    assert all(item["facts"] and item["figure"] == "homes" for item in homes)
    page = render.html(masked)
    assert words in page
    assert street not in json.dumps(masked, ensure_ascii=False) + page
    (other,) = issue_new(tmp_path, [UNPROTECTED]).values()
    assert street in other.decode()
    assert words not in other.decode() + render.html(json.loads(other))


def test_r71_a_protected_address_is_not_even_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def assets(self: PlainOpener, classes: pa.Array, sealed: pa.Array) -> pa.Array:
        opened.extend(classes.to_pylist())
        return sealed.cast(pa.string())

    monkeypatch.setattr(PlainOpener, "assets", assets)
    issue_new(tmp_path, [PROTECTED])
    assert "dwelling" not in opened


def test_r71_no_token_leaves_with_a_report(tmp_path: Path) -> None:
    uuid = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
    assert not [text for document in issued().values() for text in _texts(document) if uuid.search(text)]


def test_r71_members_and_items_belong_together(tmp_path: Path) -> None:
    batch = write(tmp_path / "batches", STORIES[:4])
    issue(batch, Store.open(f"sqlite:///{tmp_path}/store.sqlite"))
    for document in report.documents(batch, DATA_KEY):
        found = json.loads(document.content)
        members = {member["member"] for member in found["members"]}
        named = [line["member"] for line in found["withheld"]]
        named += [member for line in found["coverage"] for member in line["members"]]
        named += [item["member"] for item in found["income"]["items"] + found["assets"]["items"]]
        assert set(named) <= members


def test_r68_no_protected_trait_reaches_the_calculation() -> None:
    trait = re.compile(r"sex|gender|ethnic|religio|native_place|birth_place|民族|性别|宗教信仰|籍贯", re.IGNORECASE)
    kept = {
        f"{dataset}.{column.name}"
        for dataset, contract in load_contracts().items()
        for column in contract.columns
        if column.sensitivity != "drop" and trait.search(f"{column.name} {column.note}")
    }
    assert kept == set()
    assert [file.name for file in sorted(SQL.rglob("*.sql")) if trait.search(file.read_text("utf-8"))] == []
