"""Keys: where the root comes from, what is derived, how a batch's data key lives and dies."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from pipelines import keys
from pipelines.keys import DataKeyDestroyedError, KeyRing, WrongRootKeyError, derive, destroy_data_key
from pipelines.root_key import (
    RootKeyCommandError,
    RootKeyExistsError,
    RootKeyExposedError,
    RootKeyMalformedError,
    RootKeyMissingError,
)
from pipelines.settings import KeySettings

ROOT = bytes(range(32))


@pytest.fixture
def ring(tmp_path: Path) -> KeyRing:
    return KeyRing(ROOT, tmp_path / "keys" / "epochs.json")


def test_init_makes_a_key_only_its_owner_can_read_and_never_replaces_one(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "root.key"
    keys.init(path)
    before = path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(RootKeyExistsError):
        keys.init(path)
    assert path.read_bytes() == before
    assert KeyRing.open(KeySettings(), tmp_path).epoch == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_root_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    keys.init(tmp_path / "keys/root.key")
    (tmp_path / "keys/root.key").chmod(mode)
    with pytest.raises(RootKeyExposedError):
        KeyRing.open(KeySettings(), tmp_path)


def test_the_three_providers_give_the_same_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "keys/root.key"
    keys.init(path)
    monkeypatch.setenv("HEDUI_ROOT_KEY", path.read_text())
    settings = (
        KeySettings(),
        KeySettings(provider="environment"),
        KeySettings(provider="command", command=["cat", str(path)]),
    )
    made = {KeyRing.open(each, tmp_path).key("row-digest") for each in settings}
    assert len(made) == 1


def test_a_root_key_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEDUI_ROOT_KEY", raising=False)
    for settings in (
        KeySettings(),
        KeySettings(provider="environment"),
        KeySettings(provider="command"),
        KeySettings(provider="command", command=["true"]),
    ):
        with pytest.raises(RootKeyMissingError):
            KeyRing.open(settings, tmp_path)


@pytest.mark.parametrize("text", ["00", "zz" * 32, "00" * 33, "秘密"])
def test_a_malformed_root_key_is_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("HEDUI_ROOT_KEY", text)
    with pytest.raises(RootKeyMalformedError) as caught:
        KeyRing.open(KeySettings(provider="environment"), tmp_path)
    assert text not in str(caught.value)


def test_a_command_that_fails_says_how_and_shows_no_output(tmp_path: Path) -> None:
    failing = [sys.executable, "-c", "import sys; print('secret'); sys.exit('secret')"]
    for command in (failing, ["/no/such/command"]):
        with pytest.raises(RootKeyCommandError) as caught:
            KeyRing.open(KeySettings(provider="command", command=command), tmp_path)
        assert "secret" not in str(caught.value)


def test_hkdf_gives_the_answer_of_its_standard() -> None:
    # RFC 5869, test case 3: no salt; its empty info is what derive("") passes.
    key = bytes.fromhex("0b" * 22)
    expected = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
    assert derive(key, "", 42).hex() == expected


def test_every_purpose_epoch_and_length_has_its_own_key(ring: KeyRing) -> None:
    made = [
        ring.key("row-digest"),
        ring.key("person"),
        ring.token_key("person", 1),
        ring.token_key("person", 2),
        ring.token_key("name", 1),
        ring.token_key("person", 1, 16),
        ring.seal_key("display"),
        ring.seal_key("store"),
    ]
    assert len({key[:16] for key in made}) == len(made)
    assert ROOT not in made
    assert ring.token_key("person", 1) == KeyRing(ROOT, Path("none")).token_key("person", 1)


def test_r19_rotation_counts_epochs_and_keeps_the_old_keys(ring: KeyRing, tmp_path: Path) -> None:
    before = ring.token_key("person", 1)
    assert ring.epoch == 1
    ring.begin(3)
    assert KeyRing(ROOT, tmp_path / "keys" / "epochs.json").epoch == 3
    assert ring.token_key("person", 1) == before


def test_a_batch_keeps_its_data_key(ring: KeyRing, tmp_path: Path) -> None:
    first, other = tmp_path / "b1", tmp_path / "b2"
    key = ring.data_key(first)
    assert len(key) == 32
    assert KeyRing(ROOT, Path("none")).data_key(first) == key
    assert ring.data_key(other) != key
    assert ring.seal_key("display", first) != ring.seal_key("display", other)
    assert key not in (first / "key.wrapped").read_bytes()
    assert [file.name for file in first.iterdir()] == ["key.wrapped"]


def test_of_many_at_once_all_get_the_same_data_key(ring: KeyRing, tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: ring.data_key(tmp_path / "b"), range(32)))) == 1
    assert [file.name for file in (tmp_path / "b").iterdir()] == ["key.wrapped"]


def test_another_root_does_not_open_a_batch(ring: KeyRing, tmp_path: Path) -> None:
    ring.data_key(tmp_path / "b")
    with pytest.raises(WrongRootKeyError):
        KeyRing(bytes(32), Path("none")).data_key(tmp_path / "b")


def test_r72_a_destroyed_data_key_stays_destroyed(ring: KeyRing, tmp_path: Path) -> None:
    batch = tmp_path / "b"
    ring.data_key(batch)
    proof = destroy_data_key(batch)
    assert len(proof) == 64
    assert not (batch / "key.wrapped").exists()
    assert destroy_data_key(batch) == proof
    for attempt in (lambda: ring.data_key(batch), lambda: ring.seal_key("display", batch)):
        with pytest.raises(DataKeyDestroyedError):
            attempt()


def test_r72_destruction_cut_short_ends_when_run_again(ring: KeyRing, tmp_path: Path) -> None:
    batch = tmp_path / "b"
    ring.data_key(batch)
    wrapped = (batch / "key.wrapped").read_bytes()
    proof = destroy_data_key(batch)
    (batch / "key.wrapped").write_bytes(wrapped)  # as if it had died after the mark
    with pytest.raises(DataKeyDestroyedError):
        ring.data_key(batch)
    assert destroy_data_key(batch) == proof
    assert not (batch / "key.wrapped").exists()


def test_r72_a_batch_that_never_had_a_key(tmp_path: Path) -> None:
    assert destroy_data_key(tmp_path / "b") == ""


def test_signatures_verify_with_the_exported_key(ring: KeyRing, tmp_path: Path) -> None:
    assert ring.export_public_key() == tmp_path / "keys/report-signing.pub"
    public = load_pem_public_key((tmp_path / "keys/report-signing.pub").read_bytes())
    public.verify(ring.signing_key().sign(b"root"), b"root")  # type: ignore[union-attr,call-arg,arg-type]


def test_a_ring_never_shows_its_root(ring: KeyRing) -> None:
    assert ROOT.hex() not in repr(ring)
