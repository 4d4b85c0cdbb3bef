"""Collect: every query of the plan is put to its department, and what comes back is admitted.

Sources that say who is who come first: an official link of two ID numbers (R16) extends whom the others are asked for.
Then all others, side by side: by threads of one process (`run`), or each by a task of a DAG (`source`, then `links`,
`source`, `join`); the result does not show which. A source that fails leaves its persons `unavailable` and stops nobody
else (R1). What came of each is kept as soon as it is known, so that a run that died asks only those that are left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Semaphore

from connectors.contract import load_contracts
from connectors.extract import SourceTimedOut
from pipelines import ledger, warehouse
from pipelines.admission import AdmissionKeys
from pipelines.asking import Progress, Site, ask, give_up, is_configured, kept_outcome, names_persons
from pipelines.batch import Batch, write_json
from pipelines.collected import counts_of, nested, remember
from pipelines.coverage import COLLECTED, Outcome, write_coverage
from pipelines.errors import EpochMixedError, HeduiError
from pipelines.keys import KeyRing
from pipelines.pseudonyms import Tokeniser
from pipelines.queries import Query, planned_queries, read_links, with_links, write_links
from pipelines.settings import Workspace
from pipelines.store import Store

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


@dataclass(eq=False)
class NotAskedError(HeduiError):
    """Collect cannot end: of some source nothing is known, so its task was stopped from outside or met a defect."""

    batch: str
    datasets: str

    zh = "批次 {batch} 的下列来源既无答复也无失败记录：{datasets}"
    en = "batch {batch}: neither an answer nor a failure is known of: {datasets}"
    todo = "clear the failed tasks of these sources, so that they run again"


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
    if batch.admitted_from is not None:
        summary = check_source_batch(batch, workspace, KeyRing.open(workspace.settings.keys, workspace.root))
        batch.mark("collect", summary)
        return summary
    with _opened(batch, workspace, progress) as (site, store):
        queries = planned_queries(site.con, batch)
        first = [query for query in queries if _is_identity(site, query)]
        _note(site, store, first)
        _ask_all(site, _link(site, store, queries, _ask_all(site, first)))
        return _join(site, store, queries)


def source(batch: Batch, workspace: Workspace, dataset: str, *, last_try: bool = True) -> bool:
    """Ask one source, or find that it has answered; ``links`` lies between those that say who is who and the others.

    Args:
        batch: planned.
        workspace: where sources are, and the keys.
        dataset: which; one that the plan does not ask for is not asked (R34).
        last_try: keep a failure that might pass; without it such a failure is raised and nothing is kept.

    Returns:
        Whether the plan asks for it.

    Raises:
        HeduiError: the source gave nothing. Kept as the reason why its persons are ``unavailable``, unless it may pass
            and this is not the last try.
    """
    if batch.done("collect"):
        return True
    with _opened(batch, workspace) as (site, store):
        query = next((query for query in planned_queries(site.con, batch) if query.dataset == dataset), None)
        if query is None:
            return False
        if _is_identity(site, query):
            _note(site, store, [query])
        else:
            query = with_links(query, read_links(site.con, batch.folder))
        ask(site, query, last_try=last_try, failing=True)
    return True


def out_of_time(batch: Batch, dataset: str, minutes: float) -> SourceTimedOut:
    """In place of ``source``, for one that was stopped because it took too long: its persons are ``unavailable``.

    Returns:
        The failure that is kept, unless an answer was there before.
    """
    error = SourceTimedOut(dataset, "collect", f"more than {minutes:g} minutes")
    if not batch.done("collect") and kept_outcome(batch, dataset) is None:
        give_up(batch, dataset, error, seconds=minutes * 60)
    return error


def links(batch: Batch, workspace: Workspace) -> None:
    """Between the sources that say who is who and the others: the links of persons (R16), and whom the others are told.

    Raises:
        NotAskedError: of some source that says who is who nothing is known.
    """
    if batch.done("collect"):
        return
    with _opened(batch, workspace) as (site, store):
        queries = planned_queries(site.con, batch)
        # What a programme requires and this site cannot ask for is known at once, and has no task of its own (R6).
        _ask_all(site, [query for query in queries if not is_configured(site, query)])
        _link(site, store, queries, _kept(batch, [query for query in queries if _is_identity(site, query)]))


def join(batch: Batch, workspace: Workspace) -> dict[str, object]:
    """Third part: what came of all sources, as coverage, extracts and entries of the ledger.

    Returns:
        As ``run``.

    Raises:
        NotAskedError: of some source nothing is known, neither an answer nor a failure.
    """
    if batch.done("collect"):
        return batch.summary("collect")
    with _opened(batch, workspace) as (site, store):
        return _join(site, store, planned_queries(site.con, batch))


@contextmanager
def _opened(
    batch: Batch, workspace: Workspace, progress: Progress = lambda dataset, rows: None
) -> Iterator[tuple[Site, Store]]:
    """The batch with all that asking takes, and the case store."""
    keyring, settings = KeyRing.open(workspace.settings.keys, workspace.root), workspace.settings
    store = Store.open(workspace.store_url)
    try:
        with warehouse.connect(keyring.data_key(batch.folder), settings.limits) as con:
            contracts = {
                name: contract.delivered(settings.sources[name].delivery) if name in settings.sources else contract
                for name, contract in load_contracts(workspace.contracts).items()
            }
            histories = {name: store.extract_history(name, before_batch=batch.id) for name in contracts}
            site = Site(
                batch,
                workspace,
                contracts,
                Tokeniser(keyring, batch.epoch, settings.token_cipher, batch.as_of.date()),
                AdmissionKeys(keyring.seal_key("display", batch.folder), keyring.key("row-digest")),
                con,
                {name: rows[-1].medians if rows else {} for name, rows in histories.items()},
                progress,
            )
            yield site, store
    finally:
        store.close()


def _link(site: Site, store: Store, queries: Sequence[Query], outcomes: Sequence[Outcome]) -> list[Query]:
    """Write the links; returns the queries that are left, widened by them, each noted in the ledger."""
    found = write_links(site.con, site.batch.folder, site.contracts, queries, outcomes)
    rest = [with_links(query, found) for query in queries if not _is_identity(site, query)]
    _note(site, store, rest)
    return rest


def _kept(batch: Batch, queries: Sequence[Query]) -> list[Outcome]:
    """What came of each query."""
    found = {query.dataset: kept_outcome(batch, query.dataset) for query in queries}
    unknown = [dataset for dataset, outcome in found.items() if outcome is None]
    if unknown:
        raise NotAskedError(batch.id, "、".join(unknown))
    return [outcome for outcome in found.values() if outcome is not None]


def _join(site: Site, store: Store, queries: Sequence[Query]) -> dict[str, object]:
    batch, outcomes = site.batch, _kept(site.batch, queries)
    counts = write_coverage(site.con, batch.folder, outcomes, site.contracts, batch.as_of.date())
    rows = [row for outcome in outcomes for row in outcome.document(batch.epoch, batch.folder)]
    write_json(batch.folder / "extracts.json", rows)
    remember(batch, store, outcomes, counts)
    summary = {"datasets": {outcome.dataset: counts_of(outcome) for outcome in outcomes}, "coverage": nested(counts)}
    batch.mark("collect", summary)
    return summary


def _is_identity(site: Site, query: Query) -> bool:
    contract = site.contracts.get(query.dataset)
    return contract is not None and contract.identity


def _note(site: Site, store: Store, queries: Sequence[Query]) -> None:
    """Every re-identification is in the ledger before it happens."""
    named = [query for query in queries if names_persons(site, query)]
    detail = [{"persons": len(query.persons), "purpose": query.purpose} for query in named]
    pairs = zip(named, detail, strict=True)
    ledger.append_many(
        store, [ledger.Entry("reidentification", site.batch.id, query.dataset, told) for query, told in pairs]
    )


def _ask_all(site: Site, queries: Sequence[Query]) -> list[Outcome]:
    """Ask the sources, some at a time, and no department for more at once than it allows."""
    settings = site.workspace.settings
    departments = {query.dataset.split("/")[0] for query in queries}
    places = {name: Semaphore(settings.department(name).at_once) for name in departments}

    def one(query: Query) -> Outcome:
        with places[query.dataset.split("/")[0]]:
            return ask(site, query)

    with ThreadPoolExecutor(WORKERS, thread_name_prefix="collect") as pool:
        return list(pool.map(one, queries))


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
