"""What stages hand to the case store and get back from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class ExtractRow:
    """What one extract was, for the store's history (R7, R61)."""

    batch_id: str
    dataset: str
    digest: str
    as_of: date | None
    rows_read: int
    rows_admitted: int
    quarantined: int
    medians: Mapping[str, int]
    state: str


@dataclass(frozen=True)
class ReportRow:
    """One version of a report and the batch file that holds it; ``supersedes`` is the version before."""

    report_id: str
    version: int
    request_id: str
    batch_id: str
    digest: str
    part: str
    supersedes: int | None = None
