"""The same county under another cipher, in another case store, in the next key epoch: the same answers."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipelines import cli, intake, ledger, report, rotation, tables
from pipelines.batch import Batch
from pipelines.demo import AS_OF
from pipelines.keys import KeyRing
from pipelines.settings import Workspace
from pipelines.store import Store
from pipelines.verify import open_batch
from tests.databases import new_database
from tests.planning import rows
from tests.proof import county

Verified = tuple[Workspace, Batch]


def tokens(ws: Workspace, batch: Batch) -> set[object]:
    return {person for (person,) in rows(ws, batch, "person", "members") if person is not None}


def afresh(taken_in: Workspace, root: Path, **settings: object) -> Workspace:
    """The county taken in anew under other settings, with the same root key."""
    workspace = county.copy(taken_in, root, **settings)
    shutil.rmtree(workspace.root / "state")
    assert intake.run(workspace, AS_OF).accepted > 0
    return workspace


def test_r19_sm4_gives_the_same_answers_as_aes(taken_in: Workspace, verified: Verified, tmp_path: Path) -> None:
    workspace = afresh(taken_in, tmp_path / "sm4", token_cipher="sm4")
    batch = county.run(workspace)
    assert county.answers(workspace, batch) == county.answers(*verified)
    mine, theirs = tokens(workspace, batch), tokens(*verified)
    assert len(mine) == len(theirs) > 0
    assert not mine & theirs


def test_postgresql_as_case_store_gives_the_same_reports(
    taken_in: Workspace, verified: Verified, tmp_path: Path
) -> None:
    workspace = afresh(taken_in, tmp_path / "postgresql", store=new_database())
    batch = county.run(workspace)
    assert not (workspace.root / "state").exists()
    assert batch.id == verified[1].id
    assert county.delivered(workspace, batch) == county.delivered(*verified)
    store = Store.open(workspace.store_url)
    assert store.engine.dialect.name == "postgresql"
    assert ledger.verify(store) is None
    with store.read() as connection:
        states = dict(connection.execute(sa.select(tables.outbox.c.state, sa.func.count()).group_by("state")).all())
    store.close()
    assert states == {"delivered": len(county.delivered(*verified))}


def test_r19_after_a_rotation_the_answers_are_the_same(verified: Verified, tmp_path: Path) -> None:
    before, old = verified
    workspace = county.copy(before, tmp_path / "rotated")
    assert rotation.rotate(workspace).tokens > 0
    request = next(iter(county.delivered(before, old)))
    # one household alone goes on under the epoch of the extracts that it meets
    alone = open_batch(workspace, AS_OF + timedelta(minutes=30), request)
    assert (alone.admitted_from, alone.epoch) == (old.id, 1)

    new = county.run(workspace, AS_OF + timedelta(hours=1))
    assert (old.epoch, new.epoch) == (1, 2)
    assert county.answers(workspace, new) == county.answers(before, old)
    assert not tokens(workspace, new) & tokens(before, old)

    # the batch of the old epoch is as it was, and is read with its own keys
    assert county.run(workspace) == Batch.open(workspace.batches, old.id)
    assert county.answers(workspace, Batch.open(workspace.batches, old.id)) == county.answers(before, old)
    key = KeyRing.open(workspace.settings.keys, workspace.root).data_key(old.folder)
    assert {d.request_id: d.content for d in report.documents(old, key)} == county.delivered(before, old)
    assert open_batch(workspace, AS_OF + timedelta(hours=2), request).admitted_from == new.id


def test_r71_no_report_has_a_number_of_another_household(verified: Verified) -> None:
    reports = {request: json.loads(line) for request, line in county.delivered(*verified).items()}
    numbers = {r: {m["id_number"] for m in found["members"]} - {None} for r, found in reports.items()}
    everybody = set().union(*numbers.values())
    assert len(everybody) > len(reports)
    for request, line in county.delivered(*verified).items():
        text = line.decode()
        assert not [number for number in everybody - numbers[request] if number in text]


def test_a_report_is_checked_offline_with_the_exported_key(
    verified: Verified, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace, batch = verified
    line = next(iter(county.delivered(workspace, batch).values()))
    key, file = tmp_path / "report-signing.pub", tmp_path / "report.json"
    shutil.copy(workspace.root / "keys" / "report-signing.pub", key)
    check = ["report", "check", str(file), "--key", str(key), "-w", str(tmp_path / "no-workspace-here")]
    file.write_bytes(line)
    assert cli.run(check) == 0
    assert "valid" in capsys.readouterr().out
    file.write_bytes(line.replace(b'"version":1', b'"version":2'))
    assert cli.run(check) == 1
