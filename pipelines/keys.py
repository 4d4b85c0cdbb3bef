"""Keys: one root, everything else derived from it or wrapped by it.

| key | from | for |
|---|---|---|
| token, per purpose and epoch | HKDF of the root | pseudonyms; a new epoch makes new tokens (R19) |
| purpose | HKDF of the root | row digests, sealing in the case store |
| data key, per batch | random, wrapped (RFC 3394) under the root | the batch's Parquet and sealed fields |
| signing | HKDF of the root, as Ed25519 seed | reports |

Destroying a batch's data key destroys what it encrypted (R72); the root is never written next to what it protects.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from pipelines.batch import whole_file, write_json
from pipelines.errors import HeduiError
from pipelines.root_key import fetch, init
from pipelines.settings import KeySettings

__all__ = ["DataKeyDestroyedError", "KeyRing", "WrongRootKeyError", "derive", "destroy_data_key", "init"]

WRAPPED, DESTROYED, EPOCHS = "key.wrapped", "key.destroyed.json", "epochs.json"
# In the workspace, wherever the root key is: a secrets mount is often read-only.
FOLDER, PUBLIC = "keys", "report-signing.pub"


@dataclass(eq=False)
class WrongRootKeyError(HeduiError):
    """A batch's data key was wrapped under another root."""

    batch: str

    zh = "批次 {batch} 的数据密钥不是由本根密钥封装的"
    en = "the data key of batch {batch} was wrapped under another root key"
    todo = "restore the root key that the batch was made with"


@dataclass(eq=False)
class DataKeyDestroyedError(HeduiError):
    """The batch reached the end of its retention (R72)."""

    batch: str

    zh = "批次 {batch} 的数据密钥已销毁"
    en = "the data key of batch {batch} was destroyed"
    todo = "its data cannot be read again; verify the households anew"


def derive(key: bytes, info: str, length: int = 32) -> bytes:
    """HKDF-SHA256 (RFC 5869) without salt, for what ``info`` names."""
    return HKDF(hashes.SHA256(), length, None, info.encode()).derive(key)


class KeyRing:
    """The keys of a site."""

    def __init__(self, root: bytes, epochs: Path) -> None:
        self._root = root
        self._epochs = epochs

    def __repr__(self) -> str:
        return f"KeyRing(epoch={self.epoch})"  # never the root

    @classmethod
    def open(cls, settings: KeySettings, folder: Path) -> KeyRing:
        """Get the root key as hedui.yaml says.

        Args:
            settings: the part ``keys`` of hedui.yaml.
            folder: the workspace; relative paths start there, and ``keys/epochs.json`` counts the key epochs.

        Raises:
            RootKeyMissingError, RootKeyExposedError, RootKeyMalformedError, RootKeyCommandError: as they say.
        """
        return cls(fetch(settings, folder), folder / FOLDER / EPOCHS)

    @property
    def epoch(self) -> int:
        """The key epoch for new tokens; 1 until the first rotation."""
        return int(json.loads(self._epochs.read_text("utf-8"))["current"]) if self._epochs.exists() else 1

    def begin(self, epoch: int) -> None:
        """Make ``epoch`` the one of new tokens; ``rotation.rotate`` carries those of the case store over (R19)."""
        write_json(self._epochs, {"current": epoch})

    def key(self, purpose: str, length: int = 32) -> bytes:
        """The key of a purpose that does not rotate (``row-digest``: reports repeat it for years)."""
        return derive(self._root, f"hedui/{purpose}", length)

    def token_key(self, purpose: str, epoch: int, length: int = 32) -> bytes:
        """The key of tokens of one purpose and epoch; another length is another key."""
        size = "" if length == 32 else f"/{8 * length}"
        return derive(self._root, f"hedui/token/{purpose}/{epoch}{size}", length)

    def data_key(self, folder: Path) -> bytes:
        """The data key of the batch in ``folder``, made at the first call; of two at once, both get the same.

        Raises:
            DataKeyDestroyedError: retention has ended.
            WrongRootKeyError: it was wrapped under another root.
        """
        wrapped = folder / WRAPPED
        if (folder / DESTROYED).exists():
            raise DataKeyDestroyedError(folder.name)
        kek = derive(self._root, "hedui/data-key-wrapping")
        if not wrapped.exists():
            _place(wrapped, aes_key_wrap(kek, secrets.token_bytes(32)))
        try:
            return aes_key_unwrap(kek, wrapped.read_bytes())
        except InvalidUnwrap:
            raise WrongRootKeyError(folder.name) from None

    def seal_key(self, purpose: str, folder: Path | None = None) -> bytes:
        """A key for ``sealing.seal`` (64 bytes): of a batch, gone with its data key, or of the site."""
        root = self._root if folder is None else self.data_key(folder)
        return derive(root, f"hedui/seal/{purpose}", 64)

    def signing_key(self) -> Ed25519PrivateKey:
        """The key that signs reports (RFC 8032)."""
        return Ed25519PrivateKey.from_private_bytes(derive(self._root, "hedui/report-signing"))

    def export_public_key(self, path: Path | None = None) -> Path:
        """Write the public half of ``signing_key`` as PEM, for whoever checks reports offline; returns where it is.

        Args:
            path: ``keys/report-signing.pub`` in the workspace if left out.
        """
        path = path or self._epochs.with_name(PUBLIC)
        spki, pem = serialization.PublicFormat.SubjectPublicKeyInfo, serialization.Encoding.PEM
        with whole_file(path) as temporary:
            temporary.write_bytes(self.signing_key().public_key().public_bytes(pem, spki))
        return path


def _place(path: Path, content: bytes) -> None:
    """Put a file in place whole, unless another was quicker: a link fails where a rename would replace."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, content)
        os.fsync(handle)
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        os.close(handle)
        temporary.unlink()


def destroy_data_key(folder: Path) -> str:
    """Destroy a batch's data key (R72).

    The mark comes first, so that a crash in between can be run again and no new key ever takes the old one's place.

    Returns:
        SHA-256 of the wrapped key, hexadecimal: the proof for the ledger. Empty if there never was a key.
    """
    wrapped, mark = folder / WRAPPED, folder / DESTROYED
    if not mark.exists():
        proof = hashlib.sha256(wrapped.read_bytes()).hexdigest() if wrapped.exists() else ""
        write_json(mark, {"wrapped_key_sha256": proof})
    if wrapped.exists():
        with wrapped.open("r+b") as file:
            file.write(secrets.token_bytes(wrapped.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
        wrapped.unlink()
    return str(json.loads(mark.read_text("utf-8"))["wrapped_key_sha256"])
