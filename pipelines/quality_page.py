"""The page in front of Great Expectations' own: what came in, what was set aside and why, what was expected."""

from __future__ import annotations

from pathlib import Path

import duckdb
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from expectations.contracts import table_name
from expectations.gx import PAGES
from expectations.native import Checked
from expectations.suite import Suite
from pipelines.batch import Batch, whole_file
from pipelines.summary import STATES, summarise

TEMPLATES = Path(__file__).parent / "templates"
STATES_ZH = {
    "covered": "已覆盖",
    "stale": "数据过期",
    "unanswered": "未答复",
    "unavailable": "未能核实",
    "not_authorised": "未授权",
    "not_queryable": "无法查询",
    "not_asked": "未查询",
}
VERDICTS_ZH = {"pass": "通过", "warn": "提示", "fail": "不通过"}


def write(con: duckdb.DuckDBPyConnection, batch: Batch, suites: list[Suite], checked: list[Checked]) -> Path:
    """Write ``quality/index.html`` and return its path."""
    page = batch.folder / "quality" / "index.html"
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    text = environment.get_template("quality.html").render(
        batch=batch,
        summary=summarise(con, batch),
        suites=[_suite_rows(suite, checked) for suite in suites],
        titles={suite.name.replace(".", "/"): suite for suite in suites},
        table_name=table_name,
        states=STATES,
        states_zh=STATES_ZH,
        verdicts_zh=VERDICTS_ZH,
        docs=PAGES.as_posix(),
    )
    with whole_file(page) as temporary:
        temporary.write_text(text, "utf-8")
    return page


def _suite_rows(suite: Suite, checked: list[Checked]) -> dict[str, object]:
    """A suite with the outcomes of its expectations, the broken ones first."""
    outcomes = {entry.name: entry for entry in checked if entry.suite == suite.name}
    pairs = [(expectation, outcomes[expectation.name]) for expectation in suite.expectations]
    pairs.sort(key=lambda pair: -pair[1].broken)
    return {
        "suite": suite,
        "rows": pairs[0][1].rows if pairs else 0,
        "passed": sum(outcome.verdict == "pass" for _, outcome in pairs),
        "pairs": pairs,
    }
