"""A pack's own tests: name, date, input, expected, as an officer writes them in ``<pack>/tests/*.yaml``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from pipelines.policy.errors import PolicyDateError, PolicyEndedError, PolicyMissingError
from pipelines.policy.load import Pack
from pipelines.policy.read import read_model
from pipelines.policy.resolve import ResolvedPolicy, resolve
from pipelines.policy.settle import show


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Input(_Part):
    """Whose rules are asked for."""

    programme: str
    division: str
    area_kind: Literal["urban", "rural"]


class Expected(_Part):
    """What must come out; what is not named is not looked at."""

    limits: dict[str, str] = Field({}, description="test: '< 989.00'")
    not_tested: tuple[str, ...] = ()
    settings: dict[str, str] = {}
    income_excluded: tuple[str, ...] | None = None
    ended: tuple[str, ...] | None = None
    outside_after_years: dict[str, int] | None = None
    example: dict[str, bool] = Field({}, description="test: whether its limit rests on an example")
    refused: str | None = Field(None, description="the parameter that has no value")
    because: Literal["before the first value", "the last value has ended", "there is none"] | None = None


class Case(_Part):
    """One test of a pack."""

    name: str
    date: date
    input: Input
    expected: Expected


class CaseFile(_Part):
    """``tests/<name>.yaml``."""

    cases: tuple[Case, ...]


_BECAUSE = {
    PolicyDateError: "before the first value",
    PolicyEndedError: "the last value has ended",
    PolicyMissingError: "there is none",
}


def read_cases(folder: Path) -> Iterator[tuple[str, Case]]:
    """The cases of a pack's folder, each with its file's name.

    Raises:
        PolicyError: a file that does not fit.
    """
    for path in sorted((folder / "tests").glob("*.yaml")):
        name = f"{folder.name}/tests/{path.name}"
        for case in read_model(CaseFile, path, name).cases:
            yield name, case


def differences(pack: Pack, case: Case) -> list[str]:
    """Where the pack's answer differs from what the case expects; empty if nowhere."""
    try:
        policy = resolve(pack, case.input.programme, case.input.division, case.input.area_kind, case.date)
    except (PolicyDateError, PolicyEndedError, PolicyMissingError) as error:
        values = error.fields()
        refused = (values.get("parameter", values.get("what")), _BECAUSE[type(error)])
        expected = (case.expected.refused, case.expected.because)
        return [] if refused == expected else [f"refused {refused[0]}, {refused[1]}"]
    if case.expected.refused:
        return [f"{case.expected.refused} has a value"]
    return [
        f"{name}: {found}, expected {wanted}"
        for name, found, wanted in _pairs(policy, case.expected)
        if found != wanted
    ]


def _pairs(policy: ResolvedPolicy, expected: Expected) -> Iterator[tuple[str, object, object]]:
    for name, wanted in expected.limits.items():
        test = policy.tests.get(name)
        unit = "yuan" if test and test.test.unit == "fen" else "count"
        yield name, test and f"{test.operator.value} {show(test.limit_value, unit)}", wanted
    for name, rests in expected.example.items():
        yield f"{name} rests on an example", name in policy.tests and policy.tests[name].example, rests
    for name in expected.not_tested:
        yield name, name in policy.skipped, True
    for name, wanted in expected.settings.items():
        settled = policy.settings.get(name)
        yield name, settled and show(settled.value, settled.unit), wanted
    if expected.income_excluded is not None:
        excluded = (item for item, settled in policy.lists["income_excluded"].items() if settled.value)
        yield "income_excluded", sorted(excluded), sorted(expected.income_excluded)
    if expected.outside_after_years is not None:
        found = {item: settled.value for item, settled in policy.lists["excluded_status"].items()}
        yield "outside_after_years", found, expected.outside_after_years
    if expected.ended is not None:
        yield "ended", sorted(row.item or "" for row in policy.ended), sorted(expected.ended)
