"""Issued reports under another pack: on their own figures, or assessed again; the batch stays as it is."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pipelines.batch import Batch
from pipelines.impact import impact
from pipelines.policy import load_pack, pack_folder
from pipelines.settings import Workspace
from tests.unit.test_policy_diff import draft


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_another_pack_is_tried_on_issued_reports(verified: tuple[Workspace, Batch], tmp_path: Path) -> None:
    ws, batch = verified
    old, before = load_pack(pack_folder("3703")), digests(batch.folder)
    assert {(one.state, one.how) for one in impact(ws, old, old)} == {("same", "figures")}
    higher = draft(tmp_path / "a", "standards.yaml", "standard", 3, value={"urban": "2080.00", "rural": "1960.00"})
    found = list(impact(ws, old, higher))
    assert {one.how for one in found} == {"figures"}
    differing = [one for one in found if one.state == "differs"]
    assert differing
    # raising a limit never turns satisfied into exceeded
    assert not any(line[2] == "exceeded" for one in differing for line in one.tests)
    window = draft(tmp_path / "b", "income.yaml", "window_months", 0, value=6)
    found = list(impact(ws, old, window))
    assert {(one.how, one.why) for one in found} == {("assessed", ("window_months",))}
    assert {one.state for one in found} == {"same", "differs"}
    assert digests(batch.folder) == before


def test_what_was_never_asked_is_not_tried(verified: tuple[Workspace, Batch], tmp_path: Path) -> None:
    ws, _ = verified
    old = load_pack(pack_folder("3703"))
    longer = draft(tmp_path / "a", "income.yaml", "window_months", 0, value=24)
    assert {one.state for one in impact(ws, old, longer)} == {"ask_anew"}
    assert {one.state for one in impact(ws, longer, old)} == {"other_pack"}


def test_assessed_again_under_the_same_pack_nothing_differs(verified: tuple[Workspace, Batch], tmp_path: Path) -> None:
    """The second way of trying gives what the first gives: the issued answers."""
    ws, _ = verified
    old = load_pack(pack_folder("3703"))
    same = draft(tmp_path, "income.yaml", "loss_offset", 0, value=True)
    found = [one for one in impact(ws, old, same) if one.how == "assessed"]
    assert found
    assert all(line[1] != line[2] for one in found for line in one.tests)
    assert sum(one.state == "same" for one in found) > len(found) * 0.9
