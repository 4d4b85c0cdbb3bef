"""The steps of a scheduled run, one for each task: it opens the workspace, calls a stage, and gives a name back.

The workspace is the environment variable HEDUI_WORKSPACE of Airflow's workers. A step that is run again finds what is
done and goes on.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from pipelines import ledger
from pipelines.batch import Batch
from pipelines.errors import HeduiError, StageFailedError, where
from pipelines.scheduled.form import HERE, Form, read, selected
from pipelines.settings import Workspace
from pipelines.store import Store

P = ParamSpec("P")
T = TypeVar("T")


def discreet(step: Callable[P, T]) -> Callable[P, T]:
    """Airflow logs what is raised; an error that is not ours could quote a value, so its place is told instead."""

    @wraps(step)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return step(*args, **kwargs)
        except HeduiError:
            raise
        except Exception as error:
            raise StageFailedError("-", step.__name__, where(error)) from None

    return call


def workspace() -> Workspace:
    """The workspace of this worker."""
    return Workspace.open(Path(os.environ["HEDUI_WORKSPACE"]))


def opened(batch_id: str) -> tuple[Batch, Workspace]:
    """A batch by its name, and its workspace."""
    ws = workspace()
    return Batch.open(ws.batches, batch_id), ws


def moment(at: datetime) -> datetime:
    """A run's moment in the county's time, to the second; never the clock, so that a retry is the same batch.

    A county whose calendar stands still, as the made-up one's, says in HEDUI_DAYS_BACK how many days it is behind.
    """
    days = timedelta(days=int(os.environ.get("HEDUI_DAYS_BACK", "0")))
    return datetime.fromisoformat(at.isoformat()).astimezone(HERE).replace(microsecond=0) - days


@discreet
def take_in(given: Mapping[str, object], at: datetime, by: str | None) -> None:
    """Judge the run's form, then take in what the case system has; not while staff wait for a request that is there."""
    from pipelines import intake

    ws = workspace()
    if not read(given, ws, at, by).admitted:
        intake.run(ws, at)


@discreet
def open_batch(given: Mapping[str, object], at: datetime, by: str | None, run: str) -> str | None:
    """The batch that a run's form speaks of, noted in the ledger with who asked for it and why; None if it is empty."""
    from pipelines.plan import new_batch
    from pipelines.verify import newest_collected

    ws = workspace()
    form = read(given, ws, at, by)
    as_of = form.as_of or at
    chosen = selected(form, ws)
    if chosen is not None and not chosen:
        return None
    source = newest_collected(ws, chosen[0], as_of).id if form.admitted and chosen else None
    batch = new_batch(ws, as_of, chosen, source)
    _note(ws, batch, form, run)
    return batch.id


def _note(ws: Workspace, batch: Batch, form: Form, run: str) -> None:
    """Who asked for a run, and why, before anybody is asked anything."""
    if form.by is None:
        return
    detail = {
        "by": form.by, "reason": form.reason, "division": form.division, "programme": form.programme,
        "requests": len(form.requests) if form.requests else None, "urgent": form.urgent, "admitted": form.admitted,
    }  # fmt: skip
    store = Store.open(ws.store_url)
    try:
        ledger.append(store, "run_requested", batch.id, run[:200], detail)
    finally:
        store.close()


@discreet
def stage(name: str, batch_id: str) -> None:
    """One stage of a batch."""
    from pipelines.verify import run_stage

    batch, ws = opened(batch_id)
    run_stage(name, batch, ws)


def collects(batch_id: str) -> bool:
    """Whether a batch asks departments by itself."""
    return opened(batch_id)[0].admitted_from is None


@discreet
def ask_source(batch_id: str, dataset: str, last_try: bool) -> bool:
    """Ask one source of a batch; says whether the plan asks for it."""
    from pipelines import collect

    batch, ws = opened(batch_id)
    return collect.source(batch, ws, dataset, last_try=last_try)


@discreet
def verify_admitted(batch_id: str) -> None:
    """Everything from plan to report in one go, for one request on extracts that were admitted: staff are waiting."""
    from pipelines.verify import run_stage

    batch, ws = opened(batch_id)
    for name in ("plan", "collect", "check_admitted", "assess", "check_assessed", "report"):
        run_stage(name, batch, ws)


@discreet
def waits(batch_id: str) -> bool:
    """Whether a batch's reports wait for a person."""
    from pipelines import gate

    batch, ws = opened(batch_id)
    store = Store.open(ws.store_url)
    try:
        return not gate.may_leave(batch, ws, store)
    finally:
        store.close()


@discreet
def gate_text(batch_id: str) -> str:
    """What the person who answers is shown: numbers, and where the pages of the batch are."""
    from pipelines import gate

    batch, ws = opened(batch_id)
    return f"{gate.run(batch, ws).text(batch)}\n\n数据质量 data quality: {quality_page(batch_id)}"


@discreet
def keep_answer(batch_id: str, approved: bool, by: str, reason: str, at: str) -> None:
    """A person's answer into the ledger, if they may answer: Airflow's own page asks nobody's role."""
    from pipelines import gate

    batch, ws = opened(batch_id)
    gate.answer(batch, ws, approved=approved, by=by, reason=reason, at=at)


def quality_page(batch_id: str) -> str:
    """The address of a batch's page of the auditors' site; that of the batch it reads from, if it has none."""
    from pipelines.auditing import site

    batch, ws = opened(batch_id)
    folder = site.batch_folder(ws, batch.id)
    if batch.admitted_from is not None and not folder.exists():
        folder = site.batch_folder(ws, batch.admitted_from)
    base = ws.settings.quality_url
    page = folder.relative_to(site.index(ws).parent) / "index.html"
    return f"{base.rstrip('/')}/{page.as_posix()}" if base else (folder / "index.html").as_uri()


@discreet
def deliver_outbox() -> None:
    """Whatever is in the outbox and may leave."""
    from pipelines.outbox import deliver_waiting

    deliver_waiting(workspace())


@discreet
def expire(at: datetime) -> None:
    """Deletions that were asked for, and batches past their time; then the proof that it is so."""
    from pipelines import retention
    from pipelines.scheduled.proof import prove

    ws = workspace()
    retention.run(ws, at)
    prove(ws, at)


@discreet
def rotate(given: Mapping[str, object], by: str | None, run: str) -> None:
    """The next key epoch, asked for by a named person with a reason; the ledger has both before the keys change."""
    from pipelines.rotation import rotate as begin
    from pipelines.scheduled.form import read_reason

    ws = workspace()
    reason = read_reason(given, ws, by)
    store = Store.open(ws.store_url)
    try:
        ledger.append(store, "run_requested", "", f"rotate_keys/{run}"[:200], {"by": by, "reason": reason})
    finally:
        store.close()
    begin(ws)


@discreet
def late_sources(at: str) -> list[str]:
    """Datasets whose delivery is awaited."""
    from pipelines.scheduled import waiting

    return waiting.late_sources(workspace(), datetime.fromisoformat(at))


@discreet
def arrived() -> list[str]:
    """What has arrived and nobody has read."""
    from pipelines.scheduled import waiting

    return waiting.arrived(workspace())


@discreet
def divisions() -> list[str]:
    """Divisions with somebody in payment."""
    from pipelines import reconcile

    return reconcile.divisions(workspace())


@discreet
def watch_division(division: str, at: datetime) -> str:
    """The batch that collects for a division's households in payment."""
    from pipelines import reconcile

    return reconcile.watch(workspace(), division, at).id


@discreet
def verify_due(batch_id: str) -> str | None:
    """Those whom something has changed for, verified; None if there are none."""
    from pipelines import reconcile

    second = reconcile.verify_due(*opened(batch_id))
    return second.id if second is not None else None
