"""What a batch leaves for auditors: everything that was counted, as one JSON document under the workspace's ``state``.

The document outlives the batch's rows (R72). It is not published as it is: small cells are in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from connectors.contract import Contract, load_contracts
from expectations.native import Checked
from expectations.suite import Suite
from pipelines.batch import Batch, write_json
from pipelines.settings import Workspace
from pipelines.summary import Summary, summarise
from pipelines.warehouse import scan

FOLDER = Path("state/quality")
Record = dict[str, Any]

# What is counted over the assessed tables: rows of codes that end in a count.
_COUNTS = {
    "groups": "SELECT division, area_kind, programme, count(*) FROM households GROUP BY ALL",
    "members": "SELECT why, rule, counted, count(*) FROM household_members GROUP BY ALL",
    "tests": "SELECT test, title_zh, result, count(*) FROM tests GROUP BY ALL",
    "conclusions": "SELECT limits, declaration, count(*) FROM conclusions GROUP BY ALL",
    "declaration": "SELECT item, result, count(*) FROM declaration GROUP BY ALL",
    # What keeps a household undetermined: a source that gave nothing, or evidence that is disputed.
    "undetermined": "SELECT d.kind, CASE WHEN d.kind = 'source' THEN d.dataset END, count(DISTINCT d.request_id) "
    "FROM decisive d JOIN conclusions c USING (request_id) WHERE c.limits = 'undetermined' GROUP BY ALL",
    "items": "SELECT 'income', treatment, rule, count(*) FROM income_items GROUP BY ALL "
    "UNION ALL SELECT 'asset', treatment, rule, count(*) FROM asset_items GROUP BY ALL "
    "UNION ALL SELECT 'expense', treatment, rule, count(*) FROM expense_items GROUP BY ALL",
    "review": "SELECT r.code, r.rule, h.division, h.area_kind, h.programme, count(DISTINCT r.request_id) "
    "FROM review r JOIN households h USING (request_id) GROUP BY ALL",
}

_PROGRAMMES = "SELECT DISTINCT programme, programme_zh FROM {}"


def write(
    con: duckdb.DuckDBPyConnection,
    batch: Batch,
    ws: Workspace,
    suites: Sequence[Suite],
    checked: Sequence[Checked],
    drift: Sequence[dict[str, Any]] = (),
) -> Path:
    """Count what the batch holds and keep it.

    Args:
        con: connection with the batch's key, and a view of each assessed table.
        batch: assessed and checked.
        ws: its contracts have the titles and limits.
        suites: what was expected.
        checked: the outcomes.
        drift: measures of each dataset, beside those of its last extract.
    """
    contracts = load_contracts(ws.contracts)
    counted = summarise(con, batch)
    asked = sorted({*counted.coverage, *counted.rows, *counted.failed})
    document: Record = {
        "batch": batch.id,
        "as_of": batch.as_of.isoformat(),
        "admitted_from": batch.admitted_from,
        "datasets": {name: _dataset(batch, contracts[name], counted) for name in asked if name in contracts},
        "expectations": [asdict(entry) | _said(suites, entry) for entry in checked],
        "drift": list(drift),
        "reports": batch.summary("report") if batch.done("report") else {},
        "programmes": dict(_rows(con, _PROGRAMMES.format(scan(batch.folder / "policy.parquet")))),
        **{name: _rows(con, sql) for name, sql in _COUNTS.items()},
    }
    file = ws.path(FOLDER) / f"{batch.id}.json"
    write_json(file, document)
    return file


def read_all(ws: Workspace) -> list[Record]:
    """Every record, in the order of the batches' moments."""
    files = sorted(ws.path(FOLDER).glob("*.json"))
    records = [json.loads(file.read_text("utf-8")) for file in files]
    return sorted(records, key=lambda record: (record["as_of"], record["batch"]))


def _rows(con: duckdb.DuckDBPyConnection, sql: str) -> list[list[Any]]:
    return [list(row) for row in con.execute(f"SELECT * FROM ({sql}) ORDER BY ALL").fetchall()]


def _said(suites: Sequence[Suite], entry: Checked) -> dict[str, Any]:
    """The words and limits of an expectation, kept with its outcome: they may be others by the next batch."""
    suite = next(suite for suite in suites if suite.name == entry.suite)
    found = next(expectation for expectation in suite.expectations if expectation.name == entry.name)
    said = found.model_dump(include={"zh", "en", "rule", "warn_above", "fail_above"})
    return said | {"title_zh": suite.zh, "title_en": suite.en}


def _dataset(batch: Batch, contract: Contract, counted: Summary) -> dict[str, Any]:
    """One dataset: what was promised, what came, what became of the persons."""
    name = contract.dataset
    newest = max((extract["as_of"] for extract in _extracts(batch, name) if extract["path"]), default=None)
    read, kept = counted.rows.get(name, (0, 0))
    quarantine = [[k[1], k[2], n] for k, n in counted.quarantine.items() if k[0] == name]
    return {
        "title": contract.title.model_dump(),
        "provider": contract.provider.model_dump(),
        "freshness_days": contract.freshness_days,
        "max_quarantine_share": contract.max_quarantine_share,
        "extracts": sum(1 for extract in _extracts(batch, name) if extract["path"]),
        "as_of": newest,
        "age_days": (batch.as_of.date() - date.fromisoformat(newest)).days if newest else None,
        "rows_read": read,
        "rows_kept": kept,
        "rows_set_aside": sum(e["rows_quarantined"] for e in _extracts(batch, name) if e["path"]),
        "unknown_areas": sum(e["unknown_areas"] for e in _extracts(batch, name) if e["path"]),
        "quarantine": quarantine,
        "failed": counted.failed.get(name),
        "gate": counted.gates.get(name),
        "coverage": counted.coverage.get(name, {}),
    }


def _extracts(batch: Batch, dataset: str) -> Iterator[dict[str, Any]]:
    for extract in json.loads((batch.source_folder / "extracts.json").read_text("utf-8")):
        if extract["dataset"] == dataset:
            yield extract
