"""Facts: admitted tables as rows of five kinds; every file of sql/facts/<kind>/ speaks for one dataset."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb

from connectors.contract import Contract
from pipelines.admission import current_view_sql
from pipelines.warehouse import SQL, scan, sql_text, write_divided, write_parquet

CONFLICTS = "conflicting_rows.parquet"
KINDS = ("income", "holding", "status", "link", "expense")
DISPUTABLE = ("income", "holding", "expense")  # these carry a reason to dispute them
# A fact's number: its kind, its extract, its row, and which of several facts that this row tells. It leads back to the
# row without a look-up, and an order by it does not depend on the order of arrival (R66).
PARTS, ROWS, EXTRACTS = 1 << 12, 1 << 28, 1 << 20
NUMBER = "({kind} * {extracts} + e.extract_no) * {of_extract} + f.row_no * {parts} + COALESCE(f.part, 0)"


def table_name(dataset: str) -> str:
    """``taxation/individual_income`` → ``taxation__individual_income``."""
    return dataset.replace("/", "__")


def create_current_views(
    con: duckdb.DuckDBPyConnection, contracts: dict[str, Contract], admitted: dict[str, list[Path]]
) -> None:
    """One view per dataset with its rows as they now stand: increments applied, deletions honoured (R8).

    Args:
        con: a warehouse connection.
        contracts: every contract, by dataset.
        admitted: the admitted Parquet files of each dataset; a dataset without any becomes an empty view.
    """
    con.execute("CREATE OR REPLACE TABLE conflicting_rows (row_digest VARCHAR)")
    for dataset, contract in contracts.items():
        paths = admitted.get(dataset, [])
        select = current_view_sql(contract, paths, every_row=_conflicts(con, contract, paths))
        con.execute(f"CREATE OR REPLACE VIEW {table_name(dataset)} AS {select}")


def _conflicts(con: duckdb.DuckDBPyConnection, contract: Contract, paths: Sequence[Path]) -> bool:
    """Note the different rows that one full extract holds under one key: nobody can say which of them is right.

    In an increment a later row takes the place of an earlier one; in a full extract there is no later.
    """
    if contract.mode != "full" or not paths:
        return False
    same = " AND ".join(f'r."{name}" IS NOT DISTINCT FROM k."{name}"' for name in contract.key)
    keys = ", ".join(f'"{name}"' for name in contract.key)
    row = con.execute(
        f"INSERT INTO conflicting_rows SELECT DISTINCT r.row_digest FROM {scan(*sorted(paths))} r JOIN ("
        f"SELECT {keys}, extract_digest FROM {scan(*sorted(paths))} GROUP BY ALL "
        "HAVING count(*) > 1 AND min(row_digest) <> max(row_digest)"
        f") k ON {same} AND r.extract_digest = k.extract_digest"
    ).fetchone()
    return bool(row and row[0])


def number_extracts(con: duckdb.DuckDBPyConnection, extracts: Iterable[tuple[str, str]]) -> None:
    """``extract_numbers``: every extract's place among the batch's, by dataset and digest.

    Args:
        con: a warehouse connection.
        extracts: dataset and digest of each.
    """
    con.execute("CREATE OR REPLACE TABLE extract_numbers (extract_no BIGINT, dataset VARCHAR, extract_digest VARCHAR)")
    if rows := [(number, *named) for number, named in enumerate(sorted(set(extracts)))]:
        con.executemany("INSERT INTO extract_numbers VALUES (?, ?, ?)", rows)


def write_facts(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Unite the fact files of every kind, number the facts, and write each kind by shard; what is there stays.

    Reading the admitted tables costs the same for one shard as for all, so it is done once.

    Args:
        con: has the current views, ``extract_numbers``, and ``shard_persons`` (person, shard): a person of two shards
            is in both.
        folder: takes ``<kind>/shard=<n>/``.
    """
    for place, kind in enumerate(KINDS):
        files = sorted((SQL / "facts" / kind).glob("*.sql"))
        parts = [f"SELECT *, 0 AS shard FROM ({sql_text(f'facts/{kind}.sql')})"] + [
            f"SELECT f.*, p.shard FROM ({file.read_text('utf-8')}) f JOIN shard_persons p ON p.person = f.person"
            for file in files
        ]
        told = "\nUNION ALL BY NAME\n".join(f"({part})" for part in parts)
        write_divided(con, _numbered(place, told), "shard", folder / kind)


def write_conflicts(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Keep which rows dispute each other beside the facts: to look for them reads every admitted row again."""
    if not (folder / CONFLICTS).exists():
        write_parquet(con, "SELECT row_digest FROM conflicting_rows ORDER BY row_digest", folder / CONFLICTS)


def edition() -> str:
    """Which facts files were united: what another release of Hedui has written is not taken for its own."""
    texts = (file.read_bytes() for file in sorted((SQL / "facts").rglob("*.sql")))
    return hashlib.sha256(b"\0".join(texts)).hexdigest()[:16]


def read_facts(con: duckdb.DuckDBPyConnection, folder: Path, shard: int) -> None:
    """``fact_<kind>`` of one shard, and ``evidence``: from each fact's number to its row."""
    for place, kind in enumerate(KINDS):
        files = sorted((folder / kind / f"shard={shard}").glob("*.parquet"))
        con.execute(f"CREATE OR REPLACE TABLE numbered_{kind} AS SELECT * FROM ({_numbered_in(files, place, kind)})")
    _divide(con)


def pick_facts(con: duckdb.DuckDBPyConnection, folder: Path, shard: int) -> None:
    """As ``read_facts``, out of what an earlier batch on the same extracts has written, whatever its shards were."""
    for place, kind in enumerate(KINDS):
        files = sorted((folder / kind).glob("shard=*/*.parquet"))
        con.execute(
            f"CREATE OR REPLACE TABLE numbered_{kind} AS SELECT * FROM ({_numbered_in(files, place, kind)}) "
            f"WHERE person IN (SELECT person FROM shard_persons WHERE shard = {shard}) "
            "QUALIFY ROW_NUMBER() OVER (PARTITION BY fact_no, person ORDER BY person) = 1"
        )
    _divide(con)


def _numbered_in(files: Sequence[Path], place: int, kind: str) -> str:
    return f"SELECT * FROM {scan(*files)}" if files else _numbered(place, sql_text(f"facts/{kind}.sql"))


def number_facts(con: duckdb.DuckDBPyConnection) -> None:
    """Number the rows of ``told_<kind>`` and divide them into ``fact_<kind>`` and ``evidence``."""
    told = " UNION ALL ".join(f"SELECT dataset, extract_digest FROM told_{kind}" for kind in KINDS)
    number_extracts(con, con.execute(told).fetchall())
    for place, kind in enumerate(KINDS):
        numbered = _numbered(place, f"SELECT * FROM told_{kind}")
        con.execute(f"CREATE OR REPLACE TABLE numbered_{kind} AS {numbered}")
    _divide(con)


def _numbered(place: int, told: str) -> str:
    number = NUMBER.format(kind=place, extracts=EXTRACTS, of_extract=ROWS * PARTS, parts=PARTS)
    return (
        f"SELECT {number} AS fact_no, f.* EXCLUDE (extract_digest, row_no, part) FROM ({told}) f "
        "JOIN extract_numbers e ON e.dataset = f.dataset AND e.extract_digest = f.extract_digest"
    )


def freeze(con: duckdb.DuckDBPyConnection, rows: Sequence[tuple[str, str]]) -> None:
    """Dispute every fact of rows that are under objection (R69).

    Args:
        con: before its facts are read.
        rows: row digest and reason.
    """
    con.execute("CREATE OR REPLACE TABLE frozen (row_digest VARCHAR, reason VARCHAR)")
    if rows:
        con.executemany("INSERT INTO frozen VALUES (?, ?)", rows)


def dispute_conflicts(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Dispute every fact of rows that dispute each other (``write_conflicts``), unless its row is under objection."""
    con.execute(
        f"INSERT INTO frozen SELECT row_digest, 'conflicting_rows' FROM {scan(folder / CONFLICTS)} "
        "WHERE row_digest NOT IN (SELECT row_digest FROM frozen)"
    )


def _any_frozen(con: duckdb.DuckDBPyConnection) -> bool:
    con.execute("CREATE TABLE IF NOT EXISTS frozen (row_digest VARCHAR, reason VARCHAR)")
    return con.execute("SELECT 1 FROM frozen LIMIT 1").fetchone() is not None


def _divide(con: duckdb.DuckDBPyConnection) -> None:
    """The calculation carries a number in the place of the evidence; ``evidence`` opens it again."""
    frozen = _any_frozen(con)
    for kind in KINDS:
        facts = f"SELECT * EXCLUDE (row_digest) FROM numbered_{kind}"
        if frozen and kind in DISPUTABLE:
            facts = (
                "SELECT f.* EXCLUDE (row_digest) REPLACE (COALESCE(z.reason, f.disputed_reason) AS disputed_reason) "
                f"FROM numbered_{kind} f LEFT JOIN frozen z ON z.row_digest = f.row_digest"
            )
        elif frozen:
            facts += (
                " WHERE row_digest NOT IN (SELECT row_digest FROM frozen)"  # said of nobody until the objection ends
            )
        con.execute(f"CREATE OR REPLACE VIEW fact_{kind} AS {facts}")
    digests = " UNION ALL ".join(f"SELECT fact_no, row_digest FROM numbered_{kind}" for kind in KINDS)
    con.execute(
        f"CREATE OR REPLACE VIEW evidence AS SELECT f.fact_no, e.dataset, e.extract_digest, "
        f"f.fact_no // {PARTS} % {ROWS} AS row_no, f.row_digest FROM ({digests}) f "
        f"JOIN extract_numbers e ON e.extract_no = f.fact_no // {ROWS * PARTS} % {EXTRACTS}"
    )
