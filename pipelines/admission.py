"""Admission: an extract becomes typed, tokenised rows of persons in scope, encrypted on disk, or is refused as a whole.

Two passes. The first streams: connector → tokens and scope (``scoping``) → typing SQL → an encrypted working file that
holds what stays. Only when the source has kept its promises (row count, digest: R2), few enough rows are in
quarantine and no unit seems to have changed (R61) does the second pass divide it into admitted rows and quarantine,
and the admitted file takes the extract's digest as its name. What exists under that name is never written again (R7).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from connectors.contract import Column, Contract
from connectors.extract import Extract
from pipelines import warehouse
from pipelines.batch import write_json
from pipelines.errors import HeduiError
from pipelines.scoping import Scope, ScopedRows, changes_hands
from pipelines.settings import Limits
from pipelines.typing_sql import kept_columns, text, typed_select

if TYPE_CHECKING:
    from pipelines.pseudonyms import Tokeniser

QUARANTINE_ALWAYS_ALLOWED = 10
MEDIAN_ROWS = 30
_UNIT_JUMPS = (100, 10_000)
Medians = Mapping[str, int]
_SQL_TYPES = {
    "id": "UUID",
    "name": "UUID",
    "display": "BLOB",
    "money": "BIGINT",
    "int": "BIGINT",
    "date": "DATE",
    "month": "DATE",
    "code": "VARCHAR",
    "flag": "BOOLEAN",
    "text": "VARCHAR",
}
_OURS = {
    "dataset": "VARCHAR",
    "extract_digest": "VARCHAR",
    "extract_seq": "INTEGER",
    "row_no": "BIGINT",
    "row_digest": "VARCHAR",
    "op": "VARCHAR",
}


@dataclass(eq=False)
class QuarantineShareError(HeduiError):
    """Too many rows of an extract are wrong; it is refused as a whole."""

    dataset: str
    quarantined: int
    rows: int
    share: float

    zh = "{dataset}:{rows} 行中有 {quarantined} 行有误,超过合同允许的比例 {share},整份不予接收"
    en = "{dataset}: {quarantined} of {rows} rows are wrong, more than the contract's share {share}; refused as a whole"
    todo = "look at the reasons with: hedui sources; ask the department to send it again"


@dataclass(eq=False)
class UnitJumpError(HeduiError):
    """The median of a money column is about 100 or 10,000 times what it was: the unit has changed (R61)."""

    dataset: str
    column: str
    jump: str

    zh = "{dataset}:列 {column} 的中位数变为历史的约 {jump} 倍,疑似计量单位(元、万元、分)改变,整份不予接收"
    en = "{dataset}: the median of {column} is about {jump} of its history: the unit seems changed; refused as a whole"
    todo = "ask the department for the unit, then correct the extract or the contract"


@dataclass(frozen=True)
class AdmissionKeys:
    """What admission writes with: the batch's data key, the sealing key, the key of row digests."""

    data: bytes
    seal: bytes
    rows: bytes


@dataclass(frozen=True)
class AdmittedExtract:
    """What became of one extract; ``quarantined`` counts problems by ``column:reason``."""

    dataset: str
    digest: str
    as_of: date
    sequence: int
    mode: str
    extract_seq: int
    rows_read: int
    rows_admitted: int
    rows_quarantined: int
    quarantined: dict[str, int]
    medians: dict[str, int]
    path: Path
    quarantine: Path

    def save(self, receipt: Path) -> None:
        """Leave the receipt that says that the extract is admitted."""
        document = asdict(self)
        write_json(receipt, document | {k: str(document[k]) for k in ("as_of", "path", "quarantine")})

    @classmethod
    def load(cls, receipt: Path) -> AdmittedExtract:
        """Read a receipt; files are found beside it wherever the batch's folder is now."""
        document = json.loads(receipt.read_text("utf-8"))
        document["as_of"] = date.fromisoformat(document["as_of"])
        document["path"] = admitted_path(receipt.parents[2], document["dataset"], document["digest"])
        document["quarantine"] = _quarantine_path(receipt.parents[2], document["dataset"], document["digest"])
        return cls(**document)


def _name(digest: str) -> str:
    return digest.replace(":", "-")


def admitted_path(batch_folder: Path, dataset: str, digest: str) -> Path:
    """Where an extract's admitted rows are."""
    return batch_folder / "admitted" / dataset.replace("/", ".") / f"{_name(digest)}.parquet"


def working_folder(batch_folder: Path, dataset: str) -> Path:
    """Where collect keeps a dataset's receipts, quarantine and outcome."""
    return batch_folder / "collected" / dataset.replace("/", ".")


def _quarantine_path(batch_folder: Path, dataset: str, digest: str) -> Path:
    return working_folder(batch_folder, dataset) / f"{_name(digest)}.quarantine.parquet"


def _receipt_path(batch_folder: Path, dataset: str, digest: str) -> Path:
    return working_folder(batch_folder, dataset) / f"{_name(digest)}.json"


def admit(
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
    limits: Limits | None = None,
    progress: Callable[[int], None] | None = None,
) -> AdmittedExtract:
    """Admit one extract into the batch's folder, or find that it is there already.

    Args:
        contract: of the extract's dataset.
        extract: read once, to its end.
        tokeniser: of the batch's key epoch.
        scope: tokens of the persons asked for, and of their other official numbers.
        keys: what to write with.
        folder: the batch's folder.
        seq: place of the extract among those of its dataset in this batch, from 1.
        earlier: admitted files of this dataset with a lower ``seq``.
        history: medians in fen of money columns, from the last extract that was admitted (R61).
        limits: memory and threads for DuckDB.
        progress: called with the rows read so far.

    Raises:
        QuarantineShareError: more rows are wrong than the contract allows.
        UnitJumpError: R61.
        HeduiError: whatever reading the extract raised; nothing of the extract is kept then.
    """
    if extract.digest and (receipt := _receipt_path(folder, contract.dataset, extract.digest)).exists():
        return AdmittedExtract.load(receipt)
    working = working_folder(folder, contract.dataset) / f"typed-{seq}.parquet"
    with warehouse.connect(keys.data, limits) as con:
        from pipelines.pseudonyms import seal

        known = _known_keys(con, contract, earlier)
        rows = ScopedRows(contract, extract, tokeniser, scope, partial(_seal, seal, keys.seal), known, progress)
        try:
            _type(con, contract, rows, keys.rows, working)
            admitted = _divide(con, contract, extract, rows, working, folder, seq, earlier, history or {})
        finally:
            working.unlink(missing_ok=True)
            working.with_name(f".{working.name}.part").unlink(missing_ok=True)
    admitted.save(_receipt_path(folder, contract.dataset, admitted.digest))
    return admitted


def _seal(seal: Callable[..., pa.Array], key: bytes, values: pa.Array, context: bytes) -> pa.Array:
    sealed: pa.Array = seal(key, values, context)
    return sealed


def _type(con: duckdb.DuckDBPyConnection, contract: Contract, rows: ScopedRows, key: bytes, working: Path) -> None:
    """First pass: the stream into the working file."""
    padded = key.ljust(64, b"\0")
    con.execute("SET VARIABLE row_inner = ?", [bytes(b ^ 0x36 for b in padded)])
    con.execute("SET VARIABLE row_outer = ?", [bytes(b ^ 0x5C for b in padded)])
    con.register("delivered", rows.reader())
    try:
        warehouse.write_parquet(con, typed_select(contract, "delivered"), working)
    except duckdb.Error:
        # DuckDB can only say that the stream broke; the source's own error says why, and holds no value.
        if rows.error is not None:
            raise rows.error from None
        raise
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
    quarantine = _quarantine_path(folder, contract.dataset, digest)
    con.register("bad_identifiers", rows.bad_identifiers())
    con.execute(f"CREATE TEMP VIEW typed AS SELECT * FROM {warehouse.scan(working)}")
    con.execute(f"CREATE TEMP VIEW stamped AS {_stamped(contract, digest, seq)}")
    con.execute(f"CREATE TEMP VIEW problems AS {_problems(contract, digest, earlier)}")
    typed_bad = _scalar(con, "SELECT count(*) FROM typed WHERE problems <> ''")
    _check_share(contract, rows, typed_bad)
    medians = _medians(con, contract)
    _check_units(contract, medians, history)
    warehouse.write_parquet(con, "SELECT * FROM problems ORDER BY ALL", quarantine)
    counts = con.execute(
        "SELECT \"column\" || ':' || reason AS problem, count(DISTINCT row_no) FROM problems GROUP BY 1 ORDER BY 1"
    ).fetchall()
    admitted = warehouse.write_parquet(con, _admitted(contract, earlier), path)
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
        dict(counts),
        medians,
        path,
        quarantine,
    )


def _scalar(con: duckdb.DuckDBPyConnection, query: str) -> int:
    row = con.execute(query).fetchone()
    return int(row[0]) if row else 0


def _check_share(contract: Contract, rows: ScopedRows, typed_bad: int) -> None:
    """Wrong identifiers among all rows, wrong values among the rows that were typed; a handful is always allowed."""
    share = contract.max_quarantine_share
    for bad, of in ((rows.bad_rows + typed_bad, rows.rows_read), (typed_bad, rows.rows_kept)):
        if bad > max(share * of, QUARANTINE_ALWAYS_ALLOWED if share else 0):
            raise QuarantineShareError(contract.dataset, bad, of, share)


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


def _ours(contract: Contract) -> list[Column]:
    return [column for _, column in kept_columns(contract) if column.name != "op"]


def _stamped(contract: Contract, digest: str, seq: int) -> str:
    names = ", ".join(f'"{column.name}"' for column in _ours(contract))
    return (
        f"SELECT {names}, {text(contract.dataset)} AS dataset, {text(digest)} AS extract_digest, "
        f"CAST({seq} AS INTEGER) AS extract_seq, row_no, row_digest, op, problems, in_scope FROM typed"
    )


def _same_key(contract: Contract, left: str, right: str) -> str:
    return " AND ".join(f'{left}."{name}" = {right}."{name}"' for name in contract.key)


def _problems(contract: Contract, digest: str, earlier: Sequence[Path]) -> str:
    """Quarantine: one row per problem and person concerned; the person is NULL when nobody in scope is known.

    A wrong row under a key that somebody in scope held until now concerns that person.
    """
    holder = "CAST(NULL AS UUID)"
    join = ""
    if earlier and changes_hands(contract):
        keys = ", ".join(f'"{name}"' for name in contract.key)
        persons = ", ".join(f'"{column.name}"' for column in contract.subjects)
        join = (
            f"LEFT JOIN (SELECT DISTINCT {keys}, unnest([{persons}]) AS holder FROM {warehouse.scan(*earlier)}) held "
            f"ON NOT typed.in_scope AND {_same_key(contract, 'typed', 'held')}"
        )
        holder = "held.holder"
    return f"""
WITH wrong AS (
    SELECT row_no, unnest(string_split(problems, ';')) AS problem,
           CASE WHEN in_scope THEN concerned ELSE [{holder}] END AS persons
    FROM typed {join} WHERE problems <> ''),
told AS (
    SELECT DISTINCT row_no, split_part(problem, ':', 1) AS "column", split_part(problem, ':', 2) AS reason,
           unnest(persons) AS person
    FROM wrong)
SELECT {text(contract.dataset)} AS dataset, {text(digest)} AS extract_digest, * FROM told
UNION ALL BY NAME
SELECT {text(contract.dataset)}, {text(digest)}, row_no, "column", reason, CAST(NULL AS UUID) AS person
FROM bad_identifiers"""


def _admitted(contract: Contract, earlier: Sequence[Path]) -> str:
    """Good rows in scope, and for keys that went to somebody out of scope a deletion with nothing but the key."""
    stamps = ", ".join(_OURS)
    names = ", ".join(f'"{column.name}"' for column in _ours(contract))
    good = f"SELECT {names}, {stamps} FROM stamped WHERE problems = '' AND in_scope"
    if not earlier or not changes_hands(contract):
        return good
    emptied = ", ".join(
        f'"{column.name}"' if column.name in contract.key else f'CAST(NULL AS {_sql_type(column)}) AS "{column.name}"'
        for column in _ours(contract)
    )
    gone = stamps.replace("op", "'delete' AS op")
    return (
        f"{good} UNION ALL SELECT {emptied}, {gone} FROM stamped WHERE problems = '' AND NOT in_scope AND EXISTS "
        f"(FROM {warehouse.scan(*earlier)} held WHERE {_same_key(contract, 'stamped', 'held')}) ORDER BY row_no"
    )


def _sql_type(column: Column) -> str:
    if column.name and column.name.endswith("_bp"):
        return "INTEGER"
    return _SQL_TYPES[column.type] + ("[]" if column.multiple else "")


def _known_keys(con: duckdb.DuckDBPyConnection, contract: Contract, earlier: Sequence[Path]) -> Scope | None:
    """Key identifiers that earlier extracts admitted, where a later row may take them from their holder."""
    if not earlier or not changes_hands(contract):
        return None
    from pipelines.scoping import key_identifier

    name = key_identifier(contract)[1].name
    return Scope(con.execute(f'SELECT DISTINCT "{name}" AS key FROM {warehouse.scan(*earlier)}').to_arrow_table()["key"])


def admitted_columns(contract: Contract) -> dict[str, str]:
    """Name and DuckDB type of every column of an admitted table, in order."""
    return {str(column.name): _sql_type(column) for column in _ours(contract)} | _OURS


def current_view_sql(contract: Contract, paths: Sequence[Path]) -> str:
    """R8: the rows that hold after every extract of a dataset has been taken in order; deletions are gone.

    Args:
        contract: whose key decides which row a later one replaces.
        paths: admitted files of the dataset, in any order; none gives an empty relation of the same columns.
    """
    if not paths:
        empty = ", ".join(f'CAST(NULL AS {sql}) AS "{name}"' for name, sql in admitted_columns(contract).items())
        return f"SELECT {empty} WHERE false"
    key = ", ".join(f'"{name}"' for name in contract.key)
    return f"""SELECT * FROM {warehouse.scan(*sorted(paths))}
QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY extract_seq DESC, row_no DESC) = 1 AND op = 'upsert'"""
