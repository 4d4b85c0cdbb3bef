"""The third check of a batch: each request has exactly one report, before anything of it can be delivered."""

from __future__ import annotations

import json
from dataclasses import asdict

import duckdb
import pyarrow as pa
import sqlalchemy as sa

from expectations.native import Checked, run_suite
from expectations.suite import suite_of
from pipelines import tables
from pipelines.batch import Batch, write_json
from pipelines.plan_tables import SELECTION
from pipelines.store import Store

CHECKED = "checked_issued.json"
COUNTED = "issued.json"


def run(batch: Batch, store: Store, withdrawn: int) -> list[Checked]:
    """Count the reports of every request of the batch.

    Args:
        batch: its reports are in the store.
        store: the case store.
        withdrawn: how many requests got no report because they were withdrawn meanwhile; as many, and no others, may
            be without one.
    """
    reports, confirmed = tables.reports, tables.confirmations
    same = sa.and_(reports.c.report_id == confirmed.c.report_id, reports.c.version == confirmed.c.version)
    with store.read() as connection:
        new = list(connection.scalars(sa.select(reports.c.request_id).where(reports.c.batch_id == batch.id)))
        held = sa.select(reports.c.request_id).join(confirmed, same).where(confirmed.c.batch_id == batch.id)
        old = list(connection.scalars(held))
    asked = dict(json.loads((batch.folder / SELECTION).read_text("utf-8")))
    missing = asked.keys() - {*new, *old}
    kinds = {
        "asked": len(asked),
        "new": len(new),
        "confirmed": len(old),
        "twice": len(new) + len(old) - len({*new, *old}),
        "unknown": len({*new, *old} - asked.keys()),
        "missing": abs(len(missing) - withdrawn),
    }
    write_json(batch.folder / COUNTED, kinds)
    with duckdb.connect() as con:
        put(con, batch)
        checked = run_suite(con, suite_of("issued"))
    write_json(batch.folder / CHECKED, [asdict(entry) for entry in checked])
    return checked


def put(con: duckdb.DuckDBPyConnection, batch: Batch) -> None:
    """What was counted as the table ``issued``, one row a kind."""
    kinds = json.loads((batch.folder / COUNTED).read_text("utf-8"))
    con.register("_issued", pa.table({"kind": list(kinds), "reports": pa.array(list(kinds.values()), pa.int64())}))
    con.execute("CREATE OR REPLACE TABLE issued AS SELECT * FROM _issued")
    con.unregister("_issued")
