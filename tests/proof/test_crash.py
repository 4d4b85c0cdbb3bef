"""A run that is killed, anywhere, and started again ends as if it had never died: reports, receipts and ledger."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import random
import shutil
import sqlite3
import time
from pathlib import Path

import pytest

from pipelines.demo import AS_OF
from pipelines.settings import Workspace
from tests.proof import county

# a fork server that has imported what a run needs: a run then takes seconds, not the start of Python
SPAWN = multiprocessing.get_context("forkserver")
SPAWN.set_forkserver_preload(["tests.proof.test_crash", "pipelines.assess", "pipelines.collect", "pipelines.report"])
STAGES = ("plan", "collect", "check_admitted", "assess", "check_assessed", "report")
MOMENTS = 20


def _run(folder: str, stop_after: str | None = None) -> None:
    """Verify the workspace; die without a word after ``stop_after``."""
    from pipelines import verify

    ws = Workspace.open(Path(folder))
    batch = verify.open_batch(ws, AS_OF)
    for stage in (*STAGES, "deliver"):
        verify.run_stage(stage, batch, ws)
        if stage == stop_after:
            os._exit(9)


def _start(folder: Path, stop_after: str | None = None) -> multiprocessing.process.BaseProcess:
    process = SPAWN.Process(target=_run, args=(str(folder), stop_after))
    process.start()
    return process


def _finish(folder: Path) -> None:
    process = _start(folder)
    process.join(timeout=120)
    assert process.exitcode == 0


def _outcome(folder: Path) -> dict[str, object]:
    """What a run leaves for others: the delivered bytes, the receipts, the ledger without its clock."""
    reports = folder / "reports"
    delivered = {
        str(f.relative_to(reports)): hashlib.sha256(f.read_bytes()).hexdigest()
        for f in sorted(reports.rglob("*"))
        if f.is_file()
    }
    with sqlite3.connect(folder / "state" / "store.sqlite") as store:
        receipts = store.execute("SELECT report_id, version, receipt FROM receipts ORDER BY 1, 2").fetchall()
        outbox = store.execute("SELECT report_id, version, state FROM outbox ORDER BY 1, 2").fetchall()
        ledger = store.execute("SELECT kind, batch_id, subject, detail FROM ledger ORDER BY 1, 2, 3").fetchall()
    return {"delivered": delivered, "receipts": receipts, "outbox": outbox, "ledger": ledger}


@pytest.fixture(scope="module")
def taken_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose requests were taken in, and nothing more."""
    return county.make(tmp_path_factory.mktemp("crash"), households=40, seed=6).root / "workspace"


@pytest.fixture(scope="module")
def undisturbed(taken_in: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, object], float]:
    """The outcome of a run that nobody disturbs, and how long it takes."""
    folder = _copy(taken_in, tmp_path_factory.mktemp("undisturbed"))
    start = time.monotonic()
    _finish(folder)
    outcome = _outcome(folder)
    assert outcome["delivered"]
    assert outcome["receipts"]
    return outcome, time.monotonic() - start


def _copy(workspace: Path, into: Path) -> Path:
    return Path(shutil.copytree(workspace, into / "workspace"))


@pytest.mark.parametrize("stage", STAGES)
def test_killed_after_a_stage_and_run_again(stage: str, taken_in: Path, undisturbed, tmp_path: Path) -> None:
    folder = _copy(taken_in, tmp_path)
    process = _start(folder, stop_after=stage)
    process.join(timeout=120)
    assert process.exitcode == 9
    _finish(folder)
    assert _outcome(folder) == undisturbed[0]


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_killed_at_a_random_moment_and_run_again(moment: int, taken_in: Path, undisturbed, tmp_path: Path) -> None:
    folder = _copy(taken_in, tmp_path)
    process = _start(folder)
    time.sleep(undisturbed[1] * (moment + random.Random(moment).random()) / MOMENTS)
    process.kill()
    process.join()
    _finish(folder)
    assert _outcome(folder) == undisturbed[0]


def test_run_again_after_success_changes_nothing(taken_in: Path, undisturbed, tmp_path: Path) -> None:
    folder = _copy(taken_in, tmp_path)
    _finish(folder)
    _finish(folder)
    assert _outcome(folder) == undisturbed[0]
