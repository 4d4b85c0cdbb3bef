"""Assessed tables as they are, and beside them those that a mutant leaves otherwise.

A mutant of one step is run on the tables of the steps before it. A later step is run only if a table that it reads is
not as it was, so what changes nothing costs one statement.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from pipelines import assess
from pipelines.warehouse import SQL
from tests.mutation.mutant import Mutant

ROOT = SQL.parent
_WORD = re.compile(r"[a-z_]+")


def step_of(file: str) -> str | None:
    """The step of the assessment that a file of the repository is, or is a part of."""
    path = Path(file)
    if path.parts[0] != "sql":
        return None
    name = str(path.relative_to("sql").with_suffix(""))
    parts = (name, str(Path(name).parent))
    return next((part for part in parts if part in assess.STEPS), None)


def save(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Every table and view of an assessed connection, as tables of a file."""
    path.unlink(missing_ok=True)
    con.execute(f"ATTACH '{path}' AS saved")
    listed = "SELECT table_name FROM information_schema.tables WHERE table_catalog <> 'saved' AND table_schema = 'main'"
    for (name,) in con.execute(listed).fetchall():
        con.execute(f"CREATE TABLE saved.{name} AS SELECT * FROM {name}")
    con.execute("DETACH saved")


class Baseline:
    """A connection with every table as it is in ``main``; the schema ``broken`` goes before it.

    Args:
        path: what ``save`` has written.
    """

    def __init__(self, path: Path) -> None:
        self.con = duckdb.connect(config={"threads": 1})
        self.con.execute(f"ATTACH '{path}' AS saved (READ_ONLY)")
        for (name,) in self.con.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = 'saved'"
        ).fetchall():
            self.con.execute(f"CREATE TABLE {name} AS SELECT * FROM saved.{name}")
        self.con.execute("DETACH saved")
        self.con.execute("CREATE SCHEMA broken")
        self.con.execute("SET search_path = 'broken,main'")
        tables = {Path(step).name for step in assess.STEPS}
        self.prints = {table: self._print(f"main.{table}") for table in tables}
        self.reads = {step: set(_WORD.findall(assess._select(step))) & tables for step in assess.STEPS}

    @contextmanager
    def broken(self, mutant: Mutant, step: str) -> Iterator[set[str]]:
        """Have the mutant's tables stand in the place of those that it changes; gives their names."""
        changed: set[str] = set()
        try:
            for name in assess.STEPS[assess.STEPS.index(step) :]:
                if name == step or changed & self.reads[name]:
                    with standing(mutant):
                        text = assess._select(name)
                    self._remake(Path(name).name, text, changed)
            yield changed
        finally:
            for table in changed:
                self.con.execute(f"DROP TABLE IF EXISTS broken.{table}")

    def _remake(self, table: str, text: str, changed: set[str]) -> None:
        self.con.execute(f"CREATE OR REPLACE TABLE broken.{table} AS {text}")
        changed.add(table)
        if self._print(f"broken.{table}") == self.prints[table]:
            self.con.execute(f"DROP TABLE broken.{table}")
            changed.remove(table)

    def _print(self, table: str) -> Any:
        """The same for the same rows, whatever their order."""
        return self.con.execute(f"SELECT COUNT(*), BIT_XOR(hash(t)), SUM(hash(t)) FROM {table} t").fetchone()


@contextmanager
def standing(mutant: Mutant) -> Iterator[None]:
    """Have everybody read the mutant in the place of its file."""
    before, wanted = Path.read_text, ROOT / mutant.file

    def read_text(self: Path, *args: Any, **named: Any) -> str:
        return mutant.text if self == wanted else before(self, *args, **named)

    Path.read_text = read_text  # type: ignore[method-assign]
    try:
        yield
    finally:
        Path.read_text = before  # type: ignore[method-assign]
