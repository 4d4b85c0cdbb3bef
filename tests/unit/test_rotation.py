"""R19: rotation of the token keys, cut short anywhere; the store's tokens and new ones never are of two epochs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from pipelines import cli, intake, ledger, plan, rotation, store_tokens, tables
from pipelines.keys import KeyRing
from pipelines.pseudonyms import Tokeniser, TokenUnreadableError
from pipelines.rotation import rotate
from pipelines.settings import Workspace
from pipelines.store import Store
from pipelines.store_tokens import RotationUnfinishedError, TokenCipherChangedError, token_array
from tests.cases import AT, id_number, member, put, request, workspace
from tests.databases import store_url  # noqa: F401

PEOPLE = (id_number("19800307"), id_number("19810307"), "E12345678")


@pytest.fixture
def ws(tmp_path: Path, store_url: str) -> Workspace:  # noqa: F811
    """A workspace with two requests that share a person, one member with a passport and one without a number."""
    made = workspace(tmp_path / "site", store=store_url)
    passport = member(2, "R-2", PEOPLE[2], "child", id_kind="passport", birth_date="2000-02-29")
    newborn = member(3, "R-2", None, "child", birth_date="2026-08-20", authorisation=None)
    both = [member(1, f"R-{i}", PEOPLE[0]) for i in (1, 2)]
    put(made, "a.jsonl", request("R-1", both[0]), request("R-2", both[1], passport, newborn))
    assert intake.run(made, AT).accepted == 2
    return made


def kept(ws: Workspace) -> list[tuple[Any, ...]]:
    """What the store has of persons: tokens and their epochs."""
    store = Store.open(ws.store_url)
    columns = (tables.members.c.person, tables.members.c.epoch)
    query = sa.select(*columns).where(columns[0].is_not(None)).order_by(*tables.members.primary_key)
    with store.read() as connection:
        found = [tuple(row) for row in connection.execute(query)]
    store.close()
    return found


def rotations(ws: Workspace) -> list[tuple[str, dict[str, int]]]:
    store = Store.open(ws.store_url)
    query = sa.select(tables.ledger).where(tables.ledger.c.kind == "key_rotation").order_by(tables.ledger.c.seq)
    with store.read() as connection:
        found = [(row.subject, json.loads(row.detail)) for row in connection.execute(query)]
    assert ledger.verify(store) is None
    store.close()
    return found


def identifiers(ws: Workspace, epoch: int) -> list[str]:
    tokeniser = Tokeniser(KeyRing.open(ws.settings.keys, ws.root), epoch)
    found: list[str] = tokeniser.reidentify(token_array([token for token, _ in kept(ws)])).to_pylist()
    return found


def test_r19_every_token_of_the_store_follows_and_the_ledger_says_so(ws: Workspace) -> None:
    before, people = kept(ws), identifiers(ws, 1)
    assert (rotate(ws).epoch, rotate(ws).epoch) == (2, 3)
    after = kept(ws)
    assert {epoch for _, epoch in after} == {3}
    assert not {token for token, _ in before} & {token for token, _ in after}
    assert identifiers(ws, 3) == people
    assert rotations(ws) == [(str(to), {"from": to - 1, "to": to, "tokens": 3}) for to in (2, 3)]
    assert KeyRing.open(ws.settings.keys, ws.root).epoch == 3


def test_r19_a_person_taken_in_after_the_rotation_meets_the_one_of_before(ws: Workspace) -> None:
    rotate(ws)
    put(ws, "b.jsonl", request("R-3", member(1, "R-3", PEOPLE[0])))
    assert intake.run(ws, AT).accepted == 1
    tokens = [token for token, _ in kept(ws)]
    assert tokens.count(tokens[0]) == 3
    assert len({epoch for _, epoch in kept(ws)}) == 1


@pytest.mark.parametrize("moment", ["before the tokens", "before the ledger"])
def test_r19_a_rotation_cut_short_is_finished_by_the_same_command(
    ws: Workspace, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    before, people = kept(ws), identifiers(ws, 1)
    place = (rotation, "retoken") if moment == "before the tokens" else (store_tokens, "append_within")
    with monkeypatch.context() as patch:
        patch.setattr(*place, die)
        with pytest.raises(Killed):
            rotate(ws)
    assert kept(ws) == before
    put(ws, "b.jsonl", request("R-3", member(1, "R-3", PEOPLE[1])))
    for attempt in (lambda: intake.run(ws, AT), lambda: plan.new_batch(ws, AT)):
        with pytest.raises(RotationUnfinishedError, match="hedui keys rotate"):
            attempt()
    assert kept(ws) == before
    assert rotate(ws) == rotation.Rotation(2, 3)
    assert identifiers(ws, 2) == people
    assert [subject for subject, _ in rotations(ws)] == ["2"]
    assert intake.run(ws, AT).accepted == 1
    assert plan.new_batch(ws, AT).epoch == 2


def test_r19_an_intake_that_began_before_the_rotation_keeps_nothing_of_the_old_epoch(ws: Workspace) -> None:
    store = Store.open(ws.store_url)
    reader = intake._Reader.open(ws, store, AT)
    rotate(ws)
    put(ws, "b.jsonl", request("R-3", member(1, "R-3", PEOPLE[1])))
    (incoming,) = [i for i in intake.requests_end(ws).incoming() if i.name == "b.jsonl"]
    with pytest.raises(RotationUnfinishedError):
        reader.read(incoming, lambda done: None)
    store.close()
    assert {epoch for _, epoch in kept(ws)} == {2}
    assert intake.run(ws, AT).accepted == 1


def test_r19_a_batch_on_earlier_extracts_has_their_epoch_and_one_that_collects_has_the_new_one(ws: Workspace) -> None:
    old = plan.new_batch(ws, AT)
    rotate(ws)
    assert plan.new_batch(ws, AT.replace(hour=4), ["R-1"], old.id).epoch == 1
    assert plan.new_batch(ws, AT.replace(hour=5)).epoch == 2
    assert plan.new_batch(ws, AT) == old


def test_r19_tokens_that_the_key_does_not_open_are_left_as_they_are(ws: Workspace) -> None:
    before = kept(ws)
    other = Workspace(ws.root, ws.settings.model_copy(update={"token_cipher": "sm4"}))
    with pytest.raises(TokenUnreadableError):
        rotate(other)
    assert kept(ws) == before
    assert rotate(ws).tokens == 3


def test_the_command(ws: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["keys", "rotate", "-w", str(ws.root), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"epoch": 2, "tokens": 3}
    assert cli.run(["keys", "rotate", "-w", str(ws.root)]) == 0
    assert "epoch 3" in capsys.readouterr().out


def test_another_cipher_on_a_store_with_tokens_is_refused(ws: Workspace) -> None:
    """A person would get another token than before and be found in no request: nothing is taken in."""
    file = ws.root / "hedui.yaml"
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | {"token_cipher": "sm4"}), "utf-8")
    put(ws, "b.jsonl", request("R-3", member(1, "R-3", PEOPLE[1])))
    before = kept(ws)
    with pytest.raises(TokenCipherChangedError, match="aes256"):
        intake.run(Workspace.open(ws.root), AT)
    assert kept(ws) == before
