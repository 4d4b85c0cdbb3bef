"""``make mutants``: how many of the mutants of sql/ and of the policy code the tests notice.

First every mutant of the assessment is compared with what the second reading and the golden households expect
(``compared``: a fraction of a second each). What lives, and what the assessment does not read, meets the tests that
touch it (``by_tests``). Every fate is kept in build/mutation/fates.jsonl as soon as it is known: run again, it goes on
where it stopped, and ``--again`` tries those that lived once more, after a test was written against them.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.mutation import by_tests, compared, python_mutants, sql_mutants
from tests.mutation.baseline import ROOT, step_of
from tests.mutation.mutant import Fate, Mutant
from tests.mutation.table import table

KEPT = compared.FOLDER / "fates.jsonl"
COMPARED, TESTED = "compared", "tested"


def files(chosen: Sequence[str]) -> list[Path]:
    """Every file that has mutants, or those that are named."""
    every = [*sorted((ROOT / "sql").rglob("*.sql")), *sorted((ROOT / "pipelines" / "policy").glob("*.py"))]
    return [file for file in every if not chosen or any(str(file.relative_to(ROOT)).startswith(c) for c in chosen)]


def mutants(file: Path) -> list[Mutant]:
    """The mutants of a file of sql/ or of Python."""
    return list((sql_mutants if file.suffix == ".sql" else python_mutants).mutants(ROOT, file))


def kept() -> dict[tuple[str, str], Fate]:
    """Fates that are known, by mutant and by what it met: the latest of each."""
    lines = KEPT.read_text("utf-8").splitlines() if KEPT.exists() else []
    return {(told.pop("met"), told["key"]): Fate(**told) for told in map(json.loads, lines)}


def keep(met: str, fate: Fate) -> None:
    with KEPT.open("a", encoding="utf-8") as to:
        to.write(json.dumps({"met": met, **asdict(fate)}, ensure_ascii=False) + "\n")


def compare(mutant: Mutant) -> Fate:
    """What the comparison says of a mutant."""
    by = compared.noticed(mutant, step_of(mutant.file) or "")
    return Fate(mutant.key, mutant.file, mutant.kind, mutant.change, by)


def meet(met: str, told: Callable[[Mutant], Fate], waiting: Sequence[Mutant], jobs: int) -> None:
    """Every mutant's fate, kept as it is known."""
    context = get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as workers, _bar(met, len(waiting)) as step:
        for done in as_completed([workers.submit(told, mutant) for mutant in waiting]):
            keep(met, done.result())
            step()


class _bar:
    """How many are done: a bar on a terminal, and a line for every hundred anywhere else."""

    def __init__(self, what: str, total: int) -> None:
        columns = (TextColumn(f"mutants {what}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        console = Console(stderr=True)
        self.progress = Progress(*columns, console=console, disable=not console.is_terminal)
        self.task, self.total, self.done, self.what = self.progress.add_task("", total=total), total, 0, what

    def __enter__(self) -> Callable[[], None]:
        self.progress.start()
        return self.step

    def step(self) -> None:
        self.done += 1
        self.progress.advance(self.task)
        if self.progress.disable and (self.done % 100 == 0 or self.done == self.total):
            print(f"{self.what}: {self.done} of {self.total}", flush=True)

    def __exit__(self, *_: object) -> None:
        self.progress.stop()


def open_for(met: str, every: Iterable[Mutant], again: bool) -> Iterator[Mutant]:
    """Mutants that nothing has noticed yet and that have not met this, or are to meet it again."""
    known = kept()
    for mutant in every:
        fates = {where: fate for where in (COMPARED, TESTED) if (fate := known.get((where, mutant.key)))}
        dead = any(fate.by for fate in fates.values())
        if not dead and (again or met not in fates):
            yield mutant


def main() -> None:
    """Every mutant of the files that are named, or of all."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("files", nargs="*", help="beginnings of paths: sql/figures, pipelines/policy/settle.py")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--again", action="store_true", help="try those that lived once more")
    parser.add_argument("--only", choices=(COMPARED, TESTED), help="only this part")
    given = parser.parse_args()
    os.nice(5)
    every = [mutant for file in files(given.files) for mutant in mutants(file)]
    if given.only != TESTED:
        waiting = list(open_for(COMPARED, (m for m in every if step_of(m.file)), given.again))
        if waiting:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as one:
                one.submit(compared.prepare).result()
            meet(COMPARED, compare, waiting, given.jobs)
    if given.only != COMPARED:
        waiting = list(open_for(TESTED, every, given.again))
        if waiting:
            by_tests.prepare()
            meet(TESTED, by_tests.meet, waiting, given.jobs)
    known = kept()
    fates = [known.get((TESTED, m.key)) or known.get((COMPARED, m.key)) for m in every]
    print(table([fate for fate in fates if fate]))


if __name__ == "__main__":
    main()
