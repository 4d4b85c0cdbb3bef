"""A case system that is a folder of JSON Lines."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from connectors.case_model import Answer, Incoming, Outgoing, Receipt, text
from pipelines.batch import whole_file

_BOM = b"\xef\xbb\xbf"


class FolderEnd:
    """A folder of JSON Lines.

    In: ``*.jsonl``, which the case system puts there whole (under another name first, then renamed). Out:
    ``refusals-<digest>.jsonl`` and ``<batch>/part-0001.jsonl`` with one report in each line, beside
    ``part-0001.receipts.jsonl``. A part is written under another name and renamed: whatever it holds was delivered.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def incoming(self) -> Iterator[Incoming]:
        """The files, by name."""
        for path in sorted(self.folder.glob("*.jsonl")):
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            yield Incoming(path.name, digest, partial(_lines, path))

    def refuse(self, digest: str, lines: Sequence[dict[str, object]]) -> str:
        """Write the refusals of one file."""
        path = self.folder / f"refusals-{digest[:16]}.jsonl"
        with whole_file(path) as temporary:
            temporary.write_text("".join(f"{text(line)}\n" for line in lines), "utf-8")
        return path.name

    def deliver(self, batch_id: str, number: int, reports: Sequence[Outgoing]) -> Answer:
        """Write one part, unless it is there."""
        part = self.folder / batch_id / f"part-{number:04d}.jsonl"
        if part.exists():
            receipts = [_receipt(line) for line in _lines(part)]
        else:
            with whole_file(part) as temporary, temporary.open("wb") as file:
                file.writelines(report.document + b"\n" for report in reports)
            receipts = [Receipt(*report.key, f"sha256:{report.digest}") for report in reports]
        with (
            whole_file(part.with_suffix(".receipts.jsonl")) as temporary,
            temporary.open("w", encoding="utf-8") as file,
        ):
            file.writelines(
                f"{text({'report_id': r.report_id, 'version': r.version, 'receipt': r.text})}\n" for r in receipts
            )
        return Answer(receipts)


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        for number, line in enumerate(file):
            yield (line.removeprefix(_BOM) if number == 0 else line).rstrip(b"\r\n")


def _receipt(line: bytes) -> Receipt:
    report = json.loads(line)
    return Receipt(report["report_id"], report["version"], f"sha256:{hashlib.sha256(line).hexdigest()}")
