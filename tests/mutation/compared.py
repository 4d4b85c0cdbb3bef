"""What the second reading and the golden households would say of a mutant, by comparison with what they have said.

Both are compared with sql/ as it is when the baseline is made: households on which they agree are kept with what they
expect. A mutant that makes any of it otherwise fails ``tests/reference/test_reading.py`` (the worlds are the first ones
of its first seed) or ``tests/rules/test_golden.py``. Nothing is compared that these do not assert.
"""

from __future__ import annotations

import pickle
import threading
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from tests.mutation.baseline import Baseline, save
from tests.mutation.mutant import Mutant
from tests.reference import against, compare
from tests.reference.reading import read
from tests.rules.household import Household
from tests.rules.test_golden import FOUND
from tests.rules.together import household, stories

FOLDER = Path("build/mutation").resolve()
SEED, FEW, MANY = 0, 300, 2_500  # worlds: most mutants are noticed by a few
SECONDS = 600  # that the steps of a mutant may take: one that takes longer does not end
FAILS = (duckdb.Error, KeyError, IndexError, TypeError, ValueError)


def prepare() -> None:
    """Write the baselines and what is expected of them."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for count in (FEW, MANY):
        _prepare_worlds(count)
    alone = [name for name in stories() if household(name).own == "TRUE"]
    together = next(name for name in stories() if name not in alone)
    for name, of in [("stories", [n for n in stories() if n not in alone]), *((name, [name]) for name in alone)]:
        save(household(together if name == "stories" else name).con, FOLDER / f"{name}.duckdb")
        told = {one: (household(one).own, household(one).story) for one in of}
        (FOLDER / f"{name}.pickle").write_bytes(pickle.dumps(told))
    (FOLDER / "golden.pickle").write_bytes(pickle.dumps(["stories", *alone]))


def _prepare_worlds(count: int) -> None:
    worlds, policies = against.draw(SEED, count)
    with against.assessed(worlds, policies, threads=1) as con:
        found = compare.of_sql(con)
        save(con, FOLDER / f"worlds-{count}.duckdb")
    shapes = {one.request_id: compare.of_reading(read(one)) for world in worlds for one in world.households}
    agreed = {key: shape for key, shape in shapes.items() if not compare.differences(shape, found[key])}
    (FOLDER / f"worlds-{count}.pickle").write_bytes(pickle.dumps(agreed))


@cache
def _worlds(count: int) -> tuple[Baseline, dict[str, compare.Shape]]:
    expected = pickle.loads((FOLDER / f"worlds-{count}.pickle").read_bytes())
    return Baseline(FOLDER / f"worlds-{count}.duckdb"), expected


@cache
def _golden(name: str) -> tuple[Baseline, dict[str, tuple[str, dict[str, Any]]]]:
    return Baseline(FOLDER / f"{name}.duckdb"), pickle.loads((FOLDER / f"{name}.pickle").read_bytes())


@cache
def _connections() -> list[str]:
    return pickle.loads((FOLDER / "golden.pickle").read_bytes())


def noticed(mutant: Mutant, step: str) -> str:
    """Which comparison notices the mutant; nothing if none does."""
    return (
        _by_reading(mutant, step, FEW)
        or next((by for name in _connections() if (by := _by_golden(mutant, step, name))), "")
        or _by_reading(mutant, step, MANY)
    )


def _by_reading(mutant: Mutant, step: str, count: int) -> str:
    base, expected = _worlds(count)
    with _in_time(base.con) as late:
        try:
            with base.broken(mutant, step) as changed:
                return "reading" if changed and _differ(compare.of_sql(base.con), expected) else ""
        except duckdb.InterruptException:
            return "does not end" if late.is_set() else "interrupted"
        except FAILS:
            return "reading: it does not run"


def _differ(found: dict[str, compare.Shape], expected: dict[str, compare.Shape]) -> bool:
    return any(compare.differences(shape, found.get(key, {})) for key, shape in expected.items())


def _by_golden(mutant: Mutant, step: str, name: str) -> str:
    base, told = _golden(name)
    with _in_time(base.con) as late:
        try:
            with base.broken(mutant, step) as changed:
                return (_unexpected(base.con, told) if changed else "") and f"golden {_unexpected(base.con, told)}"
        except duckdb.InterruptException:
            return "does not end" if late.is_set() else "interrupted"
        except FAILS:
            return "golden: it does not run"


def _unexpected(con: duckdb.DuckDBPyConnection, told: dict[str, tuple[str, dict[str, Any]]]) -> str:
    """A story that does not find what it tells."""
    rows: dict[tuple[str, str, str], dict[str, list[tuple]]] = {}
    for name, (own, story) in told.items():
        expected = story["expect"]
        one = _Told(con, story, own, name, rows)
        if {line: FOUND[line](one, lines) for line, lines in expected.items()} != expected:
            return name
    return ""


class _Told(Household):
    """A story on the connection of all: every question is asked once for all of them."""

    def __init__(self, con: Any, story: Any, own: str, name: str, known: dict[Any, Any]) -> None:
        super().__init__(con, story, own)
        self.name, self.known = name, known

    def rows(self, table: str, columns: str = "*", where: str = "TRUE") -> list[tuple]:
        if self.own == "TRUE":
            return super().rows(table, columns, where)
        asked = (table, columns, where)
        if asked not in self.known:
            select = f"SELECT request_id, {columns} FROM {table} WHERE {where} ORDER BY ALL"
            found: dict[str, list[tuple]] = {}
            for request, *row in self.con.execute(select).fetchall():
                found.setdefault(request, []).append(tuple(row))
            self.known[asked] = found
        return self.known[asked].get(self.name, [])


class _in_time:
    """Interrupt what takes too long."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.late = threading.Event()
        self.timer = threading.Timer(SECONDS, lambda: (self.late.set(), con.interrupt()))

    def __enter__(self) -> threading.Event:
        self.timer.start()
        return self.late

    def __exit__(self, *_: object) -> None:
        self.timer.cancel()
