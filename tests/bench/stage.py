"""One step of the bench in a process of its own: ``python -m tests.bench.stage STEP FOLDER [N]``."""

from __future__ import annotations

import sys
from pathlib import Path

from pipelines.batch import Batch
from pipelines.cli import quiet_logs
from pipelines.demo import AS_OF
from pipelines.settings import Workspace
from tests.bench import county


def main(step: str, folder: Path, households: int) -> None:
    """Run one step in ``folder``, which holds county/ and workspace/."""
    if step == "county":
        county.make(folder / "county", households)
        return
    ws = Workspace.open(folder / "workspace")
    if step == "intake":
        from pipelines import intake

        intake.run(ws, AS_OF)
        return
    from pipelines.verify import open_batch, run_stage

    batch = open_batch(ws, AS_OF) if step == "plan" else Batch.open(ws.batches, (folder / "batch").read_text())
    (folder / "batch").write_text(batch.id)
    run_stage(step, batch, ws)


if __name__ == "__main__":
    quiet_logs()
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
