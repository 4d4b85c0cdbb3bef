"""Processes that die on the way: each is forked from one that has imported what a batch needs, and runs nothing else.

To start Python and import takes longer than most of what is run in them.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from functools import reduce
from importlib import import_module
from pathlib import Path
from typing import Any

FORKED: Any = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload(
    [f"pipelines.{name}" for name in ("intake", "plan", "collect", "check", "assess", "report", "deliver")]
)


def died_at(place: str, call: int, when: str, run: Callable[[Path], object], folder: Path) -> int:
    """Run in a process that dies before or after its n-th call of a function; returns its exit status, 9 if it did.

    Args:
        place: of the function, as ``module:Class.name``.
        call: n, from 1.
        when: ``before`` or ``after``.
        run: what is run; of a module that another process can import.
        folder: what it is given.
    """
    process = FORKED.Process(target=_die, args=(place, call, when, run, folder))
    process.start()
    process.join(timeout=120)
    return int(process.exitcode)


def _die(place: str, left: int, when: str, run: Callable[[Path], object], folder: Path) -> None:
    module, _, path = place.partition(":")
    *outer, name = path.split(".")
    target = reduce(getattr, outer, import_module(module))
    real = getattr(target, name)

    def dying(*args: Any, **kwargs: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0 and when == "before":
            os._exit(9)
        result = real(*args, **kwargs)
        if left == 0:
            os._exit(9)
        return result

    setattr(target, name, dying)
    run(folder)
