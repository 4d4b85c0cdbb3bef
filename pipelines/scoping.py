"""From an extract's batches to the rows of persons in scope, tokens in place of what identifies them.

This is the only place where a whole extract passes through. It touches the identifiers of subjects only, whole
columns at once, and lets the rows of everybody else go; what it remembers does not grow with the extract.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from connectors.contract import Column, Contract
from connectors.extract import Extract, SourceUnavailable
from pipelines.admitted_sql import key_identifier
from pipelines.errors import HeduiError
from pipelines.identifiers import IdProblem
from pipelines.typing_sql import kept_columns, sealed

if TYPE_CHECKING:
    from pipelines.pseudonyms import AssetKind, Tokeniser, Tokens

Mask = npt.NDArray[np.bool_]
LISTED_MOST = 1_000_000
_FEWEST_BITS = 1 << 16
Seal = Callable[[pa.Array, bytes], pa.Array]


def _storage(tokens: pa.Array) -> pa.FixedSizeBinaryArray:
    return tokens.storage if isinstance(tokens, pa.ExtensionArray) else tokens


def _bytes16(tokens: pa.Array) -> npt.NDArray[np.bytes_]:
    """(n,) the 16 bytes of each token; of a null, whatever lies there."""
    storage = _storage(tokens)
    return np.frombuffer(storage.buffers()[1], "S16")[storage.offset : storage.offset + len(storage)]


def uuids(storage: pa.Array) -> pa.Array:
    """Sixteen-byte values as the UUIDs that DuckDB reads."""
    return pa.ExtensionArray.from_storage(pa.uuid(), storage)


def fetch_tokens(con: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[object] = ()) -> pa.Table:
    """Rows of a query with its UUIDs as UUIDs; left alone, DuckDB gives them to Arrow as text."""
    con.execute("SET arrow_lossless_conversion = true")
    return con.execute(query, list(parameters)).to_arrow_table()


def one_array(column: pa.ChunkedArray) -> pa.Array:
    """A column of tokens as one array."""
    parts = [_storage(chunk) for chunk in column.chunks]
    return uuids(pa.concat_arrays(parts) if parts else pa.array([], pa.binary(16)))


class Scope:
    """A set of tokens that answers for a whole column which of its tokens are in it.

    A bitmap over the first 64 bits (a block cipher's output, hence as good as random) lets most of the others go;
    what it lets through is looked up exactly. Comparing 16-byte strings ignores trailing zeros, which changes
    nothing among strings of one length.
    """

    def __init__(self, tokens: pa.Array) -> None:
        tokens = one_array(tokens) if isinstance(tokens, pa.ChunkedArray) else tokens
        self._sorted = np.unique(_bytes16(tokens)[self._valid(tokens)]) if len(tokens) else np.zeros(0, "S16")
        size = max(_FEWEST_BITS, 1 << (32 * max(len(self._sorted), 1) - 1).bit_length())
        self._mask = np.uint64(size - 1)
        self._bits = np.zeros(size, np.bool_)
        self._bits[self._places(self._sorted)] = True

    def __len__(self) -> int:
        return len(self._sorted)

    @staticmethod
    def _valid(tokens: pa.Array) -> Mask:
        if not tokens.null_count:
            return np.ones(len(tokens), np.bool_)
        return np.asarray(_storage(tokens).is_valid())

    def _places(self, keys: npt.NDArray[np.bytes_]) -> npt.NDArray[np.int64]:
        return (np.ascontiguousarray(keys).view("<u8")[::2] & self._mask).view(np.int64)

    def contains(self, tokens: pa.Array) -> Mask:
        """(n,) whether each token is in the set; a null is not."""
        if not len(self._sorted) or not len(tokens):
            return np.zeros(len(tokens), np.bool_)
        keys = _bytes16(tokens)
        found = self._bits.take(self._places(keys)) & self._valid(tokens)
        rows = np.flatnonzero(found)
        candidates = keys[rows]
        at = np.minimum(np.searchsorted(self._sorted, candidates), len(self._sorted) - 1)
        found[rows[self._sorted[at] != candidates]] = False
        return found


@dataclass
class _Bad:
    """Rows out of scope whose identifier is wrong: where and why, in 10 bytes each, at most ``LISTED_MOST``."""

    row_no: npt.NDArray[np.int64]
    column: int
    reason: npt.NDArray[np.uint8]


def _deleting(op: Column) -> pa.Array:
    """The department's codes for a deletion."""
    return pa.array([theirs for theirs, ours in (op.codes or {}).items() if ours == "delete"], pa.string())


class ScopedRows:
    """The rows of one extract that concern persons in scope, as the typing SQL wants them.

    Attributes:
        rows_read: rows of the extract so far.
        rows_kept: rows in scope so far.
        bad_rows: rows out of scope with a wrong identifier so far.
        unknown_areas: ID numbers so far whose area code is in no table (R17).
        error: what the source raised; it is kept here because it cannot pass through DuckDB.
    """

    def __init__(
        self,
        contract: Contract,
        extract: Extract,
        tokeniser: Tokeniser,
        scope: Scope,
        seal: Seal,
        known_keys: Scope | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        self.contract = contract
        self.rows_read = self.rows_kept = self.bad_rows = self.unknown_areas = 0
        self.error: HeduiError | None = None
        self._extract, self._tokeniser, self._scope, self._seal = extract, tokeniser, scope, seal
        self._known_keys, self._progress = known_keys, progress
        self._bad: list[_Bad] = []
        self._listed = 0
        self._columns = kept_columns(contract)
        self._deletions = next(((i, _deleting(c)) for i, c in self._columns if c.name == "op"), None)
        self._subjects = [(i, column) for i, column in self._columns if column.subject]

    @property
    def schema(self) -> pa.Schema:
        """What ``typed_select`` reads."""
        delivered = self.contract.schema
        fields = [pa.field("row_no", pa.int64())]
        fields += [pa.field(f"s{i}", delivered.field(i).type) for i in range(len(delivered))]
        for i, column in self._columns:
            if column.type == "id":
                token = pa.list_(pa.uuid()) if column.multiple else pa.uuid()
                fields += [pa.field(f"t{i}", token), pa.field(f"r{i}", pa.uint8())]
            elif sealed(column):
                fields.append(pa.field(f"t{i}", pa.uuid() if column.type == "name" else pa.binary()))
            if column.subject:
                fields.append(pa.field(f"in{i}", pa.bool_()))
        return pa.schema(fields)

    def reader(self) -> pa.RecordBatchReader:
        """The rows, read once; whatever the source raises ends the stream and is kept in ``error``."""
        return pa.RecordBatchReader.from_batches(self.schema, self._batches())

    def _batches(self) -> Iterator[pa.RecordBatch]:
        for batch in self._delivered():
            kept = self._scoped(batch)
            if kept is not None:
                yield kept
            if self._progress:
                self._progress(self.rows_read)

    def _delivered(self) -> Iterator[pa.RecordBatch]:
        """The extract's batches. A fault that the connector has no name for is named here, without its text."""
        try:
            yield from self._extract.batches()
        except HeduiError as error:
            self.error = error
            raise
        except Exception as error:
            self.error = SourceUnavailable(self.contract.dataset, "read", type(error).__name__)
            raise self.error from None

    def _scoped(self, batch: pa.RecordBatch) -> pa.RecordBatch | None:
        """One batch without the rows of others, and with tokens; None if all are of others."""
        tokens = {i: self._tokeniser.persons(batch.column(i)) for i, _ in self._subjects}
        self.unknown_areas += sum(int(found.unknown_area.sum()) for found in tokens.values())
        inside = {i: self._scope.contains(tokens[i].values) for i, _ in self._subjects}
        keep = np.logical_or.reduce(list(inside.values()))
        if self._known_keys is not None:
            keep |= self._supersedes(batch, self._known_keys)
        self._note_bad(batch, tokens, keep)
        rows = pa.array(np.flatnonzero(keep))
        row_no = np.flatnonzero(keep) + (self.rows_read + 1)
        self.rows_read += batch.num_rows
        self.rows_kept += len(rows)
        if not len(rows):
            return None
        delivered = batch.take(rows)
        arrays = [pa.array(row_no, pa.int64()), *delivered.columns]
        for i, column in self._columns:
            if column.subject:
                values = uuids(_storage(tokens[i].values).take(rows))
                arrays += [values, pa.array(tokens[i].reasons[keep]), pa.array(inside[i][keep])]
            elif sealed(column):
                arrays += self._replaced(column, delivered.column(i))
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _replaced(self, column: Column, values: pa.Array) -> list[pa.Array]:
        """Token and reason of an identifier, token of a name, sealed bytes of a display field."""
        if column.type == "display":
            return [self._seal(values, f"{self.contract.dataset}/{column.name}".encode())]
        if column.type == "name":
            return [self._tokeniser.names(values)]
        if column.multiple:
            return self._several(column, values)
        tokens, reasons = self._identifiers(column, values)
        return [tokens, pa.array(reasons)]

    def _identifiers(self, column: Column, values: pa.Array) -> tuple[pa.Array, npt.NDArray[np.uint8]]:
        """Tokens and what is wrong with each identifier; things can only be missing."""
        if column.kind == "person":
            found = self._tokeniser.persons(values)
            return found.values, found.reasons
        tokens = self._tokeniser.assets(values, cast("AssetKind", column.kind))
        missing = np.where(np.asarray(_storage(tokens).is_null()), IdProblem.missing, IdProblem.ok)
        return tokens, missing.astype(np.uint8)

    def _several(self, column: Column, values: pa.Array) -> list[pa.Array]:
        """A cell of several identifiers as a list of tokens; its reason is the worst of them."""
        lists = pc.split_pattern(values.cast(pa.string()), column.multiple or ";")
        tokens, problems = self._identifiers(column, lists.flatten())
        parents = np.asarray(pc.list_parent_indices(lists))
        real = problems != IdProblem.missing
        reasons = np.zeros(len(values), np.uint8)
        np.maximum.at(reasons, parents[real], problems[real])
        counts = np.bincount(parents[real], minlength=len(values))
        reasons[counts == 0] = IdProblem.missing
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        inner = uuids(_storage(tokens).filter(pa.array(real)))
        listed = pa.ListArray.from_arrays(pa.array(offsets), inner, mask=pa.array(counts == 0))
        return [listed, pa.array(reasons)]

    def _supersedes(self, batch: pa.RecordBatch, known_keys: Scope) -> Mask:
        """Rows of anybody under a key that an earlier extract admitted: its holder may have lost it (R8)."""
        i, column = key_identifier(self.contract)
        return known_keys.contains(self._identifiers(column, batch.column(i))[0])

    def _note_bad(self, batch: pa.RecordBatch, tokens: dict[int, Tokens], keep: Mask) -> None:
        """Remember where an identifier was wrong in rows that go; those that stay are judged by the SQL."""
        any_bad = np.zeros(batch.num_rows, np.bool_)
        for i, column in self._subjects:
            reasons = tokens[i].reasons
            bad = (reasons != IdProblem.ok) & ~keep
            if not bad.any():
                continue
            if column.nullable:
                bad &= reasons != IdProblem.missing
            else:
                bad &= (reasons != IdProblem.missing) | ~self._deletions_in(batch)
            any_bad |= bad
            rows = np.flatnonzero(bad)[: max(LISTED_MOST - self._listed, 0)]
            if len(rows):
                self._bad.append(_Bad(rows + self.rows_read + 1, i, reasons[rows]))
                self._listed += len(rows)
        self.bad_rows += int(any_bad.sum())

    def _deletions_in(self, batch: pa.RecordBatch) -> Mask:
        """Rows that delete: they need not say whose row it was."""
        if self._deletions is None:
            return np.zeros(batch.num_rows, np.bool_)
        i, codes = self._deletions
        return np.asarray(pc.fill_null(pc.is_in(batch.column(i).cast(pa.string()), codes), False))

    def bad_identifiers(self) -> pa.Table:
        """Rows out of scope with a wrong identifier: ``row_no, column, reason``; never a value (R9, R14)."""
        names = np.array([f"identifier_{problem.name}" for problem in IdProblem])
        parts = [
            pa.table(
                {
                    "row_no": pa.array(bad.row_no, pa.int64()),
                    "column": pa.array([self.contract.columns[bad.column].name] * len(bad.row_no), pa.string()),
                    "reason": pa.array(names[bad.reason], pa.string()),
                }
            )
            for bad in self._bad
        ]
        schema = pa.schema([("row_no", pa.int64()), ("column", pa.string()), ("reason", pa.string())])
        return pa.concat_tables(parts) if parts else schema.empty_table()
