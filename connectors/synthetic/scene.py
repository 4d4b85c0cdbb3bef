"""What the made-up county's writers share: who, which limits, which rows so far, and what they are truly worth."""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from connectors.contract import CONTRACTS
from connectors.synthetic.households import Flags, Members
from connectors.synthetic.limits import Limits
from connectors.synthetic.people import People
from connectors.synthetic.rows import NULL, Columns, Ints, columns, count, day

FIGURES = (
    "income.wage",
    "income.business",
    "income.property",
    "income.transfer",
    "financial_assets",
    "homes",
    "vehicles",
    "businesses",
)
WAGE, BUSINESS, PROPERTY, TRANSFER, ASSETS, HOMES, VEHICLES, BUSINESSES = range(len(FIGURES))
COUNTS = (HOMES, VEHICLES, BUSINESSES)
PLAIN, LOWER_X, FULL_WIDTH, SPACED, FIFTEEN, SCIENTIFIC, WRONG_CHECK, MISSING = range(8)
AS_OF = "2026-09-16T02:00:00+08:00"
FINANCIAL = ("banks", "insurers", "securities")
_DEPARTMENTS = {file.parent.name for file in CONTRACTS.glob("*/*.yaml")}
SCOPES = (("*",), tuple(sorted(_DEPARTMENTS - set(FINANCIAL))))
STATUSES = (None, "prison")


def chance(seed: int, topic: str, block: int = 0) -> np.random.Generator:
    """A source of chance of its own for each topic, so that a change in one leaves the others as they are."""
    return np.random.default_rng([seed, zlib.crc32(topic.encode()), block])


@dataclass
class Papers:
    """What the requests say of each member, by member: true unless a planted problem changes it.

    Attributes:
        form: how the ID number is written (PLAIN, LOWER_X …).
        numbered: whether the member has an ID number yet.
        name: position in the names.
        married: as declared.
        signed_on, valid_until: of the authorisation, days.
        scope: position in SCOPES.
        supporter: a person outside the household, named without a consent (R27).
        status: position in STATUSES, declared since ``2024-03-01``.
    """

    form: Ints
    numbered: Flags
    name: Ints
    married: Flags
    signed_on: Ints
    valid_until: Ints
    scope: Ints
    supporter: Flags
    status: Ints


@dataclass
class Book:
    """Rows of every dataset about persons in requests, with what each is worth."""

    parts: dict[str, list[Columns]] = field(default_factory=lambda: defaultdict(list))
    _next: Counter[str] = field(default_factory=Counter)

    def serials(self, of: str, n: int) -> Ints:
        """Numbers never given before for that kind of thing."""
        first = self._next[of] + 1
        self._next[of] += n
        return np.arange(first, first + n)

    def add(self, dataset: str, rows: Columns, worth: Mapping[str, object] | None = None) -> Ints:
        """Add rows with what they are worth; their record numbers, new unless given, are returned."""
        n = count(rows)
        records = rows.get("record_ref")
        if not isinstance(records, np.ndarray):
            records = self.serials(f"record:{dataset}", n)
        self.parts[dataset].append({**rows, "record_ref": records, **columns(n, worth or {})})
        return records


@dataclass
class Scene:
    """The households of the county while they are being made.

    Attributes:
        kind: planted problem by household, -1 for none.
        applied: application and reference date by household, days.
        shadow: by household, a person outside of it whom a planted problem may use; -1 for none.
        names: every name; planted variants are appended.
        died: day of death by member, and ``linked``: a second number's person by member; NULL for none.
        review: households by the review reason that a planted problem must raise, with the dataset that shows it.
        uncovered: members and the departments that may not be asked about them; none means all.
    """

    seed: int
    members: Members
    people: People
    limits: Limits
    kind: Ints
    applied: Ints
    shadow: Ints
    papers: Papers
    divisions: list[str]
    division: Ints
    areas: Ints
    programmes: Ints
    names: list[pa.Array]
    died: Ints
    linked: Ints
    book: Book = field(default_factory=Book)
    review: list[tuple[Ints, str, str | None]] = field(default_factory=list)
    uncovered: list[tuple[Ints, tuple[str, ...]]] = field(default_factory=list)

    @property
    def households(self) -> int:
        """How many households."""
        return len(self.kind)

    def add_names(self, added: pa.Array | Sequence[str]) -> Ints:
        """Positions of names that nobody was born with."""
        first = sum(len(part) for part in self.names)
        self.names.append(added if isinstance(added, pa.Array) else pa.array(added, pa.string()))
        return np.arange(first, first + len(added))

    def worth(
        self,
        member: Ints,
        figure: int,
        low: Ints | int,
        high: Ints | int | None = None,
        said: Ints | int | None = None,
    ) -> dict[str, object]:
        """The columns that say what rows are worth: [low, high], and what the household declares of it."""
        return {
            "_household": self.members.household[member],
            "_member": member,
            "_figure": figure,
            "_low": low,
            "_high": low if high is None else high,
            "_said": low if said is None else said,
        }

    def nothing(self, member: Ints) -> dict[str, object]:
        """The columns of rows about a member that count for nothing and that nobody need declare."""
        return self.worth(member, NULL, 0)


BALANCES_ON = day("2026-08-31")
