"""What the sources answered: for one request, and for the requests of some divisions in a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any

from pipelines.batch import Batch
from pipelines.console.site import Site
from pipelines.warehouse import connect, scan

STATES = ("covered", "stale", "unanswered", "unavailable", "not_authorised", "not_queryable", "not_asked")


@dataclass(frozen=True)
class SourceOfRequest:
    """One source and one request: members by the state of its answer."""

    dataset: str
    requirement: str
    states: dict[str, int] = field(default_factory=dict)
    as_of: date | None = None

    @property
    def complete(self) -> bool:
        """Whether every member who was to be asked about is covered."""
        return not self.states.keys() - {"covered", "not_asked"}


def of_request(site: Site, batch: Batch, request_id: str) -> list[SourceOfRequest]:
    """Each source that a batch's report of a request rests on.

    Raises:
        DataKeyDestroyedError: the retention of the batch has ended.
    """
    rows = _rows(
        site, batch,
        "SELECT dataset, min(requirement), state, count(*), max(as_of) FROM answered "
        "WHERE request_id = ? GROUP BY dataset, state ORDER BY min(requirement) DESC, dataset, state",
        [request_id],
    )  # fmt: skip
    found: dict[str, SourceOfRequest] = {}
    for dataset, requirement, state, people, as_of in rows:
        source = found.setdefault(dataset, SourceOfRequest(dataset, requirement, {}, as_of))
        source.states[state] = people
    return list(found.values())


@lru_cache(64)
def of_batch(site: Site, batch: Batch, divisions: tuple[str, ...]) -> dict[str, dict[str, int]]:
    """Members by source and state of its answer, of the requests of some divisions; an assessed batch never changes.

    Raises:
        DataKeyDestroyedError: the retention of the batch has ended.
    """
    own = " OR ".join("starts_with(division, ?)" for _ in divisions) or "false"
    rows = _rows(
        site, batch,
        f"SELECT dataset, state, count(*) FROM answered JOIN {scan(batch.folder / 'requests.parquet')} r "
        f"USING (request_id) WHERE {own} GROUP BY dataset, state ORDER BY ALL",
        list(divisions),
    )  # fmt: skip
    found: dict[str, dict[str, int]] = {}
    for dataset, state, people in rows:
        found.setdefault(dataset, {})[state] = people
    return found


def _rows(site: Site, batch: Batch, query: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
    files = sorted((batch.folder / "assessed").glob("*/member_coverage.parquet"))
    if not files:
        return []
    with connect(site.ring().data_key(batch.source_folder), site.ws.settings.limits) as con:
        con.execute(f"CREATE TEMP VIEW answered AS SELECT * FROM {scan(*files)}")
        rows: list[tuple[Any, ...]] = con.execute(query, values).fetchall()
        return rows
