"""The page in front of Great Expectations' own: what came in, what was set aside and why, what was expected."""

from __future__ import annotations

from pathlib import Path

import duckdb
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from expectations.gx import PAGES
from expectations.native import Checked
from expectations.suite import Suite
from pipelines.batch import Batch, whole_file
from pipelines.summary import STATES, summarise
from pipelines.texts import text

TEMPLATES = Path(__file__).parent / "templates"


def write(con: duckdb.DuckDBPyConnection, batch: Batch, suites: list[Suite], checked: list[Checked]) -> Path:
    """Write ``quality/index.html`` and return its path."""
    page = batch.folder / "quality" / "index.html"
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    summary = summarise(con, batch)
    drawn = environment.get_template("quality.html").render(
        batch=batch,
        summary=summary,
        suites=[_suite_rows(suite, checked, page.parent) for suite in suites],
        titles={suite.name.replace(".", "/"): suite for suite in suites},
        states=[state for state in STATES if any(state in found for found in summary.coverage.values())],
        text=text,
        docs=PAGES.as_posix(),
    )
    with whole_file(page) as temporary:
        temporary.write_text(drawn, "utf-8")
    return page


def _suite_rows(suite: Suite, checked: list[Checked], folder: Path) -> dict[str, object]:
    """A suite with the outcomes of its expectations, the broken ones first."""
    outcomes = {entry.name: entry for entry in checked if entry.suite == suite.name}
    pairs = [(expectation, outcomes[expectation.name]) for expectation in suite.expectations]
    pages = sorted((folder / PAGES / "validations").glob(f"{suite.name.replace('.', '/')}/**/*.html"))
    pairs.sort(key=lambda pair: -pair[1].broken)
    return {
        "suite": suite,
        "rows": pairs[0][1].rows if pairs else 0,
        "passed": sum(outcome.verdict == "pass" for _, outcome in pairs),
        "pairs": pairs,
        "page": next((page.relative_to(folder).as_posix() for page in pages), None),
    }
