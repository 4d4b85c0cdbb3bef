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
from pipelines.errors import HeduiError
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


def ask(site: Site, query: Query) -> Outcome:
    """Ask one source, or find what came of asking it."""
    folder = working_folder(site.batch.folder, query.dataset)
    kept = folder / "outcome.json"
    if kept.exists():
        return _kept(site.batch, query.dataset, json.loads(kept.read_text("utf-8")))
    started = time.perf_counter()
    try:
        extracts, answered = _admit_all(site, query)
        document: dict[str, object] = {"digests": [extract.digest for extract in extracts], "answered": answered}
    except tuple(error for error, _ in _REASONS) as error:
        # Earlier extracts of a source whose later one failed would show a state that no longer holds.
        shutil.rmtree(admitted_path(site.batch.folder, query.dataset, "-").parent, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
        reason = next(code for kind, code in _REASONS if isinstance(error, kind))
        document = {"digests": [], "reason": reason, "error": _described(error)}
        log.warning("source_failed", dataset=query.dataset, reason=reason)
    document["seconds"] = round(time.perf_counter() - started, 3)
    write_json(kept, document)
    return _kept(site.batch, query.dataset, document)


def _described(error: HeduiError) -> dict[str, object]:
    """An error's name, fields and texts; errors hold no values by their making."""
    told = {f.name: str(getattr(error, f.name)) for f in fields(error)}
    return {"error": type(error).__name__, "fields": told, "message": str(error)}


def _kept(batch: Batch, dataset: str, document: dict[str, object]) -> Outcome:
    digests: list[str] = document["digests"]  # type: ignore[assignment]
    extracts = [AdmittedExtract.load(receipt_path(batch.folder, dataset, digest)) for digest in digests]
    answered = working_folder(batch.folder, dataset) / "answered.parquet" if document.get("answered") else None
    error: dict[str, object] | None = document.get("error")  # type: ignore[assignment]
    seconds = float(document["seconds"])  # type: ignore[arg-type]
    return Outcome(dataset, extracts, str(document.get("reason", "")), error, answered, seconds)


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
    source, contract = settings.sources.get(query.dataset), site.contracts.get(query.dataset)
    if contract is None or source is None or source.connection not in settings.connections:
        raise ContractError("hedui.yaml", f"sources.{query.dataset}", "no connection for this dataset")
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
