"""The digest of what a source answered when it declares none: the same rows give the same digest in any batches."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


class ContentDigest:
    """SHA-256 over one SHA-256 per column, each over lengths and bytes of its values in order of rows."""

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._columns = [(hashlib.sha256(), hashlib.sha256()) for _ in schema]

    def update(self, batch: pa.RecordBatch) -> None:
        """Take in the next rows; ``batch`` has the digest's schema."""
        for (presence, values), column in zip(self._columns, batch.columns, strict=True):
            if pa.types.is_string(column.type):
                lengths = pc.fill_null(pc.binary_length(column), -1)
                presence.update(_bytes(lengths))
                values.update(_text(column))
            else:
                presence.update(_bytes(column.is_valid().cast(pa.uint8())))
                values.update(_bytes(column))

    def tagged(self) -> str:
        """``sha256:`` and the digest of all rows so far."""
        whole = hashlib.sha256(str(self._schema).encode())
        for presence, values in self._columns:
            whole.update(presence.digest() + values.digest())
        return "sha256:" + whole.hexdigest()


def _bytes(column: pa.Array) -> Any:
    """The values as they lie in memory; under a NULL there may be anything, so zeros are put there."""
    if not len(column):
        return b""
    width = column.type.bit_width // 8
    data = np.frombuffer(column.buffers()[1], dtype=np.uint8)
    data = data[column.offset * width : (column.offset + len(column)) * width]
    if column.null_count:
        data = data.copy()
        data.reshape(-1, width)[column.is_null().to_numpy(zero_copy_only=False)] = 0
    return data


def _text(column: pa.Array) -> Any:
    """The values' bytes one after another; a NULL takes none."""
    if not len(column) or column.buffers()[2] is None:
        return b""
    dense = column.drop_null() if column.null_count else column
    if not len(dense):
        return b""
    offsets = np.frombuffer(dense.buffers()[1], dtype=np.int32)[dense.offset : dense.offset + len(dense) + 1]
    return np.frombuffer(dense.buffers()[2], dtype=np.uint8)[offsets[0] : offsets[-1]]
