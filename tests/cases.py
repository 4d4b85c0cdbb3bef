"""A workspace and request lines for tests; ID numbers are of an area that was never issued (38)."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from pipelines import intake, keys
from pipelines.settings import CONFIGURATION, Workspace

AT = datetime.fromisoformat("2026-09-16T02:00:00+08:00")
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def id_number(born: str, sequence: int = 1, area: str = "380101") -> str:
    digits = f"{area}{born}{sequence:03d}"
    return digits + "10X98765432"[sum(int(d) * w for d, w in zip(digits, WEIGHTS, strict=True)) % 11]


def authorisation(key: str, **other: Any) -> dict[str, Any]:
    base = {"authorisation_id": key, "signed_on": "2026-09-01", "valid_until": "2027-08-31", "scope": ["*"]}
    return base | {"signed_by": "self"} | other


def member(
    number: int, request_id: str, person: str | None, relation: str = "applicant", **other: Any
) -> dict[str, Any]:
    base = {"member_no": number, "name": "测试", "id_number": person, "relation": relation}
    return base | {"authorisation": authorisation(f"A-{request_id}-{number}")} | other


def request(request_id: str, *members: dict[str, Any], **other: Any) -> dict[str, Any]:
    """A right request; without members, of one applicant whose number follows from the request's."""
    if not members:
        digits = int("".join(c for c in request_id if c.isdigit()) or 0)
        born = f"{1950 + digits % 40}0{1 + digits // 40 % 9}1{digits // 360 % 10}"
        members = (member(1, request_id, id_number(born, digits // 3600 % 1000)),)
    base = {
        "request_id": request_id,
        "programme": "subsistence_allowance",
        "division": "370303",
        "area_kind": "urban",
        "application_date": "2026-09-10",
        "requester": "370303-mzj",
        "purpose": "subsistence allowance application",
        "members": list(members),
        "declaration": {"income.wage": "24000.00", "homes": 1},
    }
    return base | other


def workspace(folder: Path, **settings: Any) -> Workspace:
    """A workspace with a root key; ``settings`` go into hedui.yaml (JSON is YAML)."""
    folder.mkdir(parents=True, exist_ok=True)
    document = {"division": "370303", "policy_pack": "3703"} | settings
    (folder / "hedui.yaml").write_text(json.dumps(document), "utf-8")
    if not (folder / "keys" / "root.key").exists():
        keys.init(folder / "keys" / "root.key")
    (folder / "inbox").mkdir(exist_ok=True)
    return Workspace.open(folder)


def configure(root: Path, **settings: Any) -> Workspace:
    """Change settings of a workspace's hedui.yaml."""
    file = root / CONFIGURATION
    document = yaml.safe_load(file.read_text("utf-8")) | settings
    file.write_text(yaml.safe_dump(document, allow_unicode=True), "utf-8")
    return Workspace.open(root)


def put(ws: Workspace, name: str, *lines: dict[str, Any] | bytes) -> None:
    """Put a file of lines into the inbox."""
    raw = [line if isinstance(line, bytes) else json.dumps(line, ensure_ascii=False).encode() for line in lines]
    (ws.root / "inbox" / name).write_bytes(b"".join(line + b"\n" for line in raw))


def take_in_by_threes(folder: Path) -> None:
    """Take in what lies in the inbox, three lines at a time."""
    intake.CHUNK_LINES = 3
    intake.run(Workspace.open(folder), AT)


def refusals(ws: Workspace) -> list[dict[str, Any]]:
    """All refused lines that went back."""
    files = sorted((ws.root / "reports").glob("refusals-*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]


def codes(refusal: dict[str, Any]) -> set[tuple[str, str]]:
    return {(problem["path"], problem["code"]) for problem in refusal["problems"]}
