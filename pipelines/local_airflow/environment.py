"""What Airflow's components are told: everything by environment, so that no airflow.cfg of the machine has a say."""

from __future__ import annotations

import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path

from pipelines.local_airflow.people import PEOPLE

PROJECT = Path(__file__).resolve().parents[2]
PARALLEL = 4  # tasks at once: two cores, and collecting waits for departments


@dataclass(frozen=True)
class Site:
    """Where one local Airflow is.

    Attributes:
        home: its own folder.
        workspace: Hedui's.
        port: of the api-server on 127.0.0.1.
        database: SQLAlchemy URL of Airflow's own database.
        days_back: how many days the county's calendar is behind ours.
    """

    home: Path
    workspace: Path
    port: int
    database: str
    days_back: int

    @property
    def url(self) -> str:
        """The address for a browser."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def passwords_file(self) -> Path:
        """Where SimpleAuthManager finds the passwords."""
        return self.home / "passwords.json"


def secret(home: Path, name: str) -> str:
    """A secret of this Airflow, made the first time; a file of mode 0600."""
    from cryptography.fernet import Fernet

    file = home / "secrets" / name
    if not file.exists():
        file.parent.mkdir(mode=0o700, exist_ok=True)
        made = Fernet.generate_key().decode() if name == "fernet" else secrets.token_urlsafe(48)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            out.write(made)
    return file.read_text("utf-8")


def environment(site: Site) -> dict[str, str]:
    """The environment of every component."""
    settings = {
        "CORE__DAGS_FOLDER": PROJECT / "dags",
        "CORE__LOAD_EXAMPLES": False,
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": PARALLEL,
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": True,
        "CORE__DEFAULT_TIMEZONE": "Asia/Shanghai",
        "CORE__FERNET_KEY": secret(site.home, "fernet"),
        "CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{p.name}:{p.airflow_role}" for p in PEOPLE),
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": site.passwords_file,
        "CORE__EXECUTION_API_SERVER_URL": f"{site.url}/execution/",
        "DATABASE__SQL_ALCHEMY_CONN": site.database,
        # psycopg speaks both ways; Airflow would look for asyncpg.
        "DATABASE__SQL_ALCHEMY_CONN_ASYNC": site.database,
        "API__HOST": "127.0.0.1",
        "API__PORT": site.port,
        "API__BASE_URL": site.url,
        "API__WORKERS": 1,
        "API__INSTANCE_NAME": "核对 Hedui",
        "API__SECRET_KEY": secret(site.home, "api"),
        "API_AUTH__JWT_SECRET": secret(site.home, "jwt"),
        "LOGGING__BASE_LOG_FOLDER": site.home / "logs",
        # Staff wait for one household: the loop's pause stands between every two tasks.
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": 0.2,
        "DAG_PROCESSOR__PARSING_PROCESSES": 1,
        "USAGE_DATA_COLLECTION__ENABLED": False,
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
    path = [str(PROJECT), str(PROJECT / "pipelines" / "airflow_config"), *filter(None, [os.environ.get("PYTHONPATH")])]
    return kept | {
        "AIRFLOW_HOME": str(site.home),
        **{f"AIRFLOW__{name}": str(value) for name, value in settings.items()},
        "HEDUI_WORKSPACE": str(site.workspace),
        "HEDUI_DAYS_BACK": str(site.days_back),
        "PYTHONPATH": os.pathsep.join(path),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
    }
