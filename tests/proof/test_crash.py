"""A run that is killed, anywhere, and started again ends as if it had never died: reports, receipts and ledger."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipelines.demo import AS_OF
from pipelines.settings import Workspace
from tests.dying import FORKED
from tests.proof import county

# Where a run dies, again and again, until the one that is left alone: a random moment of each of these stages.
DEATHS = ("plan", "collect", "collect", "check_admitted", "assess", "check_assessed", "report", "deliver")
LIVES = 3
# Files on whose appearance a run dies: half written, or some of those that belong together and not the others.
APPEARS = (
    ("plan", "members.parquet"),
    ("collect", "admitted/*/.*.part"),
    ("collect", "admitted/social_security.contributions/*.parquet"),
    ("assess", "facts/*/.*.part"),
    ("assess", "assessed/*/tests.parquet"),
    ("report", "reports/.*.part"),
)


@dataclass(frozen=True)
class Undisturbed:
    """What a run that nobody disturbs leaves, where, and the seconds of each of its stages."""

    folder: Path
    outcome: dict[str, object]
    seconds: dict[str, float]


def _run(folder: str, begun: Any, stop_after: str | None) -> None:
    """Verify the workspace; die without a word after ``stop_after``."""
    from pipelines import verify

    ws = Workspace.open(Path(folder))
    batch = verify.open_batch(ws, AS_OF)
    begun.set()
    for stage in county.STAGES:
        verify.run_stage(stage, batch, ws)
        if stage == stop_after:
            os._exit(9)


def _start(folder: Path, stop_after: str | None = None) -> Any:
    """A process that runs the batch, once it has begun."""
    begun = FORKED.Event()
    process = FORKED.Process(target=_run, args=(str(folder), begun, stop_after))
    process.start()
    assert begun.wait(timeout=120)
    return process


def _finish(folder: Path) -> None:
    process = _start(folder)
    process.join(timeout=120)
    assert process.exitcode == 0


def _mark(folder: Path, stage: str) -> Path:
    (batch,) = (folder / "batches").iterdir()
    return batch / "stages" / f"{stage}.json"


def _wait_for(mark: Path) -> None:
    end = time.monotonic() + 120
    while not mark.exists():
        assert time.monotonic() < end
        time.sleep(0.002)


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
def undisturbed(taken_in: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    folder = _copy(taken_in.root, tmp_path_factory.mktemp("undisturbed"))
    process = _start(folder)
    times = [time.monotonic()]
    for stage in county.STAGES:
        _wait_for(_mark(folder, stage))
        times.append(time.monotonic())
    process.join(timeout=120)
    assert process.exitcode == 0
    outcome = _outcome(folder)
    assert outcome["delivered"]
    assert outcome["receipts"]
    seconds = {stage: times[place + 1] - times[place] for place, stage in enumerate(county.STAGES)}
    return Undisturbed(folder, outcome, seconds)


@pytest.fixture(scope="module")
def died_after(taken_in: Workspace, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What a run leaves that died after a stage, for every stage: each run goes on where the one before it died."""
    folder = _copy(taken_in.root, tmp_path_factory.mktemp("dying"))
    left = {}
    for stage in county.STAGES[:-1]:
        process = _start(folder, stop_after=stage)
        process.join(timeout=120)
        assert process.exitcode == 9
        left[stage] = _copy(folder, tmp_path_factory.mktemp(f"died_after_{stage}"))
    return left


def _copy(workspace: Path, into: Path) -> Path:
    return Path(shutil.copytree(workspace, into / "workspace"))


@pytest.mark.parametrize("stage", county.STAGES[:-1])
def test_killed_after_a_stage_and_run_again(stage: str, died_after: dict[str, Path], undisturbed: Undisturbed) -> None:
    assert _mark(died_after[stage], stage).exists()
    _finish(died_after[stage])
    assert _outcome(died_after[stage]) == undisturbed.outcome


@pytest.mark.parametrize("life", range(LIVES))
def test_killed_at_a_random_moment_of_every_stage_and_run_again(
    life: int, taken_in: Workspace, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    folder, luck = _copy(taken_in.root, tmp_path), random.Random(life)
    for stage in DEATHS:
        process = _start(folder)
        before = county.STAGES.index(stage) - 1
        if before >= 0:
            _wait_for(_mark(folder, county.STAGES[before]))
        time.sleep(undisturbed.seconds[stage] * luck.random())
        process.kill()
        process.join()
    _finish(folder)
    assert _outcome(folder) == undisturbed.outcome


def test_killed_as_soon_as_a_file_appears_and_run_again(
    taken_in: Workspace, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    folder, caught = _copy(taken_in.root, tmp_path), []
    for stage, file in APPEARS:
        process = _start(folder)
        end = _mark(folder, stage)
        while process.is_alive() and not end.exists() and file not in caught:
            if next(end.parents[1].glob(file), None):
                process.kill()
                caught.append(file)
        process.kill()
        process.join()
    assert len(caught) >= len(APPEARS) // 2  # what is there for a moment only may be missed
    _finish(folder)
    assert _outcome(folder) == undisturbed.outcome


def test_run_again_after_success_changes_nothing(undisturbed: Undisturbed) -> None:
    _finish(undisturbed.folder)
    assert _outcome(undisturbed.folder) == undisturbed.outcome
