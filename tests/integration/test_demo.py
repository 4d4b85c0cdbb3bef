"""The demo and the commands around it, on a small county: what a newcomer does first."""

import json
import shutil
from pathlib import Path

import pytest

from pipelines import cli
from pipelines.batch import Batch
from pipelines.settings import Workspace
from pipelines.verify import STAGES
from tests.cases import configure
from tests.conftest import HOUSEHOLDS, Demo

NIGHT = "2026-09-16T03:00:00+08:00"


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, object]]:
    code = cli.run([*arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


@pytest.fixture(scope="module")
def folder(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's folder, to be changed."""
    return Path(shutil.copytree(demo.folder, tmp_path_factory.mktemp("demo") / "demo"))


def test_demo_finds_what_was_planted_and_nothing_else(demo: Demo) -> None:
    summary = demo.summary
    truth = summary["truth"]
    assert (truth["missed"], truth["false"]) == (0, 0), truth["examples"]
    assert truth["planted"] >= HOUSEHOLDS // 5
    assert set(summary["seconds"]) >= set(STAGES)
    page = Path(str(summary["report"])).read_text("utf-8")
    assert "核对报告" in page
    assert "数据质量" in Path(str(summary["quality"])).read_text("utf-8")
    assert set(summary["gates"].values()) == {"pass"}


def test_another_folder_is_not_emptied(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").write_text("x")
    assert cli.run(["demo", str(tmp_path)]) == 2
    assert (tmp_path / "mine").exists()
    assert "not a demo's folder" in capsys.readouterr().err


def test_one_request_while_staff_wait(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = str(folder / "workspace")
    request = json.loads((folder / "report.json").read_text())["request_id"]
    code, one = told(capsys, "verify", "--request", request, "--as-of", NIGHT, "-w", workspace)
    assert code == 0
    report = one["report"]
    assert isinstance(report, dict)
    assert report["request_id"] == request
    assert Batch.open(Workspace.open(Path(workspace)).batches, str(one["batch"])).admitted_from
    assert cli.run(["report", "show", request, "-w", workspace]) == 0
    assert report["request_id"] in capsys.readouterr().out


def test_a_request_that_nobody_made(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = str(folder / "workspace")
    assert cli.run(["verify", "--request", "R-none", "-w", workspace]) == 2
    assert cli.run(["report", "show", "R-none", "-w", workspace]) == 2
    assert capsys.readouterr().err.count("R-none") >= 2


def test_a_touched_report_is_told(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = str(folder / "workspace")
    assert told(capsys, "report", "check", str(folder / "report.json"), "-w", workspace) == (
        0, {"file": "report.json", "valid": True, "problems": []},
    )  # fmt: skip
    touched = json.loads((folder / "report.json").read_text())
    touched["tests"][0]["limit"] += 1
    file = tmp_path / "touched.json"
    file.write_text(json.dumps(touched))
    code, answer = told(capsys, "report", "check", str(file), "-w", workspace)
    assert code == 1
    assert answer["valid"] is False
    assert answer["problems"]


def test_the_ledger_holds(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = told(capsys, "ledger", "verify", "-w", str(folder / "workspace"))
    assert code == 0
    assert answer["problem"] is None
    assert int(str(answer["entries"])) > HOUSEHOLDS // 10


def test_sources_say_which_department_does_not_answer(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # the demo's servers have stopped; its folders are still there. Not to wait between tries saves ten seconds.
    connections = Workspace.open(folder / "workspace").settings.connections
    once_each = {
        name: c.model_dump(mode="json", exclude_none=True) | {"attempts": 1} for name, c in connections.items()
    }
    configure(folder / "workspace", connections=once_each)
    code, answer = told(capsys, "sources", "--on", "2026-09-16", "-w", str(folder / "workspace"))
    assert code == 1
    states = {state["dataset"]: state for state in answer["sources"]}  # type: ignore[attr-defined]
    assert states["social_security/pensions"]["fresh"]
    assert not states["banks/deposits"]["reachable"]


def test_intake_again_changes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = told(capsys, "intake", "--at", NIGHT, "-w", str(folder / "workspace"))
    assert code == 0
    assert answer["files"] == 0


def test_refused_requests_end_with_1(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = tmp_path / "site"
    assert cli.run(["init", str(site)]) == 0
    lines = (folder / "county" / "requests").glob("*.jsonl")
    good = next(lines).read_text("utf-8").splitlines()[0]
    (site / "inbox" / "day.jsonl").write_text(f"{good}\n{{}}\n", "utf-8")
    capsys.readouterr()
    code, answer = told(capsys, "intake", "--at", NIGHT, "-w", str(site))
    assert code == 1
    assert (answer["accepted"], answer["refused"]) == (1, 1)
