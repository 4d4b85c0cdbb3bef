"""The command line: quick, exemplified, and ended by the right code."""

import json
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer

from connectors.contract import load_contracts
from pipelines import cli
from pipelines.errors import ConfigurationError, StageFailedError


def commands() -> list[list[str]]:
    def walk(app: typer.Typer, path: list[str]) -> list[list[str]]:
        found = [[*path, c.name or c.callback.__name__] for c in app.registered_commands]  # type: ignore[union-attr]
        for group in app.registered_groups:
            found += walk(group.typer_instance, [*path, group.name])  # type: ignore[arg-type, list-item]
        return found

    return walk(cli.app, [])


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_command_has_an_example(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([*command, "--help"]) == 0
    assert f"Example: hedui {' '.join(command)}" in capsys.readouterr().out


def test_all_promised_commands_are_there() -> None:
    promised = "demo, init, intake, verify, report show, report check, sources, contracts check, policy check, "
    promised += "policy explain, keys init, keys public, keys rotate, ledger verify, synth"
    assert {" ".join(c) for c in commands()} >= set(promised.split(", "))


def test_help_is_quick_and_imports_nothing_heavy() -> None:
    code = (
        "import sys; from pipelines import cli; cli.run(['--help']); "
        "heavy = {'duckdb', 'pyarrow', 'pandas', 'sqlalchemy', 'pydantic', 'airflow'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    start = time.process_time()
    wall = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert time.perf_counter() - wall < 3  # 0.4 s on an idle machine
    assert time.process_time() - start < 0.5


def test_init_makes_a_workspace_that_opens(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from connectors.contract import load_contracts
    from pipelines.settings import Workspace

    folder = tmp_path / "site"
    assert cli.run(["init", str(folder)]) == 0
    ws = Workspace.open(folder)
    key = ws.path(ws.settings.keys.path)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert set(ws.settings.sources) == set(load_contracts())
    public = key.with_name("report-signing.pub")
    before = key.read_bytes(), public.read_bytes()
    assert b"BEGIN PUBLIC KEY" in before[1]
    assert cli.run(["init", str(folder)]) == 0
    assert (key.read_bytes(), public.read_bytes()) == before
    assert cli.run(["keys", "public", "-w", str(folder), "--out", str(tmp_path / "handed-out.pub")]) == 0
    assert (tmp_path / "handed-out.pub").read_bytes() == before[1]
    assert cli.run(["keys", "init", "-w", str(folder)]) == 2
    assert "root key exists" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["verify", "--no-such-option"], 2),
        (["report", "check"], 2),
        (["no-such-command"], 2),
        (["ledger", "verify", "-w", "no-such-folder"], 2),
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(arguments) == code
    assert capsys.readouterr().err


def raising(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def app(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(cli, "app", app)


def test_an_unexpected_error_is_told_by_class_and_place_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(ValueError("370303199001011234"), monkeypatch)
    assert cli.run(["verify"]) == 3
    told = capsys.readouterr().err
    assert "ValueError" in told
    assert "test_cli.py" in told
    assert "37030319" not in told


def test_errors_of_hedui_carry_their_code_and_fields(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(StageFailedError("b1", "collect", "x"), monkeypatch)
    assert cli.run(["verify", "--json"]) == 3
    told = json.loads(capsys.readouterr().err)
    assert told["error"] == "StageFailedError"
    assert told["stage"] == "collect"
    raising(ConfigurationError("hedui.yaml", "division", "wrong"), monkeypatch)
    assert cli.run(["verify"]) == 2
    text = capsys.readouterr().err
    assert "配置有误" in text
    assert "configuration" in text


def test_contracts_check_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["contracts", "check", "--json"]) == 0
    told = [line["dataset"] for line in json.loads(capsys.readouterr().out)]
    assert told == list(load_contracts())
