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
from pipelines.auditing import downloads, pages, published, rules
from pipelines.auditing.published import Row, Table
from pipelines.auditing.record import FOLDER, Record, read_all
from pipelines.batch import whole_file
from pipelines.settings import Workspace
from pipelines.store import Store

SITE = "quality"
DATA = "data"
MAKERS = (
    published.batches, published.deliveries, published.coverage, published.set_aside, published.expectations,
    published.conclusions, published.tests, published.declared, published.undetermined, published.evidence,
    published.members, rules.groups, rules.raised,
)  # fmt: skip
_OVER_TIME = ("batches", "deliveries", "coverage", "set_aside", "rule_records", "households")


def index(ws: Workspace) -> Path:
    """The site's front page."""
    return ws.path(SITE) / "index.html"


def batch_folder(ws: Workspace, batch_id: str) -> Path:
    """The folder of a batch's pages."""
    return ws.path(SITE) / "batches" / batch_id


def publish(ws: Workspace, batch_id: str) -> Path:
    """Write a batch's tables and pages from its record; returns its page."""
    record: Record = json.loads((ws.path(FOLDER) / f"{batch_id}.json").read_text("utf-8"))
    made = [make([record]) for make in MAKERS]
    folder = batch_folder(ws, batch_id)
    downloads.write(made, folder / DATA)
    context: dict[str, Any] = {"record": record, "tables": pages.by_name(made), "here": "index", "words": words(ws)}
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
    finally:
        store.close()
    rows = {name: downloads.read(sorted(root.glob(f"batches/*/{DATA}/{name}.parquet"))) for name in _OVER_TIME}
    with whole_file(root / "style.css") as file:
        file.write_bytes((pages.TEMPLATES / "style.css").read_bytes())
    context = {"rows": rows, "words": words(ws), "corrections": corrections, "answers": answers, "at": at}
    names = sorted({row["department"] for row in (*rows["deliveries"], *corrections.rows)})
    for name in names:
        pages.draw(
            root / "departments" / f"{name}.html", "department.html", 1, here="departments", name=name, **context
        )
    pages.draw(root / "departments" / "index.html", "departments.html", 1, here="departments", names=names, **context)
    pages.draw(root / "rules.html", "rules.html", 0, here="rules", **context)
    tables = [_whole(name, rows[name]) for name in _OVER_TIME]
    downloads.write([*tables, corrections, answers], root / "downloads")
    listed = [*tables, corrections, answers]
    pages.draw(root / "downloads" / "index.html", "downloads.html", 1, here="downloads", tables=listed, **context)
    pages.draw(root / "index.html", "index.html", 0, here="index", names=names, **context)
    return root / "index.html"


def _whole(name: str, rows: list[Row]) -> Table:
    """A table over all batches, with its title and columns."""
    empty = next(table for make in MAKERS if (table := make([])).name == name)
    return replace(empty, rows=rows)


def words(ws: Workspace) -> dict[str, dict[str, Any]]:
    """Titles of datasets and programmes, as the contracts and the newest batch have them."""
    contracts = load_contracts(ws.contracts)
    newest = read_all(ws)[-1:]
    return {
        "datasets": {name: contract.title for name, contract in contracts.items()},
        "departments": {
            department: "、".join(
                sorted({c.provider.zh for n, c in contracts.items() if n.startswith(f"{department}/")})
            )
            for department in {name.partition("/")[0] for name in contracts}
        },
        "programmes": dict(newest[0]["programmes"]) if newest else {},
    }
