"""Commands that make something: a workspace, a key, a made-up county, the demo."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.commands.terminal import JsonOption, WorkspaceOption, emit

if TYPE_CHECKING:
    from rich.console import Console

TEMPLATE = Path(__file__).resolve().parent.parent / "workspace_template"


class Dirt(StrEnum):
    """How badly the departments write."""

    none = "none"
    normal = "normal"
    heavy = "heavy"


def init(
    folder: Annotated[Path, typer.Argument(help="The folder to make; what is in it already is kept.")],
) -> None:
    """新建工作区：带注释的 hedui.yaml、根密钥和各文件夹 · make a workspace with a commented configuration.

    Example: hedui init /srv/hedui
    """
    from pipelines import keys
    from pipelines.settings import CONFIGURATION, Workspace

    folder.mkdir(parents=True, exist_ok=True)
    configuration = folder / CONFIGURATION
    for template in TEMPLATE.glob("*.yaml"):
        if not (folder / template.name).exists():
            (folder / template.name).write_text(template.read_text("utf-8"), "utf-8")
    ws = Workspace.open(folder)
    for name in ("inbox", "extracts", "reports", "state", "batches"):
        ws.path(name).mkdir(exist_ok=True)
    root_key = ws.path(ws.settings.keys.path)
    if ws.settings.keys.provider == "file":
        if not root_key.exists():
            keys.init(root_key)
        public = keys.KeyRing.open(ws.settings.keys, ws.root).export_public_key()
        typer.echo(f"{folder}: hedui.yaml, {root_key.name} (0600), {public.name}")
    typer.echo(f"下一步 next: edit {configuration}, then hedui sources -w {folder}")


def keys_init(workspace: WorkspaceOption = Path(".")) -> None:
    """生成根密钥（不会覆盖已有的） · make the root key; an existing one is never overwritten.

    Example: hedui keys init -w /srv/hedui
    """
    from pipelines import keys
    from pipelines.settings import Workspace

    ws = Workspace.open(workspace)
    path = ws.path(ws.settings.keys.path)
    keys.init(path)
    typer.echo(f"{path} (0600). 请另存一份备份 keep a copy apart from the data: without it nothing can be opened.")
    if ws.settings.keys.provider == "file":
        _tell_public(keys.KeyRing.open(ws.settings.keys, ws.root).export_public_key())


def keys_public(
    out: Annotated[
        Path | None, typer.Option(help="File to write; keys/report-signing.pub in the workspace if left out.")
    ] = None,
    workspace: WorkspaceOption = Path("."),
) -> None:
    """导出验证报告签名的公钥 · write the public key with which anybody checks this site's reports offline.

    Example: hedui keys public -w /srv/hedui --out report-signing.pub
    """
    from pipelines.keys import KeyRing
    from pipelines.settings import Workspace

    ws = Workspace.open(workspace)
    _tell_public(KeyRing.open(ws.settings.keys, ws.root).export_public_key(out))


def keys_rotate(workspace: WorkspaceOption = Path("."), as_json: JsonOption = False) -> None:
    """轮换令牌密钥：案件库的令牌随之更换，旧批次不变 · begin the next key epoch; old batches stay readable.

    Killed halfway, it is run again.

    Example: hedui keys rotate -w /srv/hedui
    """
    from pipelines.rotation import rotate
    from pipelines.settings import Workspace

    done = rotate(Workspace.open(workspace))

    def draw(out: Console) -> None:
        out.print(f"第 {done.epoch} 期密钥 key epoch {done.epoch}: {done.tokens:,} 个令牌已更换 tokens carried over")

    emit(asdict(done), as_json, draw)


def _tell_public(path: Path) -> None:
    typer.echo(f"{path}: 交给需要离线验证报告的人 for whoever checks reports: hedui report check FILE --key {path}")


def synth(
    out: Annotated[Path, typer.Option("--out", help="Folder to write into.")],
    households: Annotated[int, typer.Option(min=1, help="How many households apply.")] = 2000,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = 1,
    dirt: Annotated[Dirt, typer.Option(help="How badly the departments write.")] = Dirt.normal,
    trouble: Annotated[
        list[str] | None,
        typer.Option(help="NAME:department/dataset, such as source_down:banks/deposits; may be repeated."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """生成虚构县的数据和真值 · write a made-up county with known truth, the same to the byte for the same seed.

    Example: hedui synth --households 2000 --seed 1 --out /tmp/county --dirt normal
    """
    from pipelines.demo import make_county

    made = make_county(out, households=households, seed=seed, dirt=dirt.value, trouble=trouble or [])

    def draw(console: Console) -> None:
        for name, value in made.items():
            console.print(f"{name}: {value:,}" if isinstance(value, int) else f"{name}: {value}")
        console.print(f"虚构县 county: {out}")

    emit(made, as_json, draw)


def demo(
    folder: Annotated[Path, typer.Argument(help="Folder of the demo; made anew at each run.")] = Path("demo"),
    households: Annotated[int, typer.Option(min=1, help="How many households apply.")] = 2000,
    seed: Annotated[int, typer.Option(help="Same seed, same county.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """一键演示：虚构县、核对、送达、汇总 · a made-up county, verified and delivered, with a summary.

    Example: hedui demo ./demo --households 2000
    """
    from pipelines import demo as whole
    from pipelines.commands.terminal import stage_bar

    with stage_bar(whole.STEPS, as_json) as before:
        result = whole.run(folder, households=households, seed=seed, before=before)
    emit(result.document(), as_json, result.draw)
