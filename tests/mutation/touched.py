"""A pytest plugin that notes which files of sql/ each test reads and which lines of the policy code it runs.

``python -m pytest -p tests.mutation.touched tests/unit`` adds to build/mutation/touched.json: a mutant meets only the
tests that touch what it breaks, the quickest first. What a process of its own reads is not noted.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections import defaultdict
from collections.abc import Generator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SQL, POLICY = ROOT / "sql", str(ROOT / "pipelines" / "policy")
WRITTEN = ROOT / "build" / "mutation" / "touched.json"

FOLDERS = ("tests/unit", "tests/rules")
# nothing of sql/ and policy, or by programs of their own
OTHERS = ("synthetic", "pseudonyms", "identifiers", "names", "keys", "signing", "cli", "working_days")

_now: dict[str, set[int]] = defaultdict(set)
_found: dict[str, dict[str, Any]] = {}


def _reads(method: Any) -> Any:
    def read(self: Path, *args: Any, **named: Any) -> Any:
        if self.suffix == ".sql" and SQL in self.parents:
            _now[str(self.relative_to(ROOT))].add(0)
        return method(self, *args, **named)

    return read


def _calls(frame: FrameType, event: str, _: Any) -> Any:
    name = frame.f_code.co_filename
    if not name.startswith(POLICY):
        return None
    lines = _now[str(Path(name).relative_to(ROOT))]

    def runs(frame: FrameType, event: str, _: Any) -> Any:
        lines.add(frame.f_lineno)
        return runs

    return runs


def pytest_configure() -> None:
    Path.read_text, Path.read_bytes = _reads(Path.read_text), _reads(Path.read_bytes)  # type: ignore[method-assign]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    _now.clear()
    began = time.perf_counter()
    sys.settrace(_calls)
    try:
        return (yield)
    finally:
        sys.settrace(None)
        touched = {file: sorted(lines) for file, lines in sorted(_now.items())}
        if touched:
            _found[item.nodeid] = {"seconds": round(time.perf_counter() - began, 3), "touched": touched}


def pytest_sessionfinish(session: pytest.Session) -> None:
    seen = {str(item.path.relative_to(ROOT)) for item in session.items}
    kept = {test: told for test, told in read().items() if test.partition("::")[0] not in seen}
    files = _files() | {file: _digest(file) for file in seen}
    WRITTEN.parent.mkdir(parents=True, exist_ok=True)
    WRITTEN.write_text(json.dumps({"files": files, "tests": kept | _found}, indent=0), "utf-8")


def read() -> dict[str, dict[str, Any]]:
    """By test: how long it took and what it touched."""
    return json.loads(WRITTEN.read_text("utf-8"))["tests"] if WRITTEN.exists() else {}


def stale() -> list[str]:
    """Test files that are not as they were when they were noted."""
    paths = [path for folder in FOLDERS for path in sorted((ROOT / folder).glob("test_*.py"))]
    files = [str(path.relative_to(ROOT)) for path in paths if not any(other in path.stem for other in OTHERS)]
    noted = _files()
    return [file for file in files if noted.get(file) != _digest(file)]


def _files() -> dict[str, str]:
    return json.loads(WRITTEN.read_text("utf-8"))["files"] if WRITTEN.exists() else {}


def _digest(file: str) -> str:
    return hashlib.sha256((ROOT / file).read_bytes()).hexdigest()
