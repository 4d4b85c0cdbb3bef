"""The root key of a site: made once, fetched from a file, the environment or a secrets backend's command.

It is 64 hexadecimal digits wherever it lies. No error here ever holds it.
"""

from __future__ import annotations

import os
import secrets
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import HeduiError
from pipelines.settings import KeySettings

ROOT_BYTES = 32
_COMMAND_SECONDS = 30


@dataclass(eq=False)
class RootKeyExistsError(HeduiError):
    """A root key would be overwritten, and everything under it lost."""

    path: str

    zh = "根密钥已存在：{path}"
    en = "a root key exists already: {path}"
    todo = "keep it: everything stored so far depends on it"
    exit_code = 2


@dataclass(eq=False)
class RootKeyMissingError(HeduiError):
    """The configured place holds no root key."""

    provider: str
    place: str

    zh = "找不到根密钥({provider}：{place})"
    en = "no root key ({provider}: {place})"
    todo = "make one with: hedui keys init, or correct keys in hedui.yaml"
    exit_code = 2


@dataclass(eq=False)
class RootKeyExposedError(HeduiError):
    """Others than the owner may read the root key's file."""

    path: str
    mode: str

    zh = "根密钥文件可被他人读取：{path}(权限 {mode})"
    en = "others may read the root key {path} (mode {mode})"
    todo = "chmod 600 {path}, and rotate if others had access to it"
    exit_code = 2


@dataclass(eq=False)
class RootKeyMalformedError(HeduiError):
    """What was found is not 64 hexadecimal digits."""

    provider: str
    place: str

    zh = "根密钥格式不对({provider}：{place}),应为 64 位十六进制"
    en = "the root key ({provider}: {place}) is not 64 hexadecimal digits"
    todo = "restore it from its backup"
    exit_code = 2


@dataclass(eq=False)
class RootKeyCommandError(HeduiError):
    """The command that should print the root key failed."""

    command: str
    reason: str

    zh = "取根密钥的命令失败：{command}：{reason}"
    en = "the root key command {command} failed: {reason}"
    todo = "run the command by hand as the same user"
    exit_code = 2


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


def fetch(settings: KeySettings, folder: Path) -> bytes:
    """Get the root key from where hedui.yaml says; relative paths start at ``folder``.

    Raises:
        RootKeyMissingError, RootKeyExposedError, RootKeyMalformedError, RootKeyCommandError: as they say.
    """
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
