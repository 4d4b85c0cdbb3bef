"""A batch from plan to delivery: every stage in order, each a function of the batch and the workspace.

Great Expectations confirms the checks in a process of its own beside the report stage (its import alone takes
longer than most stages); nothing is delivered before it has agreed.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from importlib.abc import MetaPathFinder

from pipelines.batch import Batch
from pipelines.errors import HeduiError, StageFailedError
from pipelines.settings import Workspace

# Stage → module and function; imported when its turn comes, so that `hedui --help` and a DAG parse stay quick.
STAGES: dict[str, tuple[str, str]] = {
    "plan": ("pipelines.plan", "run"),
    "collect": ("pipelines.collect", "run"),
    "check_admitted": ("pipelines.check", "admitted"),
    "assess": ("pipelines.assess", "run"),
    "check_assessed": ("pipelines.check", "assessed"),
    "report": ("pipelines.report", "run"),
    "quality": ("pipelines.check", "quality"),
    "deliver": ("pipelines.deliver", "run"),
}


@dataclass(eq=False)
class NotCollectedError(HeduiError):
    """One request is verified on extracts that a batch has admitted; none has."""

    request: str

    zh = "申请 {request} 尚未在任何批次中取数"
    en = "no batch has collected extracts for request {request}"
    todo = "verify all open requests first: hedui verify"
    exit_code = 2


@dataclass
class Timings:
    """Seconds by stage, as measured in this run; a stage that was done already takes almost none."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def of(self, stage: str) -> Iterator[None]:
        """Time one stage."""
        start = time.perf_counter()
        yield
        self.seconds[stage] = time.perf_counter() - start


@contextmanager
def without_pandas() -> Iterator[None]:
    """While staff wait for one household: Arrow and DuckDB import pandas to know its types among Python values.

    No stage gives them any, and the import would take a tenth of the time. They ask, and are told that there is none.
    """

    class NotHere(MetaPathFinder):
        def find_spec(self, fullname: str, path: object, target: object = None) -> None:
            if fullname == "pandas":
                raise ModuleNotFoundError(fullname)

    finder = NotHere()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


def open_batch(ws: Workspace, as_of: datetime, request: str | None = None) -> Batch:
    """The batch of all open requests, or of one on the newest extracts that were admitted for it by then.

    Raises:
        NothingSelectedError: no request is open.
        NotCollectedError: no batch has collected for the request.
    """
    from pipelines.plan import new_batch

    if request is None:
        return new_batch(ws, as_of)
    return new_batch(ws, as_of, [request], newest_collected(ws, request, as_of).id)


def newest_collected(ws: Workspace, request: str, by: datetime) -> Batch:
    """The newest batch that by a moment had collected by itself for a request, and whose rows are still there.

    Raises:
        NotCollectedError: there is none.
        DataKeyDestroyedError: there was one; its retention has ended.
    """
    from pipelines.keys import DESTROYED, DataKeyDestroyedError
    from pipelines.store import Store

    store = Store.open(ws.store_url)
    try:
        found = store.collected_for(request)
    finally:
        store.close()
    known = [Batch.open(ws.batches, name) for name in found]
    past = sorted((b for b in known if b.as_of <= by), key=lambda b: (b.as_of, b.id), reverse=True)
    for batch in past:
        if not (batch.folder / DESTROYED).exists():
            return batch
    if past:
        raise DataKeyDestroyedError(past[0].id)
    raise NotCollectedError(request)


def is_past(ws: Workspace, request: str, as_of: datetime) -> bool:
    """Whether a report of the request speaks of a later moment: then the question is what was known before (R66)."""
    from pipelines.store import Store

    store = Store.open(ws.store_url)
    try:
        row = store.latest_reports([request]).get(request)
    finally:
        store.close()
    return row is not None and as_of < Batch.open(ws.batches, row.batch_id).as_of


def run_stage(stage: str, batch: Batch, ws: Workspace) -> object:
    """Run one stage by its name; what a DAG's task calls."""
    module, function = STAGES[stage]
    return getattr(import_module(module), function)(batch, ws)


def run_batch(
    batch: Batch, ws: Workspace, *, before: Callable[[str], None] = lambda stage: None, confirm: bool = True
) -> Timings:
    """Run every stage of a batch; finished ones are not repeated.

    Args:
        batch: the batch.
        ws: the workspace.
        before: called with each stage's name as it starts, for a progress bar.
        confirm: whether Great Expectations confirms the checks and writes the pages. One request that is verified
            while staff wait goes without: its extracts were confirmed with the batch that admitted them.
    """
    timings = Timings()
    confirming = _start_quality(batch, ws) if confirm and not batch.done("quality") else None
    try:
        for stage in ("plan", "collect", "check_admitted", "assess", "check_assessed"):
            _timed(stage, batch, ws, timings, before)
        if confirming is not None:
            _tell(confirming, "go\n")
        _timed("report", batch, ws, timings, before)
        if confirming is not None:
            _tell(confirming, "reported\n")
        before("quality")
        with timings.of("quality"):
            _join(confirming, batch)
    finally:
        if confirming is not None and confirming.poll() is None:
            confirming.terminate()
            confirming.communicate()
    _timed("deliver", batch, ws, timings, before)
    return timings


def _timed(stage: str, batch: Batch, ws: Workspace, timings: Timings, before: Callable[[str], None]) -> None:
    before(stage)
    with timings.of(stage):
        run_stage(stage, batch, ws)


def _tell(process: subprocess.Popen[str], line: str) -> None:
    """Say something to the child; one that has died is found when it is joined."""
    with suppress(BrokenPipeError):
        if process.stdin is not None:
            process.stdin.write(line)
            process.stdin.flush()


def _start_quality(batch: Batch, ws: Workspace) -> subprocess.Popen[str]:
    """The child imports while the first stages run, and starts when it is told that the products are there.

    It reads its standard input to know that this process lives: killed together, never left behind.
    """
    return subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", "pipelines.check", str(ws.root), batch.id],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def _join(confirming: subprocess.Popen[str] | None, batch: Batch) -> None:
    if confirming is None:
        return
    errors = confirming.stderr.read() if confirming.stderr else ""
    if confirming.wait() != 0:
        lines = errors.strip().splitlines()
        raise StageFailedError(batch.id, "quality", lines[-1] if lines else f"exit code {confirming.returncode}")
