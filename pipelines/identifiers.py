"""Identifiers of persons: normalised (R11), told apart by kind (R19a), checked and never repaired (R9).

docs/identifiers.md is the specification, with right and wrong examples that the tests read. The common case, a
column of clean 18-digit numbers, is read without looking at single rows; what is left over is taken out, normalised
and read again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.id_blocks import U64, Numbers, check_character, pack_text, read, unpack
from pipelines.id_tables import U8, IdKind, IdProblem

__all__ = ["WITH_BIRTH", "Classified", "IdKind", "IdProblem", "classify", "normalise", "unknown_area"]

WITH_BIRTH = (IdKind.resident_id, IdKind.gat_permit, IdKind.fpr_card)  # the number tells the date of birth

# White space of any kind, and what copies along unseen: zero-width marks, byte order mark, control characters.
_BLANKS = r"[\p{Z}\p{Cc}\p{Cf}]+"
_SCIENTIFIC = r"^[0-9](\.[0-9]+)?E\+?[0-9]{1,2}$"
_OLD_CARD = r"^[A-Z]{3}[0-9]{12}$"
_PASSPORT = r"^[A-Z0-9]{6,14}$"
_FAR_FUTURE = date(2099, 12, 31)


@dataclass(frozen=True)
class Classified:
    """A column of identifiers, read.

    Attributes:
        kind: (n,) ``IdKind``; none where refused.
        reason: (n,) ``IdProblem``.
        blocks: (n, 2) 64-bit words, the block that becomes the token; zero where refused.
        unknown_area: (n,) whether the area code is in no table (R17: counted, never refused).
    """

    kind: U8
    reason: U8
    blocks: U64
    unknown_area: npt.NDArray[np.bool_]

    @property
    def ok(self) -> npt.NDArray[np.bool_]:
        """(n,) whether the identifier was accepted."""
        accepted: npt.NDArray[np.bool_] = self.reason == IdProblem.ok
        return accepted

    @cached_property
    def canonical(self) -> pa.StringArray:
        """The one form of each identifier (18 characters for numbers of 15 and 18); null where refused."""
        return unpack(self.blocks, self.ok)


def _strings(column: pa.Array | pa.ChunkedArray) -> pa.StringArray:
    """One array of 32-bit strings, whatever layout came in."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    return column if pa.types.is_string(column.type) else column.cast(pa.string())


def normalise(column: pa.Array) -> pa.StringArray:
    """R11: full-width forms to ASCII (NFKC), blanks out, letters upper case; nothing else is changed."""
    text = pc.utf8_normalize(_strings(column), form="NFKC")
    return pc.utf8_upper(pc.replace_substring_regex(text, _BLANKS, ""))


def classify(column: pa.Array, on: date | None = None, kind: IdKind | None = None) -> Classified:
    """Read a column of identifiers.

    Args:
        column: strings as delivered; nulls are allowed.
        on: births after this day are refused (``bad_date``); without it, births after 2099.
        kind: ``IdKind.passport`` where the request says that these are passports; numbers say theirs.

    Returns:
        One entry per row. A problem is a reason in the result, never an exception.
    """
    text = _strings(column)
    latest = int((on or _FAR_FUTURE).strftime("%Y%m%d"))
    if kind is IdKind.passport:
        return _finish(_read_other(normalise(text), latest, passports=True))
    whole = _fixed(text, 18)
    if whole is not None:
        numbers = read(whole, latest)
        odd = np.flatnonzero(numbers.reason == IdProblem.bad_character)
    else:
        long = _lengths(text) == 18
        numbers = Numbers.empty(len(text))
        _put(numbers, np.flatnonzero(long), read(_characters(text.filter(pa.array(long)), 18), latest))
        odd = np.flatnonzero(~long | (numbers.reason == IdProblem.bad_character))
    if len(odd):
        _put(numbers, odd, _read_odd(normalise(text.take(pa.array(odd))), latest))
    return _finish(numbers)


def unknown_area(column: pa.Array) -> npt.NDArray[np.bool_]:
    """R17: where a valid number has an area code that is in no table (a warning to count, not a refusal)."""
    return classify(column).unknown_area


def _finish(numbers: Numbers) -> Classified:
    return Classified(numbers.kind, numbers.reason, numbers.blocks, numbers.unknown_area)


def _lengths(text: pa.StringArray) -> npt.NDArray[np.int32]:
    """(n,) bytes of each string; 0 for null."""
    offsets = np.frombuffer(text.buffers()[1], np.int32)[text.offset : text.offset + len(text) + 1]
    lengths: npt.NDArray[np.int32] = np.diff(offsets)
    if text.null_count:
        lengths = np.where(np.asarray(text.is_valid()), lengths, 0).astype(np.int32)
    return lengths


def _fixed(text: pa.StringArray, width: int) -> U8 | None:
    """The column as an (n, width) view of its bytes if every string has that width."""
    if len(text) == 0 or text.null_count or not (_lengths(text) == width).all():
        return None
    return _characters(text, width)


def _characters(text: pa.StringArray, width: int) -> U8:
    """(n, width) bytes of a column whose strings all have that width."""
    if len(text) == 0:
        return np.zeros((0, width), np.uint8)
    start = int(np.frombuffer(text.buffers()[1], np.int32)[text.offset])
    data = np.frombuffer(text.buffers()[2], np.uint8)
    return data[start : start + len(text) * width].reshape(len(text), width)


def _put(into: Numbers, rows: npt.NDArray[np.intp], part: Numbers) -> None:
    into.blocks[rows], into.kind[rows] = part.blocks, part.kind
    into.reason[rows], into.unknown_area[rows] = part.reason, part.unknown_area


def _read_odd(text: pa.StringArray, latest: int) -> Numbers:
    """Normalised strings of any length: 18 again, 15, and the rest."""
    lengths = _lengths(text)
    numbers = Numbers.empty(len(text))
    for width, reader in ((18, read), (15, _read_15)):
        rows = np.flatnonzero(lengths == width)
        if len(rows):
            _put(numbers, rows, reader(_characters(text.take(pa.array(rows)), width), latest))
    rest = (lengths != 18) & (lengths != 15) | (numbers.reason == IdProblem.bad_character)
    rows = np.flatnonzero(rest)
    if len(rows):
        _put(numbers, rows, _read_other(text.take(pa.array(rows)), latest, passports=False))
    return numbers


def _read_15(characters: U8, latest: int) -> Numbers:
    """R10: numbers of GB 11643-1989 as those of 1999: the century put in, the check character added.

    Sequence 996–999 was reserved for those over a hundred when numbers began: they were born in the 1800s.
    """
    digits = ((characters - np.uint8(48)) <= 9).all(1)
    full = np.full((len(characters), 18), ord("0"), np.uint8)
    old = (characters[:, 12] == ord("9")) & (characters[:, 13] == ord("9")) & (characters[:, 14] >= ord("6"))
    full[:, :6] = characters[:, :6]
    full[:, 6], full[:, 7] = ord("1"), np.where(old, ord("8"), ord("9"))
    full[:, 8:17] = characters[:, 6:]
    full[~digits] = ord("0")
    full[:, 17] = check_character(full)
    numbers = read(full, latest)
    # Only residents ever had 15 digits; what begins with 8 or 9 here is no permit.
    foreign = digits & (numbers.kind > IdKind.resident_id)
    numbers.kind[foreign], numbers.blocks[foreign] = IdKind.none, 0
    numbers.reason[foreign] = IdProblem.unknown_kind
    numbers.reason[~digits] = IdProblem.bad_character
    numbers.unknown_area &= numbers.reason == IdProblem.ok
    return numbers


def _read_other(text: pa.StringArray, latest: int, passports: bool) -> Numbers:
    """Normalised strings that are no number: passports, old foreign cards, and the reasons of what is nothing."""
    numbers = Numbers.empty(len(text))
    length = np.asarray(pc.fill_null(pc.utf8_length(text), 0))
    wanted = (6, 14) if passports else (15, 15)
    fits = (length >= wanted[0]) & (length <= wanted[1])
    numbers.reason[:] = np.where(fits | (length == 18), IdProblem.bad_character, IdProblem.wrong_length)
    numbers.reason[_matches(text, _SCIENTIFIC)] = IdProblem.scientific_notation
    numbers.reason[length == 0] = IdProblem.missing
    kind = IdKind.passport if passports else IdKind.fpr_card_old
    rows = np.flatnonzero(_matches(text, _PASSPORT if passports else _OLD_CARD))
    if len(rows):
        padded = _padded(text.take(pa.array(rows)))
        numbers.blocks[rows] = pack_text(padded, kind)
        numbers.kind[rows], numbers.reason[rows] = kind, IdProblem.ok
        if not passports:
            _refuse(numbers, rows[_wrong_old_date(padded)], IdProblem.bad_date)
        else:
            _refuse(numbers, rows[~((padded >= 48) & (padded <= 57)).any(1)], IdProblem.bad_character)
    return numbers


def _refuse(numbers: Numbers, rows: npt.NDArray[np.intp], problem: IdProblem) -> None:
    numbers.reason[rows], numbers.kind[rows], numbers.blocks[rows] = problem, IdKind.none, 0


def _matches(text: pa.StringArray, pattern: str) -> npt.NDArray[np.bool_]:
    return np.asarray(pc.fill_null(pc.match_substring_regex(text, pattern), False))


def _padded(text: pa.StringArray) -> U8:
    """(n, 15) ASCII, zero after the end of each string."""
    lengths = _lengths(text)
    characters = np.zeros((len(text), 15), np.uint8)
    offsets = np.frombuffer(text.buffers()[1], np.int32)
    data = np.frombuffer(text.buffers()[2], np.uint8)
    start = int(offsets[text.offset])
    characters[np.arange(15) < lengths[:, None]] = data[start : start + int(lengths.sum())]
    return characters


def _wrong_old_date(characters: U8) -> npt.NDArray[np.bool_]:
    """Old foreign cards: YYMMDD in places 8–13 must be a date (how it is checked is not published)."""
    full = np.full((len(characters), 18), ord("1"), np.uint8)
    full[:, 6:8] = np.frombuffer(b"20", np.uint8)
    full[:, 8:14] = characters[:, 7:13]
    # 2000–2099 has every leap year of 1900–1999 and 2000 besides, which is the one that counts.
    return np.asarray(read(full, 2099_12_31).reason == IdProblem.bad_date)
