"""Commands that stand Airflow up on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.commands.terminal import WorkspaceOption

if TYPE_CHECKING:
    from rich.console import Console

    from pipelines.local_airflow.standing import Standing


def airflow_up(
    folder: Annotated[Path, typer.Argument(help="Its folder; what is in it goes on where it stopped.")] = Path(
        "airflow"
    ),
    households: Annotated[int, typer.Option(min=20, help="How many households apply, if the county is new.")] = 300,
    port: Annotated[int, typer.Option(help="Port of the address; 0 for a free one.")] = 8080,
) -> None:
    """本机 Airflow：虚构县、各角色用户，Ctrl-C 停止 · a local Airflow over the made-up county, until Ctrl-C.

    Example: hedui airflow up ./airflow --port 8080
    """
    import signal
    import time

    from pipelines.commands.terminal import console, stage_bar
    from pipelines.local_airflow.processes import require_alive
    from pipelines.local_airflow.standing import STEPS, stand

    def end(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    out = console()
    try:
        with stage_bar(STEPS) as before:
            standing_up = stand(folder, households=households, waiting=households // 10, port=port, before=before)
            standing = standing_up.__enter__()
        try:
            _tell(standing, out)
            while True:
                require_alive(standing.processes)
                time.sleep(1)
        finally:
            standing_up.__exit__(None, None, None)
    except KeyboardInterrupt:
        out.print("已停止 stopped")


def airflow_departments(
    folder: Annotated[Path, typer.Argument(help="Folder of the county; made if it is empty.")],
    name: Annotated[str, typer.Option(help="Name by which others find this machine.")] = "127.0.0.1",
    database: Annotated[str, typer.Option(help="URL of a database for the departments that deliver by SQL.")] = "",
    households: Annotated[int, typer.Option(min=20, help="How many households apply, if the county is new.")] = 300,
    workspace: WorkspaceOption = Path("."),
) -> None:
    """示例部门：SFTP、HTTP、数据库，并写好工作区 · a made-up county's departments, for a trial elsewhere.

    Serves until it is stopped; docker/compose.yaml runs it as the sample.

    Example: hedui airflow departments /county --name departments -w /workspace
    """
    import signal
    import threading

    from pipelines.local_airflow.departments import serve

    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with serve(folder, workspace, name, database, households):
        typer.echo(f"部门已就绪 departments answer as {name}; 工作区 workspace: {workspace}")
        ended.wait()


def airflow_pools(workspace: WorkspaceOption = Path(".")) -> None:
    """各部门的并发池，供 Airflow 导入 · the departments' pools, as `airflow pools import` reads them.

    A task of a pool that Airflow does not have never starts: run it again when a department is added.

    Example: hedui airflow pools -w /srv/hedui > pools.json && airflow pools import pools.json
    """
    import json

    from pipelines.scheduled.pools import pools
    from pipelines.settings import Workspace

    typer.echo(json.dumps(pools(Workspace.open(workspace)), ensure_ascii=False, indent=1))


def _tell(standing: Standing, out: Console) -> None:
    """The address, and who may log in; passwords are shown once."""
    from pipelines.commands.terminal import draw_table
    from pipelines.local_airflow.people import PEOPLE

    if standing.passwords_new:
        rows = [(p.name, standing.passwords[p.name], p.zh, ", ".join(p.divisions)) for p in PEOPLE]
        draw_table(out, "用户 Users (口令只显示一次 shown once)", ("user", "password", "", "divisions"), rows)
    else:
        out.print(f"口令 passwords: {standing.home / 'passwords.json'}")
    out.print(f"工作区 workspace: {standing.workspace}\n日志 logs: {standing.home / 'logs'}")
    out.print(f"地址 address: {standing.url}    Ctrl-C 停止 stops it")
