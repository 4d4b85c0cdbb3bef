"""What a policy pack is made of: the files as an officer writes them, and the rows they become.

A pack is a folder: ``pack.yaml``, ``parameters/<subject>.yaml``, ``programmes/<name>.yaml``. Every value stands in
one row with its dates, its places and its citation; a locality's rows are laid over those of the pack it extends.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from pipelines.policy.values import Value

AREA_KINDS = ("urban", "rural")
ITEMS_MONEY = ("income.wage", "income.business", "income.property", "income.transfer", "financial_assets")
ITEMS_COUNT = ("homes", "vehicles", "businesses")
Unit = Literal[
    "yuan", "ratio", "percent", "months", "years", "working_days", "count", "flag", "operator", "choice", "codes"
]
Sure = Literal["official", "mirror", "repost", "example"]
Scale = Literal["per_head_month", "per_head", "household"]
Requirement = Literal["required", "optional", "not_asked"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Text(_Part):
    """A text in Chinese and in English."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class Law(_Part):
    """A law, rule or notice that values cite by its short name."""

    title: str | None = None
    document: str | None = None
    from_: date | None = Field(None, alias="from")
    to: date | None = None
    note: str | None = None


class PackFile(_Part):
    """``pack.yaml``: who the pack is for, what it stands on, and the laws it cites."""

    pack: str = Field(pattern=r"^[a-z0-9_]+$")
    extends: str | None = None
    division: str = Field(pattern=r"^\d{0,6}$", description="codes that it serves begin with this; empty: all")
    title: Text
    version: str = Field(min_length=1)
    laws: dict[str, Law] = {}


class ValueLine(_Part):
    """One value in time; ``value`` may be a map of urban and rural."""

    value: Any = None
    formula: str | None = None
    rounding: str = "exact"
    item: str | None = None
    from_: date = Field(alias="from")
    to: date | None = None
    divisions: tuple[str, ...] = ()
    programmes: tuple[str, ...] = ()
    cites: tuple[str, ...] = ()
    sure: Sure
    last_checked_on: date | None = None
    note: str | None = None

    @field_validator("divisions")
    @classmethod
    def _codes(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        for code in codes:
            if not re.fullmatch(r"\d{2,12}", code):
                raise ValueError(f"{code!r} is not a division code of two to twelve digits, in quotes")
        return codes


class ParameterPart(_Part):
    """A parameter in one file; the file that names it first gives title and unit, others only values."""

    title: Text | None = None
    unit: Unit | None = None
    choices: dict[str, Text] = {}
    items: dict[str, Text] = {}
    set_locally: bool = False
    values: tuple[ValueLine, ...] = ()


class ParameterFile(_Part):
    """``parameters/<subject>.yaml``."""

    last_checked_on: date
    parameters: dict[str, ParameterPart]


class Test(_Part):
    """A test of a programme: a figure against a limit, by a dated operator."""

    title: Text
    figure: str
    scale: Scale
    unit: Literal["fen", "count", "bp"]
    operator: str
    limit: str
    cites: tuple[str, ...] = ()


class Authorisation(_Part):
    """Who must authorise the verification: nobody else is asked about (R27, R29, R33).

    ``members``: every member of the household. ``applicant``: the person applied for, alone. ``supporters``: also
    persons outside the household with a duty of support, each by an authorisation of their own. A guardian signs for
    a minor and for whoever lacks legal capacity.
    """

    of: tuple[Literal["members", "applicant", "supporters"], ...] = Field(min_length=1)
    cites: tuple[str, ...] = ()
    note: str | None = None

    @field_validator("of")
    @classmethod
    def _one_unit(cls, of: tuple[str, ...]) -> tuple[str, ...]:
        if ("members" in of) == ("applicant" in of):
            raise ValueError("name members or applicant, one of them")
        return of

    @property
    def unit(self) -> str:
        """Whose figures the programme looks at: ``household``, or the ``person`` applied for."""
        return "household" if "members" in self.of else "person"


class ProgrammeFile(_Part):
    """``programmes/<name>.yaml``; a local file states only what it adds or replaces.

    ``like`` takes tests, sources and authorisation of another programme; what the file names itself replaces a whole
    test or one source of these. ``check_only``: figures and coverage are reported, and no limit is tested.
    """

    title: Text | None = None
    like: str | None = None
    cites: tuple[str, ...] = ()
    check_only: bool | None = None
    unknown_persons: bool | None = Field(None, description="accepts a person whose identity nobody knows")
    authorisation: Authorisation | None = None
    tests: dict[str, Test] = {}
    sources: dict[str, Requirement] = {}
    sure: Sure | None = Field(None, description="of the sources and of who authorises; example: to be decided")
    note: str | None = None


class Programme(_Part):
    """A programme with everything that its packs say of it."""

    name: str
    title: Text
    cites: tuple[str, ...]
    check_only: bool
    unknown_persons: bool
    authorisation: Authorisation
    tests: dict[str, Test]
    sources: dict[str, Requirement]
    sure: Sure
    note: str | None


@dataclass(frozen=True)
class Parameter:
    """What a parameter is, apart from its values."""

    name: str
    title: Text
    unit: str
    choices: dict[str, Text]
    items: dict[str, Text]
    set_locally: bool
    file: str


@dataclass(frozen=True)
class Row:
    """One value, for one place, kind, programme and item, over one span of days.

    ``depth`` is 0 for the baseline and grows with each pack that extends it; ``value`` is fen for yuan, basis
    points for percent, None for "not set here"; a ``formula`` stands in place of a value.
    """

    parameter: str
    item: str | None
    division: str
    programme: str | None
    area_kind: str | None
    start: date
    end: date | None
    value: Value
    formula: str | None
    rounding: str
    cites: tuple[str, ...]
    sure: Sure
    checked_on: date
    note: str | None
    pack: str
    depth: int
    file: str
    field: str

    @property
    def axes(self) -> tuple[object, ...]:
        """What must not overlap in time."""
        return (self.parameter, self.item, self.division, self.programme, self.area_kind, self.depth)
