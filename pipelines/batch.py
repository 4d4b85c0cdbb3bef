"""A batch: its folder, its as-of time, which of its stages are done.

A stage writes every file under a temporary name and renames it when it is whole, then leaves a mark. After a crash
the same call finds the marks and goes on; after success it does nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary neighbour of ``path``; it takes that name only if the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    temporary.unlink(missing_ok=True)
    yield temporary
    flush(temporary)
    temporary.replace(path)


def flush(path: Path) -> None:
    """Have a file or a folder on disk before another step relies on it."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def write_json(path: Path, document: object) -> None:
    """Write ``document`` as UTF-8 JSON, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n", "utf-8")


def read_json(path: Path) -> Any:
    """What ``write_json`` wrote."""
    return json.loads(path.read_text("utf-8"))


@dataclass(frozen=True)
class Batch:
    """One run over a set of requests.

    Attributes:
        folder: ``<workspace>/batches/<id>``.
        id: name of the batch; the same requests and as-of time give the same name.
        as_of: the moment the batch speaks of; every result takes its time from here.
        epoch: key epoch of every token in the batch (R19).
        admitted_from: the batch whose admitted extracts this one reads, or None when it collects its own.
    """

    folder: Path
    id: str
    as_of: datetime
    epoch: int = 1
    admitted_from: str | None = None

    @classmethod
    def create(
        cls, batches: Path, batch_id: str, as_of: datetime, epoch: int = 1, admitted_from: str | None = None
    ) -> Batch:
        """Make the batch's folder, or find it as it was left."""
        batch = cls(batches / batch_id, batch_id, as_of, epoch, admitted_from)
        if not (batch.folder / "batch.json").exists():
            document = {
                "id": batch_id,
                "as_of": as_of.isoformat(),
                "epoch": epoch,
                "admitted_from": admitted_from,
            }
            write_json(batch.folder / "batch.json", document)
        return cls.open(batches, batch_id)

    @classmethod
    def open(cls, batches: Path, batch_id: str) -> Batch:
        """Open an existing batch by its id."""
        document = json.loads((batches / batch_id / "batch.json").read_text("utf-8"))
        as_of = datetime.fromisoformat(document["as_of"])
        return cls(batches / batch_id, document["id"], as_of, document["epoch"], document["admitted_from"])

    @property
    def source_folder(self) -> Path:
        """The folder of the batch that holds the admitted extracts this batch reads."""
        return self.folder.parent / self.admitted_from if self.admitted_from else self.folder

    def done(self, stage: str) -> bool:
        """Whether the stage has left its mark."""
        return (self.folder / "stages" / f"{stage}.json").exists()

    def mark(self, stage: str, summary: dict[str, object]) -> None:
        """Leave the mark of a finished stage, with counts for the summary (never a personal value)."""
        write_json(self.folder / "stages" / f"{stage}.json", summary)

    def summary(self, stage: str) -> dict[str, object]:
        """What the stage left in its mark."""
        document: dict[str, object] = json.loads((self.folder / "stages" / f"{stage}.json").read_text("utf-8"))
        return document
