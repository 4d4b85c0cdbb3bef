"""Mutants before the tests that touch what they break: the quickest first, until one fails."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from tests.mutation import forking, touched
from tests.mutation.baseline import ROOT
from tests.mutation.compared import FOLDER
from tests.mutation.mutant import Fate, Mutant

SECONDS = 40.0  # of tests for one mutant, as long as they took when they were noted
LATE = 1800.0  # after which a child is ended that neither ends nor computes
# where a file's own tests are: they are run before any others
HOME = {
    "pipelines/policy": ("tests/unit/test_policy",), "sql/facts": ("tests/rules/test_delivered",),
    "sql/plan": ("tests/unit/test_plan", "tests/rules/test_authorisation"),
    "sql/collect": ("tests/unit/test_collect", "tests/rules/test_coverage"),
    "sql/report": ("tests/unit/test_report", "tests/rules/test_report"),
    "sql/household": ("tests/rules",), "sql/figures": ("tests/rules",), "sql/assess": ("tests/rules",),
}  # fmt: skip


def prepare() -> None:
    """Note what each test touches, where it is not known of a test file as it is."""
    if stale := touched.stale():
        subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.mutation.touched", *stale],
            cwd=ROOT, check=False, stdout=subprocess.DEVNULL,
        )  # fmt: skip


@cache
def _touching() -> dict[str, dict[str, Any]]:
    return {
        test: told for test, told in touched.read().items()
        if not test.startswith("tests/rules/test_golden")  # compared already
    }  # fmt: skip


def chosen(mutant: Mutant) -> tuple[list[str], list[str]]:
    """The tests of the file's own home, and others; the quickest first."""
    of_file = {test: told for test, told in _touching().items() if mutant.file in told["touched"]}
    lines = set(mutant.lines)
    of_line = {test: told for test, told in of_file.items() if lines & set(told["touched"][mutant.file])}
    # what no test runs by itself runs when the file is imported, or never
    of = of_line or of_file
    homes = next((home for place, home in HOME.items() if mutant.file.startswith(place)), ())
    own, others, left = [], [], SECONDS
    for test in sorted(of, key=lambda test: (not test.startswith(homes), of[test]["seconds"])):
        left -= of[test]["seconds"]
        if left >= 0 or not (own or others):
            (own if test.startswith(homes) else others).append(test)
    return own, others


def meet(mutant: Mutant) -> Fate:
    """Which test notices the mutant."""
    by = ""
    for tests in chosen(mutant):
        if tests and not by:
            by = _child(mutant.cold).ask(mutant.file, mutant.text, tests)
    return Fate(mutant.key, mutant.file, mutant.kind, mutant.change, by)


class _Child:
    """The forking process of this worker, in a copy of the repository.

    Args:
        cold: it imports nothing that a mutant may break.
    """

    def __init__(self, cold: bool) -> None:
        self.cold, self.tree = cold, _copy(FOLDER / f"tree-{os.getpid()}-{cold}")
        environment = os.environ | {
            "PYTHONPATH": str(self.tree),
            "HYPOTHESIS_STORAGE_DIRECTORY": str(self.tree / ".hypothesis"),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.mutation.forking"], cwd=self.tree, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self.sure: set[str] = set()  # tests that pass here without any mutant
        self.failing: set[str] = set()  # tests that do not

    def ask(self, file: str, text: str, tests: list[str]) -> str:
        """The first of the tests that fails on the text and not without it; nothing if all pass."""
        whole = (self.tree / file).read_text("utf-8")
        while by := self._ask(file, text, [test for test in tests if test not in self.failing]):
            if by not in tests or by in self.sure:
                break
            (self.failing if self._ask(file, whole, [by]) else self.sure).add(by)
        return by

    def _ask(self, file: str, text: str, tests: list[str]) -> str:
        if not tests or self.process.stdin is None or self.process.stdout is None:
            return ""
        job = {"file": file, "text": text, "tests": tests, "seconds": LATE, "cold": self.cold}
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        told = str(json.loads(self.process.stdout.readline()))
        if told.startswith(forking.BROKEN):
            raise RuntimeError(f"{told}: {tests}")
        return told


@cache
def _child(cold: bool) -> _Child:
    return _Child(cold)


def _copy(to: Path) -> Path:
    """What git knows or would, without what it ignores."""
    shutil.rmtree(to, ignore_errors=True)
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file() and not (ROOT / name).is_symlink():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)
    (to / ".venv").symlink_to((ROOT / ".venv").resolve())
    return to
