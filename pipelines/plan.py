"""Plan: what each department is asked about whom, with the authorisation of each, and the rules that will apply.

What is asked of whom is decided in sql/plan/queries.sql. Nothing is written before every dataset's query has shown
that each of its persons has an authorisation, a purpose and a requester (R34); then each is an entry in the ledger.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from pipelines import ledger, policy
from pipelines.batch import Batch, write_json
from pipelines.errors import HeduiError
from pipelines.keys import KeyRing
from pipelines.plan_tables import SELECTION, PlanTables, open_applications
from pipelines.settings import Workspace
from pipelines.store import Store
from pipelines.warehouse import connect, sql_text, write_parquet, write_table


@dataclass(eq=False)
class NothingSelectedError(HeduiError):
    """A batch would have no request."""

    what: str

    zh = "没有可核对的申请:{what}"
    en = "there is nothing to verify: {what}"
    todo = "take requests in first: hedui intake"
    exit_code = 2


@dataclass(eq=False)
class QueryWithoutAuthorisationError(HeduiError):
    """A query would be built that lacks a person, an authorisation, a purpose or a requester (R34)."""

    dataset: str
    column: str

    zh = "对 {dataset} 的查询缺少 {column},不能建立"
    en = "a query to {dataset} without {column} cannot be built"
    todo = "this is a defect of the plan: nothing was asked"


@dataclass(frozen=True)
class Query:
    """What one dataset is asked; it cannot exist without purpose, requester and the authorisation of every person.

    Attributes:
        dataset: key of the dataset.
        people: one row per person asked for: request_id, member_no, person, authorisation_id, purpose, requester.
        detail: what the ledger keeps of it.
    """

    dataset: str
    people: pa.Table
    detail: dict[str, object]

    REQUIRED = ("request_id", "member_no", "person", "authorisation_id", "purpose", "requester")

    def __post_init__(self) -> None:
        for name in self.REQUIRED:
            column = self.people[name]
            empty = pa.types.is_string(column.type) and pc.any(pc.equal(column, "")).as_py()
            if column.null_count or empty:
                raise QueryWithoutAuthorisationError(self.dataset, name)

    @property
    def digest(self) -> str:
        """Of the list that was judged: a plan that is made again after a withdrawal is another entry."""
        return str(self.detail["list_sha256"])

    @property
    def entry(self) -> dict[str, object]:
        """The ledger's detail, with how many queries each purpose and each requester has."""
        counts = {name: _counts(self.people[name]) for name in ("purpose", "requester")}
        return self.detail | {"purposes": counts["purpose"], "requesters": counts["requester"]}


def new_batch(
    ws: Workspace, as_of: datetime, request_ids: Sequence[str] | None = None, admitted_from: str | None = None
) -> Batch:
    """The batch of all open requests, or of those given; the same requests and moment give the same batch.

    Args:
        ws: the workspace.
        as_of: the moment that the batch speaks of.
        request_ids: None for all open ones.
        admitted_from: the batch whose extracts are read, None to collect anew.

    Raises:
        NothingSelectedError: none of them is open.
    """
    store = Store.open(ws.store_url)
    try:
        with store.read() as connection:
            wanted = sorted(
                open_applications(connection, request_ids, "request_id", "application", "document_digest")
            )
    finally:
        store.close()
    if not wanted:
        raise NothingSelectedError("no open request" if request_ids is None else "not among the open requests")
    name = hashlib.sha256(as_of.isoformat().encode())
    for request_id, _, digest in wanted:
        name.update(f"\n{request_id} {digest}".encode())
    epoch = KeyRing.open(ws.settings.keys, ws.root).epoch
    batch = Batch.create(ws.batches, name.hexdigest()[:12], as_of, epoch, admitted_from)
    if not (batch.folder / SELECTION).exists():
        write_json(batch.folder / SELECTION, [[request_id, number] for request_id, number, _ in wanted])
    return batch


def run(batch: Batch, ws: Workspace, progress: Callable[[int], None] = lambda done: None) -> dict[str, object]:
    """Write the plan of a batch made by ``new_batch``; requests withdrawn since are left out (R31).

    Args:
        batch: the batch.
        ws: its keys, store and policy pack.
        progress: told how many requests are done.

    Returns:
        Counts, as left in the stage's mark: requests, members, queries by state, datasets.

    Raises:
        QueryWithoutAuthorisationError: a query lacks what it must have (R34).
    """
    if batch.done("plan"):
        return batch.summary("plan")
    keyring = KeyRing.open(ws.settings.keys, ws.root)
    store = Store.open(ws.store_url)
    try:
        with connect(keyring.data_key(batch.source_folder), ws.settings.limits) as con:
            PlanTables(con, batch, ws, keyring, store).fill(progress)
            entries, summary = _write(con, batch)
        store.put_batch(batch, int(str(summary["requests"])))
        ledger.append_many(store, entries)
    finally:
        store.close()
    batch.mark("plan", summary)
    return summary


def _write(con: duckdb.DuckDBPyConnection, batch: Batch) -> tuple[list[ledger.Entry], dict[str, object]]:
    """The batch's tables into its folder; returns the ledger's entries and the counts."""
    entries = [
        ledger.Entry("query", batch.id, f"{query.dataset}/{query.digest[:16]}", query.entry)
        for query in _queries(con)
    ]
    order = {
        "requests": "request_id",
        "members": "request_id, member_no",
        "member_statuses": "ALL",
        "authorisations": "request_id, member_no",
        "declarations": "ALL",
        "queries": "query_id",
        "other_requests": "ALL",
    }
    for name, by in order.items():
        write_parquet(con, f"SELECT * FROM {name} ORDER BY {by}", batch.folder / f"{name}.parquet")
    for name in policy.SCHEMAS:
        write_table(con, con.execute(f"SELECT * FROM {name}").to_arrow_table(), batch.folder / f"{name}.parquet")
    states = con.execute("SELECT state, count(*) FROM queries GROUP BY state ORDER BY state").fetchall()
    counted = {name: _number(con, name) for name in ("requests", "members")}
    return entries, {**counted, "queries": dict(states), "datasets": len(entries)}


def _queries(con: duckdb.DuckDBPyConnection) -> Iterator[Query]:
    """Each dataset's query, checked to be complete before anything of the plan is written."""
    summaries = con.execute(sql_text("plan/asked.sql")).to_arrow_table().to_pylist()
    columns = ", ".join(Query.REQUIRED)
    for row in summaries:
        dataset = row.pop("dataset")
        asked = f"SELECT {columns} FROM queries WHERE state = 'ask' AND dataset = ?"
        yield Query(dataset, con.execute(asked, [dataset]).to_arrow_table(), row)


def _number(con: duckdb.DuckDBPyConnection, table: str) -> int:
    row = con.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(row[0]) if row else 0


def _counts(column: pa.ChunkedArray) -> dict[str, int]:
    return {item["values"].as_py(): item["counts"].as_py() for item in column.value_counts()}
