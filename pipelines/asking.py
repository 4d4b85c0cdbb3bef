"""Asking one source: opened, admitted extract by extract, and what came of it kept as soon as it is known."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import duckdb
import pyarrow as pa
import structlog

from connectors.contract import Contract, ContractError
from connectors.extract import (
    Asked,
    ContractViolation,
    DecodeRefused,
    Extract,
    ExtractRefused,
    SourceRefused,
    SourceTimedOut,
    SourceUnavailable,
)
from connectors.sources import open_extracts
from pipelines import warehouse
from pipelines.admission import AdmissionKeys, AdmittedExtract, admit
from pipelines.admitted import (
    Medians,
    QuarantineShareError,
    UnitJumpError,
    admitted_path,
    receipt_path,
    working_folder,
)
from pipelines.batch import Batch, write_json
from pipelines.coverage import Outcome
from pipelines.errors import HeduiError, StageFailedError
from pipelines.pseudonyms import Tokeniser
from pipelines.queries import Query
from pipelines.scoping import Scope
from pipelines.settings import Workspace

log = structlog.get_logger(__name__)
Progress = Callable[[str, int], None]
# What a source can do to itself, most particular first; anything else is ours and stops the stage.
_REASONS: tuple[tuple[type[HeduiError], str], ...] = (
    (SourceTimedOut, "timed_out"),
    (SourceRefused, "refused"),
    (SourceUnavailable, "unavailable"),
    (DecodeRefused, "undecodable"),
    (ContractViolation, "contract_violation"),
    (ExtractRefused, "extract_refused"),
    (QuarantineShareError, "too_many_quarantined"),
    (UnitJumpError, "unit_jump"),
    (ContractError, "not_configured"),
)
_MAY_PASS = (SourceTimedOut, SourceUnavailable)
OUTCOME = "outcome.json"


@dataclass(frozen=True)
class Site:
    """What every source's worker needs."""

    batch: Batch
    workspace: Workspace
    contracts: dict[str, Contract]
    tokeniser: Tokeniser
    keys: AdmissionKeys
    con: duckdb.DuckDBPyConnection
    history: dict[str, Medians]
    progress: Progress


def names_persons(site: Site, query: Query) -> bool:
    """Whether the department is told whom it is asked about; files come whole."""
    contract = site.contracts.get(query.dataset)
    return contract is not None and contract.way != "files" and query.dataset in site.workspace.settings.sources


def is_configured(site: Site, query: Query) -> bool:
    """Whether there is anybody to ask: a contract, and a connection for it."""
    source = site.workspace.settings.sources.get(query.dataset)
    known = source is not None and source.connection in site.workspace.settings.connections
    return known and query.dataset in site.contracts


def ask(site: Site, query: Query, *, last_try: bool = True, failing: bool = False) -> Outcome:
    """Ask one source, or find what came of asking it.

    Args:
        site: what it is asked with.
        query: what it is asked.
        last_try: keep a failure that may pass; otherwise that one is raised, and the source may be asked again.
        failing: raise a failure also when it is kept.
    """
    if (outcome := kept_outcome(site.batch, query.dataset)) is not None:
        return outcome
    started = time.perf_counter()
    try:
        extracts, answered = _admit_all(site, query)
    except tuple(error for error, _ in _REASONS) as error:
        _clear(site.batch, query.dataset)
        if not last_try and may_pass(error):
            raise
        outcome = give_up(site.batch, query.dataset, error, time.perf_counter() - started)
        if failing:
            raise
        return outcome
    document = {"digests": [extract.digest for extract in extracts], "answered": answered}
    return _keep(site.batch, query.dataset, document, time.perf_counter() - started)


def may_pass(error: HeduiError) -> bool:
    """Whether it makes sense to ask again a little later."""
    return isinstance(error, _MAY_PASS)


def give_up(batch: Batch, dataset: str, error: HeduiError, seconds: float) -> Outcome:
    """Keep why a source gave nothing: its persons are ``unavailable``."""
    _clear(batch, dataset)
    reason = next(code for kind, code in _REASONS if isinstance(error, kind))
    log.warning("source_failed", dataset=dataset, reason=reason)
    return _keep(batch, dataset, {"digests": [], "reason": reason, "error": _described(error)}, seconds)


def _clear(batch: Batch, dataset: str) -> None:
    """Earlier extracts of a source whose later one failed would show a state that no longer holds."""
    shutil.rmtree(admitted_path(batch.folder, dataset, "-").parent, ignore_errors=True)
    shutil.rmtree(working_folder(batch.folder, dataset), ignore_errors=True)


def _described(error: HeduiError) -> dict[str, object]:
    """An error's name, fields and texts; errors hold no values by their making."""
    told = {f.name: str(getattr(error, f.name)) for f in fields(error)}
    return {"error": type(error).__name__, "fields": told, "message": str(error)}


def _keep(batch: Batch, dataset: str, document: dict[str, object], seconds: float) -> Outcome:
    write_json(working_folder(batch.folder, dataset) / OUTCOME, document | {"seconds": round(seconds, 3)})
    outcome = kept_outcome(batch, dataset)
    if outcome is None:
        raise StageFailedError(batch.id, "collect", f"{dataset}: what came of it was not kept")
    return outcome


def kept_outcome(batch: Batch, dataset: str) -> Outcome | None:
    """What came of asking a source; None as long as nothing has."""
    folder = working_folder(batch.folder, dataset)
    if not (folder / OUTCOME).exists():
        return None
    document = json.loads((folder / OUTCOME).read_text("utf-8"))
    extracts = [AdmittedExtract.load(receipt_path(batch.folder, dataset, digest)) for digest in document["digests"]]
    answered = folder / "answered.parquet" if document.get("answered") else None
    return Outcome(
        dataset, extracts, document.get("reason", ""), document.get("error"), answered, float(document["seconds"])
    )


def _admit_all(site: Site, query: Query) -> tuple[list[AdmittedExtract], bool]:
    """Open a source and admit its extracts in order; says whether the answer was partial.

    All sources share one DuckDB, and so its limits: loading what encryption needs takes longer than most extracts.
    """
    contract, found = _open(site, query)
    scope = Scope(query.persons)
    admitted: dict[str, AdmittedExtract] = {}
    with site.con.cursor() as con:
        for extract in found:
            one = admit(
                con,
                contract,
                extract,
                site.tokeniser,
                scope,
                site.keys,
                site.batch.folder,
                len(admitted) + 1,
                earlier=[earlier.path for earlier in admitted.values()],
                history=site.history.get(query.dataset),
                progress=lambda rows: site.progress(query.dataset, rows),
            )
            admitted.setdefault(one.digest, one)  # the same extract again changes nothing (R7)
        partial = _write_answered(site, con, query.dataset, found)
    return list(admitted.values()), partial


def _open(site: Site, query: Query) -> tuple[Contract, list[Extract]]:
    settings = site.workspace.settings
    if not is_configured(site, query):
        raise ContractError("hedui.yaml", f"sources.{query.dataset}", "no connection for this dataset")
    source, contract = settings.sources[query.dataset], site.contracts[query.dataset]
    names = pa.array([], pa.string())
    if names_persons(site, query):
        names = site.tokeniser.reidentify(query.persons)
    asked = Asked(names, query.window, query.purpose, site.batch.as_of.date())
    try:
        found = open_extracts(contract, settings.connections[source.connection], asked, site.workspace.root)
    except HeduiError:
        raise
    except Exception as error:
        # A fault that the connector has no name for must not stop the others; its text could show a value.
        raise SourceUnavailable(query.dataset, "open", type(error).__name__) from None
    if not found:
        raise SourceUnavailable(query.dataset, "open", "no extract")
    return contract, found


def _write_answered(site: Site, con: duckdb.DuckDBPyConnection, dataset: str, extracts: Sequence[Extract]) -> bool:
    """R3: keep who was answered, as tokens, when an answer was partial."""
    lists = [extract.answered for extract in extracts]
    if any(names is None for names in lists):
        return False
    names = pa.concat_arrays([names.cast(pa.string()) for names in lists if names is not None])
    persons = site.tokeniser.persons(names).values
    table = pa.table({"dataset": pa.array([dataset] * len(persons), pa.string()), "person": persons})
    warehouse.write_table(con, table, working_folder(site.batch.folder, dataset) / "answered.parquet")
    return True
