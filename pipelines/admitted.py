"""What admission gives: an admitted extract with its receipt and its places, or one of two refusals."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from pipelines.batch import write_json
from pipelines.errors import HeduiError

Medians = Mapping[str, int]


@dataclass(eq=False)
class QuarantineShareError(HeduiError):
    """Too many rows of an extract are wrong; it is refused as a whole."""

    dataset: str
    quarantined: int
    rows: int
    share: float
    most: str

    zh = "{dataset}：{rows} 行中有 {quarantined} 行有误（最多的是 {most}），超过合同允许的比例 {share}，整份不予接收"
    en = "{dataset}: {quarantined} of {rows} rows are wrong (mostly {most}), above {share}; refused as a whole"
    todo = "ask the department to send it again, or correct the contract"


@dataclass(eq=False)
class UnitJumpError(HeduiError):
    """The median of a money column is about 100 or 10,000 times what it was: the unit has changed (R61)."""

    dataset: str
    column: str
    jump: str

    zh = "{dataset}：列 {column} 的中位数变为历史的约 {jump} 倍，疑似计量单位（元、万元、分）改变，整份不予接收"
    en = "{dataset}: the median of {column} is about {jump} of what it was: another unit? Refused as a whole"
    todo = "ask the department for the unit, then correct the extract or the contract"


@dataclass(frozen=True)
class AdmissionKeys:
    """What admission writes with: the key that seals display fields, and the key of row digests."""

    seal: bytes
    rows: bytes


@dataclass(frozen=True)
class AdmittedExtract:
    """What became of one extract.

    Attributes:
        dataset: its key.
        digest: of the extract, with its algorithm.
        as_of: the day it describes.
        sequence: the department's own, among extracts of one day.
        mode: full or increment.
        extract_seq: its place in this batch, from 1.
        rows_read: rows of the extract.
        rows_admitted: rows in ``path``.
        rows_quarantined: rows with any problem.
        quarantined: problems by ``column:reason``.
        unknown_areas: ID numbers whose area code is in no table (R17: shown, not refused).
        medians: in fen, of money columns with enough amounts (R61).
        path: the admitted rows.
        quarantine: the problems, row by row.
    """

    dataset: str
    digest: str
    as_of: date
    sequence: int
    mode: str
    extract_seq: int
    rows_read: int
    rows_admitted: int
    rows_quarantined: int
    quarantined: dict[str, int]
    unknown_areas: int
    medians: dict[str, int]
    path: Path
    quarantine: Path

    def save(self, receipt: Path) -> None:
        """Leave the receipt that says that the extract is admitted."""
        document = asdict(self)
        write_json(receipt, document | {k: str(document[k]) for k in ("as_of", "path", "quarantine")})

    @classmethod
    def load(cls, receipt: Path) -> AdmittedExtract:
        """Read a receipt; files are found beside it wherever the batch's folder is now."""
        document = json.loads(receipt.read_text("utf-8"))
        document["as_of"] = date.fromisoformat(document["as_of"])
        document["path"] = admitted_path(receipt.parents[2], document["dataset"], document["digest"])
        document["quarantine"] = quarantine_path(receipt.parents[2], document["dataset"], document["digest"])
        return cls(**document)


def _name(digest: str) -> str:
    return digest.replace(":", "-")


def admitted_path(batch_folder: Path, dataset: str, digest: str) -> Path:
    """Where an extract's admitted rows are."""
    return batch_folder / "admitted" / dataset.replace("/", ".") / f"{_name(digest)}.parquet"


def working_folder(batch_folder: Path, dataset: str) -> Path:
    """Where collect keeps a dataset's receipts, quarantine and outcome."""
    return batch_folder / "collected" / dataset.replace("/", ".")


def quarantine_path(batch_folder: Path, dataset: str, digest: str) -> Path:
    """Where an extract's quarantine is."""
    return working_folder(batch_folder, dataset) / f"{_name(digest)}.quarantine.parquet"


def receipt_path(batch_folder: Path, dataset: str, digest: str) -> Path:
    """Where the receipt is that says that an extract is admitted."""
    return working_folder(batch_folder, dataset) / f"{_name(digest)}.json"
