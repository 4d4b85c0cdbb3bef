"""A handful of rows in every department's own form, and the real servers that hold them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from connectors.contract import Contract, load_contracts
from connectors.extract import Asked
from connectors.synthetic.servers import ServedCounty, serve_county

DAY = date(2026, 9, 10)
PEOPLE = ["38010119900101001X", "380101199002020021", "380101195503030038"]
RARE = "李𬸚·䶮"


def cells(contract: Contract, rows: int) -> pa.Table:
    """Rows that fit the contract, typed as its delivery is; the subject goes round PEOPLE."""
    arrays = []
    for column, field in zip(contract.columns, contract.schema, strict=True):
        values: list[Any] = []
        for row in range(rows):
            if column.subject:
                value: Any = PEOPLE[row % len(PEOPLE)]
            elif field.type == pa.date32():
                value = date(2026, 1, 1 + row % 28)
            elif field.type == pa.decimal128(18, 2):
                value = Decimal(f"{row}.25")
            elif field.type == pa.int64():
                value = 2025
            elif column.codes:
                value = next(iter(column.codes))
            elif column.type == "name":
                value = RARE
            else:
                value = f"{column.source}{row:05d}"
            values.append(value)
        arrays.append(pa.array(values, field.type))
    return pa.Table.from_arrays(arrays, schema=contract.schema)


def deliver(
    folder: Path,
    contract: Contract,
    table: pa.Table,
    name: str = "full",
    content: bytes | None = None,
    **manifest: Any,
) -> Path:
    """Write a file and its manifest as a department would; ``manifest`` overrides what it says."""
    delivery = contract.delivery
    form = getattr(delivery, "format", "parquet")
    target = folder / contract.folder
    target.mkdir(parents=True, exist_ok=True)
    file = target / f"{name}.{form}"
    if content is not None:
        file.write_bytes(content)
    elif form == "parquet":
        pq.write_table(table, file)
    elif form == "xlsx":
        as_excel(file, table, delivery.sheet, delivery.header_row)
    else:
        file.write_bytes(as_csv(table, delivery.separator, delivery.encoding))
    if contract.way != "files":
        return file
    said = {
        "dataset": contract.dataset,
        "file": file.name,
        "rows": table.num_rows,
        "digest_algorithm": contract.digest,
        "digest": hashlib.new(contract.digest, file.read_bytes()).hexdigest(),
        "as_of": DAY.isoformat(),
        "sequence": 1,
        "mode": "full",
        **manifest,
    }
    (target / f"{file.name}.manifest.json").write_text(json.dumps(said), "utf-8")
    return file


def as_excel(file: Path, table: pa.Table, sheet: str, header_row: int) -> None:
    with xlsxwriter.Workbook(file) as workbook:
        page = workbook.add_worksheet(sheet or None)
        page.write_row(header_row - 1, 0, table.column_names)
        for place, row in enumerate(table.to_pylist()):
            page.write_row(header_row + place, 0, list(row.values()))


def as_csv(table: pa.Table, separator: str, encoding: str) -> bytes:
    lines = [separator.join(table.column_names)]
    lines += [separator.join("" if cell is None else str(cell) for cell in row.values()) for row in table.to_pylist()]
    return ("\r\n".join(lines) + "\r\n").encode(encoding)


@pytest.fixture(scope="session")
def contracts() -> dict[str, Contract]:
    return load_contracts()


@pytest.fixture(scope="session")
def served(contracts: dict[str, Contract], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedCounty]:
    """Every department with 30 rows, behind PostgreSQL, SFTP, HTTP or in a folder."""
    county = tmp_path_factory.mktemp("county")
    for contract in contracts.values():
        deliver(county / "departments", contract, cells(contract, 30))
    with serve_county(county, contracts) as running:
        yield running


@pytest.fixture
def asked() -> Asked:
    return Asked(pa.array(PEOPLE), (date(2025, 9, 1), date(2026, 9, 1)), "low-income verification", date(2026, 9, 16))
