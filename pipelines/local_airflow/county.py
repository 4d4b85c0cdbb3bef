"""The made-up county behind the local Airflow: its first night is done, and some households have applied since.

So staff find reports and pages, a run has something to do, and one household can be verified on admitted extracts.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from connectors.synthetic.servers import ServedCounty
from pipelines.demo import AS_OF, make_county, make_workspace
from pipelines.local_airflow.people import write_access
from pipelines.settings import CONFIGURATION, Workspace

MORNING_AFTER = date(2026, 9, 17)


def days_back(folder: Path) -> int:
    """How many days the county's calendar is behind ours, fixed when it is made.

    It was made on the morning after its first night. Left standing, its extracts grow old as they would.
    """
    file = folder / "days_back"
    if not file.exists():
        file.write_text(f"{(datetime.now(UTC).date() - MORNING_AFTER).days}\n", "utf-8")
    return int(file.read_text("utf-8"))


def make(folder: Path, households: int, waiting: int, seed: int) -> Path:
    """Make the county once; its last ``waiting`` requests are kept back until the first night is over."""
    county = folder / "county"
    if not (folder / "later.jsonl").exists() and not county.exists():
        make_county(county, households=households, seed=seed)
        requests = sorted((county / "requests").glob("*.jsonl"))
        lines = [line for file in requests for line in file.read_text("utf-8").splitlines(keepends=True)]
        (folder / "later.jsonl").write_text("".join(lines[len(lines) - waiting :]), "utf-8")
        for file in requests[1:]:
            file.unlink()
        requests[0].write_text("".join(lines[: len(lines) - waiting]), "utf-8")
    return county


def open_workspace(root: Path, county: Path, served: ServedCounty, more: dict[str, Any]) -> Workspace:
    """The workspace over the county as it is served now: its departments answer on other ports each time."""
    connections = {n: c.model_dump(mode="json", exclude_none=True) for n, c in served.connections.items()}
    (root / CONFIGURATION).unlink(missing_ok=True)
    ws = make_workspace(root, county, connections, served.sources, more)
    write_access(ws.root)
    return ws


def first_night(ws: Workspace, county: Path, folder: Path, before: Callable[[str], None], confirm: bool) -> None:
    """Verify who had applied by then; afterwards the others' requests arrive.

    Args:
        ws: the workspace.
        county: the county's folder.
        folder: the local Airflow's folder.
        before: told each step as it starts.
        confirm: whether Great Expectations confirms and writes its pages, which takes most of the time.
    """
    from pipelines import intake
    from pipelines.verify import open_batch, run_batch

    later = folder / "later.jsonl"
    if not later.exists():
        return
    before("intake")
    intake.run(ws, AS_OF)
    run_batch(open_batch(ws, AS_OF), ws, before=before, confirm=confirm)
    later.replace(county / "requests" / "requests-later.jsonl")
