"""Files as the departments deliver them: CSV, Parquet and workbooks with manifests, block by block, and troubles."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from connectors.contract import Contract
from connectors.synthetic import outsiders
from connectors.synthetic.dirt import Dirt
from connectors.synthetic.earnings import MONTHS
from connectors.synthetic.render import Renderer
from connectors.synthetic.rows import Columns, Ints, concat, count, filled, take
from connectors.synthetic.scene import Scene, chance
from connectors.synthetic.workbook import Workbook

BLOCK = 200_000  # outsiders whose rows are made at once
DELIVERED_ON = date(2026, 9, 15)


@dataclass(frozen=True)
class Plan:
    """One file of a dataset: its name without ending, its day, its place in the order, full or increment."""

    stem: str
    as_of: date
    sequence: int
    mode: str


def plans(contract: Contract) -> list[Plan]:
    """The files of a dataset: one, or for increments a base and what came after it."""
    name = contract.dataset.split("/")[1]
    days: tuple[date, ...] = (DELIVERED_ON,)
    if contract.dataset == "public_security/vehicle_registration":
        days = (date(2026, 9, 1), date(2026, 9, 8), DELIVERED_ON)
    elif contract.dataset == "social_security/contributions":
        first = [date.fromordinal(int(day) + date(1970, 1, 1).toordinal()) for day in MONTHS]
        days = tuple(day + timedelta(days=9) for day in first[1:15])
    return [
        Plan(f"{name}-{day:%Y%m%d}", day, place + 1, "increment" if place else "full") for place, day in enumerate(days)
    ]


def _file_of(contract: Contract, cols: Columns) -> Ints:
    """Which of its files each row is delivered in."""
    if contract.dataset == "social_security/contributions":
        return np.searchsorted(MONTHS, filled(cols["month"], count(cols), 0))
    return filled(cols.get("_file"), count(cols), 0)


class _Sink:
    """One file being written; ``close`` gives its manifest."""

    def __init__(self, folder: Path, contract: Contract, plan: Plan, names: list[str], separators: bool) -> None:
        self.contract, self.plan, self.names, self.rows = contract, plan, names, 0
        self.format = getattr(contract.delivery, "format", "parquet")
        self.path = folder / f"{plan.stem}.{self.format}"
        self._schema = contract.schema if names == contract.schema.names else _renamed(contract.schema, names)
        if self.format == "csv":
            self._encoding = contract.delivery.encoding  # type: ignore[union-attr]
            self._separator = contract.delivery.separator  # type: ignore[union-attr]
            self._quoting = "needed" if separators and self._separator == "," else "none"
            self._file = self.path.open("wb")
            self._file.write((self._separator.join(names) + "\n").encode(self._encoding))
        elif self.format == "xlsx":
            self._workbook = Workbook(self.path, contract, names, plan.as_of)
        else:
            self._parquet = pq.ParquetWriter(self.path, self._schema, compression="zstd", compression_level=1)

    def write(self, table: pa.Table) -> None:
        self.rows += len(table)
        if self.format == "xlsx":
            self._workbook.write(table)
            return
        if self.format != "csv":
            self._parquet.write_table(table.rename_columns(self.names))
            return
        buffer = pa.BufferOutputStream()
        options = pa_csv.WriteOptions(include_header=False, quoting_style=self._quoting, delimiter=self._separator)
        pa_csv.write_csv(table, buffer, options)
        written = buffer.getvalue()
        encoded = written if self._encoding == "utf-8" else written.to_pybytes().decode().encode(self._encoding)
        self._file.write(encoded)

    def close(self) -> dict[str, Any]:
        writers = {"csv": "_file", "xlsx": "_workbook", "parquet": "_parquet"}
        getattr(self, writers[self.format]).close()
        digest = hashlib.new(self.contract.digest)
        with self.path.open("rb") as file:
            while chunk := file.read(1 << 22):
                digest.update(chunk)
        return {
            "dataset": self.contract.dataset,
            "file": self.path.name,
            "rows": self.rows,
            "digest_algorithm": self.contract.digest,
            "digest": digest.hexdigest(),
            "as_of": self.plan.as_of.isoformat(),
            "sequence": self.plan.sequence,
            "mode": self.plan.mode,
        }


def _renamed(schema: pa.Schema, names: list[str]) -> pa.Schema:
    return pa.schema([field.with_name(name) for field, name in zip(schema, names, strict=True)])


def _blocks(
    scene: Scene, contract: Contract, inside: Columns, seed: int
) -> Iterator[tuple[Columns, np.random.Generator]]:
    """Rows in blocks: part of the households' own among those of as many outsiders, in no order."""
    people = scene.people
    starts = range(people.outsiders, len(people), BLOCK) or range(1)
    cuts = np.linspace(0, count(inside), len(starts) + 1).astype(np.int64)
    for block, start in enumerate(starts):
        rng = chance(seed, contract.dataset, block)
        persons = np.arange(start, min(start + BLOCK, len(people)))
        parts = [take(inside, slice(int(cuts[block]), int(cuts[block + 1])))]
        if people.outsiders < len(people):
            parts.append(outsiders.rows(contract.dataset, people, persons, rng))
        cols = concat(parts)
        if count(cols):
            yield take(cols, rng.permutation(count(cols))), rng


def write_dataset(
    scene: Scene, contract: Contract, inside: Columns, folder: Path, dirt: Dirt, trouble: str | None, silent: Ints
) -> list[dict[str, Any]]:
    """Write a dataset's files; the manifests are returned, and lie beside the files.

    A source that is down has no folder at all.
    """
    if trouble == "source_down":
        return []
    folder.mkdir(parents=True, exist_ok=True)
    names = list(contract.schema.names)
    if trouble == "renamed_column":
        names[-1] += "_NEW"
    sinks = [_Sink(folder, contract, plan, names, dirt.separators > 0) for plan in plans(contract)]
    everyone = pa.concat_arrays(scene.names)
    renderer = Renderer(contract, scene.people, everyone, dirt)
    for cols, rng in _blocks(scene, contract, inside, scene.seed):
        file = _file_of(contract, cols)
        for place, sink in enumerate(sinks):
            chosen = np.flatnonzero(file == place) if len(sinks) > 1 else slice(None)
            part = take(cols, chosen)
            if count(part):
                sink.write(renderer.table(part, rng))
    manifests = [sink.close() for sink in sinks]
    if contract.manifest == "required" and contract.way == "files":
        for manifest in manifests:
            _write_manifest(folder, manifest, contract, trouble)
        if dirt.twice and trouble is None:
            _send_again(folder, manifests[-1], contract)
    if trouble == "partial":
        unanswered = scene.people.numbers(np.unique(scene.members.person[silent])).to_pylist()
        (folder / "unanswered.json").write_text(json.dumps(unanswered) + "\n", "utf-8")
    return manifests


def _send_again(folder: Path, manifest: Mapping[str, Any], contract: Contract) -> None:
    """The same bytes under another name, next in order: they must change nothing (R7)."""
    stem, _, ending = str(manifest["file"]).rpartition(".")
    again = {**manifest, "file": f"{stem}-again.{ending}", "sequence": int(manifest["sequence"]) + 1}
    shutil.copyfile(folder / manifest["file"], folder / again["file"])
    _write_manifest(folder, again, contract, None)


def _write_manifest(folder: Path, manifest: Mapping[str, Any], contract: Contract, trouble: str | None) -> None:
    shown = dict(manifest)
    if trouble == "wrong_digest":
        shown["digest"] = "0" * 64
    if trouble == "stale":
        day = date.fromisoformat(shown["as_of"]) - timedelta(days=contract.freshness_days + 30)
        shown["as_of"] = day.isoformat()
    if trouble == "cut_short":
        file = folder / shown["file"]
        with file.open("r+b") as handle:
            handle.truncate(file.stat().st_size * 2 // 3)
    text = json.dumps(shown, ensure_ascii=False, indent=1) + "\n"
    (folder / f"{shown['file']}.manifest.json").write_text(text, "utf-8")
