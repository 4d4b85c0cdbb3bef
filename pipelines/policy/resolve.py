"""What a pack says for one programme, place, kind of area and application date (R63)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from pipelines.policy.errors import PolicyDateError, PolicyEndedError, PolicyError, PolicyMissingError
from pipelines.policy.load import Pack
from pipelines.policy.model import ITEMS_COUNT, ITEMS_MONEY, Programme, Row, Test
from pipelines.policy.settle import Resolver, Settled
from pipelines.policy.values import Value

SETTINGS = (
    "window_months",
    "bonus_rule",
    "loss_offset",
    "wage_deduction",
    "wage_deduction_cap",
    "minor_age",
    "adult_child_age",
    "student_stages",
    "mortgage_netted",
    "validity_months",
    "objection_days",
    "trace_proceeds_min",
    "support_share",
    "support_floor",
)
LISTS = (
    "income_excluded",
    "excluded_status",
    "vehicle_exempt",
    "vehicle_evidence",
    "expense_rate",
    "expense_cap",
    "tolerance_money",
    "tolerance_count",
)


@dataclass(frozen=True)
class ResolvedTest:
    """A test with its limit worked out; ``limit_value`` is fen or a count, per head (and month) or for all."""

    name: str
    test: Test
    operator: Settled
    limit: Settled
    limit_value: int
    cites: tuple[str, ...]

    @property
    def example(self) -> bool:
        """Whether limit or operator rest on an example."""
        return self.limit.example or self.operator.example


@dataclass(frozen=True)
class ResolvedPolicy:
    """Everything that an assessment needs to know of the rules, for one key.

    Attributes:
        settings: by the names in SETTINGS.
        lists: by the names in LISTS, each item to its value.
        ended: items whose last value has a stated end before the date.
        skipped: tests that the pack leaves out here, by name.
    """

    pack: Pack
    programme: Programme
    division: str
    area_kind: str
    on: date
    settings: dict[str, Settled]
    tests: dict[str, ResolvedTest]
    lists: dict[str, dict[str, Settled]]
    ended: tuple[Row, ...]
    skipped: tuple[str, ...]

    @property
    def sources(self) -> dict[str, str]:
        """Datasets that the programme may ask, each required or optional (R34)."""
        return {name: need for name, need in sorted(self.programme.sources.items()) if need != "not_asked"}

    def value(self, name: str) -> Value:
        """A setting's value."""
        return self.settings[name].value


def resolve(pack: Pack, programme: str, division: str, area_kind: str, on: date) -> ResolvedPolicy:
    """What holds for a programme in a division (six digits), urban or rural, on the application date.

    Raises:
        PolicyMissingError: the pack does not know the programme or serve the division, or lacks a value.
        PolicyDateError: the date lies before a value's first day.
        PolicyEndedError: a value has ended and nothing follows.
        PolicyError: a formula does not come out.
    """
    if programme not in pack.programmes:
        raise PolicyMissingError(programme, division, pack.id)
    if not division.startswith(pack.division) or area_kind not in ("urban", "rural"):
        raise PolicyMissingError(f"{programme} ({area_kind})", division, pack.id)
    resolver = Resolver(pack, programme, division, area_kind, on)
    wanted = pack.programmes[programme]
    settings = {name: resolver.settle(name) for name in SETTINGS}
    tests = {name: _resolve_test(resolver, name, test) for name, test in wanted.tests.items()}
    lists = {name: _resolve_list(resolver, name) for name in LISTS}
    for name, items in (("tolerance_money", ITEMS_MONEY), ("tolerance_count", ITEMS_COUNT)):
        for item in items:
            resolver.settle(name, item)
    return ResolvedPolicy(
        pack=pack,
        programme=wanted,
        division=division,
        area_kind=area_kind,
        on=on,
        settings=settings,
        tests={name: test for name, test in tests.items() if test is not None},
        lists={name: items for name, (items, _) in lists.items()},
        ended=tuple(row for _, ended in lists.values() for row in ended),
        skipped=tuple(name for name, test in tests.items() if test is None),
    )


def _resolve_test(resolver: Resolver, name: str, test: Test) -> ResolvedTest | None:
    operator, limit = resolver.settle(test.operator), resolver.limit(test)
    if limit.value is None or operator.value is None:
        return None
    file = f"programmes/{resolver.programme}.yaml"
    # a share of income is a number of basis points
    if limit.unit != ("yuan" if test.unit == "fen" else "count") or not isinstance(limit.value, int):
        raise PolicyError(file, f"tests.{name}.limit", f"{test.limit} is {limit.unit}, the test is in {test.unit}")
    if operator.unit != "operator":
        raise PolicyError(file, f"tests.{name}.operator", f"{test.operator} is not an operator")
    own = (cite for cite in test.cites if resolver.pack.in_force(cite, resolver.on))
    cites = tuple(dict.fromkeys((*own, *operator.cites, *limit.cites)))
    return ResolvedTest(name, test, operator, limit, limit.value, resolver.pack.cite(cites))


def _resolve_list(resolver: Resolver, name: str) -> tuple[dict[str, Settled], list[Row]]:
    """The items of a list that hold, and those that have ended; one that has not begun is not in it."""
    held: dict[str, Settled] = {}
    ended: list[Row] = []
    rows = resolver.pack.rows.get(name, ())
    for item in sorted({row.item for row in rows if row.item is not None}):
        try:
            held[item] = resolver.settle(name, item)
        except PolicyEndedError as error:
            ended.extend(_ended_row(rows, item, error.ended))
        except (PolicyDateError, PolicyMissingError):
            continue
    return held, ended


def _ended_row(rows: Iterable[Row], item: str, on: date) -> list[Row]:
    return [row for row in rows if row.item == item and row.end == on][:1]
