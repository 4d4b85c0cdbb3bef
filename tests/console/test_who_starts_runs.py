"""``access.yaml`` holds for whoever starts a run, wherever they fill in the form."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines import gate
from pipelines.batch import Batch
from pipelines.scheduled.form import FormRefusedError, read
from tests.cases import AT
from tests.console.conftest import OTHER, OWN, Console

REASON = "家庭情况变化"


def asked(console: Console, by: str | None, **given: Any) -> None:
    read({"reason": REASON} | given, console.ws, AT, by)


@pytest.mark.parametrize(
    ("by", "given"),
    [
        ("staff", {"requests": [OWN[0]]}),
        ("staff", {"division": "370303"}),
        ("staff", {}),  # the site's own division
        ("elsewhere", {"requests": [OTHER]}),
        ("scheduled", {}),
        (None, {}),
    ],
)
def test_whoever_may_starts_it(console: Console, by: str | None, given: dict[str, Any]) -> None:
    asked(console, by, **given)


@pytest.mark.parametrize(
    ("by", "given"),
    [
        ("staff", {"requests": [OWN[0], OTHER]}),
        ("staff", {"division": "370304"}),
        ("elsewhere", {}),
        ("elsewhere", {"requests": [OWN[0]]}),
        ("reviewer", {"requests": [OWN[0]]}),
        ("auditor", {"requests": [OWN[0]]}),
        ("administrator", {"requests": [OWN[0]]}),
        ("somebody of Airflow", {"requests": [OWN[0]]}),
    ],
)
def test_whoever_may_not_does_not(console: Console, by: str, given: dict[str, Any]) -> None:
    with pytest.raises(FormRefusedError, match=r"access\.yaml"):
        asked(console, by, **given)


def test_a_site_that_has_not_said_who_its_users_are_is_not_asked(console: Console) -> None:
    (console.ws.root / "access.yaml").unlink()
    asked(console, "somebody of Airflow")


@pytest.mark.parametrize(
    ("by", "may"),
    [("reviewer", True), ("staff", False), ("administrator", False), ("elsewhere", False), ("somebody", False)],
)
def test_the_gate_is_answered_by_a_reviewer_of_all_its_divisions(console: Console, by: str, may: bool) -> None:
    row = console.store.latest_reports([OWN[0]])[OWN[0]]
    batch = Batch.open(console.ws.batches, row.batch_id)  # of both divisions
    said = {"approved": True, "by": by, "reason": "来源已核实", "at": "2026-09-16T03:00:00+08:00"}
    if may:
        gate.answer(batch, console.ws, **said)
        assert gate.answered(console.store, batch.id) == gate.APPROVED
        return
    with pytest.raises(gate.AnswerRefusedError):
        gate.answer(batch, console.ws, **said)
    assert gate.answered(console.store, batch.id) is None
