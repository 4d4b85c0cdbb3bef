"""Collect: every query of the plan is put to its department, and what comes back is admitted.

Sources that say who is who come first: an official link of two ID numbers (R16) extends whom the others are asked
for. Then all others, in parallel. A source that fails leaves its persons `unavailable` and stops nobody else (R1).
What came of each source is kept as soon as it is known, so that a run that died asks only those that are left.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from connectors.contract import load_contracts
from pipelines import ledger, warehouse
from pipelines.admission import (
    AdmissionKeys,
    AdmittedExtract,
)
from pipelines.asking import Progress, Site, ask, names_persons
from pipelines.batch import Batch, write_json
from pipelines.coverage import COLLECTED, Outcome, write_coverage
from pipelines.errors import EpochMixedError, HeduiError
from pipelines.keys import KeyRing
from pipelines.pseudonyms import Tokeniser
from pipelines.queries import Query, planned_queries, with_links, write_links
from pipelines.settings import Workspace
from pipelines.store import ExtractRow, Store

WORKERS = 2


@dataclass(eq=False)
class NotAdmittedError(HeduiError):
    """A batch would read extracts that were never collected for its persons."""

    batch: str
    source: str
    queries: int

    zh = "批次 {batch} 有 {queries} 项查询不在批次 {source} 的采集范围内"
    en = "batch {batch}: {queries} of its queries were not collected by batch {source}"
    todo = "verify the request in a batch that collects by itself"


def run(batch: Batch, workspace: Workspace, progress: Progress = lambda dataset, rows: None) -> dict[str, object]:
    """Ask every source of the plan and admit what it sends.

    Args:
        batch: planned: queries.parquet is there.
        workspace: where sources are, and the keys.
        progress: told a dataset and how many of its rows have been read.

    Returns:
        Per dataset: state, rows read and admitted, quarantine by reason, seconds; as left in the stage's mark.

    Raises:
        EpochMixedError: the batch it reads from has tokens of another epoch (R19).
        NotAdmittedError: the batch it reads from did not collect for these persons.
    """
    if batch.done("collect"):
        return batch.summary("collect")
    keyring = KeyRing.open(workspace.settings.keys, workspace.root)
    if batch.admitted_from is not None:
        summary = check_source_batch(batch, workspace, keyring)
    else:
        store = Store.open(workspace.store_url)
        try:
            summary = _collect(batch, workspace, keyring, store, progress)
        finally:
            store.close()
    batch.mark("collect", summary)
    return summary


def _collect(
    batch: Batch, workspace: Workspace, keyring: KeyRing, store: Store, progress: Progress
) -> dict[str, object]:
    with warehouse.connect(keyring.data_key(batch.folder), workspace.settings.limits) as con:
        site = _site(batch, workspace, keyring, store, con, progress)
        queries = planned_queries(con, batch)
        identity = [query for query in queries if _is_identity(site, query)]
        outcomes = _ask_all(site, store, identity, None)
        links = write_links(con, batch.folder, site.contracts, queries, outcomes)
        outcomes += _ask_all(site, store, [query for query in queries if not _is_identity(site, query)], links)
        outcomes.sort(key=lambda outcome: outcome.dataset)
        counts = write_coverage(con, batch.folder, outcomes, site.contracts, batch.as_of.date())
    rows = [row for outcome in outcomes for row in outcome.document(batch.epoch, batch.folder)]
    write_json(batch.folder / "extracts.json", rows)
    _remember(batch, store, outcomes, counts)
    return {"datasets": {outcome.dataset: _counts(outcome) for outcome in outcomes}, "coverage": _nested(counts)}


def _site(
    batch: Batch,
    workspace: Workspace,
    keyring: KeyRing,
    store: Store,
    con: duckdb.DuckDBPyConnection,
    progress: Progress,
) -> Site:
    settings = workspace.settings
    contracts = {
        dataset: contract.delivered(settings.sources[dataset].delivery) if dataset in settings.sources else contract
        for dataset, contract in load_contracts(workspace.contracts).items()
    }
    histories = {dataset: store.extract_history(dataset, before_batch=batch.id) for dataset in contracts}
    return Site(
        batch,
        workspace,
        contracts,
        Tokeniser(keyring, batch.epoch, settings.token_cipher, batch.as_of.date()),
        AdmissionKeys(keyring.seal_key("display", batch.folder), keyring.key("row-digest")),
        con,
        {dataset: rows[-1].medians if rows else {} for dataset, rows in histories.items()},
        progress,
    )


def _is_identity(site: Site, query: Query) -> bool:
    contract = site.contracts.get(query.dataset)
    return contract is not None and contract.identity


def _ask_all(site: Site, store: Store, queries: Sequence[Query], links: pa.Table | None) -> list[Outcome]:
    """Ask the sources, some at a time; every re-identification is in the ledger before it happens."""
    widened = [with_links(query, links) for query in queries]
    entries = [
        ledger.Entry(
            "reidentification",
            site.batch.id,
            query.dataset,
            {"persons": len(query.persons), "purpose": query.purpose},
        )
        for query in widened
        if names_persons(site, query)
    ]
    ledger.append_many(store, entries)
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="collect") as pool:
        return list(pool.map(lambda query: ask(site, query), widened))


def _remember(batch: Batch, store: Store, outcomes: Sequence[Outcome], counts: dict[tuple[str, str], int]) -> None:
    """Extracts, coverage and admissions into the case store and its ledger."""
    extracts = [extract for outcome in outcomes for extract in outcome.extracts]
    store.put_extracts(
        [
            ExtractRow(
                batch.id,
                extract.dataset,
                extract.digest.rpartition(":")[2],
                extract.as_of,
                extract.rows_read,
                extract.rows_admitted,
                extract.rows_quarantined,
                extract.medians,
                "admitted",
            )
            for extract in extracts
        ]
    )
    store.put_coverage(batch.id, counts)
    ledger.append_many(store, [_admission(batch, extract) for extract in extracts])
    failed = [outcome for outcome in outcomes if not outcome.extracts]
    ledger.append_many(
        store,
        [ledger.Entry("source_failed", batch.id, outcome.dataset, {"reason": outcome.reason}) for outcome in failed],
    )


def _admission(batch: Batch, extract: AdmittedExtract) -> ledger.Entry:
    detail = {
        "as_of": extract.as_of.isoformat(),
        "mode": extract.mode,
        "rows_read": extract.rows_read,
        "rows_admitted": extract.rows_admitted,
        "rows_quarantined": extract.rows_quarantined,
    }
    return ledger.Entry("admission", batch.id, f"{extract.dataset}/{extract.digest}", detail)


def _counts(outcome: Outcome) -> dict[str, object]:
    quarantined: dict[str, int] = {}
    for extract in outcome.extracts:
        for problem, rows in extract.quarantined.items():
            quarantined[problem] = quarantined.get(problem, 0) + rows
    return {
        "state": "answered" if outcome.extracts else "unavailable",
        "reason": outcome.reason,
        "extracts": len(outcome.extracts),
        "rows_read": sum(extract.rows_read for extract in outcome.extracts),
        "rows_admitted": sum(extract.rows_admitted for extract in outcome.extracts),
        "quarantined": quarantined,
        "seconds": outcome.seconds,
    }


def _nested(counts: dict[tuple[str, str], int]) -> dict[str, dict[str, int]]:
    nested: dict[str, dict[str, int]] = {}
    for (dataset, state), persons in counts.items():
        nested.setdefault(dataset, {})[state] = persons
    return nested


def check_source_batch(batch: Batch, workspace: Workspace, keyring: KeyRing) -> dict[str, object]:
    """A batch that reads another's extracts: that one must have asked for all of this one's persons (R6)."""
    source = Batch.open(batch.folder.parent, str(batch.admitted_from))
    if source.epoch != batch.epoch:
        raise EpochMixedError(str(source.epoch), str(batch.epoch))
    states = ", ".join(f"'{state}'" for state in COLLECTED)
    # The plan of such a batch is under its source's key, so that one connection reads both.
    with warehouse.connect(keyring.data_key(source.folder), workspace.settings.limits) as con:
        row = con.execute(
            f"SELECT count(*) FROM {warehouse.scan(batch.folder / 'queries.parquet')} q "
            f"ANTI JOIN (FROM {warehouse.scan(source.folder / 'coverage.parquet')} WHERE state IN ({states})) covered "
            "USING (dataset, person) WHERE q.state = 'ask' AND q.person IS NOT NULL"
        ).fetchone()
    if row and row[0]:
        raise NotAdmittedError(batch.id, source.id, int(row[0]))
    return {"admitted_from": source.id}
