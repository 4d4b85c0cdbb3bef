"""One small county, taken in once and verified once, for the tests that compare runs with it."""

from __future__ import annotations

import pytest

from pipelines.batch import Batch
from pipelines.settings import Workspace
from tests.proof import county

HOUSEHOLDS, SEED = 40, 6


@pytest.fixture(scope="package")
def taken_in(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Requests are in the case store, and nothing more was done; not to be changed."""
    return county.make(tmp_path_factory.mktemp("county"), HOUSEHOLDS, SEED).workspace


@pytest.fixture(scope="package")
def verified(taken_in: Workspace, tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Batch]:
    """The same county verified and delivered; not to be changed."""
    workspace = county.copy(taken_in, tmp_path_factory.mktemp("verified") / "workspace")
    return workspace, county.run(workspace)
