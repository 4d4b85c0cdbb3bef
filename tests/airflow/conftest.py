"""One running Airflow for every test of this folder: ``standing``.

It takes most of a minute and of two cores to come up, so there is one. ``make test`` gives each file to a worker
(``--dist loadfile``); this folder goes to one worker as if it were one file (``tests/conftest.py``), and its
fixture is made once; Airflow ends with the folder, since idle it still takes a fifth of a core. Put a test that needs
Airflow into any module of this folder, and take ``standing``:

    def test_something(standing: Standing) -> None:
        staff = standing.rest("staff")  # REST API as a user; standing.passwords["staff"] is for a form
        run = staff.trigger("verify_requests", {"reason": "…"})
        assert staff.wait("verify_requests", run)["state"] == "success"

The county has 60 households: 48 were verified in its first night (as of 2026-09-16T02:00+08:00, without Great
Expectations' pages), 12 have applied since and wait in the case system's folder. Tests share it and see what the
others did: name a request of your own (``standing_requests``), and leave the 12 to ``test_scheduler.py``.
verify_requests is unpaused, no other DAG is: unpause what you need and pause it again.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.local_airflow.standing import Standing, stand

HOUSEHOLDS, WAITING = 60, 12


@pytest.fixture(scope="package")
def standing() -> Iterator[Standing]:
    """Airflow with its four components on PostgreSQL, the county's departments answering."""
    # Not under pytest's folder: run by root, PostgreSQL is another user, whom the next pytest to start would shut out.
    folder = Path(tempfile.mkdtemp(prefix="hedui-airflow-"))
    try:
        with stand(
            folder, households=HOUSEHOLDS, waiting=WAITING, confirm=False, unpaused=("verify_requests",)
        ) as running:
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def standing_requests() -> list[str]:
    """Requests that have a report from the first night, in order."""
    return [f"R370303-2026-{number:06d}" for number in range(1, HOUSEHOLDS - WAITING + 1)]


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's path; without it or a Chinese font the test fails and says what to type (never skipped)."""
    found = shutil.which("chromium")
    fonts = (
        subprocess.run(["fc-list", ":lang=zh"], capture_output=True, check=False) if shutil.which("fc-list") else None
    )
    if not found or fonts is None or not fonts.stdout.strip():
        pytest.fail("no Chromium or no Chinese font: sudo apt-get install chromium fonts-noto-cjk fontconfig")
    return found
