"""After a run, no file of the workspace holds an ID number, a name, a plate or an account; delivered reports aside.

Databases and Parquet files are opened, with their keys, and read too: the search is of what a person with the
workspace and its keys would see in tables, logs, pages and temporary files, not only of bytes.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

from connectors.contract import Contract, load_contracts
from pipelines.batch import Batch
from pipelines.policy.load import SHIPPED
from pipelines.settings import Workspace
from pipelines.summary import opened
from pipelines.warehouse import scan
from tests.conftest import Demo

CJK = re.compile(r"[\u3400-\u9fff·\U00020000-\U0003ffff]{2,}")
NUMBERS = re.compile(r"\d{11,19}[0-9Xx]?")
PLATES = re.compile(r"[\u4e00-\u9fff][A-Z][0-9A-Z]{5,6}")


@pytest.fixture(scope="module")
def secrets(demo: Demo) -> dict[str, set[str]]:
    """What must not appear: every identifier and name that the departments of the county hold, by kind."""
    found: dict[str, set[str]] = {"number": set(), "name": set(), "plate": set()}
    departments = demo.folder / "county" / "departments"
    for contract in load_contracts().values():
        for column, values in _personal(contract, departments):
            kind = {"name": "name", "plate": "plate"}.get(column.kind or column.type, "number")
            found[kind] |= {part for value in values for part in re.split(r"[;;]", value) if part}
    public = "".join(file.read_text("utf-8") for file in SHIPPED.rglob("*.yaml"))  # 见于广东 is nobody's name
    found["name"] = {name for name in found["name"] if name not in public}
    return found


def _personal(contract: Contract, departments: Path) -> Iterator[tuple]:
    wanted = [c for c in contract.columns if c.type in ("id", "name") or c.kind == "plate"]
    for file in sorted((departments / contract.folder).iterdir()):
        if file.suffix == ".parquet":
            table = pq.read_table(file)
            for column in wanted:
                yield column, {v for v in table[column.source].to_pylist() if v}
        elif file.suffix == ".xlsx":
            sheet = CalamineWorkbook.from_path(file).get_sheet_by_name(contract.delivery.sheet).to_python()
            names, *rows = sheet[contract.delivery.header_row - 1 :]
            for column in wanted:
                yield column, {str(row[names.index(column.source)]) for row in rows}
        elif file.suffix == ".csv":
            sent = contract.delivery if contract.way == "files" else None
            encoding, separator = (sent.encoding, sent.separator) if sent else ("utf-8", ",")
            lines = file.read_text(encoding).splitlines()
            header = lines[0].split(separator)
            for column in wanted:
                place = header.index(column.source)
                rows = (line.split(separator) for line in lines[1:])
                yield column, {row[place].strip('"') for row in rows if len(row) == len(header) and row[place]}


def _texts(demo: Demo) -> Iterator[tuple[str, str]]:
    """Every file of the workspace as text, tables opened."""
    workspace = Workspace.open(demo.folder / "workspace")
    delivered = workspace.path("reports")
    with opened(Batch.open(workspace.batches, demo.summary["batch"]), workspace) as con:
        for file in sorted([*workspace.root.rglob("*"), *(demo.root / "temporary").rglob("*")]):
            if file.is_dir() or delivered in file.parents:
                continue
            yield str(file), file.read_bytes().decode("utf-8", errors="ignore")
            if file.suffix == ".parquet":
                public = workspace.root / "quality" in file.parents  # what auditors download is not encrypted
                yield f"{file} opened", _table_text(con, f"read_parquet('{file}')" if public else scan(file))
            elif file.suffix == ".sqlite":
                with sqlite3.connect(file) as store:
                    for (table,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                        yield f"{file} {table}", "\n".join(map(str, store.execute(f"SELECT * FROM {table}")))


def _table_text(con: duckdb.DuckDBPyConnection, source: str) -> str:
    """The rows as text; sealed bytes stay what they are."""
    return "\n".join(map(str, con.execute(f"SELECT * FROM {source}").fetchall()))


def _leaks(text: str, secrets: dict[str, set[str]]) -> set[str]:
    found = {
        f"number of {len(n)} digits"
        for n in NUMBERS.findall(text)
        if n in secrets["number"] or n[:18] in secrets["number"]
    }
    found |= {"plate" for plate in PLATES.findall(text) if plate in secrets["plate"]}
    for run_of_characters in CJK.findall(text):
        for length in (2, 3, 4):
            for start in range(len(run_of_characters) - length + 1):
                if run_of_characters[start : start + length] in secrets["name"]:
                    found.add(f"name of {length} characters")
    return found


def test_the_search_would_find_what_the_departments_hold(demo: Demo, secrets) -> None:
    """The test of the test: the same search over the county's own requests finds numbers and names."""
    text = "\n".join(f.read_text("utf-8") for f in (demo.folder / "county" / "requests").iterdir())
    kinds = {found.split(" ")[0] for found in _leaks(text, secrets)}
    assert kinds >= {"number", "name"}
    assert len(secrets["plate"]) > 50


def test_no_personal_value_is_left_in_the_workspace(demo: Demo, secrets) -> None:
    leaks = {file: found for file, text in _texts(demo) if (found := _leaks(text, secrets))}
    assert leaks == {}


def test_no_personal_value_is_printed_or_logged(demo: Demo, secrets) -> None:
    assert _leaks(demo.told, secrets) == set()


def test_no_temporary_file_stays(demo: Demo) -> None:
    departments = {".lockfile"}  # of the PostgreSQL in which the departments' data lie
    files = {f.name for f in (demo.root / "temporary").rglob("*") if f.is_file()}
    assert files <= departments
