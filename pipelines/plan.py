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
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines import ledger, policy
from pipelines.batch import Batch, write_json
from pipelines.errors import HeduiError
from pipelines.keys import KeyRing
from pipelines.plan_tables import SELECTION, PlanTables, open_applications
from pipelines.settings import Workspace
from pipelines.store import Store
from pipelines.store_tokens import require_epoch
from pipelines.warehouse import connect, write_parquet, write_table

_OTHERS = ("not_authorised", "not_queryable", "not_asked")
_STATE_CODE = f"list_position(['ask', {', '.join(repr(name) for name in _OTHERS)}], state)"
_FILES = (
    ("requests", "*", "request_id"),
    ("members", "*", "request_id, member_no"),
    ("member_statuses", "*", "ALL"),
    ("authorisations", "*", "request_id, member_no"),
    ("declarations", "*", "ALL"),
    ("queries", "* EXCLUDE (place)", ""),
    ("other_requests", "*", "ALL"),
)


@dataclass(eq=False)
class NothingSelectedError(HeduiError):
    """A batch would have no request."""

    what: str

    zh = "没有可核对的申请：{what}"
    en = "there is nothing to verify: {what}"
    todo = "take requests in first: hedui intake"
    exit_code = 2


@dataclass(eq=False)
class QueryWithoutAuthorisationError(HeduiError):
    """A query would be built that lacks a person, an authorisation, a purpose or a requester (R34)."""

    dataset: str
    column: str

    zh = "对 {dataset} 的查询缺少 {column}，不能建立"
    en = "a query to {dataset} without {column} cannot be built"
    todo = "this is a defect of the plan: nothing was asked"


@dataclass(frozen=True)
class Query:
    """What one dataset is asked; it cannot exist without purpose, requester and the authorisation of every person.

    Attributes:
        dataset: key of the dataset.
        people: one row per person asked for: request_id, member_no, person, authorisation_id, purpose, requester.
        others: how many were not asked for, by state.
        digest: of the list that was judged (``list_digest``): it lies sealed in the batch, the ledger proves it.
    """

    dataset: str
    people: pa.Table
    others: dict[str, int]
    digest: str

    REQUIRED = ("request_id", "member_no", "person", "authorisation_id", "purpose", "requester")

    def __post_init__(self) -> None:
        for name in self.REQUIRED:
            column = self.people[name].combine_chunks()
            texts = column.dictionary if pa.types.is_dictionary(column.type) else column
            if column.null_count or (pa.types.is_string(texts.type) and pc.index(texts, "").as_py() >= 0):
                raise QueryWithoutAuthorisationError(self.dataset, name)

    @property
    def entry(self) -> dict[str, object]:
        """The ledger's detail: numbers, and how many queries each purpose and each requester has."""
        return {
            "asked": self.people.num_rows,
            "persons": _distinct(self.people["person"]),
            "requests": _distinct(self.people["request_id"]),
            "authorisations": _distinct(self.people["authorisation_id"]),
            "purposes": _counts(self.people["purpose"]),
            "requesters": _counts(self.people["requester"]),
            "list_sha256": self.digest,
            **self.others,
        }


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
        RotationUnfinishedError: the keys and the case store are not at the same epoch.
    """
    epoch = KeyRing.open(ws.settings.keys, ws.root).epoch
    store = Store.open(ws.store_url)
    try:
        with store.read() as connection:
            require_epoch(connection, epoch)
            wanted = sorted(open_applications(connection, request_ids, "request_id", "application", "document_digest"))
    finally:
        store.close()
    if not wanted:
        raise NothingSelectedError("no open request" if request_ids is None else "not among the open requests")
    name = hashlib.sha256(as_of.isoformat().encode())
    for request_id, _, digest in wanted:
        name.update(f"\n{request_id} {digest}".encode())
    batch_id = name.hexdigest()[:12]
    if admitted_from is not None:
        # The plan's tokens are made anew from the documents: under the key epoch of the extracts that they meet (R19).
        epoch = Batch.open(ws.batches, admitted_from).epoch
    batch = Batch.create(ws.batches, batch_id, as_of, epoch, admitted_from)
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
            entries, summary = write(con, batch)
        store.put_batch(batch, int(str(summary["requests"])))
        ledger.append_many(store, entries)
    finally:
        store.close()
    batch.mark("plan", summary)
    return summary


def write(con: duckdb.DuckDBPyConnection, batch: Batch) -> tuple[list[ledger.Entry], dict[str, object]]:
    """The batch's tables into its folder; returns the ledger's entries and the counts."""
    entries = [
        ledger.Entry("query", batch.id, f"{query.dataset}/{query.digest[:16]}", query.entry) for query in _queries(con)
    ]
    for name, columns, order in _FILES:
        select = f"SELECT {columns} FROM {name}" + (f" ORDER BY {order}" if order else "")
        write_parquet(con, select, batch.folder / f"{name}.parquet")
    write_parquet(con, "SELECT * FROM exchange_rates ORDER BY ALL", batch.folder / "exchange_rates.parquet")
    for name in policy.SCHEMAS:
        write_table(con, con.execute(f"SELECT * FROM {name}").to_arrow_table(), batch.folder / f"{name}.parquet")
    states: dict[str, int] = {}
    for entry in entries:
        for state, word in (("ask", "asked"), *((other, other) for other in _OTHERS)):
            states[state] = states.get(state, 0) + int(str(entry.detail[word]))
    counted = {name: _number(con, name) for name in ("requests", "members")}
    queries = {state: number for state, number in states.items() if number}
    return entries, {**counted, "queries": queries, "datasets": len(entries)}


def _queries(con: duckdb.DuckDBPyConnection) -> Iterator[Query]:
    """Each dataset's query, checked to be complete before anything of the plan is written."""
    columns = ", ".join(Query.REQUIRED)
    listed = con.execute(f"SELECT {columns} FROM consents ORDER BY place").to_arrow_table()
    people = list_digest(listed)
    # Texts as numbers into a list of the different ones: what follows is done for each dataset anew.
    for place, field in enumerate(listed.schema):
        if pa.types.is_string(field.type):
            coded = listed[field.name].combine_chunks().dictionary_encode()
            listed = listed.set_column(place, field.name, coded)
    for (dataset,) in con.execute("SELECT DISTINCT dataset FROM policy_sources ORDER BY dataset").fetchall():
        judged = con.execute(f"SELECT place, {_STATE_CODE} AS code FROM queries WHERE dataset = ?", [dataset])
        found = judged.to_arrow_table()
        states = np.zeros(listed.num_rows, np.uint8)
        states[found["place"].to_numpy()] = found["code"].to_numpy()
        others = {name: int((states == code).sum()) for code, name in enumerate(_OTHERS, 2)}
        digest = hashlib.sha256(people + states.tobytes()).hexdigest()
        yield Query(dataset, listed.filter(pa.array(states == 1)), others, digest)


def list_digest(people: pa.Table) -> bytes:
    """SHA-256 of the list of members, in order of request and number, one line each.

    A line is request_id, member_no, person, authorisation_id, purpose and requester, joined by ``|``, empty where there
    is none. A dataset's digest is SHA-256 over this and one byte for each member: 0 the programme does not name the
    dataset, 1 asked, 2 not_authorised, 3 not_queryable, 4 not_asked.
    """
    columns = [people[name] for name in Query.REQUIRED]
    person = people["person"].combine_chunks()
    if isinstance(person, pa.ExtensionArray):
        columns[2] = pa.array([None if value is None else value.hex() for value in person.storage.to_pylist()])
    texts = [pc.fill_null(column.cast(pa.string()), "") for column in columns]
    lines = pc.binary_join_element_wise(*texts, "|")
    return hashlib.sha256("\n".join(lines.to_pylist()).encode()).digest()


def _number(con: duckdb.DuckDBPyConnection, table: str) -> int:
    row = con.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(row[0]) if row else 0


def _distinct(column: pa.ChunkedArray) -> int:
    """How many different values a column has."""
    array = column.combine_chunks()
    return len((array.indices if pa.types.is_dictionary(array.type) else getattr(array, "storage", array)).unique())


def _counts(column: pa.ChunkedArray) -> dict[str, int]:
    return {item["values"].as_py(): item["counts"].as_py() for item in column.value_counts()}
