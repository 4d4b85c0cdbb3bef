"""The two checks of a batch: admitted data before assessment, its products after it.

Both are counted by DuckDB in one statement a table, from the definitions in ``expectations/``; that takes less than
a second. Great Expectations then confirms the same definitions (``quality``) and writes the pages; importing it
alone takes longer than both checks, so it runs beside the report stage and nothing is delivered before it agreed.
See docs/decisions/0008-two-readers-of-one-expectation.md.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb
import structlog

from connectors.contract import load_contracts
from expectations.contracts import suite_for, table_name
from expectations.native import ORDER, Checked, run_by, run_suite, worst
from expectations.suite import Suite, Verdict, product_suites, suite_of
from pipelines import check_issued, drift, warehouse
from pipelines.batch import Batch, write_json
from pipelines.errors import ExpectationFailedError, HeduiError, where
from pipelines.settings import Workspace
from pipelines.store import Store
from pipelines.summary import opened

log = structlog.get_logger()
PLANNED = ("requests", "policy_sources")
ISSUED = "issued"
_SMALL = 500_000  # rows


@dataclass(eq=False)
class NotConfirmedError(HeduiError):
    """Great Expectations and the native count differ: one of them is wrong, so neither is trusted."""

    batch: str
    suite: str
    expectation: str
    counted: int
    confirmed: int

    zh = "批次 {batch} 的 {suite}.{expectation} 两种核验不一致：{counted} 与 {confirmed}"
    en = "batch {batch}: {suite}.{expectation} counted {counted}, Great Expectations {confirmed}"
    todo = "nothing of this batch is delivered; report this as a defect"


def admitted(batch: Batch, ws: Workspace) -> dict[str, object]:
    """Check every admitted dataset and write ``gates.json``: dataset → pass, warn or fail.

    A dataset whose gate is ``fail`` is not used: assess takes its persons as ``unavailable`` (R1). A batch that
    reads another's admitted extracts has that batch's gates.
    """
    if batch.done("check_admitted"):
        return batch.summary("check_admitted")
    gates: dict[str, Verdict] = {}
    if batch.admitted_from is None:
        checked = []
        with opened(batch, ws) as con, closing(Store.open(ws.store_url)) as store:
            suites = _admitted_suites(con, batch, ws)
            for dataset, suite in suites.items():
                outcome = run_suite(con, suite)
                gates[dataset] = worst([entry.verdict for entry in outcome])
                checked += outcome
            contracts = load_contracts(ws.contracts)
            drift.measure(con, batch, [contracts[dataset] for dataset in suites], store)
            for dataset, outcome in run_by(con, suite_of("drift"), "dataset").items():
                gates[dataset] = worst([gates[dataset], *(entry.verdict for entry in outcome)])
            checked += run_suite(con, suite_of("drift"))
        write_json(batch.folder / "checked_admitted.json", [asdict(entry) for entry in checked])
        write_json(batch.folder / "gates.json", gates)
    summary: dict[str, object] = {"datasets": len(gates), **_count(list(gates.values()))}
    batch.mark("check_admitted", summary)
    log.info("check.admitted", batch=batch.id, **summary)
    return summary


def assessed(batch: Batch, ws: Workspace) -> dict[str, object]:
    """Check the assessed tables.

    Raises:
        ExpectationFailedError: a product breaks an expectation that may not be broken.
    """
    if batch.done("check_assessed"):
        return batch.summary("check_assessed")
    with opened(batch, ws) as con:
        _view_products(con, batch)
        checked = [entry for suite in product_suites() for entry in run_suite(con, suite)]
    write_json(batch.folder / "checked_assessed.json", [asdict(entry) for entry in checked])
    for entry in checked:
        if entry.verdict == "fail":
            raise ExpectationFailedError(batch.id, entry.suite, entry.name, entry.broken)
    summary: dict[str, object] = {"expectations": len(checked), **_count([entry.verdict for entry in checked])}
    batch.mark("check_assessed", summary)
    log.info("check.assessed", batch=batch.id, **summary)
    return summary


def quality(batch: Batch, ws: Workspace, reported: Callable[[], None] = lambda: None) -> dict[str, object]:
    """Let Great Expectations confirm the checks, keep what was counted and write the auditors' pages.

    Args:
        batch: assessed and checked; its reports are there, or being made meanwhile.
        ws: the workspace.
        reported: returns when the reports are there. Without it, reports that are not there yet are counted by
            ``report`` alone.

    Raises:
        NotConfirmedError: it counts other broken rows than the native check did.
    """
    if batch.done("quality"):
        return batch.summary("quality")
    from expectations import gx
    from pipelines.auditing import record, site

    folder = site.batch_folder(ws, batch.id)
    shutil.rmtree(folder, ignore_errors=True)
    with opened(batch, ws) as con:
        _view_products(con, batch)
        suites = [*_admitted_suites(con, batch, ws).values(), *product_suites()]
        if measured := drift.read(batch):
            drift.put(con, measured)
            suites.append(suite_of("drift"))
        _materialise(con, suites)
        groups = _in_turn(con, batch, suites, reported)
        confirmed = {(entry.suite, entry.name): entry.broken for entry in gx.run(con, groups, folder, batch.as_of)}
        counted = [entry for entry in read_checked(batch) if entry.suite != ISSUED or (ISSUED, entry.name) in confirmed]
        for entry in counted:
            found = confirmed[entry.suite, entry.name]
            if found != entry.broken:
                raise NotConfirmedError(batch.id, entry.suite, entry.name, entry.broken, found)
        record.write(con, batch, ws, [*suites, suite_of(ISSUED)], counted, drift.judged(con) if measured else [])
    site.publish(ws, batch.id)
    if batch.admitted_from is None:
        site.build(ws, batch.as_of)
    summary: dict[str, object] = {"confirmed": len(confirmed)}
    batch.mark("quality", summary)
    log.info("check.quality", batch=batch.id, **summary)
    return summary


def _in_turn(
    con: duckdb.DuckDBPyConnection, batch: Batch, suites: list[Suite], reported: Callable[[], None]
) -> Iterator[list[Suite]]:
    """What is there at once; then, when the reports are there, what is expected of them."""
    yield suites
    reported()
    if batch.done("report") and (batch.folder / check_issued.COUNTED).exists():
        check_issued.put(con, batch)
        yield [suite_of(ISSUED)]


def _materialise(con: duckdb.DuckDBPyConnection, suites: Sequence[Suite]) -> None:
    """Tables instead of views where they are small: Great Expectations reads each some thirty times."""
    for table in {suite.table for suite in suites} - {"profile"}:
        rows = con.execute(f"SELECT count(*) FROM {table}").fetchone()
        if rows and rows[0] <= _SMALL:
            con.execute(f"CREATE TABLE _{table} AS SELECT * FROM {table}")
            con.execute(f"CREATE OR REPLACE VIEW {table} AS SELECT * FROM _{table}")


def read_checked(batch: Batch) -> list[Checked]:
    """The outcomes of the checks, as they were written."""
    files = [batch.folder / name for name in ("checked_admitted.json", "checked_assessed.json", check_issued.CHECKED)]
    return [Checked(**entry) for file in files if file.exists() for entry in json.loads(file.read_text("utf-8"))]


def _admitted_suites(con: duckdb.DuckDBPyConnection, batch: Batch, ws: Workspace) -> dict[str, Suite]:
    """A view of the rows (deletions hold only keys) and a suite for each dataset that has an admitted extract."""
    if batch.admitted_from is not None:
        return {}
    files: dict[str, list[Path]] = {}
    for extract in json.loads((batch.folder / "extracts.json").read_text("utf-8")):
        if extract["path"]:
            files.setdefault(extract["dataset"], []).append(batch.folder / extract["path"])
    contracts = load_contracts(ws.contracts)
    suites = {}
    for dataset, paths in sorted(files.items()):
        source = warehouse.scan(*paths)
        con.execute(f"CREATE VIEW {table_name(dataset)} AS SELECT * FROM {source} WHERE op = 'upsert'")
        suites[dataset] = suite_for(contracts[dataset], batch.as_of.date().isoformat())
    return suites


def _view_products(con: duckdb.DuckDBPyConnection, batch: Batch) -> None:
    """A view of each assessed table over all shards, and of the planned tables that these are held against."""
    for table in {path.stem for path in (batch.folder / "assessed").glob("*/*.parquet")}:
        files = sorted((batch.folder / "assessed").glob(f"*/{table}.parquet"))
        con.execute(f"CREATE VIEW {table} AS SELECT * FROM {warehouse.scan(*files)}")
    for table in PLANNED:
        con.execute(f"CREATE VIEW {table} AS SELECT * FROM {warehouse.scan(batch.folder / f'{table}.parquet')}")


def _count(verdicts: list[Verdict]) -> dict[str, object]:
    return {verdict: verdicts.count(verdict) for verdict in ORDER}


def main(workspace: str, batch_id: str) -> int:
    """Run ``quality`` in a process of its own: ``python -m pipelines.check WORKSPACE BATCH``.

    Imports what takes long, waits for a line on standard input, then works; a second line says that the reports are
    there. Ends at once when its parent dies (standard input closes), so that a killed run leaves nobody writing
    pages. An unexpected error is told by its class only: its text could quote a value.
    """
    from expectations import gx

    gx.load()
    if not sys.stdin.readline():
        return 3
    reported = threading.Event()
    threading.Thread(target=_listen, args=(reported,), daemon=True).start()
    ws = Workspace.open(Path(workspace))
    try:
        quality(Batch.open(ws.batches, batch_id), ws, lambda: _wait(reported))
    except HeduiError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except Exception as error:
        print(f"quality: {where(error)}", file=sys.stderr)
        return 3
    return 0


def _listen(reported: threading.Event) -> None:
    """The parent's second line; then its end."""
    if sys.stdin.readline():
        reported.set()
        sys.stdin.read()
    os._exit(3)


def _wait(reported: threading.Event) -> None:
    reported.wait()


if __name__ == "__main__":
    # The pages are written; GX's own threads and atexit hooks would only cost time.
    code = main(sys.argv[1], sys.argv[2])
    sys.stderr.flush()
    os._exit(code)
