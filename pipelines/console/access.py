"""Who may do what in the console, and for which divisions: ``access.yaml`` of the workspace.

Airflow's auth manager says who somebody is; this file says what they are to the verification centre. Its names are
those of the auth manager, so that any auth manager serves. A user who is not listed may do nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from pipelines.errors import ConfigurationError

FILE = "access.yaml"
Division = Annotated[str, StringConstraints(pattern=r"^[0-9]{2}([0-9]{2}([0-9]{2})?)?$")]


class Role(StrEnum):
    """What a person is to the verification centre."""

    staff = "staff"
    reviewer = "reviewer"
    auditor = "auditor"
    administrator = "administrator"


class Permission(StrEnum):
    """What a page or a call of the console needs."""

    home = "home"
    requests = "requests"  # find a request, see where it is
    persons = "persons"  # look a person up by number, show names and numbers
    reports = "reports"  # open a report
    run = "run"  # verify again
    object = "object"  # record an objection, its answer and its end
    runs = "runs"  # see runs; counts and states only
    approve = "approve"  # answer the gate
    outbox = "outbox"
    resend = "resend"
    coverage = "coverage"  # counts by source
    ledger = "ledger"  # who opened what, and why


P = Permission
GRANTED: dict[Role, frozenset[Permission]] = {
    Role.staff: frozenset(
        {P.home, P.requests, P.persons, P.reports, P.run, P.object, P.runs, P.outbox, P.resend, P.coverage}
    ),
    Role.reviewer: frozenset(
        {P.home, P.requests, P.persons, P.reports, P.object, P.runs, P.approve, P.outbox, P.coverage}
    ),
    Role.auditor: frozenset({P.home, P.runs, P.coverage, P.ledger}),  # no personal data
    Role.administrator: frozenset({P.home, P.runs, P.outbox, P.resend, P.coverage}),  # no reports
}


class User(BaseModel):
    """One user of ``access.yaml``.

    Attributes:
        roles: any of Role.
        divisions: codes of 2, 4 or 6 digits; each stands for all divisions below it.
        office: the code that objections are recorded under; the first division if left out.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    roles: frozenset[Role] = Field(min_length=1)
    divisions: tuple[Division, ...] = Field(min_length=1)
    office: str | None = Field(None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    users: dict[str, User] = {}


@dataclass(frozen=True)
class Visitor:
    """Somebody whom Airflow knows, with what they may do here."""

    name: str
    roles: frozenset[Role] = frozenset()
    divisions: tuple[str, ...] = ()
    office: str = ""

    @property
    def permissions(self) -> frozenset[Permission]:
        """Everything that the roles grant together."""
        return frozenset().union(*(GRANTED[role] for role in self.roles))

    def may(self, permission: Permission) -> bool:
        """Whether some role grants it."""
        return permission in self.permissions

    def sees(self, division: str) -> bool:
        """Whether a division of six digits is, or is part of, one of the user's."""
        return any(division.startswith(own) for own in self.divisions)

    def sees_all(self, divisions: Iterable[str]) -> bool:
        """Whether every one of some divisions is the user's; of none, nobody's."""
        codes = list(divisions)
        return bool(codes) and all(self.sees(code) for code in codes)


def visitor(root: Path, name: str) -> Visitor:
    """What ``access.yaml`` says of a user; nobody may do anything without the file.

    Args:
        root: the workspace's folder.
        name: as Airflow's auth manager knows the user.

    Raises:
        ConfigurationError: the file does not validate; the first wrong field is named.
    """
    user = _read(root / FILE).users.get(name)
    if user is None:
        return Visitor(name)
    return Visitor(name, user.roles, user.divisions, user.office or user.divisions[0])


def _read(file: Path) -> _File:
    """The file as it is now: a right that was taken away ends with the next click."""
    if not file.is_file():
        return _File()
    try:
        return _File.model_validate(yaml.safe_load(file.read_text("utf-8")) or {})
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigurationError(str(file), ".".join(map(str, first["loc"])), first["msg"]) from None
    except yaml.YAMLError as error:
        raise ConfigurationError(str(file), "-", str(getattr(error, "problem", "not YAML"))) from None
