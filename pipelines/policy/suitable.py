"""Other programmes whose tests a household's figures also answer: information for referral, never a decision (R67).

A programme is told beside the one applied for if it looks at the same unit, asks no source that is not asked anyway
(R34), and forms its figures in the same way: the same window, members, exclusions and deductions. Where these differ
in a place, the figures do not answer its tests, and it is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pipelines.errors import HeduiError
from pipelines.policy.resolve import ResolvedPolicy

# Figures that every household has (sql/assess/figure_kinds.sql), and the share that is formed of them; others are
# formed where the programme tests them.
FORMED = ("income", "financial_assets", "homes", "vehicles")
SHARES = ("income_left_share",)
# What does not form a figure: how long a report holds, how long one may object, what a declaration is measured by.
BESIDE_FIGURES = ("validity_months", "objection_days", "trace_proceeds_min", "tolerance_money", "tolerance_count")


def suitable(
    policy: ResolvedPolicy, resolved: Callable[[str], ResolvedPolicy]
) -> Iterator[tuple[ResolvedPolicy, tuple[str, ...]]]:
    """The programmes that can be told beside one that was applied for.

    Args:
        policy: the programme applied for, as it holds.
        resolved: gives another programme as it holds for the same place, kind of area and day.

    Yields:
        Each with the datasets that it requires and that the one applied for asks without needing them.
    """
    for name, programme in sorted(policy.pack.programmes.items()):
        if name == policy.programme.name or programme.authorisation.unit != policy.programme.authorisation.unit:
            continue
        needed = {dataset for dataset, need in programme.sources.items() if need == "required"}
        if not programme.tests or not needed <= set(policy.sources):
            continue
        try:
            other = resolved(name)
        except HeduiError:  # no rule for it in this place on this day: nothing can be said of it
            continue
        formed = {*FORMED, *SHARES, *(test.test.figure for test in policy.tests.values())}
        looked_at = {test.test.figure for test in other.tests.values()}
        if other.tests and looked_at <= formed and forms(other) == forms(policy):
            yield other, tuple(sorted(dataset for dataset in needed if policy.sources[dataset] == "optional"))


def forms(policy: ResolvedPolicy) -> dict[str, object]:
    """Everything that decides how a household's figures are formed, by value."""
    settings = {name: settled.value for name, settled in policy.settings.items() if name not in BESIDE_FIGURES}
    lists = {
        name: {item: settled.value for item, settled in items.items()}
        for name, items in policy.lists.items()
        if name not in BESIDE_FIGURES
    }
    return {**settings, **lists}
