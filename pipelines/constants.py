"""What is the same for every report of a batch: texts, sources and their extracts, policy, divisions."""

from __future__ import annotations

import json
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pipelines import texts
from pipelines.batch import Batch
from pipelines.documents import put
from pipelines.signing import canonical
from pipelines.warehouse import scan
from pipelines.workdays import last_day

# GB/T 2260 divisions of the province, state of 2025-12-31; collected from yescallop/areacodes (CC0).
DIVISIONS = "data/admin_shandong.csv"
# Which code of which assessed table is read as which kind of text.
CODES = {
    "household_members": {"relation": "relation", "role": "role", "why": "why"},
    "member_coverage": {"state": "coverage"},
    "income_items": {"category": "category", "kind": "income_kind", "granularity": "granularity", "one_off": "one_off",
                     "treatment": "treatment", "reason": "reason"},
    "deductions": {"kind": "deduction"},
    "expense_items": {"kind": "expense_kind", "treatment": "treatment", "reason": "reason"},
    "asset_items": {"class": "class", "treatment": "treatment", "reason": "reason"},
    "declaration": {"item": "item", "result": "declaration"},
    "tests": {"figure": "item", "result": "result", "scale": "scale"},
    "review": {"code": "review"},
    "conclusions": {"limits": "limits", "declaration": "declaration"},
    "suitable": {"limits": "limits"},
    "suitable_tests": {"figure": "item", "result": "result"},
    "withheld": {"reason": "withheld"},
}  # fmt: skip
# A source's control characters are shown as a space: they are nothing that a reader could see.
MACROS = """
CREATE OR REPLACE TEMP MACRO shown(given) AS regexp_replace(given, '[\\x00-\\x1f\\x7f]+', ' ', 'g');
CREATE OR REPLACE TEMP MACRO extract_id(digest) AS substr(digest, strpos(digest, ':') + 1, 16);
CREATE OR REPLACE TEMP MACRO item_order(item) AS list_position({items}, item);
"""


def prepare(con: duckdb.DuckDBPyConnection, batch: Batch, contracts: dict[str, Any]) -> None:
    """Put beside the assessed tables what is the same for every document.

    Args:
        con: the stage's connection.
        batch: gives the as-of time, the policy and the extracts.
        contracts: title and provider of every dataset.
    """
    sources = con.execute(f"SELECT * FROM {scan(batch.folder / 'policy_sources.parquet')}").to_arrow_table()
    policies = con.execute(
        "SELECT *, CAST($day + to_months(validity_months) AS DATE) AS valid_until "
        f"FROM {scan(batch.folder / 'policy.parquet')}",
        {"day": batch.as_of.date()},
    ).to_arrow_table()
    extracts = _extracts(batch.source_folder)
    datasets = sorted(set(sources["dataset"].to_pylist()))
    put(con, "batch", pa.table({"as_of": [batch.as_of.isoformat()]}))
    put(con, "dataset_order", pa.table({"dataset": datasets, "dataset_no": range(len(datasets))}))
    put(con, "review_texts", texts.table("review"))
    of_policy = _sources(sources.to_pylist(), extracts, contracts)
    day = batch.as_of.date()
    told = [_policy_text(policy, day, of_policy.get(policy["policy_id"], [])) for policy in policies.to_pylist()]
    suitable = con.execute(f"SELECT * FROM {scan(batch.folder / 'policy_suitable.parquet')}").to_arrow_table()
    put(con, "policy_suitable", suitable)
    put(con, "policy_texts", pa.Table.from_pylist(told))
    file = resources.files("pipelines").joinpath(DIVISIONS)
    con.execute(f"CREATE TEMP TABLE divisions AS SELECT code, name FROM read_csv('{file}', all_varchar = true)")
    con.execute(MACROS.format(items=list(texts.texts()["item"])))
    # each join is with at most one row, or with few, in the order written; to search for a better one costs more
    con.execute("SET disabled_optimizers = 'join_order'")


def _extracts(folder: Path) -> dict[str, list[dict[str, object]]]:
    """The batch's admitted extracts by dataset, as a report names them."""
    found: dict[str, list[dict[str, object]]] = {}
    for extract in json.loads((folder / "extracts.json").read_text("utf-8")):
        if extract.get("path"):
            digest = extract["digest"]
            named = {"as_of": extract["as_of"], "digest": digest, "id": digest[digest.find(":") + 1 :][:16]}
            found.setdefault(extract["dataset"], []).append(named)
    return {dataset: sorted(listed, key=lambda e: (e["as_of"], e["digest"])) for dataset, listed in found.items()}


def _sources(
    rows: list[dict[str, Any]], extracts: dict[str, list[dict[str, object]]], contracts: dict[str, Any]
) -> dict[int, list[dict[str, object]]]:
    """The sources of each policy as its reports list them, by dataset."""
    found: dict[int, list[dict[str, object]]] = {}
    told = {
        dataset: {
            "dataset": dataset, "extracts": extracts.get(dataset, []), **_named(dataset, contracts.get(dataset)),
        }
        for dataset in {row["dataset"] for row in rows}
    }  # fmt: skip
    for row in sorted(rows, key=lambda row: str(row["dataset"])):
        found.setdefault(row["policy_id"], []).append(told[row["dataset"]] | {"requirement": row["requirement"]})
    return found


def _policy_text(policy: dict[str, Any], on: date, sources: list[dict[str, object]]) -> dict[str, object]:
    """The parts of a document that its policy decides, as canonical JSON."""
    how = texts.text("objection", "how")
    until = last_day(on, policy["objection_days"], policy["objection_unit"])
    notices = [{"code": code, "en": t.en, "zh": t.zh} for code, t in texts.texts()["notice"].items()]
    after_members = {
        "notices": notices,
        "objection": {"days": policy["objection_days"], "how": {"en": how.en, "zh": how.zh},
                      "provisional": until.provisional, "unit": policy["objection_unit"],
                      "until": until.on.isoformat()},
        "policy": {key: policy[key] for key in ("digest", "pack", "version")},
        "programme": {"en": policy["programme_en"], "id": policy["programme"], "zh": policy["programme_zh"]},
    }  # fmt: skip
    return {
        "policy_id": policy["policy_id"],
        "valid_until": policy["valid_until"].isoformat(),
        "after_members": canonical(after_members).decode()[1:-1],
        "sources": canonical(sources).decode(),
    }


def _named(dataset: str, contract: Any) -> dict[str, object]:
    """Provider, title and feeds of a dataset; before its contract is there, it goes by its name."""
    if contract is None:
        department, _, name = dataset.partition("/")
        texts_of = {"provider": {"zh": department, "en": department}, "title": {"zh": name, "en": name}}
        return {"feeds": [], **texts_of}
    return {
        "feeds": sorted(contract.feeds),
        "provider": contract.provider.model_dump(),
        "title": contract.title.model_dump(),
    }


def check_codes(con: duckdb.DuckDBPyConnection, folders: list[Path]) -> None:
    """Make sure that every code in the assessed tables has words, before the first document is made.

    Raises:
        CodeWithoutTextError: one has none.
    """
    for table, columns in CODES.items():
        source = scan(*(folder / f"{table}.parquet" for folder in folders))
        for column, kind in columns.items():
            for (code,) in con.execute(f"SELECT DISTINCT {column} FROM {source} WHERE {column} IS NOT NULL").fetchall():
                texts.reason(code) if kind == "reason" else texts.text(kind, code)
