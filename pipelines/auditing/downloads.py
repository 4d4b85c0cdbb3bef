"""Published tables as files: CSV for a spreadsheet, Parquet for a program, and for looking at many batches at once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from pipelines.auditing.published import Row, Table
from pipelines.batch import whole_file

_TYPES = {"text": pa.string(), "date": pa.string(), "count": pa.int64(), "share": pa.float64(), "flag": pa.bool_()}
_MARK = "\ufeff".encode()  # spreadsheets take a CSV file for UTF-8 only if it begins with this


def write(tables: Iterable[Table], folder: Path) -> None:
    """Write each table as ``<name>.csv`` and ``<name>.parquet``; a hidden count is empty and named in ``hidden``."""
    for table in tables:
        schema = pa.schema([(name, _TYPES[kind]) for name, kind in table.columns.items()] + [("hidden", pa.string())])
        arrow = pa.Table.from_pylist(table.rows, schema)
        with whole_file(folder / f"{table.name}.parquet") as file:
            pyarrow.parquet.write_table(arrow, file)
        with whole_file(folder / f"{table.name}.csv") as file, file.open("wb") as out:
            out.write(_MARK)
            pyarrow.csv.write_csv(arrow, out)


def read(files: Iterable[Path]) -> list[Row]:
    """The rows of several files of one table, in the order of the batches' moments."""
    rows = [row for file in files for row in pyarrow.parquet.read_table(file).to_pylist()]
    return sorted(rows, key=lambda row: (row["moment"], row["batch"]))
