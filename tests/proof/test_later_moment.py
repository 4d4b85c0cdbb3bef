"""A household verified at a later moment, from the extracts of an earlier batch."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from pipelines.batch import Batch
from pipelines.demo import AS_OF
from pipelines.settings import Workspace
from pipelines.summary import opened
from pipelines.verify import open_batch, run_batch
from pipelines.warehouse import scan
from tests.proof import county


def _states(batch: Batch, ws: Workspace) -> dict[str, set[str]]:
    with opened(batch, ws) as con:
        files = sorted((batch.folder / "assessed").glob("*/member_coverage.parquet"))
        rows = con.execute(f"SELECT dataset, state FROM {scan(*files)}").fetchall()
    found: dict[str, set[str]] = {}
    for dataset, state in rows:
        found.setdefault(dataset, set()).add(state)
    return found


def test_r04_extracts_that_have_grown_old_are_stale_for_a_later_report(
    verified: tuple[Workspace, Batch], tmp_path: Path
) -> None:
    ws = county.own(verified[0], tmp_path / "site")
    batch = Batch.open(ws.batches, verified[1].id)
    with opened(batch, ws) as con:
        files = sorted((batch.folder / "assessed").glob("*/conclusions.parquet"))
        query = f"SELECT min(request_id) FROM {scan(*files)} WHERE limits = 'within_limits'"
        request = con.execute(query).fetchone()[0]
    soon = open_batch(ws, AS_OF + timedelta(hours=1), request)
    run_batch(soon, ws, confirm=False)
    assert _states(soon, ws)["banks/deposits"] == {"covered"}
    later = open_batch(ws, AS_OF + timedelta(days=100), request)
    run_batch(later, ws, confirm=False)
    assert _states(later, ws)["banks/deposits"] == {"stale"}
    with opened(later, ws) as con:
        files = sorted((later.folder / "assessed").glob("*/conclusions.parquet"))
        assert con.execute(f"SELECT limits FROM {scan(*files)}").fetchall() == [("undetermined",)]
