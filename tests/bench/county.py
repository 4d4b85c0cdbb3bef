"""A made-up county on disk for the bench, with every dataset delivered as files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pyarrow.parquet as pq

from connectors.contract import load_contracts
from pipelines.demo import make_county, make_workspace
from pipelines.settings import Workspace

DELIVERED_ON = "2026-09-15"


def make(folder: Path, households: int, seed: int = 1) -> None:
    """The county, and manifests for what databases and services would send, so that all of it can come as files."""
    make_county(folder, households=households, seed=seed)
    for contract in load_contracts().values():
        if contract.way == "files":
            continue
        for file in sorted((folder / "departments" / contract.folder).glob("*.parquet")):
            with file.open("rb") as handle:
                digest = hashlib.file_digest(handle, contract.digest).hexdigest()
            manifest = {
                "dataset": contract.dataset,
                "file": file.name,
                "rows": pq.read_metadata(file).num_rows,
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
        | ({} if contract.way == "files" else {"delivery": {"way": "files", "format": "parquet"}})
        for contract in load_contracts().values()
    }
    connections = {"folder": {"kind": "folder", "path": str(county / "departments")}}
    return make_workspace(root, county, connections, sources)


def input_files(county: Path) -> list[Path]:
    """Every file that a batch reads."""
    return sorted(f for part in ("departments", "requests") for f in (county / part).rglob("*") if f.is_file())
