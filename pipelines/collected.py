"""What came of a batch's queries, as the case store and its ledger keep it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipelines import ledger
from pipelines.admission import AdmittedExtract
from pipelines.batch import Batch
from pipelines.coverage import Outcome
from pipelines.store import ExtractRow, Store


def remember(batch: Batch, store: Store, outcomes: Sequence[Outcome], counts: dict[tuple[str, str], int]) -> None:
    """Extracts, coverage and admissions into the case store and its ledger."""
    extracts = [extract for outcome in outcomes for extract in outcome.extracts]
    store.put_extracts(
        [
            ExtractRow(
                batch.id,
                extract.dataset,
                extract.digest.rpartition(":")[2],
                extract.as_of,
                extract.rows_read,
                extract.rows_admitted,
                extract.rows_quarantined,
                extract.medians,
                "admitted",
            )
            for extract in extracts
        ]
    )
    store.put_coverage(batch.id, counts)
    ledger.append_many(store, [_admission(batch, extract) for extract in extracts])
    failed = [outcome for outcome in outcomes if not outcome.extracts]
    ledger.append_many(
        store,
        [ledger.Entry("source_failed", batch.id, outcome.dataset, {"reason": outcome.reason}) for outcome in failed],
    )


def _admission(batch: Batch, extract: AdmittedExtract) -> ledger.Entry:
    detail = {
        "as_of": extract.as_of.isoformat(),
        "mode": extract.mode,
        "rows_read": extract.rows_read,
        "rows_admitted": extract.rows_admitted,
        "rows_quarantined": extract.rows_quarantined,
    }
    return ledger.Entry("admission", batch.id, f"{extract.dataset}/{extract.digest}", detail)


def counts_of(outcome: Outcome) -> dict[str, object]:
    """What came of one source, in numbers."""
    quarantined: dict[str, int] = {}
    for extract in outcome.extracts:
        for problem, rows in extract.quarantined.items():
            quarantined[problem] = quarantined.get(problem, 0) + rows
    return {
        "state": "answered" if outcome.extracts else "unavailable",
        "reason": outcome.reason,
        "extracts": len(outcome.extracts),
        "rows_read": sum(extract.rows_read for extract in outcome.extracts),
        "rows_admitted": sum(extract.rows_admitted for extract in outcome.extracts),
        "quarantined": quarantined,
        "seconds": outcome.seconds,
    }


def nested(counts: Mapping[tuple[str, str], int]) -> dict[str, dict[str, int]]:
    """Persons by dataset, then by state."""
    nested: dict[str, dict[str, int]] = {}
    for (dataset, state), persons in counts.items():
        nested.setdefault(dataset, {})[state] = persons
    return nested
