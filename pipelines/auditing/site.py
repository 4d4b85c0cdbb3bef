"""The site: a batch's pages from its record, and the pages over all batches from what was published of each.

``<workspace>/quality/index.html`` is its front; it needs no server and nothing from a network.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from connectors.contract import load_contracts
from expectations.docs import PAGES, result_page
from pipelines.auditing import downloads, outcomes, pages, published, rules
from pipelines.auditing.published import Row, Table
from pipelines.auditing.record import FOLDER, Record
from pipelines.batch import Batch, whole_file
from pipelines.settings import Workspace
from pipelines.store import Store

SITE = "quality"
STAGES = ("plan", "collect", "check_admitted", "assess", "check_assessed", "report")
DATA = "data"
MAKERS = (
    published.batches, published.deliveries, published.coverage, published.set_aside, published.expectations,
    outcomes.conclusions, outcomes.tests, outcomes.declared, outcomes.undetermined, outcomes.evidence,
    outcomes.members, published.drift, rules.groups, rules.raised,
)  # fmt: skip
_SHOWN = 60  # batches on a page; downloads have all
_OF_DATASETS = ("deliveries", "set_aside", "drift")
_OVER_TIME = ("batches", "deliveries", "coverage", "set_aside", "drift", "rule_records", "households")


def index(ws: Workspace) -> Path:
    """The site's front page."""
    return ws.path(SITE) / "index.html"


def batch_folder(ws: Workspace, batch_id: str) -> Path:
    """The folder of a batch's pages."""
    return ws.path(SITE) / "batches" / batch_id


def publish(ws: Workspace, batch_id: str) -> Path:
    """Write a batch's tables and pages from its record; returns its page."""
    record = _record(ws, batch_id)
    made = [make([record]) for make in MAKERS]
    folder = batch_folder(ws, batch_id)
    if not record["admitted_from"]:  # what reads another batch's extracts says nothing new of any department
        downloads.write(made, folder / DATA)
    context: dict[str, Any] = {
        "record": record,
        "tables": pages.by_name(made),
        "here": "index",
        "words": _words(ws, record),
    }
    docs_pages = {suite: result_page(folder / PAGES, suite) for suite in {e["suite"] for e in record["expectations"]}}
    context["docs"] = {suite: f"{PAGES}/{page}" for suite, page in docs_pages.items() if page}
    context["expected"] = {e["name"]: e["zh"] for e in record["expectations"] if e["suite"] == "drift"}
    context["titles"] = {entry["suite"]: entry["title_zh"] for entry in record["expectations"]}
    pages.draw(folder / "index.html", "batch.html", 2, **context)
    pages.draw(folder / "reports.html", "reports.html", 2, **context)
    return folder / "index.html"


def build(ws: Workspace, at: datetime) -> Path:
    """Write what is over all batches; returns the front page.

    Args:
        ws: the workspace, with what was published of each batch.
        at: the moment from which a department's days are counted.
    """
    root = ws.path(SITE)
    store = Store.open(ws.store_url)
    try:
        corrections, answers = rules.answers(store, at.date())
        approvals = rules.approvals(store)
    finally:
        store.close()
    everything = {name: downloads.read(sorted(root.glob(f"batches/*/{DATA}/{name}.parquet"))) for name in _OVER_TIME}
    rows = _newest(everything)
    with whole_file(root / "style.css") as file:
        file.write_bytes((pages.TEMPLATES / "style.css").read_bytes())
    context = {
        "rows": rows,
        "words": _words(ws, _record(ws, rows["batches"][-1]["batch"]) if rows["batches"] else None),
        "corrections": corrections,
        "answers": answers,
        "at": at,
        "approvals": approvals,
        "unfinished": _unfinished(ws, {row["batch"] for row in everything["batches"]}),
    }
    names = sorted({row["department"] for row in (*rows["deliveries"], *corrections.rows)})
    for name in names:
        page, own = root / "departments" / f"{name}.html", _of_department(rows, name)
        pages.draw(page, "department.html", 1, here="departments", name=name, own=own, **context)
    pages.draw(root / "departments" / "index.html", "departments.html", 1, here="departments", names=names, **context)
    pages.draw(root / "rules.html", "rules.html", 0, here="rules", **context)
    tables = [_whole(name, everything[name]) for name in _OVER_TIME if name != "drift"]
    downloads.write([*tables, corrections, answers], root / "downloads")
    listed = [*tables, corrections, answers]
    pages.draw(root / "downloads" / "index.html", "downloads.html", 1, here="downloads", tables=listed, **context)
    pages.draw(root / "index.html", "index.html", 0, here="index", names=names, **context)
    return root / "index.html"


def _newest(rows: dict[str, list[Row]]) -> dict[str, list[Row]]:
    """Of each table the newest batches, which pages show; of the measures, those that are drawn or that moved."""
    shown = {row["batch"] for row in rows["batches"][-_SHOWN:]}
    newest = {name: [row for row in of if row["batch"] in shown] for name, of in rows.items()}
    newest["drift"] = [row for row in newest["drift"] if row["measure"] == "found" or row["verdict"] != "pass"]
    return newest


def _of_department(rows: dict[str, list[Row]], department: str) -> dict[str, dict[str, list[Row]]]:
    """A department's rows: dataset → table → rows, in the order of batches."""
    found: dict[str, dict[str, list[Row]]] = {}
    for name in _OF_DATASETS:
        for row in rows[name]:
            if row["dataset"].startswith(f"{department}/"):
                found.setdefault(row["dataset"], {table: [] for table in _OF_DATASETS})[name].append(row)
    return dict(sorted(found.items()))


def _unfinished(ws: Workspace, known: set[str]) -> list[dict[str, str]]:
    """Batches of their own that have no page: under way, or stopped; with the last stage that they finished."""
    found = []
    for file in sorted(ws.batches.glob("*/batch.json")):
        batch = Batch.open(ws.batches, file.parent.name)
        if batch.id not in known and batch.admitted_from is None:
            done = [stage for stage in STAGES if batch.done(stage)]
            found.append({"batch": batch.id, "moment": batch.as_of.isoformat(), "stage": done[-1] if done else ""})
    return found


def _whole(name: str, rows: list[Row]) -> Table:
    """A table over all batches, with its title and columns."""
    empty = next(table for make in MAKERS if (table := make([])).name == name)
    return replace(empty, rows=rows)


def _record(ws: Workspace, batch_id: str) -> Record:
    found: Record = json.loads((ws.path(FOLDER) / f"{batch_id}.json").read_text("utf-8"))
    return found


def _words(ws: Workspace, newest: Record | None) -> dict[str, dict[str, Any]]:
    """Titles of datasets and programmes, as the contracts and a batch have them."""
    contracts = load_contracts(ws.contracts)
    return {
        "datasets": {name: contract.title for name, contract in contracts.items()},
        "departments": {
            department: "、".join(
                sorted({c.provider.zh for n, c in contracts.items() if n.startswith(f"{department}/")})
            )
            for department in {name.partition("/")[0] for name in contracts}
        },
        "programmes": dict(newest["programmes"]) if newest else {},
    }
