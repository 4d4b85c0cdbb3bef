"""Two packs beside each other: what changes, and what a report's own figures say under the other one.

Only limits and operators can be tried on the figures of a report. What forms figures (window, members, exclusions,
deductions) or decides who is asked leads to another assessment, and that is said (``impact`` then makes it again).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from pipelines.policy.load import Pack
from pipelines.policy.model import Programme, Row
from pipelines.policy.resolve import ResolvedPolicy
from pipelines.policy.settle import show
from pipelines.policy.suitable import forms

Json = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """Something that one pack says and the other does not, or otherwise; None on the side that is silent."""

    kind: Literal["added", "removed", "changed"]
    where: str
    before: str | None
    after: str | None


def changes(old: Pack, new: Pack) -> list[Change]:
    """What changes from one pack to the other, parameters first, then programmes."""
    values = _compare(_values(old), _values(new))
    programmes = _compare(_programmes(old), _programmes(new))
    return [*values, *programmes]


def _compare(old: dict[str, str], new: dict[str, str]) -> Iterator[Change]:
    for where in sorted({*old, *new}):
        before, after = old.get(where), new.get(where)
        if before != after:
            yield Change("added" if before is None else "removed" if after is None else "changed", where, before, after)


def _values(pack: Pack) -> dict[str, str]:
    """Every value by what it is for and its first day."""
    found = {}
    for rows in pack.rows.values():
        for row in rows:
            found[_key(row)] = _told(pack, row)
    return found


def _key(row: Row) -> str:
    item = f".{row.item}" if row.item else ""
    axes = " ".join(part for part in (row.division, row.programme, row.area_kind) if part)
    return f"{row.parameter}{item} [{row.pack}{' ' if axes else ''}{axes}] {row.start}"


def _told(pack: Pack, row: Row) -> str:
    value = row.formula or show(row.value, pack.parameters[row.parameter].unit)
    rounding = f" ({row.rounding})" if row.rounding != "exact" else ""
    return f"{value}{rounding}, – {row.end or '…'}, {'；'.join(row.cites) or '示例 example'}, {row.sure}"


def _programmes(pack: Pack) -> dict[str, str]:
    return {where: told for programme in pack.programmes.values() for where, told in _parts(programme)}


def _parts(programme: Programme) -> Iterator[tuple[str, str]]:
    name = programme.name
    yield f"{name}: authorisation", ", ".join(programme.authorisation.of)
    yield f"{name}: check_only", str(programme.check_only).lower()
    for dataset, need in programme.sources.items():
        yield f"{name}: {dataset}", need
    for key, test in programme.tests.items():
        yield f"{name}: tests.{key}", f"{test.figure} {test.operator} {test.limit}, {test.scale}"


@dataclass(frozen=True)
class Tried:
    """A report's figures under another pack.

    Attributes:
        limits: the answer on limits under it.
        tests: each whose result differs, with its result as issued and under it; a dash where there is none.
    """

    limits: str
    tests: tuple[tuple[str, str, str], ...]


def key_of(document: Json) -> tuple[str, str, str, date]:
    """Programme, division, kind of area and application date of a report."""
    on = date.fromisoformat(document["application_date"])
    return document["programme"]["id"], document["division"]["code"], document["area_kind"], on


def try_on(document: Json, after: ResolvedPolicy) -> Tried:
    """What the tests of another pack say of a report's figures; only limits and operators may differ.

    Args:
        document: a report as issued.
        after: what the other pack says for its key.
    """
    found = {test["figure"]: test["value"] for test in document["tests"]}
    results = dict(_results(document, after, found))
    return tried(document, results, _answer(list(results.values()), _gaps(document)))


def tried(document: Json, results: dict[str, str], limits: str) -> Tried:
    """Results under another pack beside those that were issued."""
    stood = {test["test"]: test["result"] for test in document["tests"]}
    names = sorted({*stood, *results})
    differing = [(name, stood.get(name, "—"), results.get(name, "—")) for name in names]
    return Tried(limits, tuple(line for line in differing if line[1] != line[2]))


def beyond_limits(before: ResolvedPolicy, after: ResolvedPolicy) -> tuple[str, ...]:
    """What differs between two policies that forms figures or decides who is asked; empty if only limits do."""
    ours, theirs = forms(before), forms(after)
    differing = [name for name in ours if ours[name] != theirs[name]]
    if before.sources != after.sources:
        differing.append("sources")
    if before.programme.authorisation.of != after.programme.authorisation.of:
        differing.append("authorisation")
    looked_at = {test.test.figure for test in before.tests.values()}
    if not {test.test.figure for test in after.tests.values()} <= looked_at:
        differing.append("tests")
    return tuple(differing)


def _results(document: Json, policy: ResolvedPolicy, found: Json) -> Iterator[tuple[str, str]]:
    """Each test's result, exactly as sql/assess/tests.sql compares."""
    heads = sum(member["counted"] for member in document["members"])
    for name, test in policy.tests.items():
        limit = test.limit_value * (1 if test.test.scale == "household" else heads)
        limit *= document["window"]["months"] if test.test.scale == "per_head_month" else 1
        low, high, inclusive = *(found[test.test.figure][side] for side in ("low", "high")), test.operator.value == "<="
        if heads == 0:
            yield name, "undetermined"
        elif high is not None and (high < limit or (inclusive and high == limit)):
            yield name, "satisfied"
        elif low > limit or (not inclusive and low == limit):
            yield name, "exceeded"
        else:
            yield name, "undetermined"


def _answer(results: list[str], gaps: bool) -> str:
    if not results:
        return "not_tested"
    if "exceeded" in results:
        return "over_limit"
    return "within_limits" if set(results) == {"satisfied"} and not gaps else "undetermined"


def _gaps(document: Json) -> bool:
    """Whether a required source left something open for a counted member (R6, R9)."""
    counted = {member["member"] for member in document["members"] if member["counted"]}
    required = {source["dataset"] for source in document["sources"] if source["requirement"] == "required"}
    return any(
        line["dataset"] in required
        and counted & set(line["members"])
        and (line["state"] != "covered" or line["quarantined"])
        for line in document["coverage"]
    )
