"""Coverage: what became of every person asked for, in every dataset, as one table (R1–R4).

No answer is never "no record": a source that failed, a person who was left out of a partial answer and data that
are too old each have a state of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa

from connectors.contract import Contract
from pipelines.admission import AdmittedExtract
from pipelines.warehouse import scan, sql_text, write_parquet

COLLECTED = ("covered", "stale", "unanswered", "unavailable")
_QUARANTINE = pa.schema(
    [
        ("dataset", pa.string()),
        ("extract_digest", pa.string()),
        ("row_no", pa.int64()),
        ("column", pa.string()),
        ("reason", pa.string()),
        ("person", pa.uuid()),
    ]
)
_PAIRS = pa.schema([("dataset", pa.string()), ("person", pa.uuid())])


@dataclass(frozen=True)
class Outcome:
    """What came of asking one source.

    Attributes:
        dataset: its key.
        extracts: what was admitted, in order; empty when the source failed.
        reason: why it failed, as a code; empty when it answered.
        error: the failure's fields and texts, without any value.
        answered: file of the persons that a partial answer covers (R3); None when it covers all.
        seconds: how long it took.
    """

    dataset: str
    extracts: list[AdmittedExtract] = field(default_factory=list)
    reason: str = ""
    error: dict[str, object] | None = None
    answered: Path | None = None
    seconds: float = 0.0

    @property
    def newest(self) -> AdmittedExtract | None:
        """The extract whose day the dataset speaks of."""
        return self.extracts[-1] if self.extracts else None

    def document(self, epoch: int, folder: Path) -> list[dict[str, object]]:
        """Its rows of extracts.json: one for each extract, or one that says why there is none."""
        if not self.extracts:
            return [
                {
                    "dataset": self.dataset,
                    "state": "unavailable",
                    "reason": self.reason,
                    "error": self.error,
                    "path": None,
                }
            ]
        return [
            {
                "dataset": extract.dataset,
                "state": "admitted",
                "digest": extract.digest,
                "as_of": extract.as_of.isoformat(),
                "sequence": extract.sequence,
                "mode": extract.mode,
                "extract_seq": extract.extract_seq,
                "rows_read": extract.rows_read,
                "rows_admitted": extract.rows_admitted,
                "rows_quarantined": extract.rows_quarantined,
                "quarantined": extract.quarantined,
                "unknown_areas": extract.unknown_areas,
                "medians": extract.medians,
                "epoch": epoch,
                "path": str(extract.path.relative_to(folder)),
            }
            for extract in self.extracts
        ]


def _outcome_table(outcomes: Sequence[Outcome], contracts: Mapping[str, Contract], on: date) -> pa.Table:
    rows = []
    for outcome in outcomes:
        contract, newest = contracts.get(outcome.dataset), outcome.newest
        rows.append(
            {
                "dataset": outcome.dataset,
                "as_of": newest.as_of if newest else None,
                "extract_digest": newest.digest if newest else None,
                "fresh_since": on - timedelta(days=contract.freshness_days) if contract else None,
                "is_partial": outcome.answered is not None,
                "is_identity": contract is not None and contract.identity,
                "reason": outcome.reason or None,
            }
        )
    schema = pa.schema(
        [
            ("dataset", pa.string()),
            ("as_of", pa.date32()),
            ("extract_digest", pa.string()),
            ("fresh_since", pa.date32()),
            ("is_partial", pa.bool_()),
            ("is_identity", pa.bool_()),
            ("reason", pa.string()),
        ]
    )
    return pa.Table.from_pylist(rows, schema)


def _view(con: duckdb.DuckDBPyConnection, name: str, files: Sequence[Path], schema: pa.Schema) -> None:
    """A view over Parquet files, or over nothing."""
    if files:
        con.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT * FROM {scan(*files)}")
    else:
        con.register(f"_{name}", schema.empty_table())
        con.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT * FROM _{name}")


def write_coverage(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    outcomes: Sequence[Outcome],
    contracts: Mapping[str, Contract],
    on: date,
) -> dict[tuple[str, str], int]:
    """Write quarantine.parquet and coverage.parquet of a batch.

    Args:
        con: a warehouse connection with the batch's key.
        folder: the batch's folder, with queries.parquet and links.parquet.
        outcomes: one for each dataset that was asked.
        contracts: by dataset, for freshness.
        on: the batch's day.

    Returns:
        Persons by (dataset, state).
    """
    parts = [extract.quarantine for outcome in outcomes for extract in outcome.extracts]
    _view(con, "parts", parts, _QUARANTINE)
    write_parquet(con, "SELECT * FROM parts ORDER BY ALL", folder / "quarantine.parquet")
    con.execute(f"CREATE TEMP VIEW quarantine AS SELECT * FROM {scan(folder / 'quarantine.parquet')}")
    con.execute(f"CREATE TEMP VIEW queries AS SELECT * FROM {scan(folder / 'queries.parquet')}")
    con.execute(f"CREATE TEMP VIEW links AS SELECT * FROM {scan(folder / 'links.parquet')}")
    _view(con, "answered", [o.answered for o in outcomes if o.answered], _PAIRS)
    con.register("outcomes", _outcome_table(outcomes, contracts, on))
    path = folder / "coverage.parquet"
    write_parquet(con, sql_text("collect/coverage.sql"), path)
    counted = con.execute(f"SELECT dataset, state, count(*) FROM {scan(path)} GROUP BY ALL ORDER BY ALL").fetchall()
    return {(dataset, state): count for dataset, state, count in counted}
