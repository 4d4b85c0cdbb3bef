"""Commands that stand Airflow up on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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
