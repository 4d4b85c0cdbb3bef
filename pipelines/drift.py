"""Every dataset of a batch in numbers, beside its last extract that was used.

``profile.json`` keeps both, so that the batch's gates are the same whenever they are looked at again (R66). An extract
that a gate refused is no measure for the next one, unless an office has said that the change is real (``accept``):
else a lasting change would be refused for ever.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import duckdb
import pyarrow as pa
import sqlalchemy as sa

from connectors.contract import Contract
from expectations.native import worst
from expectations.profile import Delivered, Measure, measures
from expectations.suite import suite_of
from pipelines import ledger, tables
from pipelines.batch import Batch, write_json
from pipelines.errors import HeduiError
from pipelines.store import Store
from pipelines.warehouse import scan

PROFILE = "profile.json"
KIND = "change_accepted"
_SCHEMA = pa.schema(
    [
        ("dataset", pa.string()),
        ("measure", pa.string()),
        ("column", pa.string()),
        ("now", pa.int64()),
        ("n", pa.int64()),
        ("bound", pa.int64()),
        ("before", pa.int64()),
        ("n_before", pa.int64()),
    ]
)
Row = dict[str, Any]


@dataclass(eq=False)
class NothingRefusedError(HeduiError):
    """There is no refused extract to accept."""

    dataset: str
    batch: str

    zh = "批次 {batch} 没有因质量关不通过的数据集 {dataset}"
    en = "no gate of batch {batch} refused {dataset}"
    todo = "see the batch's gates on the auditors' pages: hedui quality open"
    exit_code = 2


def measure(con: duckdb.DuckDBPyConnection, batch: Batch, contracts: Sequence[Contract], store: Store) -> list[Row]:
    """Measure the datasets whose rows are views of ``con``; write ``profile.json``, and put it there as ``profile``."""
    con.execute(f"CREATE VIEW coverage AS SELECT * FROM {scan(batch.folder / 'coverage.parquet')}")
    delivered, coverage = _delivered(batch), _coverage(con)
    found = [
        one
        for contract in contracts
        for one in measures(
            con, contract, delivered[contract.dataset], coverage.get(contract.dataset, {}), batch.as_of.date()
        )
    ]
    before = _before(batch, {contract.dataset for contract in contracts}, store)
    rows = [_beside(one, before.get((one.dataset, one.measure, one.column))) for one in found]
    write_json(batch.folder / PROFILE, rows)
    put(con, rows)
    return rows


def put(con: duckdb.DuckDBPyConnection, rows: Sequence[Row]) -> None:
    """The measures as the table ``profile``."""
    con.register("_profile", pa.Table.from_pylist(list(rows), _SCHEMA))
    con.execute("CREATE OR REPLACE TABLE profile AS SELECT * FROM _profile")
    con.unregister("_profile")


def read(batch: Batch) -> list[Row]:
    """What was measured; nothing for a batch that reads another's extracts."""
    file = batch.folder / PROFILE
    return json.loads(file.read_text("utf-8")) if file.exists() else []


def judged(con: duckdb.DuckDBPyConnection) -> list[Row]:
    """Every measure of ``profile`` with the expectations that it breaks and the worst of their verdicts."""
    suite = suite_of("drift")
    breaks = ", ".join(f"({e.predicate}) IS TRUE" for e in suite.expectations)
    columns = ", ".join(f'"{name}"' for name in _SCHEMA.names)
    rows = []
    for row in con.execute(f"SELECT {columns}, {breaks} FROM profile ORDER BY ALL").fetchall():
        known = dict(zip(_SCHEMA.names, row, strict=False))
        broken = [e for e, is_broken in zip(suite.expectations, row[len(known) :], strict=True) if is_broken]
        verdict = worst([e.verdict(1, 1) for e in broken])
        rows.append(known | {"broken": [e.name for e in broken], "verdict": verdict})
    return rows


def accept(store: Store, batch: Batch, dataset: str, actor: str) -> None:
    """An office says that a refused change of a dataset is real: the next extract is held against this one.

    Raises:
        NothingRefusedError: the batch's gate did not refuse the dataset.
    """
    gates = batch.folder / "gates.json"
    if not gates.exists() or json.loads(gates.read_text("utf-8")).get(dataset) != "fail":
        raise NothingRefusedError(dataset, batch.id)
    ledger.append(store, KIND, batch.id, dataset, {"by": actor})


def _delivered(batch: Batch) -> dict[str, Delivered]:
    found: dict[str, Delivered] = {}
    for extract in json.loads((batch.folder / "extracts.json").read_text("utf-8")):
        if extract["path"]:
            known = found.get(extract["dataset"], Delivered(0, 0, date.min))
            found[extract["dataset"]] = Delivered(
                known.rows_read + extract["rows_read"],
                known.rows_set_aside + extract["rows_quarantined"],
                max(known.as_of, date.fromisoformat(extract["as_of"])),
            )
    return found


def _coverage(con: duckdb.DuckDBPyConnection) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for dataset, state, persons in con.execute("SELECT dataset, state, count(*) FROM coverage GROUP BY ALL").fetchall():
        found.setdefault(dataset, {})[state] = persons
    return found


def _before(batch: Batch, datasets: set[str], store: Store) -> dict[tuple[str, str, str], Row]:
    """Measures of each dataset in the newest earlier batch that used it."""
    earlier = [Batch.open(batch.folder.parent, path.parent.name) for path in batch.folder.parent.glob(f"*/{PROFILE}")]
    past = sorted((b for b in earlier if b.as_of < batch.as_of), key=lambda b: (b.as_of, b.id), reverse=True)
    accepted, left = _accepted(store), set(datasets)
    found: dict[tuple[str, str, str], Row] = {}
    for one in past:
        if not left:
            break
        gates = json.loads((one.folder / "gates.json").read_text("utf-8"))
        used = {name for name in left & gates.keys() if gates[name] != "fail" or (one.id, name) in accepted}
        found |= {(r["dataset"], r["measure"], r["column"]): r for r in read(one) if r["dataset"] in used}
        left -= used
    return found


def _accepted(store: Store) -> set[tuple[str, str]]:
    table = tables.ledger
    with store.read() as connection:
        query = sa.select(table.c.batch_id, table.c.subject).where(table.c.kind == KIND)
        return {(row.batch_id, row.subject) for row in connection.execute(query)}


def _beside(one: Measure, before: Row | None) -> Row:
    return asdict(one) | {"before": before["now"] if before else None, "n_before": before["n"] if before else None}
