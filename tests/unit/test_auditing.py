"""The auditors' site: built of records alone, the same each time, whole without a network, and no small count in it."""

from __future__ import annotations

import json
import re
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from pipelines import drift, ledger, objections
from pipelines.auditing import plots, rules, site
from pipelines.auditing.record import FOLDER
from pipelines.batch import Batch, write_json
from pipelines.commands.setting_up import init
from pipelines.settings import Workspace
from pipelines.store import ReportRow, Store

AT = datetime.fromisoformat("2026-10-20T09:00:00+08:00")
DEPOSITS, PENSIONS = "banks/deposits", "social_security/pensions"
COUNTS = ("households", "persons", "items", "rows", "broken", "rows_read", "rows_kept", "persons_asked", "new")
COUNTS += ("unchanged", "withdrawn", "asked", "waiting", "corrected", "confirmed", "taken_back")


def dataset(title: str, **told: Any) -> dict[str, Any]:
    words = {"zh": title, "en": title}
    return {
        "title": words, "provider": words, "freshness_days": 45, "max_quarantine_share": 0.05, "extracts": 1,
        "as_of": "2026-09-15", "age_days": 1, "rows_read": 3000, "rows_kept": 400, "rows_set_aside": 122,
        "unknown_areas": 0, "quarantine": [["person", "identifier_missing", 2], ["month", "missing", 120]],
        "failed": None, "gate": "pass",
        "coverage": {"covered": 225, "unanswered": 3, "not_authorised": 6, "not_queryable": 6},
    } | told  # fmt: skip


def record(day: int, **told: Any) -> dict[str, Any]:
    """What a night's batch of 100 households counted, with small cells everywhere."""
    failed = dataset("银行存款", failed="timed_out", gate=None, as_of=None, age_days=None, quarantine=[], rows_read=0,
                     rows_kept=0, rows_set_aside=0, coverage={"unavailable": 234, "not_queryable": 6})  # fmt: skip
    measure = {
        "dataset": PENSIONS,
        "measure": "median",
        "column": "amount_fen",
        "now": 190_000,
        "n": 400,
        "bound": None,
    }
    return {
        "batch": f"b{day}", "as_of": f"2026-09-{day:02}T02:00:00+08:00", "admitted_from": None,
        "datasets": {DEPOSITS: failed, PENSIONS: dataset("养老待遇发放", gate="warn" if day % 2 else "pass")},
        "expectations": [
            {"suite": "social_security.pensions", "name": "a", "rows": 400, "broken": 3, "verdict": "warn",
             "zh": "甲", "en": "a",
             "rule": "R61", "warn_above": 0.0, "fail_above": 0.05, "title_zh": "养老", "title_en": "pensions"},
            {"suite": "drift", "name": "amounts_steady", "rows": 1, "broken": 1, "verdict": "warn", "zh": "稳定",
             "en": "steady", "rule": None, "warn_above": 0.0, "fail_above": 1, "title_zh": "比较", "title_en": "drift"},
        ],
        "drift": [measure | {"before": 60_000, "n_before": 300, "broken": ["amounts_steady"], "verdict": "warn"},
                  {"dataset": PENSIONS, "measure": "found", "column": "", "now": 9955, "n": 225, "bound": None,
                   "before": 9900, "n_before": 200, "broken": [], "verdict": "pass"}],
        "reports": {"new": 96, "unchanged": 2, "withdrawn": 2},
        "programmes": {"subsistence_allowance": "最低生活保障"},
        "groups": [["370303", "urban", "subsistence_allowance", 60], ["370303", "rural", "subsistence_allowance", 33],
                   ["370304", "urban", "subsistence_allowance", 4], ["370305", "rural", "subsistence_allowance", 3]],
        "members": [["member", "R28", True, 236], ["dead", "R21", False, 4]],
        "tests": [["homes", "住房套数", "satisfied", 96], ["homes", "住房套数", "exceeded", 4]],
        "conclusions": [["over_limit", "matches", 4], ["within_limits", "matches", 90],
                        ["within_limits", "differs", 6]],
        "declaration": [["homes", "matches", 99], ["homes", "differs", 1]],
        "undetermined": [["source", DEPOSITS, 3]],
        "items": [["income", "counted", "R35", 700], ["income", "disputed", "R36", 2]],
        "review": [["annual_only", "R36", "370303", "urban", "subsistence_allowance", 12],
                   ["annual_only", "R36", "370304", "urban", "subsistence_allowance", 1]],
    } | told  # fmt: skip


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    init(tmp_path / "ws")
    ws = Workspace.open(tmp_path / "ws")
    for day in (1, 2, 3):
        write_json(ws.path(FOLDER) / f"b{day}.json", record(day))
        site.publish(ws, f"b{day}")
    return ws


def files(ws: Workspace, pattern: str) -> dict[str, str]:
    root = ws.path(site.SITE)
    return {str(file.relative_to(root)): file.read_text("utf-8") for file in sorted(root.rglob(pattern))}


def test_no_published_table_holds_a_small_count(ws: Workspace) -> None:
    site.build(ws, AT)
    seen = 0
    for file in ws.path(site.SITE).rglob("*.parquet"):
        for row in pyarrow.parquet.read_table(file).to_pylist():
            for name in row.keys() & set(COUNTS):
                assert row[name] is None or row[name] == 0 or row[name] >= 5, (file.name, row)
                assert (row[name] is None) == (name in row["hidden"].split()), (file.name, row)
                seen += 1
    assert seen > 100


def test_what_would_give_a_small_count_away_is_hidden_with_it(ws: Workspace) -> None:
    folder = site.batch_folder(ws, "b1") / site.DATA

    def hidden(table: str, *key: str) -> set[tuple[str, ...]]:
        rows = pyarrow.parquet.read_table(folder / f"{table}.parquet").to_pylist()
        return {tuple(str(row[name]) for name in key) for row in rows if row["hidden"]}

    assert hidden("set_aside", "dataset", "reason") == {(PENSIONS, "identifier_missing"), (PENSIONS, "missing")}
    assert hidden("coverage", "dataset", "state") == {(PENSIONS, "unanswered"), (PENSIONS, "covered")}
    assert hidden("batches", "hidden") == {("new unchanged withdrawn",)} or hidden("batches", "hidden") == {
        ("unchanged withdrawn",)
    }
    groups = {(axis, group) for axis, group in hidden("households", "axis", "group")}
    assert {("division", "370304"), ("division", "370305")} <= groups
    assert ("all", "all") not in groups
    # Of a division with fewer than five households not even a zero is told.
    assert ("R36", "division", "370305") in hidden("rule_records", "rule", "axis", "group")


def test_of_a_batch_of_few_households_no_outcome_is_told(ws: Workspace) -> None:
    few = record(
        4, groups=[["370303", "urban", "subsistence_allowance", 1]], conclusions=[["over_limit", "matches", 1]]
    )
    write_json(ws.path(FOLDER) / "b4.json", few)
    site.publish(ws, "b4")
    for name in ("conclusions", "tests", "declared", "undetermined", "evidence", "members", "rule_records"):
        assert not pyarrow.parquet.read_table(site.batch_folder(ws, "b4") / site.DATA / f"{name}.parquet").num_rows
    assert "不公布结果" in files(ws, "reports.html")["batches/b4/reports.html"]


def test_pages_lead_to_each_other_and_to_nothing_outside(ws: Workspace) -> None:
    site.build(ws, AT)
    root = ws.path(site.SITE)
    pages = files(ws, "*.html")
    assert {"index.html", "rules.html", "departments/banks.html", "batches/b2/reports.html"} <= pages.keys()
    for name, text in pages.items():
        assert not re.search(r"(src|href)=\"(https?:)?//", text), name
        for link in re.findall(r'href="([^"#]+)"', text):
            target = (root / name).parent / link
            assert target.exists() or "great_expectations" in link, (name, link)


def test_built_again_it_is_the_same(ws: Workspace) -> None:
    site.build(ws, AT)
    before = {file: file.read_bytes() for file in ws.path(site.SITE).rglob("*") if file.is_file()}
    for day in (1, 2, 3):
        site.publish(ws, f"b{day}")
    site.build(ws, AT)
    assert before == {file: file.read_bytes() for file in ws.path(site.SITE).rglob("*") if file.is_file()}


def test_a_department_is_seen_over_time(ws: Workspace) -> None:
    write_json(ws.batches / "late" / "batch.json", {"id": "late", "as_of": "2026-09-04T02:00:00+08:00", "epoch": 1,
                                                    "admitted_from": None})  # fmt: skip
    with closing(Store.open(ws.store_url)) as store:
        ledger.append(store, "approval", "b2", "gate/x", {"by": "wang", "answer": "rejected", "reason": "王某的报告"})
    site.build(ws, AT)
    pages = files(ws, "*.html")
    page = pages["departments/social_security.html"]
    assert page.count("<svg") >= 3
    assert "2026-09-01" in page
    assert "1,900 元" in page
    assert "没有取得" in pages["departments/banks.html"]
    assert "late" in pages["index.html"]
    assert "不同意" in pages["index.html"]
    assert not any("王某" in text or "wang" in text for text in pages.values())


def objection(store: Store, number: int, answer: str | None, dataset: str = PENSIONS) -> None:
    """An objection of a household of its own, opened on 1 September 2026."""
    request, report = f"R{number}", f"HD{number:016}"
    row = ReportRow(report, 1, request, "b1", "0", "part")
    store.put_reports([row])
    fact = {"extract": "e", "row_digest": f"d{number}"}
    document = {
        "income": {"items": [{"no": 1, "facts": [fact], "dataset": dataset, "rule": "R36", "reason": "annual_only"}]},
        "assets": {"items": []}, "conclusion": {"review": []}, "objection": {"days": 10, "unit": "working_days"},
        "sources": [],
    }  # fmt: skip
    at = datetime.fromisoformat("2026-09-01T09:00:00+08:00")
    opened = objections.open_objection(store, row, document, "income.1", "other", "370303-mzj", at)
    if answer:
        objections.answer(store, opened.objection_id, answer, "370303-bank", at.replace(day=8))


def test_r77_what_became_of_objections_is_told_by_rule_and_department(ws: Workspace) -> None:
    with closing(Store.open(ws.store_url)) as store:
        for number in range(20):
            objection(store, number, "corrected" if number < 8 else "confirmed" if number < 14 else None)
        corrections, answers = rules.answers(store, AT.date())
    (row,) = corrections.rows
    assert {name: row[name] for name in ("asked", "waiting", "corrected", "confirmed", "taken_back")} == {
        "asked": 20, "waiting": 6, "corrected": 8, "confirmed": 6, "taken_back": 0,
    }  # fmt: skip
    assert row["overdue"]  # ten working days from the first of September are over
    assert row["next_due"] == "2026-09-15"
    told = {(row["rule"], row["reason"], row["division"]): row["asked"] for row in answers.rows}
    assert told["R36", "annual_only", "all"] == 20


def test_few_objections_are_not_counted_but_a_late_department_is_told(ws: Workspace) -> None:
    with closing(Store.open(ws.store_url)) as store:
        for number in range(9):
            objection(store, number, "confirmed", PENSIONS if number < 8 else DEPOSITS)
        objection(store, 9, None, DEPOSITS)
        corrections, answers = rules.answers(store, AT.date())
    by = {row["dataset"]: row for row in corrections.rows}
    assert by[DEPOSITS]["asked"] is None
    assert by[DEPOSITS]["overdue"]
    assert not by[PENSIONS]["overdue"]
    # Eight here and ten in all would tell the two.
    assert by[PENSIONS]["asked"] is None or all(row["asked"] is None for row in answers.rows)


def test_a_plot_leaves_a_gap_where_nothing_is_published() -> None:
    points = [plots.Point(f"2026-09-0{day}", value) for day, value in ((1, 1.0), (2, None), (3, 3.0), (4, 4.0))]
    drawn = plots.line("<应答率>", "%", points, limit=5)
    assert drawn.count("<polyline") == 2
    assert drawn.count("<circle") == 3
    assert "&lt;应答率&gt;" in drawn
    assert plots.line("x", "", [plots.Point("2026-09-01", None)]) == ""


def test_a_record_survives_its_batch(ws: Workspace) -> None:
    assert not list(ws.batches.glob("b1"))
    assert json.loads((ws.path(FOLDER) / "b1.json").read_text("utf-8"))["batch"] == "b1"
    assert drift.read(Batch.create(ws.batches, "none", AT)) == []
