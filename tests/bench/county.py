"""A made-up county on disk for the bench, with every dataset delivered as files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from connectors.contract import Contract, load_contracts
from pipelines.demo import make_county, make_workspace
from pipelines.settings import Workspace

DELIVERED_ON = "2026-09-15"
FORMATS = {"database": "parquet", "http": "csv"}


def make(folder: Path, households: int, seed: int = 1) -> None:
    """The county, with what databases and services would send as files: Parquet, and CSV for what comes as text."""
    make_county(folder, households=households, seed=seed)
    for contract in load_contracts().values():
        if contract.way == "files":
            continue
        for file in sorted((folder / "departments" / contract.folder).glob("*.parquet")):
            _declare(contract, file if contract.way == "database" else _as_csv(file))


def _as_csv(parquet: Path) -> Path:
    """The same rows as CSV; the Parquet file goes."""
    file = parquet.with_suffix(".csv")
    duckdb.sql(f"COPY (FROM read_parquet('{parquet}')) TO '{file}' (FORMAT csv, HEADER)")
    parquet.unlink()
    return file


def _declare(contract: Contract, file: Path) -> None:
    """The manifest that a department would put beside the file."""
    with file.open("rb") as handle:
        digest = hashlib.file_digest(handle, contract.digest).hexdigest()
    if file.suffix == ".parquet":
        rows = pq.read_metadata(file).num_rows
    else:
        rows = int(duckdb.sql(f"SELECT count(*) FROM read_csv('{file}', all_varchar = true)").fetchall()[0][0])
    manifest = {
        "dataset": contract.dataset,
        "file": file.name,
        "rows": rows,
        "digest_algorithm": contract.digest,
        "digest": digest,
        "as_of": DELIVERED_ON,
        "sequence": 1,
        "mode": "full",
    }
    file.with_name(f"{file.name}.manifest.json").write_text(json.dumps(manifest))


def workspace(root: Path, county: Path) -> Workspace:
    """A workspace that reads all of the county's datasets from its folder."""
    sources: dict[str, dict[str, object]] = {
        contract.dataset: {"connection": "folder"}
        | ({} if contract.way == "files" else {"delivery": {"way": "files", "format": FORMATS[contract.way]}})
        for contract in load_contracts().values()
    }
    connections = {"folder": {"kind": "folder", "path": str(county / "departments")}}
    return make_workspace(root, county, connections, sources)


def input_files(county: Path) -> list[Path]:
    """Every file that a batch reads."""
    return sorted(f for part in ("departments", "requests") for f in (county / part).rglob("*") if f.is_file())
