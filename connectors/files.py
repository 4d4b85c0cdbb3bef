"""Files that departments put into a folder, here or on an SFTP server: CSV, Parquet or Excel, each with its manifest.

``<base>/<department>.<dataset>/<file>`` and beside it ``<file>.manifest.json``, which is written last and says
what the file holds: a file is delivered when its manifest is.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from datetime import date
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connectors.conform import check_types, conform
from connectors.connections import FolderConnection, SftpConnection
from connectors.contract import Contract, FilesDelivery
from connectors.csv_stream import read_csv
from connectors.excel import read_excel
from connectors.extract import BATCH_ROWS, Asked, Extract, ExtractRefused, SourceUnavailable
from connectors.faults import source_error
from connectors.places import Place

MANIFEST = ".manifest.json"
_DAY = re.compile(r"(?<!\d)(\d{4})-?(\d{2})-?(\d{2})(?!\d)")


class Manifest(BaseModel):
    """What a department says of one file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str
    file: str = Field(pattern=r"^[^/\\]+$")
    rows: int | None = Field(ge=0)
    digest_algorithm: Literal["sha256", "sm3"]
    digest: str = Field(pattern=r"^[0-9a-f]{64}$")
    as_of: date
    sequence: int = Field(1, ge=1)
    mode: Literal["full", "increment"]

    @property
    def tagged(self) -> str:
        """The digest with its algorithm, as an extract carries it."""
        return f"{self.digest_algorithm}:{self.digest}"


def manifests(contract: Contract, delivery: FilesDelivery, place: Place) -> list[Manifest]:
    """The manifests of a dataset's folder, by day and sequence; a file without one is refused if one is required.

    Raises:
        SourceUnavailable: the folder or a file that a manifest names is not there (R1: a missing extract).
        ExtractRefused: a manifest is missing or wrong.
    """
    folder = place.base / contract.folder
    names = place.names(folder)
    found: list[Manifest] = []
    for name in names:
        if name.endswith(MANIFEST):
            found.append(_manifest(contract, place.read(folder / name), name))
            if found[-1].file not in names:
                raise SourceUnavailable(contract.dataset, "find file", f"{found[-1].file} of its manifest is missing")
        elif fnmatch(name, delivery.glob) and name + MANIFEST not in names:
            if contract.manifest == "required":
                raise ExtractRefused(contract.dataset, "find manifest", f"{name} came without one")
            found.append(_undeclared(contract, place, name))
    return sorted(found, key=lambda m: (m.as_of, m.sequence, m.file))


def _manifest(contract: Contract, text: bytes, name: str) -> Manifest:
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        reason = f"{name}: {'.'.join(str(part) for part in first['loc']) or 'file'}: {first['msg']}"
        raise ExtractRefused(contract.dataset, "read manifest", reason) from None
    wrong = {
        "dataset": manifest.dataset != contract.dataset,
        "file": manifest.file + MANIFEST != name,
        "mode": contract.mode == "full" and manifest.mode == "increment",
    }
    for part, is_wrong in wrong.items():
        if is_wrong:
            raise ExtractRefused(contract.dataset, "read manifest", f"{name}: {part} is not that of the contract")
    return manifest


def _undeclared(contract: Contract, place: Place, name: str) -> Manifest:
    """What can be said of a file without a manifest: its day from its name, its digest from its bytes."""
    day = _DAY.search(name)
    if not day:
        raise ExtractRefused(contract.dataset, "find file", f"{name}: neither a manifest nor a day in its name")
    digest = hashlib.new(contract.digest)
    for chunk in place.chunks(place.base / contract.folder / name):
        digest.update(chunk)
    return Manifest(
        dataset=contract.dataset,
        file=name,
        rows=None,
        digest_algorithm=contract.digest,
        digest=digest.hexdigest(),
        as_of=date(*(int(part) for part in day.groups())),
        sequence=1,
        mode="full",
    )


def counted(delivered: list[Manifest]) -> list[Manifest]:
    """Which extracts count: the newest full one and the increments after it (R8), each digest once (R7).

    The same bytes again change nothing. Delivered again with nothing between, they confirm: the later day counts.
    """
    kept: list[Manifest] = []
    for manifest in delivered:
        if kept and kept[-1].tagged == manifest.tagged:
            kept[-1] = manifest
        elif manifest.tagged not in {m.tagged for m in kept}:
            kept.append(manifest)
    full = [at for at, manifest in enumerate(kept) if manifest.mode == "full"]
    return kept[full[-1] :] if full else kept


def open_files(
    contract: Contract,
    delivery: FilesDelivery,
    connection: FolderConnection | SftpConnection,
    asked: Asked,
    root: Path,
) -> list[Extract]:
    """The extracts of a folder that count on the day of asking, oldest first.

    Raises:
        SourceUnavailable: nothing was delivered, no full extract was, or the place cannot be reached (R1).
        ExtractRefused: a manifest is missing or wrong (R2).
    """
    place = Place(connection, root, contract.dataset)
    seen = [manifest for manifest in manifests(contract, delivery, place) if manifest.as_of <= asked.on]
    if not seen:
        raise SourceUnavailable(contract.dataset, "find file", "no extract was delivered")
    extracts = counted(seen)
    if extracts[0].mode != "full":  # increments alone say nothing of what did not change
        raise SourceUnavailable(contract.dataset, "find file", "increments without the full extract before them")
    return [
        Extract(
            dataset=contract.dataset,
            as_of=manifest.as_of,
            sequence=manifest.sequence,
            mode=manifest.mode,
            digest=manifest.tagged,
            declared_rows=manifest.rows,
            read=partial(_read, contract, delivery, place, manifest),
            name=manifest.file,
        )
        for manifest in extracts
    ]


def _verified(contract: Contract, place: Place, manifest: Manifest) -> Iterator[bytes]:
    """The file's bytes; ends with a refusal when they are not the declared ones (R2)."""
    digest = hashlib.new(manifest.digest_algorithm)
    for chunk in place.chunks(place.base / contract.folder / manifest.file):
        digest.update(chunk)
        yield chunk
    if digest.hexdigest() != manifest.digest:
        reason = f"{manifest.file}: {manifest.digest_algorithm} differs from the declared one"
        raise ExtractRefused(contract.dataset, "check digest", reason)


def _read(
    contract: Contract, delivery: FilesDelivery, place: Place, manifest: Manifest, extract: Extract
) -> Iterator[pa.RecordBatch]:
    chunks = partial(_verified, contract, place, manifest)
    if delivery.format == "csv":
        return read_csv(contract, delivery, chunks, manifest.file)
    if delivery.format == "xlsx":
        return read_excel(contract, delivery, b"".join(chunks()), manifest.file)
    return _read_parquet(contract, chunks, place, manifest)


def _read_parquet(
    contract: Contract, chunks: Callable[[], Iterator[bytes]], place: Place, manifest: Manifest
) -> Iterator[pa.RecordBatch]:
    """Parquet is read from its end, so its digest is checked in a pass of its own, before the first row."""
    for _ in chunks():
        pass
    path = str(place.base / contract.folder / manifest.file)
    with place.use("open file", lambda fs: fs.open(path, "rb")) as handle:
        try:
            parquet = pq.ParquetFile(handle)
            check_types(contract, parquet.schema_arrow)
            for batch in parquet.iter_batches(BATCH_ROWS):
                yield conform(contract, batch)
        except pa.ArrowInvalid:
            raise ExtractRefused(contract.dataset, "read rows", f"{manifest.file}: not Parquet") from None
        except OSError as error:
            raise source_error(contract.dataset, "read file", error) from None
