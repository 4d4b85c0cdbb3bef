"""Excel workbooks (.xlsx) as batches of text: one sheet, a row of names, and each cell as its reader sees it.

A workbook keeps a number as a binary fraction and shows fifteen digits of it, which is what somebody typed; those are
delivered. An ID number that was typed as a number has lost its last digits: it keeps its scientific notation, so
that admission sets it aside and nobody takes the zeros for digits.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from connectors.conform import check_columns, conform
from connectors.contract import Contract, FilesDelivery
from connectors.extract import BATCH_ROWS, ExtractRefused

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

Cell = str | float | bool | datetime.date | datetime.datetime | datetime.time | datetime.timedelta


def read_excel(contract: Contract, delivery: FilesDelivery, content: bytes, file: str) -> Iterator[pa.RecordBatch]:
    """Read a sheet as batches of the contract's columns, all text; an empty cell is NULL, an empty row is none.

    Args:
        contract: its columns.
        delivery: which sheet (the first if it names none), and which row holds the names.
        content: the workbook, whole: its table of contents is at its end.
        file: its name, for messages.

    Raises:
        ExtractRefused: it is no workbook, is protected by a password, or has no such sheet.
        ContractViolation: columns that are not the contract's.
    """
    rows = iter(_sheet(contract, delivery.sheet, content, file).iter_rows())
    names = [_shown(cell).strip() for cell in next(islice(rows, delivery.header_row - 1, None), [])]
    check_columns(contract, names)
    while piece := list(islice(rows, BATCH_ROWS)):
        filled = [row for row in piece if any(cell != "" for cell in row)]
        columns = zip(*filled, strict=True) if filled else [()] * len(names)
        yield conform(contract, pa.RecordBatch.from_arrays([_texts(column) for column in columns], names))


def _sheet(contract: Contract, name: str, content: bytes, file: str) -> CalamineSheet:
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, WorksheetNotFound

    try:
        workbook = CalamineWorkbook.from_filelike(BytesIO(content))
        return workbook.get_sheet_by_name(name) if name else workbook.get_sheet_by_index(0)
    except PasswordError:
        reason = "is protected by a password"
    except WorksheetNotFound:
        reason = f"has no sheet {name or 'at all'}; it has {', '.join(workbook.sheet_names) or 'none'}"
    except CalamineError:
        reason = "is not an Excel workbook"
    raise ExtractRefused(contract.dataset, "open workbook", f"{file} {reason}") from None


def _texts(cells: Sequence[Cell]) -> pa.Array:
    """A column's cells as text, laid out by hand: ``pa.array`` of Python values imports pandas."""
    shown = [(cell if isinstance(cell, str) else _shown(cell)).encode() for cell in cells]
    length = np.fromiter(map(len, shown), np.int64, len(shown))
    offsets = np.concatenate([[0], np.cumsum(length)]).astype(np.int32)
    valid = np.packbits(length > 0, bitorder="little")
    buffers = [pa.py_buffer(valid), pa.py_buffer(offsets), pa.py_buffer(b"".join(shown))]
    return pa.Array.from_buffers(pa.string(), len(shown), buffers)


def _shown(cell: Cell) -> str:
    """A cell as text: fifteen digits of a number, a day as 2026-07-01, a truth value as 1 or 0."""
    if isinstance(cell, bool):
        return str(int(cell))
    if isinstance(cell, float | int):
        return f"{cell:.15g}"
    if isinstance(cell, datetime.datetime):
        return cell.isoformat(sep=" ")
    return cell.isoformat() if isinstance(cell, datetime.date | datetime.time) else str(cell)
