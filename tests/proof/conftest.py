"""One small county, verified once, for the tests that compare runs with it or go on from it.

What is made here is not to be changed: tests go on in a copy (``county.copy``, ``county.own``).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.batch import Batch
from pipelines.settings import Workspace
from tests.conftest import Once
from tests.proof import county

HOUSEHOLDS, SEED = 40, 6


@pytest.fixture(scope="session")
def taken_in(once: Once) -> Workspace:
    """Requests are in the case store, and nothing more was done."""
    return county.County(once("taken_in", lambda folder: county.make(folder, HOUSEHOLDS, SEED))).workspace


@pytest.fixture(scope="session")
def asked(taken_in: Workspace, once: Once) -> Workspace:
    """The same county, asked and admitted, and not assessed yet."""

    def make(root: Path) -> None:
        county.run(county.copy(taken_in, root), stages=county.ASKED)

    return Workspace.open(once("asked", make))


@pytest.fixture(scope="session")
def verified(asked: Workspace, once: Once) -> tuple[Workspace, Batch]:
    """The same county verified and delivered."""

    def make(root: Path) -> None:
        county.run(county.copy(asked, root))

    workspace = Workspace.open(once("verified", make))
    (batch,) = workspace.batches.iterdir()
    return workspace, Batch.open(workspace.batches, batch.name)
