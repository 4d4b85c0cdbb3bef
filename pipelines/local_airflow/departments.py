"""Departments of a made-up county for an Airflow that runs elsewhere: the sample of docker/compose.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from connectors.synthetic.servers import Place, serve_county
from pipelines.local_airflow import county as counties
from pipelines.settings import CONFIGURATION

SFTP_PORT, HTTP_PORT = 2222, 8090
READY = "ready"
SECRETS = Path("/run/secrets")  # where containers find what a site keeps apart


@contextmanager
def serve(folder: Path, workspace: Path, name: str, database: str, households: int) -> Iterator[None]:
    """Serve a county, made the first time, and write a workspace that reaches it.

    Args:
        folder: of the county; the file ``ready`` in it says that everything answers.
        workspace: gets ``hedui.yaml`` and ``access.yaml``, unless it is somebody's already.
        name: by which the Airflow finds this machine.
        database: URL of the departments' database; an embedded one that only this machine reaches if empty.
        households: how many apply, if the county is new.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ready = folder / READY
    ready.unlink(missing_ok=True)
    county = counties.make(folder, households, 0, seed=1)
    secrets_in = folder / "secrets"
    secrets_in.mkdir(mode=0o700, exist_ok=True)
    place = Place("0.0.0.0", name, SFTP_PORT, HTTP_PORT)  # noqa: S104 - a container's own network
    with serve_county(county, database=database or True, place=place, secrets_in=secrets_in) as served:
        if not (workspace / CONFIGURATION).exists():
            counties.open_workspace(workspace, county, served, _site())
        ready.write_text("ready\n")
        try:
            yield
        finally:
            ready.unlink(missing_ok=True)


def _site() -> dict[str, Any]:
    """Where a container keeps its key and its store; a plain folder has its own."""
    if not (SECRETS / "root_key").exists():
        return {}
    return {
        "keys": {"provider": "file", "path": str(SECRETS / "root_key")},
        "store": "postgresql+psycopg://hedui@postgres/hedui",
    }
