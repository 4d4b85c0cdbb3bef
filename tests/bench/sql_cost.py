"""What each file of sql/ costs: ``python -m tests.bench.sql_cost FOLDER`` on a batch that the bench has run.

Facts files are timed over all of the batch, the others on its first shard and multiplied by the number of shards; a
file that is one of several of a table (assess/review/) is timed alone.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import duckdb
import pyarrow as pa

from connectors.contract import load_contracts
from pipelines import assess, constants, documents
from pipelines.batch import Batch
from pipelines.facts import KINDS
from pipelines.keys import KeyRing
from pipelines.opening import SealedFields
from pipelines.settings import Workspace
from pipelines.warehouse import SQL, connect, scan

Costs = dict[str, float]


def costs(ws: Workspace, batch: Batch) -> Costs:
    """Seconds of every file, by its path under sql/, as it weighs in a whole run."""
    ring = KeyRing.open(ws.settings.keys, ws.root)
    size = ws.settings.limits.shard_households
    with connect(ring.data_key(batch.source_folder), ws.settings.limits) as con:
        con.execute("SET preserve_insertion_order = false")
        assess._load_common(con, batch, load_contracts(ws.contracts), [])
        assess._persons(con, batch, size)
        found = _facts(con)
        facts, read = assess._facts(con, batch)
        households = assess._load_shard(con, batch, 0, size)
        read(con, facts, 0)
        parts = len(assess.shards(batch))
        found |= {file: seconds * parts for file, seconds in _steps(con).items()}
    with connect(ring.data_key(batch.source_folder), ws.settings.limits) as con:
        parts = parts * max(1, -(-households // documents.SHARD))
        found |= {file: seconds * parts for file, seconds in _report(con, ws, batch, ring).items()}
    return found


def _timed(con: duckdb.DuckDBPyConnection, table: str, select: str) -> float:
    start = time.perf_counter()
    con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {select}")
    return time.perf_counter() - start


def _facts(con: duckdb.DuckDBPyConnection) -> Costs:
    files = [file for kind in KINDS for file in sorted((SQL / "facts" / kind).glob("*.sql"))]
    asked = "SELECT f.* FROM ({}) f JOIN shard_persons p ON p.person = f.person"
    return {_name(file): _timed(con, "timed", asked.format(file.read_text("utf-8"))) for file in files}


def _steps(con: duckdb.DuckDBPyConnection) -> Costs:
    assess.run_steps(con)
    found: Costs = {}
    for step in assess.STEPS:
        parts = sorted((SQL / step).glob("*.sql"))
        if not parts:
            found[f"{step}.sql"] = _timed(con, "timed", (SQL / f"{step}.sql").read_text("utf-8"))
        for part in parts:
            found[_name(part)] = _timed(con, "timed", part.read_text("utf-8"))
    return found


def _report(con: duckdb.DuckDBPyConnection, ws: Workspace, batch: Batch, ring: KeyRing) -> Costs:
    constants.prepare(con, batch, load_contracts(ws.contracts))
    shard = documents.shards(con, assess.shards(batch)[0])[0]
    asked = f"SELECT request_id FROM {scan(shard.folder / 'households.parquet')} WHERE {shard.condition} ORDER BY 1"
    ids = [request for (request,) in con.execute(asked).fetchall()]
    places = pa.table({"request_id": ids, "place": range(len(ids)), "report_id": ids})
    documents.drafts(con, batch.folder / "members.parquet", shard, places, SealedFields.of(ring, batch))
    return {
        _name(file): _timed(con, "timed", file.read_text("utf-8")) for file in sorted((SQL / "report").glob("*.sql"))
    }


def _name(file: Path) -> str:
    return str(file.relative_to(SQL))


def main(folder: Path) -> None:
    """Print the costs as JSON, the dearest first."""
    ws = Workspace.open(folder / "workspace")
    found = costs(ws, Batch.open(ws.batches, (folder / "batch").read_text()))
    print(json.dumps(dict(sorted(found.items(), key=lambda item: -item[1]))))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
