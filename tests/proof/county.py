"""A small made-up county, taken in and ready to be verified; all of its departments deliver files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipelines import intake
from pipelines.assess import shards
from pipelines.batch import Batch
from pipelines.demo import AS_OF
from pipelines.policy.load import SHIPPED
from pipelines.settings import Workspace
from pipelines.summary import opened
from pipelines.verify import open_batch, run_stage
from pipelines.warehouse import scan
from tests.bench import county as on_disk
from tests.cases import configure

ASKED = ("plan", "collect", "check_admitted")
UP_TO_REPORT = (*ASKED, "assess", "check_assessed")
STAGES = (*UP_TO_REPORT, "report", "deliver")
ASSESSED = {
    "figures": "*",
    "tests": "*",
    "conclusions": "*",
    "declaration": "*",
    "deductions": "*",
    "review": "request_id, code, rule, member_no, dataset, len(facts)",
    "income_items": "* EXCLUDE (item_no)",
    "asset_items": "request_id, member_no, dataset, class, value_fen, low, high, treatment, reason, rule, len(facts)",
    "household_members": "request_id, member_no, counted, why, rule",
    "member_coverage": "*",
}


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


def copy(workspace: Workspace, root: Path, **settings: object) -> Workspace:
    """The workspace as it is, in another folder and with some settings changed."""
    shutil.copytree(workspace.root, root)
    return configure(root, **settings)


def own(workspace: Workspace, root: Path) -> Workspace:
    """A copy with an inbox of its own, which takes what the test sends, and policy packs that the test may edit."""
    inbox = root / "inbox"
    cases = {"requests": {"kind": "folder", "path": str(inbox)}}
    copied = copy(workspace, root, policies="policies", case_systems=cases)
    for name in ("3703", "national"):
        shutil.copytree(SHIPPED / name, root / "policies" / name)
    inbox.mkdir(exist_ok=True)
    return copied


def run(workspace: Workspace, as_of: datetime = AS_OF, stages: Sequence[str] = STAGES) -> Batch:
    """Every stage, or some, without the confirmation by Great Expectations."""
    batch = open_batch(workspace, as_of)
    for stage in stages:
        run_stage(stage, batch, workspace)
    return batch


def delivered(workspace: Workspace, batch: Batch) -> dict[str, bytes]:
    """The delivered reports by request, each as its line."""
    files = sorted((workspace.root / "reports" / batch.id).glob("part-????.jsonl"))
    lines = [line for file in files for line in file.read_bytes().splitlines()]
    return {json.loads(line)["request_id"]: line for line in lines}


def answers(workspace: Workspace, batch: Batch) -> dict[str, list[tuple[object, ...]]]:
    """What was assessed, as far as it names no token: figures, tests, conclusions, reasons, declarations."""
    with opened(batch, workspace) as con:
        return {
            table: con.execute(
                f"SELECT {columns} FROM {scan(*(folder / f'{table}.parquet' for folder in shards(batch)))} ORDER BY ALL"
            ).fetchall()
            for table, columns in ASSESSED.items()
        }
