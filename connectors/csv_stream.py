"""CSV as a stream: bytes → digest → strict decoding → a pipe → DuckDB → Arrow; nothing of it touches a disk.

Python's codec decodes because DuckDB's GB18030 reader refuses characters beyond the basic plane, which are the rare
characters of names. DuckDB parses because it is several times as fast as what else there is, from a pipe too.
"""

from __future__ import annotations

import codecs
import csv
import fcntl
import os
import re
import threading
from collections.abc import Callable, Iterator

import duckdb
import pyarrow as pa

from connectors.conform import check_columns, conform
from connectors.contract import Contract, FilesDelivery
from connectors.extract import BATCH_ROWS, DecodeRefused, ExtractRefused

_PIPE_BYTES = 1 << 20
_NO_SPILL = {"threads": 1, "memory_limit": "512MB", "temp_directory": ""}
_LINE = re.compile(r"CSV Error on Line: (\d+)")
_WIDTH = re.compile(r"Expected Number of Columns: (\d+) Found: (\d+)")


def decoded(chunks: Iterator[bytes], encoding: str, dataset: str, file: str) -> Iterator[str]:
    """Decode strictly, without a byte-order mark.

    Raises:
        DecodeRefused: with the position of the first byte that is not in the encoding, from 0 (R18).
    """
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    position, first = 0, True
    for chunk in _then_end(chunks):
        pending = len(decoder.getstate()[0])
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            raise DecodeRefused(dataset, file, encoding, position - pending + error.start) from None
        position += len(chunk)
        if text:
            yield text.removeprefix("\ufeff") if first else text
            first = False


def _then_end(chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield from chunks
    yield b""


def _header(texts: Iterator[str], separator: str) -> tuple[list[str], str]:
    """The names of the first line, and what of the text came after it."""
    text = ""
    for piece in texts:
        text += piece
        if "\n" in text:
            break
    line, _, rest = text.partition("\n")
    names = next(csv.reader([line.rstrip("\r")], delimiter=separator), [])
    return names, rest


class _Feed(threading.Thread):
    """Writes the text into a pipe; an error waits in ``error`` until the reader has come to the end."""

    def __init__(self, first: str, texts: Iterator[str]) -> None:
        super().__init__(name="csv-feed", daemon=True)
        self.read_end, self._write_end = os.pipe()
        fcntl.fcntl(self._write_end, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._first, self._texts = first, texts
        self._wanted = True
        self.error: BaseException | None = None

    def run(self) -> None:
        """Write until the text ends or nobody wants it any more."""
        try:
            self._write(self._first)
            for text in self._texts:
                if not self._wanted:
                    break
                self._write(text)
        except BaseException as error:
            self.error = error
        finally:
            os.close(self._write_end)

    def end(self) -> None:
        """Stop writing: what is in the pipe is read away, so that a blocked write comes back."""
        self._wanted = False
        while os.read(self.read_end, _PIPE_BYTES):
            pass
        os.close(self.read_end)
        self.join()

    def _write(self, text: str) -> None:
        data = memoryview(text.encode())
        while data:
            data = data[os.write(self._write_end, data) :]


def _select(contract: Contract, delivery: FilesDelivery, names: list[str], fd: int) -> str:
    types = ", ".join(f"{_quoted(name)}: 'VARCHAR'" for name in names)
    columns = ", ".join('"' + name.replace('"', '""') + '"' for name in contract.schema.names)
    return (
        f"SELECT {columns} FROM read_csv('/dev/fd/{fd}', auto_detect = false, header = false, "
        f"columns = {{{types}}}, delim = {_quoted(delivery.separator)}, quote = '\"', escape = '\"')"
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _refusal(dataset: str, file: str, error: Exception) -> ExtractRefused:
    """DuckDB's message shows the row; keep its line and widths only. Line 1 is the header that was taken off."""
    line, width = _LINE.search(str(error)), _WIDTH.search(str(error))
    where = f"line {int(line.group(1)) + 1}" if line else "a line"
    what = f"{width.group(2)} cells instead of {width.group(1)}" if width else "it is not CSV of the contract's dialect"
    return ExtractRefused(dataset, "read rows", f"{file}, {where}: {what}")


def read_csv(
    contract: Contract, delivery: FilesDelivery, chunks: Callable[[], Iterator[bytes]], file: str
) -> Iterator[pa.RecordBatch]:
    """Read delimited text as batches of the contract's columns, all text; an empty cell is NULL.

    Args:
        contract: its columns.
        delivery: encoding and separator.
        chunks: opens the bytes; what it raises at their end (a wrong digest) is raised after the last batch.
        file: its name, for messages.

    Raises:
        DecodeRefused, ContractViolation, ExtractRefused: see ``Extract.batches``.
    """
    texts = decoded(chunks(), delivery.encoding, contract.dataset, file)
    names, rest = _header(texts, delivery.separator)
    check_columns(contract, names)
    feed = _Feed(rest, texts)
    connection = duckdb.connect(config=dict(_NO_SPILL))
    feed.start()
    try:
        result = connection.execute(_select(contract, delivery, names, feed.read_end))
        with result.to_arrow_reader(BATCH_ROWS) as reader:
            for batch in reader:
                yield conform(contract, batch)
    except (duckdb.Error, pa.ArrowException, OSError) as error:  # Arrow's, when it comes after the first batch
        feed.error = feed.error or _refusal(contract.dataset, file, error)
    finally:
        connection.close()
        feed.end()
    if feed.error:
        raise feed.error
