"""What the reading finds: intervals, tests, conclusions, and what a person must look at."""

from __future__ import annotations

from dataclasses import dataclass, field

Bound = int | None  # None as an upper bound: nothing bounds it


@dataclass(frozen=True, slots=True)
class Interval:
    """A closed interval of fen or of things (section 1 of the rules)."""

    low: int
    high: Bound

    def plus(self, low: int, high: Bound) -> Interval:
        """Both bounds moved by what an item contributes."""
        return Interval(self.low + low, None if self.high is None or high is None else self.high + high)

    def at_least_zero(self) -> Interval:
        """The same where only what is above zero counts."""
        return Interval(max(0, self.low), None if self.high is None else max(0, self.high))


@dataclass(frozen=True, slots=True)
class Item:
    """How some facts count: in the sum of ``figure`` with at least ``low`` and at most ``high``."""

    member: int
    facts: tuple[int, ...]
    dataset: str
    figure: str | None
    amount: Bound
    low: int
    high: Bound
    treatment: str
    reason: str | None
    others: tuple[str, ...] = ()  # doubts of further records


@dataclass(frozen=True, slots=True)
class Deduction:
    """What is taken off a member's wages, at their lowest and at their highest."""

    member: int
    months: int  # with wages
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Tested:
    """A test, worked out."""

    test: str
    limit: int
    low: int
    high: Bound
    result: str


@dataclass(frozen=True, slots=True)
class Declared:
    """A declared item against what was found."""

    item: str
    declared: int
    low: int
    high: Bound
    result: str
    material: bool


@dataclass(slots=True)
class Found:
    """Everything that is compared with sql/."""

    counted: int = 0
    members: dict[int, str] = field(default_factory=dict)  # member: why it is counted or not
    income: list[Item] = field(default_factory=list)
    assets: list[Item] = field(default_factory=list)
    deductions: list[Deduction] = field(default_factory=list)
    expenses: dict[str, tuple[int, int]] = field(default_factory=dict)  # kind: deducted at least and at most
    net: dict[tuple[int, ...], Bound] = field(default_factory=dict)  # thing: its value, less what is owed on it (R51)
    figures: dict[str, Interval] = field(default_factory=dict)
    tests: list[Tested] = field(default_factory=list)
    declaration: list[Declared] = field(default_factory=list)
    limits: str = ""
    declaration_result: str = ""
    review: set[tuple[str, int | None, str | None]] = field(default_factory=set)  # code, member, source or item
    decisive: dict[str, list[tuple[str, str | None, Bound]]] = field(default_factory=dict)  # test: kind, source, amount
