"""Assess: figures, tests, conclusions and evidence as tables, by sql/ alone; no limit is known here.

Households are assessed in shards of their sorted request ids, so that memory does not grow with the batch. Each shard
is a folder of encrypted Parquet under ``assessed/``; a shard that is there is not computed again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import duckdb

from connectors.contract import Contract, load_contracts
from pipelines.batch import Batch
from pipelines.consent import Ended, ended_at_assessment
from pipelines.errors import EpochMixedError
from pipelines.facts import (
    CONFLICTS,
    KINDS,
    create_current_views,
    dispute_conflicts,
    edition,
    freeze,
    number_extracts,
    pick_facts,
    read_facts,
    write_conflicts,
    write_facts,
)
from pipelines.keys import KeyRing
from pipelines.objections import frozen_at_assessment
from pipelines.settings import Workspace
from pipelines.store import Store
from pipelines.warehouse import SQL, connect, scan, sql_text, write_parquet

PLANNED = ("requests", "members", "member_statuses", "declarations", "queries", "other_requests")
POLICY = (
    "policy", "policy_tests", "policy_income_excluded", "policy_sources", "policy_tolerances", "policy_statuses",
    "policy_vehicle_exempt", "policy_expense_deductions", "policy_suitable", "policy_suitable_sources",
)  # fmt: skip
STEPS = (
    "household/windows", "household/member_coverage", "household/usable_sources", "household/linked_persons",
    "household/member_persons",
    "household/member_statuses_found", "household/deaths", "household/household_members", "household/households",
    "household/gaps", "household/withheld",
    "figures/member_holdings", "figures/homes_taken", "figures/holders",
    "figures/named_before", "figures/member_income", "figures/netted_income", "figures/reported_before",
    "figures/shared_interest", "figures/judged_income", "figures/income_lines", "figures/support_lines",
    "figures/income_items", "figures/wage_months", "figures/deductions", "figures/member_expenses",
    "figures/expense_items",
    "figures/open_expenses", "figures/told_holdings", "figures/assets", "figures/vehicle_exemptions",
    "figures/asset_treatment", "figures/asset_items",
    "assess/figure_kinds", "assess/figures", "assess/shares", "assess/tests", "assess/declaration_items",
    "assess/tests_as_declared",
    "assess/declaration", "assess/decisive_incomes", "assess/settled", "assess/decisive_candidates", "assess/decisive",
    "assess/review", "assess/conclusions",
    "assess/suitable_gaps", "assess/suitable_tests", "assess/suitable",
)  # fmt: skip
RESULTS = (
    "households", "household_members", "member_coverage", "income_items", "deductions", "expense_items", "asset_items",
    "figures", "tests", "declaration", "review", "decisive", "conclusions", "withheld",
    "suitable", "suitable_tests",
)  # fmt: skip
# What tells the rows of the larger results apart: to order by every column, lists of evidence too, takes many times as
# long.
KEYS = {
    "household_members": "request_id, member_no", "member_coverage": "request_id, member_no, dataset",
    "income_items": "request_id, item_no", "asset_items": "request_id, item_no", "figures": "request_id, figure",
    "tests": "request_id, test", "declaration": "request_id, item", "suitable": "request_id, programme",
    "suitable_tests": "request_id, programme, test",
}  # fmt: skip
WITH_FACTS = ("income_items", "expense_items", "asset_items", "review", "decisive")


def run_steps(con: duckdb.DuckDBPyConnection) -> None:
    """Run sql/household, sql/figures and sql/assess in order; each file becomes a table of its own name.

    ``con`` holds the planned tables, the policy tables, ``exchange_rates``, ``coverage``, ``feeds``, ``failed_gates``,
    ``ended_authorisations`` and the five fact tables.
    """
    con.execute(
        "CREATE OR REPLACE VIEW fact_rows AS SELECT person, dataset FROM fact_income "
        "UNION ALL SELECT person, dataset FROM fact_holding UNION ALL SELECT person, dataset FROM fact_status "
        "UNION ALL SELECT person, dataset FROM fact_expense"
    )
    for step in STEPS:
        con.execute(f"CREATE OR REPLACE TABLE {Path(step).name} AS {_select(step)}")


def _select(step: str) -> str:
    """A step's text; a step with a folder of its own name is the union of the folder's files."""
    parts = sorted((SQL / step).glob("*.sql"))
    texts = [sql_text(f"{step}.sql")] + [part.read_text("utf-8") for part in parts]
    return "\nUNION ALL BY NAME\n".join(f"(\n{text})" for text in texts) if parts else texts[0]


def shards(batch: Batch) -> list[Path]:
    """The folders of assessed tables, in order."""
    return sorted(
        path for path in (batch.folder / "assessed").glob("[0-9]*") if (path / "conclusions.parquet").exists()
    )


def _admitted(batch: Batch) -> dict[str, list[Path]]:
    """The admitted files of every dataset, in the order of their extracts; all of the batch's own key epoch (R19)."""
    extracts = json.loads((batch.source_folder / "extracts.json").read_text("utf-8"))
    found: dict[str, list[Path]] = {}
    for extract in extracts:
        if extract.get("path"):
            if extract["epoch"] != batch.epoch:
                raise EpochMixedError(str(extract["epoch"]), str(batch.epoch))
            found.setdefault(extract["dataset"], []).append(batch.source_folder / extract["path"])
    return found


def _load_shard(con: duckdb.DuckDBPyConnection, batch: Batch, number: int, size: int) -> int:
    """Tables of one shard's requests; returns how many requests it has."""
    con.execute(
        f"CREATE OR REPLACE TABLE requests AS SELECT * FROM {scan(batch.folder / 'requests.parquet')} "
        f"ORDER BY request_id LIMIT {size} OFFSET {number * size}"
    )
    for table in PLANNED[1:]:
        source = scan(batch.folder / f"{table}.parquet")
        condition = (
            "person IN (SELECT person FROM members WHERE person IS NOT NULL)"
            if table == "other_requests"
            else "request_id IN (SELECT request_id FROM requests)"
        )
        con.execute(f"CREATE OR REPLACE TABLE {table} AS SELECT * FROM {source} WHERE {condition}")
    con.execute(
        "CREATE OR REPLACE TABLE collected_coverage AS "
        "SELECT * FROM collected WHERE person IN (SELECT person FROM members WHERE person IS NOT NULL)"
    )
    con.execute(f"CREATE OR REPLACE VIEW coverage AS {sql_text('collect/coverage_as_of.sql')}")
    row = con.execute("SELECT count(*) FROM requests").fetchone()
    return int(row[0]) if row else 0


def _persons(con: duckdb.DuckDBPyConnection, batch: Batch, size: int) -> None:
    """``shard_persons``: the members of every shard and the numbers officially linked to them (R16)."""
    links = batch.source_folder / "links.parquet"
    linked = scan(links) if links.exists() else "(SELECT NULL::UUID AS person, NULL::UUID AS other WHERE FALSE)"
    con.execute(
        f"""CREATE OR REPLACE TABLE shard_persons AS
        WITH sharded AS (
            SELECT request_id, (row_number() OVER (ORDER BY request_id) - 1) // {size} AS shard
            FROM {scan(batch.folder / "requests.parquet")}
        ),
        own AS (
            SELECT m.person, s.shard FROM {scan(batch.folder / "members.parquet")} m JOIN sharded s USING (request_id)
            WHERE m.person IS NOT NULL
        )
        SELECT person, shard FROM own
        UNION SELECT l.other, own.shard FROM {linked} l JOIN own ON own.person = l.person
        UNION SELECT l.person, own.shard FROM {linked} l JOIN own ON own.person = l.other"""
    )


def _write_shard(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    # conclusions last: its file says that the shard is whole
    for table in sorted(RESULTS, key=lambda name: name == "conclusions"):
        if table in WITH_FACTS:
            con.execute(f"CREATE OR REPLACE VIEW result AS SELECT * FROM {table}")
            select = sql_text("assess/with_evidence.sql")
        else:
            select = f"SELECT * FROM {table}"
        write_parquet(con, f"SELECT * FROM ({select}) ORDER BY {KEYS.get(table, 'ALL')}", folder / f"{table}.parquet")


def run(
    batch: Batch,
    workspace: Workspace,
    progress: Callable[[int], None] = lambda done: None,
) -> dict[str, object]:
    """Assess every household of the batch.

    Args:
        batch: planned and collected.
        workspace: its limits bound memory and threads.
        progress: told how many households are done.

    Returns:
        Counts by conclusion, as left in the stage's mark.
    """
    if batch.done("assess"):
        return batch.summary("assess")
    contracts = load_contracts(workspace.contracts)
    size = workspace.settings.limits.shard_households
    with connect(
        KeyRing.open(workspace.settings.keys, workspace.root).data_key(batch.source_folder),
        workspace.settings.limits,
    ) as con:
        con.execute("SET preserve_insertion_order = false")  # every result is ordered where it is written
        ended, frozen = _held(con, batch, workspace)
        _load_common(con, batch, contracts, ended)
        freeze(con, frozen)
        _persons(con, batch, size)
        facts, read = _facts(con, batch, contracts)
        dispute_conflicts(con, facts)
        done = number = 0
        while count := _load_shard(con, batch, number, size):
            folder = batch.folder / "assessed" / f"{number:04d}"
            if not (folder / "conclusions.parquet").exists():
                read(con, facts, number)
                run_steps(con)
                _write_shard(con, folder)
            done, number = done + count, number + 1
            progress(done)
        summary = _summary(con, batch)
    batch.mark("assess", summary)
    return summary


def _facts(
    con: duckdb.DuckDBPyConnection, batch: Batch, contracts: dict[str, Contract]
) -> tuple[Path, Callable[[duckdb.DuckDBPyConnection, Path, int], None]]:
    """Where the batch's facts are, and how a shard's are read: those that its extracts' own batch has written serve."""
    before = batch.source_folder / "facts" / edition()
    if batch.admitted_from is not None and all((before / name).exists() for name in (*KINDS, CONFLICTS)):
        return before, pick_facts
    create_current_views(con, contracts, _admitted(batch))
    own = batch.folder / "facts" / edition()
    write_conflicts(con, own)
    write_facts(con, own)
    return own, read_facts


def _held(
    con: duckdb.DuckDBPyConnection, batch: Batch, workspace: Workspace
) -> tuple[list[Ended], list[tuple[str, str]]]:
    """What may not be used any more: authorisations that ended (R31), rows under objection (R69)."""
    store = Store.open(workspace.store_url)
    try:
        return ended_at_assessment(con, batch, store), frozen_at_assessment(batch, store)
    finally:
        store.close()


def _load_common(
    con: duckdb.DuckDBPyConnection, batch: Batch, contracts: dict[str, Contract], ended: Sequence[Ended]
) -> None:
    for table in (*POLICY, "exchange_rates"):
        con.execute(f"CREATE TABLE {table} AS SELECT * FROM {scan(batch.folder / f'{table}.parquet')}")
    collected = scan(batch.source_folder / "coverage.parquet")
    con.execute(f"CREATE VIEW collected AS SELECT * FROM {collected}")
    on = batch.as_of.date()
    fresh = [(name, str(on - timedelta(days=contract.freshness_days))) for name, contract in sorted(contracts.items())]
    _small_table(con, "freshness", ("dataset", "fresh_since"), fresh)
    feeds = [(name, figure) for name, contract in sorted(contracts.items()) for figure in contract.feeds]
    _small_table(con, "feeds", ("dataset", "figure"), feeds)
    gates = batch.source_folder / "gates.json"
    failed = [(k,) for k, v in json.loads(gates.read_text("utf-8")).items() if v == "fail"] if gates.exists() else []
    _small_table(con, "failed_gates", ("dataset",), failed)
    con.execute("CREATE TABLE ended_authorisations (request_id VARCHAR, member_no INTEGER, reason VARCHAR)")
    if ended:
        con.executemany("INSERT INTO ended_authorisations VALUES (?, ?, ?)", ended)
    extracts = json.loads((batch.source_folder / "extracts.json").read_text("utf-8"))
    number_extracts(con, [(extract["dataset"], extract["digest"]) for extract in extracts if extract.get("path")])


def _small_table(
    con: duckdb.DuckDBPyConnection, name: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]
) -> None:
    """A table of texts. Not through Arrow, which imports pandas to read Python values: a second of start-up."""
    con.execute(f"CREATE TABLE {name} ({', '.join(f'{column} VARCHAR' for column in columns)})")
    if rows:
        con.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' for _ in columns)})", rows)


def _summary(con: duckdb.DuckDBPyConnection, batch: Batch) -> dict[str, object]:
    parts = [folder / "conclusions.parquet" for folder in shards(batch)]
    rows = (
        con.execute(f"SELECT limits, declaration, count(*) FROM {scan(*parts)} GROUP BY ALL ORDER BY ALL").fetchall()
        if parts
        else []
    )
    return {
        "households": sum(count for _, _, count in rows),
        "conclusions": [{"limits": a, "declaration": b, "households": count} for a, b, count in rows],
    }
