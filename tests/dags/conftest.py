"""One Airflow home for all tests of DAGs, and a small county of few departments that each test copies."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipelines.settings import Workspace
from tests.bench import county as on_disk
from tests.cases import configure
from tests.dags.airflow_home import Home

HOUSEHOLDS, SEED = 6, 6
KEPT = ("public_security/household_registration", "taxation/individual_income", "banks/deposits", "securities/holdings")


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    made = Home(tmp_path_factory.mktemp("airflow"))
    made.migrate()
    return made


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A county and a workspace that reaches four of its departments, with nothing taken in yet; not to be changed."""
    root = tmp_path_factory.mktemp("county")
    on_disk.make(root / "county", HOUSEHOLDS, SEED)
    on_disk.workspace(root / "workspace", root / "county")
    ws = Workspace.open(root / "workspace")
    sources = {name: ws.settings.sources[name].model_dump() for name in KEPT}
    at_once = {name.split("/")[0]: {"pause_minutes": 0} for name in KEPT}
    configure(ws.root, sources=sources, departments=at_once)
    return root


def copied(made: Path, root: Path) -> Workspace:
    """The workspace in a folder of a test's own."""
    shutil.copytree(made / "workspace", root, dirs_exist_ok=True)
    return Workspace.open(root)
