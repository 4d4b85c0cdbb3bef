"""``access.yaml`` holds for whoever starts a run, wherever they fill in the form."""

from __future__ import annotations

from typing import Any

import pytest

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
