"""Names made comparable (R15), whole columns at once; which changes were made is recorded.

The form is for comparing only: what a report shows is the name as it was delivered. Names of common ideographs
alone, nearly all of them, pass untouched.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from enum import IntFlag
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_DATA = Path(__file__).parent / "data"
_BLANKS = r"[\p{Z}\p{Cc}\p{Cf}\x{E5E5}]+"  # U+E5E5 is the full-width space A3A0 of some GBK systems
# The separator of names is U+00B7 (GB 18030 A1A4); these stand for it in data. NFKC makes "." of U+FF0E before.
_DOTS = "•‧・･⋅·．.。●∙⸱ꞏ"
_DOT = "·"
_SEPARATOR = "\x1f"  # between the names of a joined column; blanks are gone by then, and it with them


class NameChange(IntFlag):
    """What was applied to a name; the bits of ``Names.applied``."""

    none = 0
    blanks = 1
    private_use = 2
    nfkc = 4
    dots = 8
    case = 16
    variants = 32


@dataclass(frozen=True)
class Names:
    """Normalised names.

    Attributes:
        values: (n,) strings; null for null.
        applied: (n,) bits of ``NameChange``.
    """

    values: pa.StringArray
    applied: npt.NDArray[np.uint8]


@cache
def _private_use() -> dict[int, str]:
    """Private-use code points of older GBK and GB 18030 systems (pua_gb18030_unicode.csv)."""
    with (_DATA / "pua_gb18030_unicode.csv").open(encoding="utf-8", newline="") as handle:
        return {int(row["pua_codepoint"][2:], 16): row["char"] for row in csv.DictReader(handle)}


@cache
def _variants() -> dict[int, str]:
    """Variant characters and what they are compared as (name_variants.csv)."""
    with (_DATA / "name_variants.csv").open(encoding="utf-8", newline="") as handle:
        return {ord(row["variant"]): row["standard"] for row in csv.DictReader(handle)}


@cache
def _untouched() -> str:
    """Pattern of names with some character that a change could apply to."""
    variants = "".join(chr(code) for code in _variants())
    return f"[^一-龥]|[{variants}]"


def normalise_names(column: pa.Array) -> pa.StringArray:
    """R15: names in the form in which they are compared; null for null."""
    return read_names(column).values


def read_names(column: pa.Array) -> Names:
    """R15: names in the form in which they are compared, with what was changed in each."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    coded = column.cast(pa.string()).dictionary_encode()
    names = coded.dictionary
    applied = np.zeros(len(names), np.uint8)
    rows = np.flatnonzero(np.asarray(pc.match_substring_regex(names, _untouched())))
    if len(rows):
        changed, applied[rows] = _change(names.take(pa.array(rows)))
        mask = np.zeros(len(names), np.bool_)
        mask[rows] = True
        names = pc.replace_with_mask(names, pa.array(mask), changed)
    marks = np.append(applied, np.uint8(0))  # the last is for null
    index = np.asarray(pc.fill_null(coded.indices, len(applied)))
    return Names(names.take(coded.indices), marks[index])


def _change(names: pa.StringArray) -> tuple[pa.StringArray, npt.NDArray[np.uint8]]:
    """Each change in its order over all names, noting whom it touched."""
    applied = np.zeros(len(names), np.uint8)
    dots = {ord(dot): _DOT for dot in _DOTS}
    steps = (
        (NameChange.blanks, _without_blanks),
        (NameChange.private_use, lambda text: _translated(text, _private_use())),
        (NameChange.nfkc, lambda text: _without_blanks(pc.utf8_normalize(text, form="NFKC"))),
        (NameChange.dots, lambda text: _translated(text, dots)),
        (NameChange.case, pc.utf8_upper),
        (NameChange.variants, lambda text: _translated(text, _variants())),
    )
    for change, step in steps:
        after = step(names)
        applied[np.asarray(pc.not_equal(names, after))] |= np.uint8(change)
        names = after
    return names, applied


def _without_blanks(names: pa.StringArray) -> pa.StringArray:
    return pc.replace_substring_regex(names, _BLANKS, "")


def _translated(names: pa.StringArray, table: dict[int, str]) -> pa.StringArray:
    """Replace single characters in all names at once, by joining them to one text."""
    text = _SEPARATOR.join(names.to_pylist())
    return pa.array(text.translate(table).split(_SEPARATOR), pa.string())
