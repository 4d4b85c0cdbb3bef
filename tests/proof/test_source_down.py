"""A source that is down stops nobody, and whoever runs the batch is told: which, why, and by the exit code."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pipelines import cli, verify
from pipelines.demo import AS_OF
from tests.proof import county

DOWN = "securities/holdings"


def test_r01_a_source_that_is_down_is_told_and_the_others_are_verified(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Great Expectations takes four times as long as the rest; tests/dags has it confirm with sources missing
    monkeypatch.setattr(verify, "_start_quality", lambda batch, ws: None)
    made = county.make(tmp_path, households=8, seed=5)
    shutil.rmtree(tmp_path / "county" / "departments" / DOWN.replace("/", "."))
    where = ["-w", str(made.workspace.root)]
    assert cli.run(["verify", "--as-of", AS_OF.isoformat(), *where]) == 1
    told = capsys.readouterr().out
    assert f"未能核实 unavailable: {DOWN}: 无法连接或没有数据" in told
    assert "hedui sources" in told
    assert len(list((made.workspace.root / "reports").rglob("part-????.jsonl"))) == 1
    assert cli.run(["sources", "--on", AS_OF.date().isoformat(), "--json", *where]) == 1
    states = {state["dataset"]: state for state in json.loads(capsys.readouterr().out)["sources"]}
    assert states[DOWN]["last_admitted"] is None
    assert states["insurers/policies"]["last_admitted"] is not None
