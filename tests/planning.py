"""Requests through intake and plan, and the batch's tables as rows."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines import intake, plan
from pipelines.batch import Batch
from pipelines.keys import KeyRing
from pipelines.settings import Workspace
from pipelines.warehouse import connect, scan
from tests.cases import AT, put, workspace


def planned(folder: Path, *lines: dict[str, Any], at: datetime = AT) -> tuple[Workspace, Batch]:
    """Take the lines in and plan them all."""
    ws = workspace(folder / "site")
    put(ws, f"{len(list((ws.root / 'inbox').iterdir())):03d}.jsonl", *lines)
    assert intake.run(ws, AT).refused == 0
    batch = plan.new_batch(ws, at)
    plan.run(batch, ws)
    return ws, batch


def plan_all(folder: Path) -> None:
    """Plan all open requests of a workspace."""
    ws = Workspace.open(folder)
    plan.run(plan.new_batch(ws, AT), ws)


def rows(ws: Workspace, batch: Batch, select: str, table: str = "queries") -> list[tuple[Any, ...]]:
    """Rows of one of the batch's tables."""
    with connect(KeyRing.open(ws.settings.keys, ws.root).data_key(batch.source_folder)) as con:
        return con.execute(f"SELECT {select} FROM {scan(batch.folder / f'{table}.parquet')} ORDER BY ALL").fetchall()


def states(ws: Workspace, batch: Batch, column: str = "member_no") -> dict[Any, set[str]]:
    """States of the queries by a column."""
    found: dict[Any, set[str]] = {}
    for key, state in rows(ws, batch, f"DISTINCT {column}, state"):
        found.setdefault(key, set()).add(state)
    return found
