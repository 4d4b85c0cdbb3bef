"""Rows of a dataset as columns under the contract's own (our) names, before they take the department's form.

Identifiers, names, serial numbers, money (fen), days (since 1970-01-01), counts and flags are int64 arrays, with
``NULL`` for nothing; words are ``Words``. Columns that begin with ``_`` say what a row truly is worth and are never
written: ``_household, _member, _figure, _low, _high, _said``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

NULL = int(np.iinfo(np.int64).min)
Ints = npt.NDArray[np.int64]
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class Words:
    """A column of few words: positions in ``words``; -1 is nothing."""

    codes: npt.NDArray[np.int16]
    words: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, index: npt.NDArray[np.int64] | slice) -> Words:
        return Words(self.codes[index], self.words)


Column = Ints | Words
Columns = dict[str, Column]


def day(text: str) -> int:
    """An ISO date as days since 1970-01-01."""
    return date.fromisoformat(text).toordinal() - _EPOCH


def pick(chosen: npt.NDArray[np.integer], words: Sequence[str]) -> Words:
    """The word at each position."""
    return Words(chosen.astype(np.int16), tuple(words))


def columns(n: int, values: Mapping[str, object]) -> Columns:
    """Columns of ``n`` rows; a single number or word stands for a whole column, None for an empty one."""
    made: Columns = {}
    for name, value in values.items():
        if isinstance(value, str):
            made[name] = Words(np.zeros(n, np.int16), (value,))
        elif isinstance(value, Words):
            made[name] = value
        elif value is None:
            made[name] = np.full(n, NULL)
        else:
            made[name] = np.broadcast_to(np.asarray(value, np.int64), (n,))
    return made


def count(cols: Columns) -> int:
    """How many rows."""
    return len(next(iter(cols.values()))) if cols else 0


def take(cols: Columns, index: npt.NDArray[np.int64] | slice) -> Columns:
    """The rows at ``index``, in that order."""
    return {name: column[index] for name, column in cols.items()}


def _join_words(parts: Sequence[Words]) -> Words:
    words = tuple(dict.fromkeys(word for part in parts for word in part.words))
    place = {word: i for i, word in enumerate(words)}
    codes = []
    for part in parts:
        table = np.array([place[word] for word in part.words] + [-1], np.int16)
        codes.append(table[part.codes])
    return Words(np.concatenate(codes), words)


def concat(parts: Sequence[Columns]) -> Columns:
    """All rows one after the other; a column that a part does not have is empty there."""
    parts = [part for part in parts if count(part)]
    names = dict.fromkeys(name for part in parts for name in part)
    joined: Columns = {}
    for name in names:
        given = [part.get(name) for part in parts]
        if any(isinstance(column, Words) for column in given):
            empty = [Words(np.full(count(part), -1, np.int16), ()) for part in parts]
            joined[name] = _join_words([c if isinstance(c, Words) else e for c, e in zip(given, empty, strict=True)])
        else:
            joined[name] = np.concatenate(
                [np.full(count(p), NULL) if c is None else c for p, c in zip(parts, given, strict=True)]
            )
    return joined


def filled(column: Column | None, n: int, otherwise: int) -> Ints:
    """An integer column with ``otherwise`` in place of nothing."""
    if column is None or isinstance(column, Words):
        return np.full(n, otherwise)
    return np.where(column == NULL, otherwise, column)
