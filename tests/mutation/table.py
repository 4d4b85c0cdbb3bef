"""The table of ``make mutants``, as docs/proof.md shows it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from tests.mutation.mutant import Fate

KINDS = ("operator", "condition", "bound")


def table(found: Sequence[Fate]) -> str:
    """By file: mutants by kind, and how many lived; as Markdown, with the mutants that lived below."""
    lines = [
        "| file | mutants | operator | condition | bound | died | lived |",
        "|---|---:|---:|---:|---:|---:|---:|",
        *(_line(file, list(fates)) for file, fates in groupby(found, key=lambda one: one.file)),
        *(_line(f"**{name}**", of) for name, of in _parts(found)),
    ]
    lived = [f"lived: {one.file}: {one.kind}: {one.change}" for one in found if not one.by]
    return "\n".join([*lines, "", *lived])


def _parts(found: Sequence[Fate]) -> list[tuple[str, list[Fate]]]:
    suffixes = {"sql/": ".sql", "policy code": ".py", "all": ""}
    return [(name, [one for one in found if Path(one.file).name.endswith(end)]) for name, end in suffixes.items()]


def _line(name: str, of: Sequence[Fate]) -> str:
    kinds = " | ".join(str(sum(one.kind == kind for one in of)) for kind in KINDS)
    died = sum(bool(one.by) for one in of)
    share = f"{died} ({100 * died / len(of):.1f} %)" if name.startswith("**") and of else str(died)
    return f"| {name} | {len(of)} | {kinds} | {share} | {len(of) - died} |"
