"""The page of a report: money, masking, escaping, what stands on it, and that it needs nothing from outside."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import texts
from pipelines.render import BAR_WIDTH, Bar, html, interval, last_day, masked, share, yuan
from tests.assessed import NAMES, STORIES, request_of
from tests.issuing import issued


@pytest.fixture(scope="module")
def documents() -> dict[str, dict[str, Any]]:
    return issued()


@pytest.fixture(scope="module")
def pages(documents: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {request: html(document) for request, document in documents.items()}


class Tags(HTMLParser):
    """Collects tags, attributes and text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "br", "rect", "line", "path"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(page: str) -> Tags:
    reader = Tags()
    reader.feed(page)
    return reader


@given(st.integers(-(10**15), 10**15))
def test_yuan_is_the_same_number(fen: int) -> None:
    written = yuan(fen)
    assert re.fullmatch(r"-?\d{1,3}(,\d{3})*\.\d\d", written)
    assert int(written.replace(",", "").replace(".", "")) == fen


def test_intervals_in_words() -> None:
    assert interval({"low": 100, "high": 100}) == "1.00 元"
    assert interval({"low": 0, "high": 123_456_700}) == "0.00 至 1,234,567.00 元"
    assert interval({"low": 100, "high": None}).startswith("至少 1.00 元")
    assert interval({"low": 1, "high": 2}, "count", "套") == "1 至 2 套"
    assert interval(None) == interval({"low": None, "high": None}) == "—"


def test_masked_hides_the_middle_of_any_number() -> None:
    assert masked("38031019800101001X") == "3803**********001X"
    assert masked("E1234567") == "********"
    assert masked(None) == "尚无"
    assert share(10_000) == "100%"
    assert last_day("2026-03-01") == "2026-02-28"


@given(st.integers(0, 10**12), st.one_of(st.none(), st.integers(0, 10**12)), st.integers(0, 10**12))
def test_bar_keeps_limit_and_interval_in_view_and_in_order(low: int, more: int | None, limit: int) -> None:
    high = None if more is None else low + more
    bar = Bar.of({"value": {"low": low, "high": high}, "limit": limit, "unit": "fen"})
    assert 0 <= bar.sure <= bar.open_to <= BAR_WIDTH
    assert 0 <= bar.limit < BAR_WIDTH
    assert bar.unbounded == (high is None)
    if limit > low:
        assert bar.limit >= bar.sure


def test_page_is_well_formed_and_needs_nothing_from_outside(pages: dict[str, str]) -> None:
    for page in pages.values():
        reader = read(page)
        assert reader.open == []
        assert not {"script", "link", "img", "iframe", "form"} & {tag for tag, _ in reader.tags}
        for _, attributes in reader.tags:
            assert not {"src", "href", "onclick", "onload", "style"} & set(attributes)
        assert "http" not in page.replace("http-equiv", "")
        assert "@import" not in page
        assert "url(#" in page or "url(" not in page


def test_names_are_escaped(pages: dict[str, str]) -> None:
    page = pages[request_of(STORIES[0])]
    assert "<b>" not in page
    assert NAMES[1] in read(page).text


def test_id_numbers_are_masked_everywhere(documents: dict[str, dict[str, Any]], pages: dict[str, str]) -> None:
    for request, page in pages.items():
        numbers = [m["id_number"] for m in documents[request]["members"] if m["id_number"]]
        assert numbers
        assert not [number for number in numbers if number in page]
        assert all(masked(number) in page for number in numbers)


def test_conclusion_comes_first_then_what_could_not_be_checked(pages: dict[str, str]) -> None:
    for page in pages.values():
        titles = [re.sub("<.*", "", title) for title in re.findall(r"<h2>(.*?)</h2>", page)]
        assert [title.strip() for title in titles] == [
            "一、结论", "二、未能核实的内容", "三、与标准比较", "四、申报比对", "五、收入", "六、财产", "七、核对人员",
            "八、数据来源", "九、如何提出异议",
        ]  # fmt: skip


def test_page_tells_all_that_the_report_says(documents: dict[str, dict[str, Any]], pages: dict[str, str]) -> None:
    for request, document in documents.items():
        text = read(pages[request]).text
        told = [reason["zh"] for reason in document["conclusion"]["review"]]
        told += [texts.text("limits", document["conclusion"]["limits"]).zh, document["report_id"], document["digest"]]
        told += [test["title"]["zh"] for test in document["tests"]] + [document["objection"]["until"]]
        told += [yuan(item["amount_fen"]) for item in document["income"]["items"]]
        told += [item["display"] for item in document["assets"]["items"] if item["display"]]
        told += [notice["zh"] for notice in document["notices"]]
        for item in document["income"]["items"] + document["assets"]["items"]:
            told += [fact["row_digest"] for fact in item["facts"]]
        assert not [words for words in told if words not in text]


def test_sources_that_did_not_answer_are_listed_with_their_members(pages: dict[str, str]) -> None:
    text = read(pages[request_of(STORIES[0])]).text
    part = text.split("二、未能核实的内容")[1].split("三、与标准比较")[0]
    assert all(words in part for words in ("证券", *NAMES[:3], "未能核实", "必需"))
    newborn = read(pages[request_of(STORIES[4])]).text
    assert "不能查询" in newborn.split("二、未能核实的内容")[1].split("三、与标准比较")[0]


def test_same_report_gives_the_same_page(documents: dict[str, dict[str, Any]], pages: dict[str, str]) -> None:
    assert {request: html(document) for request, document in documents.items()} == pages


def test_every_text_is_in_both_languages() -> None:
    for kind, codes in texts.texts().items():
        for code, words in codes.items():
            assert words.zh, (kind, code)
            assert words.en or kind == "item_unit", (kind, code)
            assert not re.search(r"[\u4e00-\u9fff][,;:()]", words.zh), (kind, code)


def test_r65_every_test_and_declared_item_folds_out_to_its_rows(
    documents: dict[str, dict[str, Any]], pages: dict[str, str]
) -> None:
    for request, document in documents.items():
        trees = pages[request].split('<details class="tree">')[1:]
        tests = document["tests"] + [test for programme in document["suitable"] for test in programme["tests"]]
        assert len(trees) == len(tests) + len(document["declaration"]) + bool(document["income"]["items"])
        told = read("".join(f"<details>{tree}" for tree in trees).partition("</main>")[0]).text
        for test in tests:
            assert not test["formula"] or test["formula"] in told
        counted = [i for i in document["income"]["items"] + document["assets"]["items"] if i.get("figure", "income")]
        rows = [fact["row_digest"] for item in counted for fact in item["facts"]]
        assert not [row for row in rows if row not in told]


def test_what_several_sources_say_alike_is_told_once(documents: dict[str, dict[str, Any]]) -> None:
    """Sixteen sources that were not authorised are one line for a clerk; each is named in it."""
    document = next(d for d in documents.values() if d["conclusion"]["review"])
    first = document["conclusion"]["review"][0] | {"facts": [], "item": None, "member": 1}
    alike = [first | {"dataset": source["dataset"]} for source in document["sources"]]
    page = html(document | {"conclusion": document["conclusion"] | {"review": alike}})
    reasons = page[page.index('<ol class="reasons">') : page.index("</ol>", page.index('<ol class="reasons">'))]
    assert reasons.count("<li>") == 1
    assert all(source["title"]["zh"] in reasons for source in document["sources"])
