"""``make mutants``: how many of the mutants of sql/ the tests notice.

A mutant first meets the independent reading (tests/reference) on some thousand households in one run. One that this
does not notice meets the golden households, then the other tests of the rules. What is left is looked at by a person:
docs/proof.md says why each may live, or which test was written against it.
"""

from __future__ import annotations

import argparse
import json
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines import assess
from pipelines.warehouse import SQL
from tests.mutation.sql_mutants import Mutant, mutants
from tests.reference import against, compare
from tests.reference.reading import read
from tests.reference.unsettled import unsettled
from tests.rules.test_golden import FOUND
from tests.rules.together import household, stories

FOLDERS = ("household", "figures", "assess")
WORLDS, SEED, SECONDS = 2_000, 11, 60
RULES = ("tests/rules/test_shared_facts.py", "tests/rules/test_interval_laws.py", "tests/unit/test_report.py")


@dataclass(frozen=True)
class Fate:
    """What became of a mutant: ``by`` names what noticed it, and is empty for one that lived."""

    file: str
    kind: str
    change: str
    by: str


def files() -> list[Path]:
    """Every file of the judgement, in the order of its steps."""
    found = [file for folder in FOLDERS for file in (SQL / folder).rglob("*.sql")]
    return sorted((file for file in found if _step(file) in assess.STEPS), key=lambda f: assess.STEPS.index(_step(f)))


def _step(file: Path) -> str:
    relative = str(file.relative_to(SQL).with_suffix(""))
    return relative if relative in assess.STEPS else str(Path(relative).parent)


@contextmanager
def broken(mutant: Mutant | None) -> Iterator[None]:
    """Have the assessment read the mutant in the place of its file."""
    if mutant is None:
        yield
        return
    before = Path.read_text
    wanted = SQL / mutant.file

    def read_text(self: Path, *args: Any, **named: Any) -> str:
        return mutant.text if self == wanted else before(self, *args, **named)

    Path.read_text = read_text  # type: ignore[method-assign]
    try:
        yield
    finally:
        Path.read_text = before  # type: ignore[method-assign]


def rerun(con: duckdb.DuckDBPyConnection, step: str) -> None:
    """The steps from this one on; those before it are as they were."""
    for name in assess.STEPS[assess.STEPS.index(step) :]:
        con.execute(f"CREATE OR REPLACE TABLE {Path(name).name} AS {assess._select(name)}")


@cache
def _worlds() -> tuple[duckdb.DuckDBPyConnection, dict[str, dict[str, Any]]]:
    """Assessed households and what the reading finds of each."""
    worlds, policies = against.draw(SEED, WORLDS)
    con = against.assessed(worlds, policies, threads=1)
    told = [one for world in worlds for one in world.households if unsettled(one) is None]
    expected = {one.request_id: compare.of_reading(read(one)) for one in told}
    for one in told:
        if one.policy.wage_deduction_bp:
            expected[one.request_id].pop("decisive")
    return con, {key: shape for key, shape in expected.items() if not compare.differences(shape, _shapes(con)[key])}


def _shapes(con: duckdb.DuckDBPyConnection) -> dict[str, dict[str, Any]]:
    return compare.of_sql(con)


@cache
def _together() -> tuple[duckdb.DuckDBPyConnection, dict[str, set[str]]]:
    """The connection of all stories, and what is found of each: one run tells which of them a mutant touches."""
    con = next(found for name in stories() if (found := household(name)).own != "TRUE").con
    return con, _told(con)


def _told(con: duckdb.DuckDBPyConnection) -> dict[str, set[str]]:
    """By story: every row of every result."""
    found: dict[str, set[str]] = {}
    for table in (*assess.RESULTS, "windows"):
        for request, row in con.execute(f"SELECT request_id, CAST(t AS VARCHAR) FROM {table} t").fetchall():
            found.setdefault(request, set()).add(f"{table} {row}")
    return found


def _differs_from_the_reading(mutant: Mutant, step: str) -> bool:
    con, expected = _worlds()
    with broken(mutant):
        rerun(con, step)
    found = compare.of_sql(con)
    return any(compare.differences(shape, found.get(key, {})) for key, shape in expected.items())


def _breaks_a_golden(mutant: Mutant, step: str) -> str:
    con, before = _together()
    try:
        with broken(mutant):
            rerun(con, step)
        after = _told(con)
        touched = [name for name in before if before[name] != after.get(name)]
        return next((name for name in touched if not _as_expected(name)), "") or _breaks_alone(mutant, step)
    except (duckdb.Error, KeyError, IndexError, TypeError):
        return "one that it does not run on"
    finally:
        rerun(con, step)


def _breaks_alone(mutant: Mutant, step: str) -> str:
    """Stories that are not on the connection of all."""
    for name in stories():
        found = household(name)
        if found.own == "TRUE":
            with broken(mutant):
                rerun(found.con, step)
            same = _as_expected(name)
            rerun(found.con, step)
            if not same:
                return name
    return ""


def _as_expected(name: str) -> bool:
    found = household(name)
    told = found.story["expect"]
    return {line: FOUND[line](found, expected) for line, expected in told.items()} == told


def _breaks_a_rule(mutant: Mutant) -> bool:
    with broken(mutant), open(os.devnull, "w") as silent, _quiet(silent):
        return pytest.main(["-x", "-q", "-p", "no:cacheprovider", *RULES]) != 0


@contextmanager
def _quiet(silent: Any) -> Iterator[None]:
    import contextlib

    with contextlib.redirect_stdout(silent), contextlib.redirect_stderr(silent):
        yield


def fate(mutant: Mutant, step: str) -> Fate:
    """Which test notices the mutant."""
    con, _ = _worlds()
    timer = threading.Timer(SECONDS, con.interrupt)
    timer.start()
    try:
        by = "reading" if _differs_from_the_reading(mutant, step) else ""
    except duckdb.InterruptException:
        by = "does not end"
    except (duckdb.Error, KeyError, TypeError):
        by = "does not run"
    finally:
        timer.cancel()
    by = (
        by
        or ((story := _breaks_a_golden(mutant, step)) and f"golden {story}")
        or ("rules" if _breaks_a_rule(mutant) else "")
    )
    return Fate(mutant.file, mutant.kind, mutant.change, by)


def fates(file: Path) -> list[Fate]:
    """What becomes of every mutant of a file."""
    step = _step(file)
    found = [fate(mutant, step) for mutant in mutants(SQL, file)]
    for con in (_worlds()[0], _together()[0]):
        rerun(con, step)
    lived = sum(not one.by for one in found)
    print(f"{file.relative_to(SQL)}: {len(found) - lived} of {len(found)} noticed", flush=True)
    return found


def table(found: Sequence[Fate]) -> str:
    """By file: mutants by kind, and how many lived; as Markdown."""
    lines = ["| file | mutants | operator | condition | bound | died | lived |", "|---|---:|---:|---:|---:|---:|---:|"]
    for file in dict.fromkeys(one.file for one in found):
        own = [one for one in found if one.file == file]
        kinds = [sum(one.kind == kind for one in own) for kind in ("operator", "condition", "bound")]
        lived = sum(not one.by for one in own)
        lines.append(f"| {file} | {len(own)} | {' | '.join(map(str, kinds))} | {len(own) - lived} | {lived} |")
    died = sum(bool(one.by) for one in found)
    share = 100 * died / max(len(found), 1)
    return "\n".join([*lines, f"| **all** | {len(found)} | | | | {died} ({share:.1f} %) | {len(found) - died} |"])


def main() -> None:
    """Every mutant of the files that are named, or of all."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("files", nargs="*", help="paths under sql/; all of the judgement if left out")
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    chosen = [SQL / name for name in given.files] or files()
    with ProcessPoolExecutor(given.jobs) as workers:
        found = [one for part in workers.map(fates, chosen) for one in part]
    build = Path("build")
    build.mkdir(exist_ok=True)
    (build / "mutants.json").write_text(json.dumps([asdict(one) for one in found], ensure_ascii=False, indent=1))
    print(table(found))
    for one in found:
        if not one.by:
            print(f"lived: {one.file}: {one.kind}: {one.change}")


if __name__ == "__main__":
    main()
