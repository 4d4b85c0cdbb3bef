"""Folders of files, here or on an SFTP server, reached through one library (fsspec)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from connectors.connections import FolderConnection, SftpConnection
from connectors.faults import fault, persist, source_error

T = TypeVar("T")
CHUNK = 1 << 20


@dataclass
class Place:
    """A base folder, reached through one library wherever it is.

    It connects when first used, and anew when it was cut off.
    """

    connection: FolderConnection | SftpConnection
    root: Path
    dataset: str
    _system: Any = field(default=None, repr=False)

    @property
    def base(self) -> PurePosixPath:
        """The folder that holds a folder per dataset."""
        if isinstance(self.connection, SftpConnection):
            return PurePosixPath(self.connection.path)
        return PurePosixPath(self.root / self.connection.path)

    @property
    def limits(self) -> dict[str, float]:
        """The time limit of one call; local calls take none."""
        remote = isinstance(self.connection, SftpConnection)
        return {"timeout": self.connection.timeout_seconds} if remote else {}

    def use(self, step: str, call: Callable[[Any], T]) -> T:
        """``call(file system)``, and again while the fault may pass.

        Raises:
            SourceUnavailable: it cannot be reached, or what was asked for is not there.
        """
        import asyncssh

        def once() -> T:
            try:
                self._system = self._system or _connect(self.connection, self.root)
                return call(self._system)
            except FileNotFoundError as error:
                raise source_error(self.dataset, step, error) from None
            except (OSError, asyncssh.Error) as error:
                self._system = None
                raise fault(self.dataset, step, error) from None

        return persist(self.connection, once)

    def names(self, folder: PurePosixPath) -> list[str]:
        """The names of a folder's files, sorted."""
        listed = self.use("list files", lambda fs: fs.ls(str(folder), detail=False, **self.limits))
        return sorted(PurePosixPath(name).name for name in listed)

    def chunks(self, path: PurePosixPath) -> Iterator[bytes]:
        """The bytes of a file; after a cut it goes on where it was."""
        position = 0
        handle: Any = None
        while True:

            def piece(fs: Any) -> bytes:
                nonlocal handle
                try:
                    if handle is None:
                        handle = fs.open(str(path), "rb")
                        handle.seek(position)  # noqa: B023
                    data: bytes = handle.read(CHUNK, **self.limits)
                    return data
                except Exception:
                    handle = None
                    raise

            chunk = self.use("read file", piece)
            if not chunk:
                handle.close()
                return
            position += len(chunk)
            yield chunk

    def read(self, path: PurePosixPath) -> bytes:
        """A small file, whole."""
        return b"".join(self.chunks(path))


def _connect(connection: FolderConnection | SftpConnection, root: Path) -> Any:
    if isinstance(connection, FolderConnection):
        from fsspec.implementations.local import LocalFileSystem

        return LocalFileSystem()
    from sshfs import SSHFileSystem

    secret: dict[str, Any] = {"client_keys": None, "agent_path": None}
    if connection.private_key:
        secret["client_keys"] = [str(root / connection.private_key)]
    if connection.password_file:
        secret["password"] = (root / connection.password_file).read_text("utf-8").strip()
    return SSHFileSystem(
        connection.host,
        port=connection.port,
        username=connection.username,
        known_hosts=str(root / connection.known_hosts),
        config=None,
        connect_timeout=connection.timeout_seconds,
        login_timeout=connection.timeout_seconds,
        skip_instance_cache=True,
        **secret,
    )
