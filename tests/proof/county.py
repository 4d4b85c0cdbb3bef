"""A small made-up county, taken in and ready to be verified; all of its departments deliver files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipelines import intake
from pipelines.batch import Batch
from pipelines.demo import AS_OF
from pipelines.settings import Workspace
from pipelines.verify import open_batch
from tests.bench import county as on_disk


@dataclass
class County:
    """``root``/county is what the departments and the case system have, ``root``/workspace what Hedui makes of it."""

    root: Path

    @property
    def truth(self) -> Path:
        return self.root / "county" / "truth.jsonl"

    @property
    def workspace(self) -> Workspace:
        return Workspace.open(self.root / "workspace")

    def batch(self) -> Batch:
        return open_batch(self.workspace, AS_OF)


def make(root: Path, households: int, seed: int) -> County:
    """The county and a workspace with its requests taken in."""
    on_disk.make(root / "county", households, seed)
    workspace = on_disk.workspace(root / "workspace", root / "county")
    intake.run(workspace, AS_OF)
    return County(root)
