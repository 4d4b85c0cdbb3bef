"""How a site says where a department is reached: the ``connections`` part of hedui.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Connection(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    timeout_seconds: float = Field(30.0, gt=0, description="longest wait for one answer")
    attempts: int = Field(4, ge=1, le=10, description="tries for a fault that may pass")


class FolderConnection(_Connection):
    """A local folder that departments deliver into."""

    kind: Literal["folder"] = "folder"
    path: Path


class SftpConnection(_Connection):
    """A folder on an SFTP server; the host key is always checked."""

    kind: Literal["sftp"]
    host: str
    port: int = 22
    username: str
    password_file: Path | None = None
    private_key: Path | None = None
    known_hosts: Path
    path: str = "."


class DatabaseConnection(_Connection):
    """Any SQLAlchemy URL; a password is read from ``password_file`` rather than written in the URL."""

    kind: Literal["database"]
    url: str
    password_file: Path | None = None


class HttpConnection(_Connection):
    """A department's HTTP service."""

    kind: Literal["http"]
    base_url: str
    token_file: Path | None = None
    poll_seconds: float = Field(1.0, gt=0, description="pause between two looks at a ticket")
    ticket_seconds: float = Field(600.0, gt=0, description="longest life of a ticket")


Connection = Annotated[
    FolderConnection | SftpConnection | DatabaseConnection | HttpConnection, Field(discriminator="kind")
]
