"""An extract: one answer of a department, read once as a stream; and what can go wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

import pyarrow as pa

from pipelines.errors import HeduiError

BATCH_ROWS = 100_000


@dataclass(frozen=True)
class Asked:
    """What one query asks of a department.

    Attributes:
        persons: normalised 18-digit identifiers, strings.
        window: first day, and the day after the last.
        purpose: why, as it stands in the ledger.
        on: the day of asking (the batch's as-of day); extracts dated later are not seen, so that a batch run again
            later gives what it gave (R66).
    """

    persons: pa.Array
    window: tuple[date, date]
    purpose: str
    on: date


@dataclass(eq=False)
class SourceUnavailable(HeduiError):
    """The source did not answer: never "no record" (R1)."""

    dataset: str
    step: str
    reason: str

    zh = "{dataset}：{step} 时未应答：{reason}；相关人员记为未能核实"
    en = "{dataset}: unavailable at {step}: {reason}; its persons are not verified"
    todo = "check folder, address and account of its connection in hedui.yaml"


@dataclass(eq=False)
class SourceRefused(SourceUnavailable):
    """The source answered that it will not answer; asking again would not help."""

    zh = "{dataset}：{step} 时对方拒绝：{reason}；相关人员记为未能核实"
    en = "{dataset}: refused at {step}: {reason}; its persons are not verified"
    todo = "check the account, the address and the authorisation of the connection"


@dataclass(eq=False)
class SourceTimedOut(SourceUnavailable):
    """The source did not answer in time."""

    zh = "{dataset}：{step} 超时：{reason}；相关人员记为未能核实"
    en = "{dataset}: timed out at {step}: {reason}; its persons are not verified"
    todo = "try again later, or raise timeout_seconds of the connection, or minutes of the department"


@dataclass(eq=False)
class ExtractRefused(HeduiError):
    """The whole extract is refused: what arrived is not what was declared (R2)."""

    dataset: str
    step: str
    reason: str

    zh = "{dataset}：整份数据不予接收，步骤 {step}：{reason}"
    en = "{dataset}: extract refused as a whole at {step}: {reason}"
    todo = "ask the department to send it again"


@dataclass(eq=False)
class DecodeRefused(HeduiError):
    """A file holds bytes that are not in its declared encoding (R18); ``position`` counts bytes from 0."""

    dataset: str
    file: str
    encoding: str
    position: int

    zh = "{dataset}：文件 {file} 第 {position} 字节起不是有效的 {encoding} 编码，整份不予接收"
    en = "{dataset}: {file} cannot be decoded as {encoding} at byte {position}; refused as a whole"
    todo = "ask the department which encoding it wrote, and correct the contract or the file"


@dataclass(eq=False)
class ContractViolation(HeduiError):
    """An extract's columns are not those of the contract; names and types only, never a value."""

    dataset: str
    column: str
    expected: str
    found: str

    zh = "{dataset}：列 {column} 与数据合同不符：应为 {expected}，实为 {found}"
    en = "{dataset}: column {column} breaks the contract: expected {expected}, found {found}"
    todo = "agree on the change with the department, then change the contract"


Mode = Literal["full", "increment"]


@dataclass(eq=False)
class Extract:
    """One extract; ``batches()`` reads it once, from first to last row.

    Attributes:
        dataset: ``department/dataset``.
        as_of: the day the data describe.
        sequence: orders extracts of one day.
        mode: a full extract replaces what came before it, an increment amends it (R8).
        digest: ``sha256:…`` or ``sm3:…``. Declared with files and HTTP, and then known at once; databases declare
            none, and theirs is the digest of what they answered: **None until the last batch has been read**.
        declared_rows: rows that the source says there are; None when it says nothing.
        answered: identifiers that were answered when not all were (R3); None when all were.
        name: what to call it in messages: a file name, a ticket.
        rows: rows read so far.
    """

    dataset: str
    as_of: date
    sequence: int
    mode: Mode
    digest: str | None
    declared_rows: int | None
    read: Callable[[Extract], Iterator[pa.RecordBatch]] = field(repr=False)
    answered: pa.Array | None = None
    name: str = ""
    rows: int = 0

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Batches with exactly the contract's source columns, in its order: text from CSV and HTTP, else typed.

        Raises:
            ExtractRefused: after the last batch, when rows or digest differ from the declared ones (R2): what was
                read before must then be thrown away.
            DecodeRefused: bytes that are not in the declared encoding (R18).
            ContractViolation: columns or types that are not the contract's.
            SourceUnavailable: the source went away while it was read (R1).
        """
        self.rows = 0
        for batch in self.read(self):
            self.rows += batch.num_rows
            yield batch
        if self.declared_rows is not None and self.rows != self.declared_rows:
            raise ExtractRefused(
                self.dataset, "count rows", f"{self.name}: declared {self.declared_rows}, found {self.rows}"
            )
