"""Workbooks as departments keep them: a title above the names, numbers as numbers, days as days, a sheet of notes.

The same rows give the same bytes: XlsxWriter dates its parts to 1980, and the time of creation is told to it.
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import xlsxwriter

from connectors.contract import Contract, FilesDelivery

_EPOCH = date(1899, 12, 30)  # day 0 of a sheet's calendar


class Workbook:
    """One workbook being written, row after row, so that it never lies whole in memory.

    Args:
        path: of the file.
        contract: its columns; money and numbers become cells that hold numbers.
        names: of the columns, as they are delivered.
        made_on: the day that it says it was made.
    """

    def __init__(self, path: Path, contract: Contract, names: list[str], made_on: date) -> None:
        delivery = contract.delivery
        assert isinstance(delivery, FilesDelivery)  # noqa: S101
        self._book = xlsxwriter.Workbook(path, {"constant_memory": True})
        self._book.set_properties({"created": datetime(made_on.year, made_on.month, made_on.day)})
        self._page = self._book.add_worksheet(delivery.sheet or None)
        self._book.add_worksheet("填报说明").write_string(0, 0, f"{contract.title.zh}:按季度更新")
        self._day = self._book.add_format({"num_format": "yyyy/m/d"})
        if delivery.header_row > 1:
            self._page.write_string(0, 0, contract.title.zh)
        self._page.write_row(delivery.header_row - 1, 0, names)
        self._next = delivery.header_row
        self._types = [column.type for column in contract.columns]

    def write(self, table: pa.Table) -> None:
        """Add rows, which are text as the contract's CSV would have it."""
        columns = [array.to_pylist() for array in table.columns]
        for row in zip(*columns, strict=True):
            for place, (value, kind) in enumerate(zip(row, self._types, strict=True)):
                if value is not None:
                    self._cell(place, value, kind)
            self._next += 1

    def _cell(self, place: int, value: str, kind: str) -> None:
        if kind in ("money", "int"):
            self._page.write_number(self._next, place, float(value))
        elif kind == "date":
            self._page.write_number(self._next, place, (date.fromisoformat(value) - _EPOCH).days, self._day)
        else:
            self._page.write_string(self._next, place, value)

    def close(self) -> None:
        """Finish the file."""
        self._book.close()
