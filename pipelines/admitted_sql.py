"""The statements that divide a typed working file into admitted rows and quarantine, and read the admitted again.

All are generated from the contract. ``typed`` is the working file, ``stamped`` the same with the columns that every
admitted table has, ``bad_identifiers`` the wrong identifiers of rows that were never typed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from connectors.contract import Column, Contract
from pipelines import warehouse
from pipelines.typing_sql import kept_columns, text

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


def _ours(contract: Contract) -> list[Column]:
    return [column for _, column in kept_columns(contract) if column.name != "op"]


def stamped_sql(contract: Contract, digest: str, seq: int) -> str:
    """``typed`` with the columns that every admitted table has."""
    names = ", ".join(f'"{column.name}"' for column in _ours(contract))
    return (
        f"SELECT {names}, {text(contract.dataset)} AS dataset, {text(digest)} AS extract_digest, "
        f"CAST({seq} AS INTEGER) AS extract_seq, row_no, row_digest, op, problems, in_scope FROM typed"
    )


def _same_key(contract: Contract, left: str, right: str) -> str:
    return " AND ".join(f'{left}."{name}" = {right}."{name}"' for name in contract.key)


def problems_sql(contract: Contract, digest: str, earlier: Sequence[Path]) -> str:
    """Quarantine: one row per problem and person concerned; the person is NULL when nobody in scope is known.

    A wrong row under a key that somebody in scope held until now concerns that person.
    """
    holder = "CAST(NULL AS UUID)"
    join = ""
    if earlier and changes_hands(contract):
        keys = ", ".join(f'"{name}"' for name in contract.key)
        persons = ", ".join(f'"{column.name}"' for column in contract.subjects)
        join = (
            f"LEFT JOIN (SELECT DISTINCT {keys}, unnest([{persons}]) AS holder "
            f"FROM {warehouse.scan(*earlier)}) held "
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
SELECT {text(contract.dataset)} AS dataset, {text(digest)} AS extract_digest, row_no, "column", reason, person
FROM told
UNION ALL
SELECT {text(contract.dataset)}, {text(digest)}, row_no, "column", reason, CAST(NULL AS UUID)
FROM bad_identifiers"""


def admitted_sql(contract: Contract, earlier: Sequence[Path]) -> str:
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


def admitted_columns(contract: Contract) -> dict[str, str]:
    """Name and DuckDB type of every column of an admitted table, in order."""
    return {str(column.name): _sql_type(column) for column in _ours(contract)} | _OURS


def current_view_sql(contract: Contract, paths: Sequence[Path], *, every_row: bool = False) -> str:
    """R8: the rows that hold after every extract of a dataset has been taken in order; deletions are gone.

    Args:
        contract: whose key decides which row a later one replaces.
        paths: admitted files of the dataset, in any order; none gives an empty relation of the same columns.
        every_row: different rows of the newest extract under one key all stay, to be disputed.
    """
    if not paths:
        empty = ", ".join(f'CAST(NULL AS {sql}) AS "{name}"' for name, sql in admitted_columns(contract).items())
        return f"SELECT {empty} WHERE false"
    key = ", ".join(f'"{name}"' for name in contract.key)
    if every_row:
        return f"""SELECT * FROM {warehouse.scan(*sorted(paths))}
QUALIFY row_number() OVER (PARTITION BY {key}, row_digest ORDER BY extract_seq DESC, row_no DESC) = 1
    AND extract_seq = max(extract_seq) OVER (PARTITION BY {key}) AND op = 'upsert'"""
    return f"""SELECT * FROM {warehouse.scan(*sorted(paths))}
QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY extract_seq DESC, row_no DESC) = 1 AND op = 'upsert'"""


def key_identifier(contract: Contract) -> tuple[int, Column]:
    """The identifier within the business key by which a later row finds the one it replaces."""
    return next((i, c) for i, c in kept_columns(contract) if c.name in contract.key and c.type == "id")


def changes_hands(contract: Contract) -> bool:
    """Whether an increment may give a key of one person to another: no subject is part of the key."""
    named = any(c.name in contract.key for c in contract.subjects)
    by_identifier = any(c.name in contract.key and c.type == "id" for c in contract.columns)
    return contract.mode == "increment" and by_identifier and not named
