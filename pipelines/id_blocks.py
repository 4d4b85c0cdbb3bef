"""Eighteen-digit identifiers as machine words: checked, packed into 16-byte blocks and unpacked, in whole columns.

A number is read as two 64-bit words of eight characters each and one 16-bit word of two, so that one integer
operation works on eight digits of a row, and a NumPy operation on eight digits of every row.

The block of an identifier (little-endian, the plaintext of its token):

| bytes | 18-digit kinds | old foreign card and passport |
|---|---|---|
| 0–3 | digits 1–8 as one number | characters 1–15 in ASCII, |
| 4–7 | digits 9–16 as one number | unused bytes are zero |
| 8 | digit 17 | |
| 9–14 | zero | |
| 15 | kind | kind |

The 18th character is a function of the others (GB 11643, ISO 7064 MOD 11-2) and needs no place. The zeros are what
tells a token of another key from one of ours on the way back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.id_tables import (
    ABOLISHED_AREA,
    KIND,
    U8,
    UNKNOWN_AREA,
    IdKind,
    IdProblem,
    areas,
    calendar,
    check_table,
    last_years,
)

U64 = npt.NDArray[np.uint64]

_CHUNK = 16_384  # rows whose words stay in the second-level cache

_LOW, _HIGH, _ZEROS, _SIX = (np.uint64(int(byte * 8, 16)) for byte in ("0f", "f0", "30", "06"))
_PAIRS, _QUADS, _LANES = np.uint64(0x00FF00FF00FF00FF), np.uint64(0x0000FFFF0000FFFF), np.uint64(0x000F000F000F000F)
_BYTE, _DIGITS8 = np.uint64(0xFF), np.uint64(0xFFFFFFFF)


def _weights(even: tuple[int, ...], odd: tuple[int, ...]) -> tuple[np.uint64, np.uint64]:
    """Factors whose product with four digits in 16-bit lanes has their weighted sum in the top lane."""
    return tuple(np.uint64(sum(w << (16 * (3 - i)) for i, w in enumerate(ws))) for ws in (even, odd))  # type: ignore[return-value]


_FIRST = _weights((7, 10, 8, 2), (9, 5, 4, 1))
_SECOND = _weights((6, 7, 10, 8), (3, 9, 5, 4))


@dataclass
class Numbers:
    """Numbers of 18 characters, read.

    Attributes:
        blocks: (n, 2) words, the 16-byte block of each; zero where ``reason`` is not ok.
        kind: ``IdKind`` of each; none where ``reason`` is not ok.
        reason: ``IdProblem`` of each.
        unknown_area: whether no table has the area code, or it was abolished before the year of birth
            (R17: counted, never refused).
    """

    blocks: U64
    kind: U8
    reason: U8
    unknown_area: npt.NDArray[np.bool_]

    @classmethod
    def empty(cls, n: int) -> Numbers:
        """Room for ``n`` numbers."""
        return cls(np.zeros((n, 2), np.uint64), np.zeros(n, np.uint8), np.zeros(n, np.uint8), np.zeros(n, np.bool_))


def read(characters: U8, latest: int) -> Numbers:
    """Read a column of 18-character numbers.

    Args:
        characters: (n, 18) ASCII, contiguous.
        latest: birth dates after this ``yyyymmdd`` are refused.
    """
    numbers = Numbers.empty(len(characters))
    for start in range(0, len(characters), _CHUNK):
        _read_chunk(characters[start : start + _CHUNK], latest, numbers, start)
    return numbers


def _index(words: U64) -> npt.NDArray[np.int64]:
    return words.view(np.int64)


def _pairs(word: U64) -> U64:
    """Eight digits as four two-digit numbers in 16-bit lanes, the first lowest."""
    low = word & _LOW
    return (low * np.uint64(10) + (low >> np.uint64(8))) & _PAIRS


def _number(pairs: U64) -> U64:
    """Four two-digit lanes as one eight-digit number."""
    quads = (pairs * np.uint64(100) + (pairs >> np.uint64(16))) & _QUADS
    return (quads * np.uint64(10_000) + (quads >> np.uint64(32))) & _DIGITS8


def _sum(word: U64, weights: tuple[np.uint64, np.uint64]) -> U64:
    lanes = ((word & _LANES) * weights[0]) >> np.uint64(48)
    lanes += (((word >> np.uint64(8)) & _LANES) * weights[1]) >> np.uint64(48)
    return lanes


def _not_digits(word: U64) -> U64:
    """Not zero where one of the eight characters is not 0–9 (their high half is 3, and still is with 6 added)."""
    return ((word & _HIGH) ^ _ZEROS) | (((word + _SIX) & _HIGH) ^ _ZEROS)


def _words(characters: U8) -> tuple[U64, U64, U64, U8]:
    # Copies, since wrong rows are overwritten below and the characters may be the caller's own memory.
    first = characters[:, 0:8].view("<u8")[:, 0].copy()
    second = characters[:, 8:16].view("<u8")[:, 0].copy()
    return first, second, characters[:, 16].astype(np.uint64), characters[:, 17]


def _read_chunk(characters: U8, latest: int, into: Numbers, start: int) -> None:
    first, second, last, check = _words(characters)
    rows = slice(start, start + len(characters))
    last -= np.uint64(48)  # what is below "0" wraps round and is far above 9
    upper = np.where(check == ord("x"), np.uint8(ord("X")), check)
    not_check = ((check - np.uint8(48)) > 9) & (upper != ord("X"))
    bad = ((_not_digits(first) | _not_digits(second)) != 0) | (last > 9) | not_check
    if bad.any():
        first[bad] = second[bad] = _ZEROS
        last[bad] = 0
    head, tail = _pairs(first), _pairs(second)
    area = (head & _BYTE) * np.uint64(10_000)
    area += ((head >> np.uint64(16)) & _BYTE) * np.uint64(100)
    area += (head >> np.uint64(32)) & _BYTE
    kind = areas().take(_index(area))
    total = _sum(first, _FIRST) + _sum(second, _SECOND) + last * np.uint64(2)
    wrong_check = check_table().take(_index(total)) != upper
    wrong_date = _wrong_date(head, tail, latest)
    unknown = (kind & KIND) == 0
    blocks = into.blocks[rows]
    blocks[:, 0] = _number(head) | (_number(tail) << np.uint64(32))
    blocks[:, 1] = last | ((kind & np.uint8(KIND)).astype(np.uint64) << np.uint64(56))
    reason = into.reason[rows]
    refused = wrong_check | wrong_date | unknown | bad
    if refused.any():
        for mask, problem in (
            (wrong_check, IdProblem.bad_check_digit),
            (wrong_date, IdProblem.bad_date),
            (unknown, IdProblem.unknown_kind),
            (bad, IdProblem.bad_character),
        ):
            reason[mask] = problem
        kind[refused] = 0
        blocks[refused] = 0
    into.kind[rows] = kind & KIND
    into.unknown_area[rows] = (kind & UNKNOWN_AREA) != 0
    over = np.flatnonzero(kind & ABOLISHED_AREA)
    if len(over):
        year = (head[over] >> np.uint64(48)) * np.uint64(100) + (tail[over] & _BYTE)
        into.unknown_area[start + over] = year > last_years()[_index(area[over])]


def _wrong_date(head: U64, tail: U64, latest: int) -> npt.NDArray[np.bool_]:
    """Whether digits 7–14 are no date of 1800–2099, or one after ``latest``."""
    years, days = calendar()
    year: U64 = (head >> np.uint64(48)) * np.uint64(100) + (tail & _BYTE)
    month, day = (tail >> np.uint64(16)) & _BYTE, (tail >> np.uint64(32)) & _BYTE
    wrong: npt.NDArray[np.bool_] = (years.take(_index(year)) & days.take(_index((month << np.uint64(7)) | day))) == 0
    wrong |= (year * np.uint64(10_000) + month * np.uint64(100) + day) > np.uint64(latest)
    return wrong


def check_character(characters: U8) -> U8:
    """The check character of each row of 17 digits (GB 11643-1999, ISO 7064 MOD 11-2).

    Args:
        characters: (n, ≥17) ASCII digits.
    """
    weights = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2], np.int64)
    return check_table().take((characters[:, :17].astype(np.int64) - 48) @ weights)


def pack_text(characters: U8, kind: IdKind) -> U64:
    """Blocks of identifiers that are kept as characters.

    Args:
        characters: (n, ≤15) ASCII, zero after the end of each.
        kind: written to byte 15.
    """
    blocks = np.zeros((len(characters), 16), np.uint8)
    blocks[:, : characters.shape[1]] = characters
    blocks[:, 15] = kind
    return blocks.view("<u8")


def well_formed(blocks: U64) -> npt.NDArray[np.bool_]:
    """Whether each block could have been packed here; a block decrypted with a wrong key is not."""
    kind = blocks[:, 1] >> np.uint64(56)
    digits = (kind >= IdKind.resident_id) & (kind <= IdKind.fpr_card)
    rest = blocks[:, 1] & np.uint64(0x00FFFFFFFFFFFFFF)
    limit = np.uint64(100_000_000)
    fits = (rest <= 9) & ((blocks[:, 0] & _DIGITS8) < limit) & ((blocks[:, 0] >> np.uint64(32)) < limit)
    text = (kind == IdKind.fpr_card_old) | (kind == IdKind.passport)
    ascii_only = ((blocks[:, 0] | rest) & np.uint64(0x8080808080808080)) == 0
    known: npt.NDArray[np.bool_] = (digits & fits) | (text & ascii_only)
    return known


def unpack(blocks: U64, valid: npt.NDArray[np.bool_]) -> pa.StringArray:
    """The identifiers of blocks, check characters computed anew; null where not ``valid``."""
    n = len(blocks)
    characters = np.zeros((n, 18), np.uint8)
    for offset, number in ((0, blocks[:, 0] & _DIGITS8), (8, blocks[:, 0] >> np.uint64(32))):
        rest = number.astype(np.uint32)
        for place in range(7, -1, -1):
            left = rest // np.uint32(10)
            characters[:, offset + place] = rest - left * np.uint32(10) + np.uint32(48)
            rest = left
    characters[:, 16] = (blocks[:, 1] & _BYTE).astype(np.uint8) + np.uint8(48)
    characters[:, 17] = check_character(np.clip(characters, 48, 57))
    text = (blocks[:, 1] >> np.uint64(56)) > IdKind.fpr_card
    if text.any():
        characters[text, :15] = np.ascontiguousarray(blocks[text]).view(np.uint8)[:, :15]
        characters[text, 15:] = 0
    characters[~valid] = 0
    keep = characters != 0
    offsets = np.zeros(n + 1, np.int32)
    np.cumsum(keep.sum(1), out=offsets[1:])
    validity = pa.py_buffer(np.packbits(valid, bitorder="little"))
    return pa.StringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(characters[keep]), validity)
