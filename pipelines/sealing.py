"""Fields that a report must show, sealed until it does: AES-256-SIV (RFC 5297), the same bytes for the same input.

Deterministic means that equal values in one context look equal. The key dies with the batch, and the context (which
field of which dataset) is bound in, so that a sealed value opens only where it belongs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from pipelines.errors import HeduiError


@dataclass(eq=False)
class SealBrokenError(HeduiError):
    """A sealed value does not open: wrong key, wrong context, or changed since."""

    context: str

    zh = "密封字段无法打开({context})"
    en = "a sealed value does not open ({context})"
    todo = "check that the batch and its key belong together; a changed file must be collected again"


def seal(key: bytes, column: pa.Array, context: bytes) -> pa.BinaryArray:
    """Seal a column of strings.

    Args:
        key: 64 bytes, ``KeyRing.seal_key``.
        column: strings; nulls stay null, each different value is sealed once.
        context: which field this is; the same is needed to open it.
    """
    box = AESSIV(key)
    # The cipher refuses an empty text, so every value carries one byte in front.
    return _each(column, pa.string(), lambda value: box.encrypt(b"\x01" + value, [context]), pa.binary())


def unseal(key: bytes, column: pa.Array, context: bytes) -> pa.StringArray:
    """Open a sealed column.

    Raises:
        SealBrokenError: some value does not open.
    """
    box = AESSIV(key)

    def opened(value: bytes) -> bytes:
        return box.decrypt(value, [context])[1:]

    try:
        return _each(column, pa.binary(), opened, pa.binary()).cast(pa.string())
    except (InvalidTag, ValueError):
        raise SealBrokenError(context.decode("utf-8", errors="replace")) from None


def _each(column: pa.Array, as_type: pa.DataType, change: Callable[[bytes], bytes], to: pa.DataType) -> pa.Array:
    """Apply ``change`` to the different values of a column, in bytes."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    coded = column.cast(as_type).dictionary_encode()
    values = coded.dictionary.cast(pa.binary()).to_pylist()
    return pa.array([change(value) for value in values], to).take(coded.indices)
