"""What the reading is told of one household: the request, its policy, what the sources answered, and the facts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

Span = tuple[date | None, date | None]  # half-open; None is open


@dataclass(frozen=True, slots=True)
class Limit:
    """A test of the programme: a figure against a limit, by the pack's operator."""

    name: str
    figure: str
    op: str
    scale: str  # per_head_month | per_head | household
    unit: str  # fen | count
    limit: int


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules that hold for the household; money in fen, rates in basis points."""

    window_months: int
    bonus_rule: str  # period | paid
    loss_offset: bool
    wage_deduction_bp: int
    wage_deduction_cap_fen: int | None
    minor_age: int
    adult_child_age: int | None
    student_stages: frozenset[str]
    mortgage_netted: bool
    trace_proceeds_min_fen: int | None
    tests: tuple[Limit, ...]
    income_excluded: frozenset[str]
    sources: dict[str, str]  # dataset: required | optional
    tolerances: dict[str, int]
    statuses: dict[str, int | None]  # excluded status: after how many years; None: it does not exclude
    vehicle_exempt: dict[str, bool]  # use: whether it wants evidence
    support_share_bp: int  # of what is above the floor; 0: nothing is reckoned
    support_floor_fen: int  # a month and head of the supporter's own household
    expenses: dict[str, tuple[int, int | None]]  # kind: which share is deducted, up to which cap
    feeds: dict[str, tuple[str, ...]]  # dataset: figures


@dataclass(frozen=True, slots=True)
class Member:
    """A person of the request, as declared."""

    number: int
    person: int | None
    name: int
    relation: str
    role: str
    birth: date
    married: bool | None
    student_stage: str | None
    full_time: bool
    capacity: bool
    supports: tuple[int | None, int | None] = (None, None)  # R27: heads of their household, persons they support
    statuses: tuple[tuple[str, date, date | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """A row of evidence about a number (``person``), under the name that the source has (None: it sends none)."""

    no: int
    person: int
    name: int | None
    dataset: str


@dataclass(frozen=True, slots=True)
class Income(Fact):
    """An amount for a period."""

    category: str
    kind: str
    start: date | None
    end: date | None
    granularity: str
    one_off: str | None
    paid_on: date | None
    amount: int
    payer: str | None
    ref: str | None
    mark: str
    corrects: str | None


@dataclass(frozen=True, slots=True)
class Holding(Fact):
    """A thing that somebody holds, held or sold."""

    what: str  # class
    asset: str
    ownership: str | None
    share_bp: int | None
    co_holders: tuple[int, ...]
    value: int | None
    currency: str | None
    status: str
    status_on: date | None
    acquired_on: date | None
    as_of: date | None
    mirrors: str | None
    custodial: bool | None
    use: str | None
    proceeds: int | None
    mortgage: int | None = None
    suspended: bool = False
    contested: bool = False


@dataclass(frozen=True, slots=True)
class Status(Fact):
    """Something that is true of a person in a half-open time."""

    kind: str
    start: date | None
    end: date | None
    detail: str | None = None  # plate of a licence, stage of a study


@dataclass(frozen=True, slots=True)
class Expense(Fact):
    """What somebody paid themselves for illness, education or rehabilitation."""

    kind: str
    start: date
    end: date
    amount: int


@dataclass(frozen=True, slots=True)
class Link(Fact):
    """An official record about two numbers."""

    kind: str  # same_person | marriage | divorce
    other: int
    start: date | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one member's query of one source."""

    state: str
    unread: int = 0  # rows about the person that could not be read


@dataclass(slots=True)
class Household:
    """One request and everything that may concern it. Facts may be of anybody; the reading picks its own."""

    request_id: str
    reference: date
    policy: Policy
    members: list[Member]
    declared: dict[str, int]
    answers: dict[tuple[int, str], Answer]  # by member and source
    ended: dict[int, str] = field(default_factory=dict)  # members whose authorisation ended since
    elsewhere: dict[int, str] = field(default_factory=dict)  # persons of other open requests: which
    income: list[Income] = field(default_factory=list)
    holdings: list[Holding] = field(default_factory=list)
    statuses: list[Status] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    expenses: list[Expense] = field(default_factory=list)
    doubted: dict[int, str] = field(default_factory=dict)  # rows that contradict another, or are objected to: why
    gates: frozenset[str] = frozenset()  # sources whose extract failed a check of its quality
