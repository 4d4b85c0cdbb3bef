"""A line of the case system: a request, or a withdrawal of one; what each field must be.

Structure is Pydantic's; what concerns several fields is in request_rules.py. A line that is wrong is read once
more, leniently, so that those rules speak too and the case system hears of all its errors at once.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from pipelines.request_texts import STRUCTURE, TEXTS

Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Short = Annotated[str, Field(min_length=1, max_length=100)]
Yuan = Annotated[str, Field(pattern=r"^\d{1,13}(\.\d{1,2})?$")]
Count = Annotated[int, Field(ge=0, le=10_000)]
_FIELD_NAME = re.compile(r"[a-z][a-z_.]{0,39}")

Relation = Literal["applicant", "spouse", "child", "parent", "grandparent", "grandchild", "sibling", "other"]


class _Part(BaseModel):
    # Strict: "1" is no number and "yes" no truth; dates are ISO 8601 texts.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=False)


class Status(_Part):
    """A declared status of a member and its days, both ends included; an open end is left out."""

    kind: Code
    from_: date = Field(alias="from")
    to: date | None = None


class Student(_Part):
    """The stage of education, by the pack's code."""

    stage: Code
    full_time: bool


class Support(_Part):
    """What a supporter told (R27): heads of their own household, and how many persons they support."""

    own_household: int = Field(ge=1, le=99)
    supports: int = Field(ge=1, le=99)


class Authorisation(_Part):
    """A signed consent to be verified; ``scope`` names departments, or ``*`` for all."""

    authorisation_id: Key
    signed_on: date
    valid_until: date
    scope: tuple[Annotated[str, Field(pattern=r"^(\*|[a-z][a-z_]{0,39})$")], ...] = Field(min_length=1)
    signed_by: Literal["self", "guardian"] = "self"
    guardian_name: Short | None = None


class Member(_Part):
    """A member of the household, or (``supporter``) a person outside it with a duty of support."""

    member_no: int = Field(ge=1, le=99)
    name: Short
    id_kind: Literal["number", "passport"] = "number"
    id_number: str | None = Field(None, min_length=1, max_length=60)
    birth_date: date | None = None
    relation: Relation
    role: Literal["member", "supporter"] = "member"
    married: bool | None = None
    student: Student | None = None
    support: Support | None = None
    legal_capacity: bool = True
    # Of a victim of domestic violence, for example: reports of the household show no address (R71).
    address_protected: bool = False
    statuses: tuple[Status, ...] = ()
    authorisation: Authorisation | None = None


class Declaration(_Part):
    """What the household declared: yuan as decimal texts, things by number; what is left out was not declared."""

    wage: Yuan | None = Field(None, alias="income.wage")
    business: Yuan | None = Field(None, alias="income.business")
    property: Yuan | None = Field(None, alias="income.property")
    transfer: Yuan | None = Field(None, alias="income.transfer")
    financial_assets: Yuan | None = None
    homes: Count | None = None
    vehicles: Count | None = None
    businesses: Count | None = None


class Request(_Part):
    """One application of one household."""

    request_id: Key
    programme: Code
    division: str = Field(pattern=r"^\d{6}$")
    area_kind: Literal["urban", "rural"]
    application_date: date
    reference_date: date | None = None
    requester: Short
    purpose: str = Field(min_length=1, max_length=200)
    members: tuple[Member, ...]
    declaration: Declaration = Declaration()

    def canonical(self) -> str:
        """The one JSON text of this request: fields in the model's order, defaults left out."""
        return self.model_dump_json(by_alias=True, exclude_defaults=True)


class Withdrawal(_Part):
    """The withdrawal of a request, or of one member's authorisation (R31)."""

    request_id: Key
    member_no: int | None = Field(None, ge=1, le=99)
    on: date


class WithdrawalLine(_Part):
    """The line that carries a withdrawal."""

    withdrawal: Withdrawal


@dataclass(frozen=True)
class Problem:
    """One error of a line: a code, where it is, and how it differs from what was expected; never a value."""

    code: str
    path: str
    expected: str = ""

    def document(self) -> dict[str, str]:
        """As the case system gets it."""
        zh, en = TEXTS[self.code]
        return {
            "path": self.path,
            "code": self.code,
            "zh": zh.format(expected=self.expected),
            "en": en.format(expected=self.expected),
        }


@dataclass(frozen=True)
class Line:
    """A line as read; with problems, ``request`` is a lenient reading in which whatever was wrong is None."""

    request: Request | None
    withdrawal: Withdrawal | None
    problems: tuple[Problem, ...]


def read_line(text: bytes) -> Line:
    """Read one line; whatever is wrong with its structure becomes problems."""
    try:
        return Line(Request.model_validate_json(text), None, ())
    except ValidationError as error:
        return _read_again(text, error)


def _read_again(text: bytes, error: ValidationError) -> Line:
    """A line that is no right request: a withdrawal, or a request with all its errors."""
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        return Line(None, None, (Problem("not_json", ""),))
    if not isinstance(raw, dict):
        return Line(None, None, (Problem("not_an_object", ""),))
    if "withdrawal" not in raw:
        return Line(_lenient(Request, raw), None, _problems(error))
    try:
        return Line(None, WithdrawalLine.model_validate_json(text).withdrawal, ())
    except ValidationError as other:
        return Line(None, None, _problems(other))


def _problems(error: ValidationError) -> tuple[Problem, ...]:
    found = []
    for item in error.errors(include_url=False, include_input=False):
        code = STRUCTURE.get(item["type"], "not_valid")
        expected = str(item.get("ctx", {}).get("expected", "")) if code == "not_allowed" else ""
        found.append(Problem(code, _path(item["loc"]), expected))
    return tuple(dict.fromkeys(found))


def _path(loc: tuple[int | str, ...]) -> str:
    """``members[1].authorisation.signed_on``; a field name that is not one of ours may be a value: not repeated."""
    path = ""
    for part in loc:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            name = part if _FIELD_NAME.fullmatch(part) else "?"
            path += f".{name}" if path else name
    return path


def _lenient(model: type[Any], raw: dict[str, Any]) -> Any:
    """A reading of ``raw`` in which every field that is wrong or missing is None."""
    values: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if (key := field.alias or name) not in raw:
            values[name] = None if field.is_required() else field.default
            continue
        value = raw[key]
        inner = next((t for t in (field.annotation, *get_args(field.annotation)) if _is_model(t)), None)
        if isinstance(value, list) and inner:
            values[name] = tuple(_lenient(inner, item if isinstance(item, dict) else {}) for item in value)
        elif isinstance(value, dict) and inner:
            values[name] = _lenient(inner, value)
        else:
            values[name] = _value(model, name, value)
    return model.model_construct(**values)


def _is_model(candidate: object) -> bool:
    return isinstance(candidate, type) and issubclass(candidate, BaseModel)


def _value(model: type[BaseModel], name: str, value: object) -> object:
    field = model.model_fields[name]
    if _is_model(field.annotation):
        return None  # an object was wanted, and ``_lenient`` has read those
    whole: Any = Annotated[field.annotation, None, *field.metadata]
    adapter: TypeAdapter[object] = TypeAdapter(whole, config=ConfigDict(strict=True))
    try:
        return adapter.validate_json(json.dumps(value, default=str))
    except ValidationError:
        return None
