"""Airflow's components as processes: each with a log of its own, and all of them gone at the end."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.errors import HeduiError

COMPONENTS = {
    "api-server": ("api-server",),
    "scheduler": ("scheduler", "--skip-serve-logs"),  # logs lie on this machine: nobody has to serve them
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}
GRACE_SECONDS = 8
_PARENT_DIES = 1  # PR_SET_PDEATHSIG of prctl(2)


@dataclass(eq=False)
class ComponentDiedError(HeduiError):
    """A component of Airflow ended by itself."""

    component: str
    code: int | None
    log: str

    zh = "Airflow 组件 {component} 已退出（{code}）"
    en = "Airflow's {component} ended with code {code}"
    todo = "see {log}"


@dataclass(frozen=True)
class Component:
    """A running component."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path


@contextmanager
def database_made(environment: dict[str, str], log: Path) -> Iterator[None]:
    """Bring Airflow's database to this version beside what the block does; it is done when the block is over.

    Raises:
        ComponentDiedError: it failed; what it said is in the log.
    """
    with log.open("ab") as out:
        migrating = subprocess.Popen(
            [sys.executable, "-m", "airflow", "db", "migrate"], env=environment, stdout=out, stderr=out
        )
    try:
        yield
        if migrating.wait():
            raise ComponentDiedError("db migrate", migrating.returncode, str(log))
    finally:
        if migrating.poll() is None:
            migrating.kill()
            migrating.wait()


@contextmanager
def components(environment: dict[str, str], logs: Path) -> Iterator[list[Component]]:
    """Start every component; end them, and whatever they started, with the block."""
    libc = ctypes.CDLL(None, use_errno=True)

    def die_with_parent() -> None:
        # Only Linux knows this: killed outright, we would leave them behind.
        with suppress(AttributeError):
            libc.prctl(_PARENT_DIES, signal.SIGTERM)

    running: list[Component] = []
    try:
        for name, arguments in COMPONENTS.items():
            log = logs / f"{name}.log"
            with log.open("ab") as out:
                process = subprocess.Popen(  # noqa: S603
                    [sys.executable, "-m", "airflow", *arguments],
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=out,
                    start_new_session=True,
                    preexec_fn=die_with_parent,
                )
            running.append(Component(name, process, log))
        yield running
    finally:
        stop(running)


def require_alive(running: list[Component]) -> None:
    """Raise if a component has ended.

    Raises:
        ComponentDiedError: the first that has.
    """
    for component in running:
        if component.process.poll() is not None:
            raise ComponentDiedError(component.name, component.process.returncode, str(component.log))


def stop(running: list[Component]) -> None:
    """Ask every component to end, then make it: a task is in a process group of its own, so its pid is noted first."""
    import psutil

    whole: list[Any] = []
    for component in running:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(component.process.pid)
            whole += [process, *process.children(recursive=True)]
    for component in running:
        with suppress(ProcessLookupError):
            os.killpg(component.process.pid, signal.SIGTERM)
    _, left = psutil.wait_procs(whole, timeout=GRACE_SECONDS)
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    for component in running:
        component.process.wait()
