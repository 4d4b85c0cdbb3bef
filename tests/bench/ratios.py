"""The yardsticks of the bench, each measured beside what it is a yardstick of."""

from __future__ import annotations

import hmac
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from connectors.contract import Contract, load_contracts
from connectors.extract import Asked
from connectors.sources import open_extracts
from pipelines.batch import Batch
from pipelines.keys import KeyRing
from pipelines.pseudonyms import Tokeniser
from pipelines.settings import Workspace
from pipelines.summary import opened
from pipelines.warehouse import connect, scan
from tests.bench.county import input_files

ROOT = Path(__file__).resolve().parents[2]
CSV = "public_security/household_registration"
FIGURES = ("income", "financial_assets", "homes", "vehicles")


def compare(folder: Path, whole: float) -> dict[str, Any]:
    """Every ratio of one measured county.

    Args:
        folder: holds county/, workspace/ and the batch's name.
        whole: seconds of the whole run.
    """
    ws = Workspace.open(folder / "workspace")
    batch = Batch.open(ws.batches, (folder / "batch").read_text())
    ids = _identifiers(folder / "county", ws)
    tokens, loop = _tokens(ids, ws)
    admission, reading = _admission(folder / "county", ws, batch)
    peer, agreement = _peer(folder / "county", ws, batch)
    floor = _floor(folder / "county", ws, folder)
    return {
        "seconds_of": {"tokens": tokens, "hmac_loop": loop, "admission": admission, "read_csv": reading,
                       "pandas_peer": peer, "floor": floor},
        "ratios": {
            "tokens: HMAC loop / tokens": loop / tokens,
            "admission / read_csv": admission / reading,
            "pandas peer / whole run": peer / whole,
            "whole run / floor": whole / floor,
        },
        "peer": agreement,
    }  # fmt: skip


def best(work: Callable[[], object], times: int = 3) -> float:
    """Seconds of the quickest of a few runs."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return min(found)


def _contract(ws: Workspace) -> Contract:
    return load_contracts()[CSV].delivered(ws.settings.sources[CSV].delivery)


def _extract(ws: Workspace) -> Any:
    source = ws.settings.sources[CSV]
    asked = Asked(pa.array([], pa.string()), (date(2025, 9, 1), date(2026, 9, 1)), "bench", date(2026, 9, 16))
    return open_extracts(_contract(ws), ws.settings.connections[source.connection], asked, ws.root)[-1]


def _identifiers(county: Path, ws: Workspace) -> pa.Array:
    """ID numbers as the register delivers them, up to a million."""
    column = next(c.source for c in _contract(ws).columns if c.subject)
    batches = [batch.column(batch.schema.get_field_index(column)) for batch in _extract(ws).batches()]
    ids = pa.chunked_array(batches).combine_chunks()
    return ids.slice(0, 1_000_000)


def _tokens(ids: pa.Array, ws: Workspace) -> tuple[float, float]:
    """Whole columns to tokens, against one HMAC-SHA256 per ID number in a loop (both from text, one core)."""
    tokeniser = Tokeniser(KeyRing.open(ws.settings.keys, ws.root), 1, "aes256")
    key, texts = os.urandom(32), [text.encode() for text in ids.to_pylist() if text]

    def loop() -> list[bytes]:
        return [hmac.digest(key, text, "sha256") for text in texts]

    return best(lambda: tokeniser.persons(ids)), best(loop)


def _admission(county: Path, ws: Workspace, batch: Batch) -> tuple[float, float]:
    """One register admitted as in the batch, against DuckDB's read_csv of the same text (all columns, as UTF-8)."""
    import tempfile

    from pipelines import admission
    from pipelines.admitted import AdmissionKeys
    from pipelines.scoping import Scope, fetch_tokens, one_array

    contract, ring = _contract(ws), KeyRing.open(ws.settings.keys, ws.root)
    with opened(batch, ws) as con:
        asked = fetch_tokens(
            con,
            f"SELECT DISTINCT person FROM {scan(batch.folder / 'queries.parquet')} "
            "WHERE dataset = ? AND person IS NOT NULL ORDER BY person",
            [CSV],
        )
    persons = one_array(asked["person"])
    tokeniser = Tokeniser(ring, batch.epoch, ws.settings.token_cipher, batch.as_of.date())
    keys = AdmissionKeys(ring.seal_key("display", batch.folder), ring.key("row-digest"))

    def admit() -> None:
        with tempfile.TemporaryDirectory() as folder, connect(ring.data_key(batch.folder), ws.settings.limits) as con:
            admission.admit(con, contract, _extract(ws), tokeniser, Scope(persons), keys, Path(folder))

    (file,) = (county / "departments" / contract.folder).glob("*.csv")
    with tempfile.NamedTemporaryFile(suffix=".csv") as text:
        text.write(file.read_bytes().decode("gb18030").encode())
        text.flush()

        def read() -> None:
            con = duckdb.connect(config={"threads": ws.settings.limits.threads})
            for _ in con.execute(f"SELECT * FROM read_csv('{text.name}', all_varchar = true)").to_arrow_reader(100_000):
                pass

        return best(admit), best(read)


def _policy(batch: Batch, con: duckdb.DuckDBPyConnection) -> dict[str, object]:
    def table(name: str) -> str:
        return scan(batch.folder / f"{name}.parquet")

    row = con.execute(f"SELECT max(wage_deduction_bp), max(wage_deduction_cap_fen) FROM {table('policy')}").fetchone()
    excluded = con.execute(f"SELECT DISTINCT kind FROM {table('policy_income_excluded')}").fetchall()
    exempt = {
        kind
        for (kind,) in con.execute(f"SELECT DISTINCT use_character FROM {table('policy_vehicle_exempt')}").fetchall()
    }
    codes = next(
        c.codes for c in load_contracts()["public_security/vehicle_registration"].columns if c.name == "use_character"
    )
    return {
        "wage_deduction_bp": row[0] if row else 0,
        "wage_deduction_cap_fen": row[1] if row else None,
        "excluded_income": [kind for (kind,) in excluded],
        "exempt_vehicles": [theirs for theirs, ours in (codes or {}).items() if ours in exempt],
    }


def _peer(county: Path, ws: Workspace, batch: Batch) -> tuple[float, dict[str, int]]:
    """The pandas program's seconds, and on how many clean households it gives the same figures."""
    with opened(batch, ws) as con:
        policy = _policy(batch, con)
        figures = scan(*sorted((batch.folder / "assessed").glob("*/figures.parquet")))
        ours = con.execute(
            f"PIVOT (SELECT request_id, figure, low FROM {figures} WHERE figure IN {FIGURES}) ON figure USING sum(low)"
        ).df()
    out = batch.folder.parent.parent / "peer.csv"
    command = [sys.executable, str(ROOT / "tests/bench/pandas_peer.py"), str(county / "requests")]
    command += [str(county / "departments"), json.dumps(policy), str(out)]
    start = time.perf_counter()
    subprocess.run(command, check=True, cwd=ROOT)
    seconds = time.perf_counter() - start
    theirs = pd.read_csv(out, index_col="request_id")
    ours = ours.set_index("request_id")[list(FIGURES)].astype("int64")
    clean = [line["request_id"] for line in map(json.loads, (county / "truth.jsonl").open()) if not line["planted"]]
    equal = (ours.loc[clean].to_numpy() == theirs.loc[clean, list(FIGURES)].to_numpy()).all(axis=1)
    return seconds, {"clean households": len(clean), "same figures": int(np.count_nonzero(equal))}


def _floor(county: Path, ws: Workspace, scratch: Path) -> float:
    """Reading every input byte and writing every report byte, once."""
    reports = sum(f.stat().st_size for f in ws.path("reports").rglob("*.jsonl"))
    block = os.urandom(1 << 20)

    def work() -> None:
        for file in input_files(county):
            with file.open("rb", buffering=0) as handle:
                while handle.read(1 << 20):
                    pass
        with (scratch / "floor.bin").open("wb", buffering=0) as handle:
            for start in range(0, reports, len(block)):
                handle.write(block[: min(len(block), reports - start)])
            os.fsync(handle.fileno())

    seconds = best(work)
    (scratch / "floor.bin").unlink()
    return seconds
