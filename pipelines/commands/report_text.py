"""A report in the terminal: the answers first, as on its page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.errors import HeduiError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from rich.console import Console


@dataclass(eq=False)
class NoReportError(HeduiError):
    """No report was issued for a request."""

    request: str

    zh = "申请 {request} 没有报告"
    en = "no report was issued for request {request}"
    todo = "verify it with: hedui verify --request {request}"
    exit_code = 2


def public_key(file: Path | None, workspace: Path) -> Ed25519PublicKey:
    """The key from a PEM file, else the workspace's own."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    from pipelines.errors import ConfigurationError

    if file is None:
        import typer

        from pipelines.keys import KeyRing
        from pipelines.settings import CONFIGURATION, Workspace

        if not (workspace / CONFIGURATION).is_file():
            raise typer.BadParameter("name the public key (--key FILE) or the workspace (-w FOLDER)")
        ws = Workspace.open(workspace)
        return KeyRing.open(ws.settings.keys, ws.root).signing_key().public_key()
    try:
        key = load_pem_public_key(file.read_bytes())
    except (OSError, ValueError):
        raise ConfigurationError(str(file), "--key", "no PEM file with a public key") from None
    if not isinstance(key, Ed25519PublicKey):
        raise ConfigurationError(str(file), "--key", "not an Ed25519 key")
    return key


def find_report(request: str, workspace: Path) -> dict[str, Any]:
    """A report from its file, or the newest version that the workspace issued for a request.

    Raises:
        NoReportError: the request has none.
    """
    file = Path(request)
    if file.is_file():
        return dict(json.loads(file.read_bytes()))
    from pipelines.batch import Batch
    from pipelines.keys import KeyRing
    from pipelines.report import read
    from pipelines.settings import Workspace
    from pipelines.store import Store

    ws = Workspace.open(workspace)
    store = Store.open(ws.store_url)
    row = store.latest_reports([request]).get(request)
    store.close()
    if row is None:
        raise NoReportError(request)
    batch = Batch.open(ws.batches, row.batch_id)
    key = KeyRing.open(ws.settings.keys, ws.root).data_key(batch.source_folder)
    return dict(json.loads(read(batch, key, row.report_id, row.version)))


def draw(out: Console, report: dict[str, Any]) -> None:
    """Show answers, review reasons, tests and what could not be checked."""
    from pipelines.commands.terminal import draw_table
    from pipelines.texts import text

    conclusion = report["conclusion"]
    out.print(
        f"{report['request_id']}  版本 version {report.get('version', '—')}  基准日 {report['reference_date']}",
        style="bold",
    )
    out.print(f"限额 limits       {text('limits', conclusion['limits']).zh}  {conclusion['limits']}")
    out.print(f"申报 declaration  {text('declaration', conclusion['declaration']).zh}  {conclusion['declaration']}")
    names = {m["member"]: m["name"] for m in report["members"]}
    titles = {s["dataset"]: s["title"]["zh"] for s in report["sources"]}
    concerned: dict[tuple[str, str, str], list[str]] = {}
    for reason in conclusion["review"]:
        source = titles.get(reason["dataset"], "")
        told = concerned.setdefault((reason["zh"], reason["en"], names.get(reason["member"], "")), [])
        if source and source not in told:
            told.append(source)
    for (zh, en, name), told in concerned.items():
        whose, source = f"{name}：" if name else "", f"（来源：{'、'.join(told)}）" if told else ""
        out.print(f"  复核 review: {whose}{zh} {en}{source}")
    rows = [
        (
            t["title"]["zh"],
            t["test"],
            interval(t["value"], t["unit"]),
            f"{t['op']} {amount(t['limit'], t['unit'])}",
            text("result", t["result"]).zh,
        )
        for t in report["tests"]
    ]
    draw_table(out, "", ("判定", "test", "查得 found", "限额 limit", "结果"), rows)
    open_sources = [c for c in report["coverage"] if c["state"] != "covered"]
    for entry in open_sources:
        state = text("coverage", entry["state"])
        whom = "、".join(names.get(member, str(member)) for member in entry["members"])
        out.print(f"  未核实 not covered: {entry['dataset']} · {whom}: {state.zh} {state.en}")


def amount(value: int, unit: str) -> str:
    """Fen as yuan, counts as they are."""
    return f"{value // 100:,}.{value % 100:02d} 元" if unit == "fen" else f"{value:,}"


def interval(value: dict[str, Any], unit: str) -> str:
    """``low`` or ``low – high``; no upper bound is ∞."""
    low, high = value["low"], value["high"]
    if low == high:
        return amount(low, unit)
    return f"{amount(low, unit)} – {'∞' if high is None else amount(high, unit)}"
