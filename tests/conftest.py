"""How the tests are spread over workers, and what is made once for all of them."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

# Files of these folders share what is costly: each folder stays on one worker.
TOGETHER = ("tests/airflow/", "tests/console/", "tests/dags/")
# Where minutes are spent comes first, so that no worker is left alone with it at the end.
LONGEST_FIRST = (*TOGETHER, "tests/proof/", "tests/integration/", "tests/reference/", "tests/rules/", "tests/unit/")
HOUSEHOLDS = 160  # of the demo
Once = Callable[[str, Callable[[Path], object]], Path]


class _Spread(LoadFileScheduling):
    """Each file on one worker, and all files that share something costly on one as well."""

    def _split_scope(self, nodeid: str) -> str:
        file = str(super()._split_scope(nodeid))
        return next((folder for folder in TOGETHER if file.startswith(folder)), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    """Take our spreading for ``--dist loadfile``."""
    if config.getoption("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False  # by how many tests a file has, whatever they cost
    return _Spread(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest folders first."""

    def place(item: pytest.Item) -> int:
        starts = (place for place, folder in enumerate(LONGEST_FIRST) if item.nodeid.startswith(folder))
        return next(starts, len(LONGEST_FIRST))

    items.sort(key=place)


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """Make a folder of a name once in a run of the tests, in whichever worker comes first; not to be changed then."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def made(name: str, make: Callable[[Path], object]) -> Path:
        folder, whole = base / name, base / f"{name}.whole"
        with (base / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not whole.exists():
                shutil.rmtree(folder, ignore_errors=True)
                make(folder)
                whole.touch()
        return folder

    return made


@dataclass(frozen=True)
class Demo:
    """What ``hedui demo`` left, in a process of its own; not to be changed.

    Attributes:
        root: has ``demo``, and what stayed of the process's temporary files in ``temporary``.
        summary: what it said with ``--json``.
        told: all that it printed.
    """

    root: Path
    summary: dict[str, Any]
    told: str

    @property
    def folder(self) -> Path:
        return self.root / "demo"


@pytest.fixture(scope="session")
def demo(once: Once) -> Demo:
    """A county, its departments' servers, one night's batch."""
    root = once("demo", _run_demo)
    out, errors = (root / "stdout").read_text("utf-8"), (root / "stderr").read_text("utf-8")
    return Demo(root, json.loads(out), out + errors)


def _run_demo(root: Path) -> None:
    root.mkdir()
    # not under root, which is closed to others: PostgreSQL runs as another user when the tests run as root
    temporary = Path(tempfile.mkdtemp(prefix="hedui-demo-"))
    temporary.chmod(0o755)
    command = [
        sys.executable,
        "-m",
        "pipelines.cli",
        "demo",
        str(root / "demo"),
        "--households",
        str(HOUSEHOLDS),
        "--json",
    ]
    with (root / "stdout").open("w") as out, (root / "stderr").open("w") as errors:
        subprocess.run(command, stdout=out, stderr=errors, check=True, env=os.environ | {"TMPDIR": str(temporary)})
    shutil.move(temporary, root / "temporary")
