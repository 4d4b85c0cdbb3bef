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
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from pipelines.batch import write_json
from pipelines.errors import HeduiError
from pipelines.settings import KeySettings

ROOT_BYTES = 32
WRAPPED, DESTROYED, EPOCHS = "key.wrapped", "key.destroyed.json", "epochs.json"
_COMMAND_SECONDS = 30


@dataclass(eq=False)
class RootKeyExistsError(HeduiError):
    """A root key would be overwritten, and everything under it lost."""

    path: str

    zh = "根密钥已存在:{path}"
    en = "a root key exists already: {path}"
    todo = "keep it: everything stored so far depends on it"
    exit_code = 2


@dataclass(eq=False)
class RootKeyMissingError(HeduiError):
    """The configured place holds no root key."""

    provider: str
    place: str

    zh = "找不到根密钥({provider}:{place})"
    en = "no root key ({provider}: {place})"
    todo = "make one with: hedui keys init, or correct keys in hedui.yaml"
    exit_code = 2


@dataclass(eq=False)
class RootKeyExposedError(HeduiError):
    """Others than the owner may read the root key's file."""

    path: str
    mode: str

    zh = "根密钥文件可被他人读取:{path}(权限 {mode})"
    en = "others may read the root key {path} (mode {mode})"
    todo = "chmod 600 {path}, and rotate if others had access to it"
    exit_code = 2


@dataclass(eq=False)
class RootKeyMalformedError(HeduiError):
    """What was found is not 64 hexadecimal digits."""

    provider: str
    place: str

    zh = "根密钥格式不对({provider}:{place}),应为 64 位十六进制"
    en = "the root key ({provider}: {place}) is not 64 hexadecimal digits"
    todo = "restore it from its backup"
    exit_code = 2


@dataclass(eq=False)
class RootKeyCommandError(HeduiError):
    """The command that should print the root key failed."""

    command: str
    reason: str

    zh = "取根密钥的命令失败:{command}:{reason}"
    en = "the root key command {command} failed: {reason}"
    todo = "run the command by hand as the same user"
    exit_code = 2


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


def init(path: Path) -> None:
    """Make a root key: 64 hexadecimal digits, mode 0600.

    Raises:
        RootKeyExistsError: there is one already.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise RootKeyExistsError(str(path)) from None
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(ROOT_BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())


def _from_file(path: Path) -> str:
    if not path.is_file():
        raise RootKeyMissingError("file", str(path))
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise RootKeyExposedError(str(path), f"{mode:04o}")
    return path.read_text("ascii", errors="replace")


def _from_command(command: list[str]) -> str:
    """Run a secrets backend's own client; only its name is ever shown, since arguments may hold addresses."""
    if not command:
        raise RootKeyMissingError("command", "keys.command")
    try:
        done = subprocess.run(command, capture_output=True, timeout=_COMMAND_SECONDS, check=True)  # noqa: S603
    except subprocess.CalledProcessError as error:
        raise RootKeyCommandError(command[0], f"exit code {error.returncode}") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RootKeyCommandError(command[0], type(error).__name__) from None
    return done.stdout.decode("ascii", errors="replace")


def _root(settings: KeySettings, folder: Path) -> bytes:
    place = {"file": str(settings.path), "environment": settings.variable, "command": "".join(settings.command[:1])}
    match settings.provider:
        case "file":
            text = _from_file(folder / settings.path)
        case "environment":
            text = os.environ.get(settings.variable, "")
        case "command":
            text = _from_command(settings.command)
    if not text.strip():
        raise RootKeyMissingError(settings.provider, place[settings.provider])
    try:
        root = bytes.fromhex(text.strip())
    except ValueError:
        root = b""
    if len(root) != ROOT_BYTES:
        raise RootKeyMalformedError(settings.provider, place[settings.provider])
    return root


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
            folder: the workspace; relative paths start there, and ``epochs.json`` lies beside ``keys.path``.

        Raises:
            RootKeyMissingError, RootKeyExposedError, RootKeyMalformedError, RootKeyCommandError: as they say.
        """
        return cls(_root(settings, folder), (folder / settings.path).parent / EPOCHS)

    @property
    def epoch(self) -> int:
        """The key epoch for new tokens; 1 until the first rotation."""
        return int(json.loads(self._epochs.read_text("utf-8"))["current"]) if self._epochs.exists() else 1

    def rotate(self) -> int:
        """Begin the next epoch; tokens of the one before are carried over by ``Tokeniser.retoken`` (R19)."""
        following = self.epoch + 1
        write_json(self._epochs, {"current": following})
        return following

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

    def export_public_key(self, path: Path) -> None:
        """Write the public half of ``signing_key`` as PEM, for whoever checks reports offline."""
        spki, pem = serialization.PublicFormat.SubjectPublicKeyInfo, serialization.Encoding.PEM
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.signing_key().public_key().public_bytes(pem, spki))


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
