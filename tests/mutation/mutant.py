"""A file broken in one place."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Mutant:
    """One broken file.

    Attributes:
        file: its path in the repository.
        kind: operator, condition or bound.
        change: what stands there, and what stands there instead.
        text: the whole file, broken.
        lines: of the part that is broken, where tests are chosen by it.
        cold: it breaks what runs when the file is imported.
    """

    file: str
    kind: str
    change: str
    text: str
    lines: tuple[int, ...] = ()
    cold: bool = False

    @cached_property
    def key(self) -> str:
        """The same as long as the broken file is the same."""
        return hashlib.sha256(f"{self.file}\0{self.text}".encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Fate:
    """What became of a mutant: ``by`` names what noticed it, and is empty for one that lived."""

    key: str
    file: str
    kind: str
    change: str
    by: str


def short(text: str) -> str:
    """A piece of code on one line, cut where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= 70 else line[:67] + "…"
