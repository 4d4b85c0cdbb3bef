"""A process that has imported what takes long, and forks for every mutant: the child runs tests and says which failed.

It works in a copy of the repository, so that a broken file is broken for whoever reads it, a process of its own too. A
function of a module that is imported already gets its broken code put in. One JSON line in: file, text, tests, seconds,
and whether the mutant needs a process that has not imported the file (``cold``); one out: the test that failed, or
nothing.
"""

from __future__ import annotations

import ast
import gc
import json
import os
import resource
import select
import signal
import sys
import time
from importlib import import_module
from itertools import count
from pathlib import Path
from types import CodeType, FunctionType
from typing import IO, Any

import pytest

# nothing of the repository: the file that is broken must be read after it is
HEAVY = ("duckdb", "pyarrow", "pyarrow.parquet", "pydantic", "yaml", "hypothesis", "simpleeval", "sqlalchemy",
         "cryptography.hazmat.primitives.ciphers.aead", "httpx", "jinja2", "sqlglot", "_pytest.pytester")  # fmt: skip
CPU_SECONDS = 120  # of one child: the machine may be busy with other things for much longer
BROKEN = "pytest ends with"  # which tells nothing of a mutant
OPTIONS = ("-q", "-p", "no:cacheprovider")
_numbers = count(1)
_collected: set[str] = set()


class _First:
    """Runs the tests that are chosen, in their order, and tells the first that fails."""

    def __init__(self, to: int, tests: list[str]) -> None:
        self.to, self.tests = to, tests

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        named = {item.nodeid: item for item in items}
        items[:] = [named[test] for test in self.tests if test in named]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            os.write(self.to, f"{report.nodeid}\n".encode())

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            os.write(self.to, f"{report.nodeid}: cannot be read\n".encode())


def main() -> None:
    """Answer until nobody asks."""
    answers = os.fdopen(os.dup(1), "w")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    for name in HEAVY:
        import_module(name)
    for line in sys.stdin:
        _answer(json.loads(line), answers)


def _answer(job: dict[str, Any], answers: IO[str]) -> None:
    if not job["cold"]:
        _collect(job["tests"])
    path = Path(job["file"])
    before, at = path.read_bytes(), path.stat()
    path.write_text(job["text"], "utf-8")
    os.utime(path, (next(_numbers), next(_numbers)))  # no compiled file is of this moment
    try:
        failed = _forked(job, before.decode())
    finally:
        path.write_bytes(before)
        os.utime(path, ns=(at.st_atime_ns, at.st_mtime_ns))
    answers.write(json.dumps(failed) + "\n")
    answers.flush()


def _collect(tests: list[str]) -> None:
    """Import the tests' files once for all children."""
    new = {test.partition("::")[0] for test in tests} - _collected
    if new:
        _collected.update(new)
        pytest.main(["--collect-only", *OPTIONS, *sorted(new)])


def _forked(job: dict[str, Any], whole: str) -> str:
    """The first of the tests that fails in a child; nothing if all pass."""
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()
        os.close(reads)
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        sys.dont_write_bytecode = True
        if not job["cold"] and job["file"].endswith(".py"):
            put_in(str(Path(job["file"]).resolve()), whole, job["text"])
        files = list(dict.fromkeys(test.partition("::")[0] for test in job["tests"]))
        os._exit(int(pytest.main(["-x", *OPTIONS, *files], plugins=[_First(writes, job["tests"])])))
    os.close(writes)
    told = _read(reads, time.monotonic() + job["seconds"])
    if told is None:
        os.killpg(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if told is None or os.WIFSIGNALED(status):
        return "does not end"
    return told or ("" if status == 0 else f"{BROKEN} {os.waitstatus_to_exitcode(status)}")


def put_in(path: str, whole: str, text: str) -> None:
    """Give every function of an imported file the code that it has in another text of it."""
    before, after = _codes(compile(ast.unparse(ast.parse(whole)), path, "exec")), _codes(compile(text, path, "exec"))
    other = {name: code for name, code in after.items() if code != before.get(name)}
    for one in gc.get_objects():
        if isinstance(one, FunctionType) and one.__code__.co_filename == path and one.__code__.co_qualname in other:
            one.__code__ = other[one.__code__.co_qualname]


def _codes(code: CodeType) -> dict[str, CodeType]:
    """Every function of a file by its name, the innermost too."""
    found = {}
    for part in code.co_consts:
        if isinstance(part, CodeType):
            found |= {part.co_qualname: part} | _codes(part)
    return found


def _read(reads: int, until: float) -> str | None:
    """What the child told before it ended, or None if it did not end in time."""
    told = b""
    with os.fdopen(reads, "rb", buffering=0) as pipe:
        while (left := until - time.monotonic()) > 0:
            if select.select([pipe], [], [], left)[0]:
                part = pipe.read(4096)
                if not part:
                    return told.decode().partition("\n")[0]
                told += part
    return None


if __name__ == "__main__":
    main()
