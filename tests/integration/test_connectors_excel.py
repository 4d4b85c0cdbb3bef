"""Workbooks: every cell arrives as the text that its reader sees, or the workbook is refused as a whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import xlsxwriter

from connectors.connections import FolderConnection
from connectors.contract import Contract
from connectors.extract import Asked, ContractViolation, ExtractRefused
from connectors.sources import open_extracts
from pipelines.identifiers import IdProblem, classify
from tests.integration.conftest import PEOPLE, cells, deliver

SUBSIDIES, MACHINERY = "agriculture/subsidies", "agriculture/machinery"
NAMES = ["身份证号", "姓名", "补贴项目", "补贴年度", "发放批次", "补贴面积(亩)", "补贴金额", "发放日期"]
Fill = Callable[[xlsxwriter.Workbook], None]


def workbook(path: Path, fill: Fill) -> bytes:
    with xlsxwriter.Workbook(path / "made.xlsx") as book:
        fill(book)
    return (path / "made.xlsx").read_bytes()


def read(contract: Contract, folder: Path, asked: Asked, content: bytes, rows: int) -> list[dict[str, Any]]:
    deliver(folder, contract, cells(contract, 0), content=content, rows=rows)
    [extract] = open_extracts(contract, FolderConnection(path=folder), asked, folder)
    return pa.Table.from_batches(list(extract.batches()), contract.schema).to_pylist()


def row_of(*values: object) -> Fill:
    """A sheet of subsidies with one row below its names."""

    def fill(book: xlsxwriter.Workbook) -> None:
        page = book.add_worksheet("发放明细")
        page.write_row(0, 0, NAMES)
        for place, value in enumerate(values):
            if isinstance(value, date):
                page.write_datetime(1, place, value, book.add_format({"num_format": "yyyy/m/d"}))
            elif value is not None:
                page.write(1, place, value)

    return fill


def one(contracts: dict[str, Contract], folder: Path, asked: Asked, *values: object) -> dict[str, Any]:
    [row] = read(contracts[SUBSIDIES], folder, asked, workbook(folder, row_of(*values)), 1)
    return row


def test_numbers_and_days_of_a_sheet_are_exact_text(
    contracts: dict[str, Contract], asked: Asked, tmp_path: Path
) -> None:
    row = one(
        contracts, tmp_path, asked, PEOPLE[0], "李·三", "其他涉农补贴", 2026, "01", 3.85, 1234567.89, date(2026, 6, 12)
    )
    assert list(row.values()) == [PEOPLE[0], "李·三", "其他涉农补贴", "2026", "01", "3.85", "1234567.89", "2026-06-12"]


@pytest.mark.parametrize(
    ("typed", "text"),
    [(0.1 + 0.2, "0.3"), (1e14 + 0.5, "100000000000000"), (12.0, "12"), (-0.07, "-0.07"), (True, "1"), ("", None)],
)
def test_a_number_is_what_fifteen_digits_show(
    typed: object, text: str | None, contracts: dict[str, Contract], asked: Asked, tmp_path: Path
) -> None:
    assert one(contracts, tmp_path, asked, PEOPLE[0], "李", "其他涉农补贴", 2026, "1", 1, typed)["补贴金额"] == text


def test_r9_an_id_number_typed_as_a_number_keeps_its_scientific_notation(
    contracts: dict[str, Contract], asked: Asked, tmp_path: Path
) -> None:
    """Its last three digits are lost: nobody may take the zeros that stand in their place for them."""
    shown = one(contracts, tmp_path, asked, 380101199002020021, "李")["身份证号"]
    assert shown == "3.8010119900202e+17"
    assert classify(pa.array([shown])).reason[0] == IdProblem.scientific_notation


def test_a_moment_is_told_with_its_time(contracts: dict[str, Contract], asked: Asked, tmp_path: Path) -> None:
    moment = datetime(2026, 6, 12, 9, 30)
    row = one(contracts, tmp_path, asked, PEOPLE[0], "李", "其他涉农补贴", 2026, "1", 1, 5, moment)
    assert row["发放日期"] == "2026-06-12 09:30:00"


def test_a_title_above_the_names_blank_rows_and_another_sheet(
    contracts: dict[str, Contract], asked: Asked, tmp_path: Path
) -> None:
    contract = contracts[MACHINERY]
    names = contract.schema.names

    def fill(book: xlsxwriter.Workbook) -> None:
        book.add_worksheet("说明").write(0, 0, "notes")
        page = book.add_worksheet("登记台账")
        page.merge_range(0, 0, 0, len(names) - 1, "农业机械登记台账")
        page.write_row(1, 0, reversed(names))
        page.write_row(3, 0, ["x"] * len(names))
        page.write_row(5, 0, ["y"] * len(names))

    rows = read(contract, tmp_path, asked, workbook(tmp_path, fill), 2)
    assert [set(row.values()) for row in rows] == [{"x"}, {"y"}]
    assert list(rows[0]) == names


def test_r2_an_empty_sheet_below_its_names_is_an_answer(
    contracts: dict[str, Contract], asked: Asked, tmp_path: Path
) -> None:
    assert read(contracts[SUBSIDIES], tmp_path, asked, workbook(tmp_path, row_of()), 0) == []


def test_a_workbook_without_the_sheet_is_refused_by_its_name(
    contracts: dict[str, Contract], asked: Asked, tmp_path: Path
) -> None:
    content = workbook(tmp_path, lambda book: book.add_worksheet("汇总"))
    with pytest.raises(ExtractRefused, match=r"has no sheet 发放明细; it has 汇总"):
        read(contracts[SUBSIDIES], tmp_path, asked, content, 0)


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"PK\x03\x04 not a workbook"])
def test_what_is_no_workbook_is_refused(
    content: bytes, contracts: dict[str, Contract], asked: Asked, tmp_path: Path
) -> None:
    with pytest.raises(ExtractRefused, match="is not an Excel workbook"):
        read(contracts[SUBSIDIES], tmp_path, asked, content, 0)


def test_names_that_are_not_the_contracts_are_refused(
    contracts: dict[str, Contract], asked: Asked, tmp_path: Path
) -> None:
    content = workbook(tmp_path, lambda book: book.add_worksheet("发放明细").write_row(0, 0, [*NAMES[:-1], "日期"]))
    with pytest.raises(ContractViolation) as raised:
        read(contracts[SUBSIDIES], tmp_path, asked, content, 0)
    assert raised.value.column == "发放日期"


def test_r2_a_workbook_with_another_digest_gives_no_row(
    contracts: dict[str, Contract], asked: Asked, tmp_path: Path
) -> None:
    contract = contracts[SUBSIDIES]
    deliver(tmp_path, contract, cells(contract, 5), digest="0" * 64)
    [extract] = open_extracts(contract, FolderConnection(path=tmp_path), asked, tmp_path)
    with pytest.raises(ExtractRefused, match="check digest"):
        next(extract.batches())
