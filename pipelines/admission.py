"""Admission: an extract becomes typed, tokenised rows of persons in scope, encrypted, or is refused as a whole.

Two passes. The first streams: connector → tokens and scope (``scoping``) → typing SQL → an encrypted working file
of what stays. Only when the source has kept its promises (row count, digest: R2), few enough rows are in quarantine
and no unit seems to have changed (R61) does the second pass divide it into admitted rows and quarantine, and the
admitted file takes the extract's digest as its name. What exists under that name is never written again (R7).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from connectors.contract import Contract
from connectors.extract import Extract
from pipelines import warehouse
from pipelines.admitted import (
    AdmissionKeys,
    AdmittedExtract,
    Medians,
    QuarantineShareError,
    UnitJumpError,
    admitted_path,
    quarantine_path,
    receipt_path,
    working_folder,
)
from pipelines.admitted_sql import (
    admitted_columns,
    admitted_sql,
    changes_hands,
    current_view_sql,
    key_identifier,
    problems_sql,
    stamped_sql,
)
from pipelines.errors import StageFailedError
from pipelines.scoping import Scope, ScopedRows, fetch_tokens
from pipelines.sealing import seal
from pipelines.typing_sql import typed_select

if TYPE_CHECKING:
    from pipelines.pseudonyms import Tokeniser

__all__ = ["AdmissionKeys", "AdmittedExtract", "admit", "admitted_columns", "current_view_sql"]

QUARANTINE_ALWAYS_ALLOWED = 10
MEDIAN_ROWS = 30
_UNIT_JUMPS = (100, 10_000)


def admit(
    con: duckdb.DuckDBPyConnection,
    contract: Contract,
    extract: Extract,
    tokeniser: Tokeniser,
    scope: Scope,
    keys: AdmissionKeys,
    folder: Path,
    seq: int = 1,
    *,
    earlier: Sequence[Path] = (),
    history: Medians | None = None,
    progress: Callable[[int], None] | None = None,
) -> AdmittedExtract:
    """Admit one extract into the batch's folder, or find that it is there already.

    Args:
        con: a warehouse connection with the batch's data key, for one extract at a time.
        contract: of the extract's dataset.
        extract: read once, to its end.
        tokeniser: of the batch's key epoch.
        scope: tokens of the persons asked for, and of their other official numbers.
        keys: what to write with.
        folder: the batch's folder.
        seq: place of the extract among those of its dataset in this batch, from 1.
        earlier: admitted files of this dataset with a lower ``seq``.
        history: medians in fen of money columns, from the last extract that was admitted (R61).
        progress: called with the rows read so far.

    Raises:
        QuarantineShareError: more rows are wrong than the contract allows.
        UnitJumpError: R61.
        HeduiError: whatever reading the extract raised; nothing of the extract is kept then.
    """
    if extract.digest and (receipt := receipt_path(folder, contract.dataset, extract.digest)).exists():
        return AdmittedExtract.load(receipt)
    working = working_folder(folder, contract.dataset) / f"typed-{seq}.parquet"
    known = _known_keys(con, contract, earlier)
    rows = ScopedRows(contract, extract, tokeniser, scope, partial(seal, keys.seal), known, progress)
    try:
        _type(con, contract, rows, keys.rows, working)
        admitted = _divide(con, contract, extract, rows, working, folder, seq, earlier, history or {})
    finally:
        working.unlink(missing_ok=True)
        working.with_name(f".{working.name}.part").unlink(missing_ok=True)
    admitted.save(receipt_path(folder, contract.dataset, admitted.digest))
    return admitted


def _type(con: duckdb.DuckDBPyConnection, contract: Contract, rows: ScopedRows, key: bytes, working: Path) -> None:
    """First pass: the stream into the working file."""
    padded = key.ljust(64, b"\0")
    con.execute("SET VARIABLE row_inner = ?", [bytes(b ^ 0x36 for b in padded)])
    con.execute("SET VARIABLE row_outer = ?", [bytes(b ^ 0x5C for b in padded)])
    con.register("delivered", rows.reader())
    try:
        warehouse.write_parquet(con, typed_select(contract, "delivered"), working)
    except duckdb.Error:
        # DuckDB can only say that the stream broke, and may show what it was reading.
        raise rows.error or StageFailedError(
            working.parents[2].name, "collect", f"{contract.dataset}: typing"
        ) from None
    finally:
        con.unregister("delivered")


def _divide(
    con: duckdb.DuckDBPyConnection,
    contract: Contract,
    extract: Extract,
    rows: ScopedRows,
    working: Path,
    folder: Path,
    seq: int,
    earlier: Sequence[Path],
    history: Medians,
) -> AdmittedExtract:
    """Second pass: judge the extract as a whole, then write its quarantine and its admitted rows."""
    digest = str(extract.digest)
    path = admitted_path(folder, contract.dataset, digest)
    quarantine = quarantine_path(folder, contract.dataset, digest)
    con.register("bad_identifiers", rows.bad_identifiers())
    con.execute(f"CREATE OR REPLACE TEMP VIEW typed AS SELECT * FROM {warehouse.scan(working)}")
    con.execute(f"CREATE OR REPLACE TEMP VIEW stamped AS {stamped_sql(contract, digest, seq)}")
    con.execute(f"CREATE OR REPLACE TEMP VIEW problems AS {problems_sql(contract, digest, earlier)}")
    counts = dict(
        con.execute(
            "SELECT \"column\" || ':' || reason AS problem, count(DISTINCT row_no) FROM problems "
            "GROUP BY problem ORDER BY problem"
        ).fetchall()
    )
    typed_bad = _scalar(con, "SELECT count(*) FROM typed WHERE problems <> ''")
    _check_share(contract, rows, typed_bad, counts)
    medians = _medians(con, contract)
    _check_units(contract, medians, history)
    warehouse.write_parquet(con, "SELECT * FROM problems ORDER BY ALL", quarantine)
    admitted = warehouse.write_parquet(con, admitted_sql(contract, earlier), path)
    return AdmittedExtract(
        contract.dataset,
        digest,
        extract.as_of,
        extract.sequence,
        extract.mode,
        seq,
        rows.rows_read,
        admitted,
        rows.bad_rows + typed_bad,
        counts,
        rows.unknown_areas,
        medians,
        path,
        quarantine,
    )


def _scalar(con: duckdb.DuckDBPyConnection, query: str) -> int:
    row = con.execute(query).fetchone()
    return int(row[0]) if row else 0


def _check_share(contract: Contract, rows: ScopedRows, typed_bad: int, counts: Mapping[str, int]) -> None:
    """Wrong rows among all, and wrong typed rows among the typed; a handful is always allowed."""
    share = contract.max_quarantine_share
    for bad, of in ((rows.bad_rows + typed_bad, rows.rows_read), (typed_bad, rows.rows_kept)):
        if bad > max(share * of, QUARANTINE_ALWAYS_ALLOWED if share else 0):
            most = max(counts, key=lambda problem: counts[problem], default="-")
            raise QuarantineShareError(contract.dataset, bad, of, share, most)


def _money(contract: Contract) -> list[str]:
    return [str(column.name) for column in contract.columns if column.type == "money" and column.sensitivity != "drop"]


def _medians(con: duckdb.DuckDBPyConnection, contract: Contract) -> dict[str, int]:
    """Median of the amounts that are not zero, per money column with enough of them."""
    found = {}
    for name in _money(contract):
        row = con.execute(
            f'SELECT quantile_disc(abs("{name}"), 0.5), count(*) FROM typed '
            f"WHERE problems = '' AND in_scope AND \"{name}\" <> 0"
        ).fetchone()
        if row and row[1] >= MEDIAN_ROWS:
            found[name] = int(row[0])
    return found


def _check_units(contract: Contract, medians: Medians, history: Medians) -> None:
    """R61: within a factor of two of ×100 or ×10,000, either way."""
    for name, now in medians.items():
        before = history.get(name)
        if not before:
            continue
        for jump in _UNIT_JUMPS:
            if jump * before < 2 * now < 4 * jump * before:
                raise UnitJumpError(contract.dataset, name, f"×{jump}")
            if jump * now < 2 * before < 4 * jump * now:
                raise UnitJumpError(contract.dataset, name, f"÷{jump}")


def _known_keys(con: duckdb.DuckDBPyConnection, contract: Contract, earlier: Sequence[Path]) -> Scope | None:
    """Key identifiers that earlier extracts admitted, where a later row may take them from their holder."""
    if not earlier or not changes_hands(contract):
        return None
    name = key_identifier(contract)[1].name
    return Scope(fetch_tokens(con, f'SELECT DISTINCT "{name}" AS key FROM {warehouse.scan(*earlier)}')["key"])
