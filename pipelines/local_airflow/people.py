"""The users of the local Airflow: one of each role, and one of another county who must see nothing of this one."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import yaml

ACCESS = "access.yaml"


@dataclass(frozen=True)
class Person:
    """A user.

    Attributes:
        name: as in Airflow's login.
        airflow_role: of Airflow's SimpleAuthManager: what the user may do with runs, pools and connections.
        roles: in the console: what the user may do with requests and reports.
        divisions: prefixes of division codes.
        zh: who that is.
    """

    name: str
    airflow_role: str
    roles: tuple[str, ...]
    divisions: tuple[str, ...]
    zh: str


PEOPLE = (
    Person("staff", "user", ("staff",), ("370303",), "核对中心工作人员 staff"),
    Person("reviewer", "user", ("reviewer",), ("370303",), "复核人员 reviewer"),
    Person("auditor", "viewer", ("auditor",), ("370303",), "审计人员 auditor"),
    Person("administrator", "admin", ("administrator",), ("370303",), "系统管理员 administrator"),
    Person("staff_elsewhere", "user", ("staff",), ("370302",), "外县工作人员 staff of another county"),
)


def write_access(root: Path) -> None:
    """Who may do what in the console, where the workspace does not say so yet."""
    users = {p.name: {"roles": list(p.roles), "divisions": list(p.divisions)} for p in PEOPLE}
    file = root / ACCESS
    if not file.exists():
        file.write_text(yaml.safe_dump({"users": users}, allow_unicode=True, sort_keys=False), "utf-8")


def passwords(file: Path) -> tuple[dict[str, str], bool]:
    """Each user's password from a file of mode 0600, made the first time.

    Returns:
        the passwords by name, and whether they are new (then somebody has to be told).
    """
    if file.exists():
        known: dict[str, str] = json.loads(file.read_text("utf-8"))
        return known, False
    made = {person.name: secrets.token_urlsafe(9) for person in PEOPLE}
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(json.dumps(made) + "\n")
    return made, True
