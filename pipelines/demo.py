"""The demo: a made-up county, its departments' servers, one night's batch, and a summary for a newcomer."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml

from pipelines.auditing.site import index
from pipelines.batch import Batch
from pipelines.errors import HeduiError
from pipelines.planted import Score, score
from pipelines.settings import CONFIGURATION, Workspace
from pipelines.summary import STATES, Summary, opened, summarise
from pipelines.verify import STAGES, Timings, open_batch, run_batch

if TYPE_CHECKING:
    from rich.console import Console

AS_OF = datetime.fromisoformat("2026-09-16T02:00:00+08:00")
MARK = ".hedui-demo"
STEPS = ("county", "departments", "intake", *STAGES, "summary")


@dataclass(eq=False)
class FolderTakenError(HeduiError):
    """The demo's folder holds something that is not a demo."""

    folder: str

    zh = "{folder} 不是演示文件夹，不会清空"
    en = "{folder} is not a demo's folder, so it is not emptied"
    todo = "name another one: hedui demo FOLDER"
    exit_code = 2


@dataclass
class DemoResult:
    """What the demo shows at its end; also as JSON."""

    folder: Path
    batch: Batch
    summary: Summary
    score: Score
    timings: Timings
    report: Path
    quality: Path
    intake: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, object]:
        """As JSON."""
        return {
            "batch": self.batch.id,
            **self.summary.document(),
            "truth": self.score.document(),
            "seconds": {stage: round(seconds, 2) for stage, seconds in self.timings.seconds.items()},
            "intake": self.intake,
            "report": str(self.report),
            "quality": str(self.quality),
            "workspace": str(self.folder / "workspace"),
        }

    def draw(self, out: Console) -> None:
        """Show it to a person."""
        from pipelines.commands.running import draw_conclusions
        from pipelines.commands.terminal import draw_table
        from pipelines.texts import text

        draw_conclusions(out, self.summary)
        shown = [s for s in STATES if any(s in states for states in self.summary.coverage.values())]
        rows = [(d, *(states.get(s, 0) for s in shown)) for d, states in sorted(self.summary.coverage.items())]
        draw_table(out, "各来源覆盖人数 Coverage by source (persons)", ("dataset", *shown), rows)
        reasons: dict[tuple[str, str], int] = {}
        for (dataset, _, reason), count in self.summary.quarantine.items():
            reasons[dataset, reason] = reasons.get((dataset, reason), 0) + count
        rows = [(d, text("quarantine", r).zh, text("quarantine", r).en, n) for (d, r), n in sorted(reasons.items())]
        draw_table(out, "隔离的行 Quarantined rows by reason", ("dataset", "原因", "reason", "rows"), rows)
        self._draw_truth(out)
        total = sum(self.timings.seconds.values())
        rows = [(stage, f"{seconds:.1f}") for stage, seconds in self.timings.seconds.items()]
        draw_table(out, f"用时 Time: {total:.1f} s", ("stage", "seconds"), rows)
        out.print(f"一份报告 One report:        {self.report}")
        out.print(f"数据质量 Data quality:      {self.quality}")
        out.print(f"工作区 Workspace:           {self.folder / 'workspace'}")

    def _draw_truth(self, out: Console) -> None:
        s = self.score
        out.print(
            f"预设问题 Planted problems: {s.planted} in {len(s.kinds)} kinds — 找到 found {s.found}, "
            f"漏掉 missed {s.planted - s.found}; 误报 false {s.false} of {s.clean} clean households\n"
        )
        if s.planted > s.found or s.false:
            out.print(f"  不符 not as expected: {', '.join(s.examples)}")


def make_county(
    out: Path,
    *,
    households: int,
    seed: int,
    dirt: Literal["none", "normal", "heavy"] = "normal",
    trouble: list[str] | None = None,
) -> dict[str, object]:
    """Write a made-up county; see ``connectors.synthetic``."""
    from connectors.synthetic.county import generate

    return asdict(generate(out, households, seed, dirt, trouble or []))


def run(folder: Path, *, households: int, seed: int, before: Callable[[str], None]) -> DemoResult:
    """Make the county, verify it, deliver, sum up.

    Args:
        folder: emptied if it is an earlier demo.
        households: how many apply.
        seed: of the county.
        before: told each step as it starts.

    Raises:
        FolderTakenError: the folder holds something else.
    """
    from connectors.synthetic.servers import serve_county
    from pipelines import intake

    folder = _empty(folder)
    timings = Timings()
    before("county")
    with timings.of("county"):
        make_county(folder / "county", households=households, seed=seed)
    before("departments")
    start = time.perf_counter()
    with serve_county(folder / "county") as served:
        connections = {n: c.model_dump(mode="json", exclude_none=True) for n, c in served.connections.items()}
        ws = make_workspace(folder / "workspace", folder / "county", connections, served.sources)
        timings.seconds["departments"] = time.perf_counter() - start
        before("intake")
        with timings.of("intake"):
            taken = intake.run(ws, AS_OF)
        batch = open_batch(ws, AS_OF)
        timings.seconds |= run_batch(batch, ws, before=before).seconds
    before("summary")
    with opened(batch, ws) as con:
        summary = summarise(con, batch)
        truth = score(con, batch, folder / "county" / "truth.jsonl")
        request = interesting(con, batch)
    report = write_report(ws, request, folder)
    quality = index(ws)
    return DemoResult(folder, batch, summary, truth, timings, report, quality, vars(taken))


def _empty(folder: Path) -> Path:
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise FolderTakenError(str(folder))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / MARK).write_text("hedui demo\n")
    return folder.resolve()


def make_workspace(
    root: Path,
    county: Path,
    connections: dict[str, Any],
    sources: dict[str, str] | dict[str, dict[str, object]],
    more: dict[str, Any] | None = None,
) -> Workspace:
    """A workspace over a made-up county; its requests lie where the county's case system left them.

    Args:
        root: the workspace.
        county: the county's folder.
        connections: how its departments are reached.
        sources: which of them serves which dataset.
        more: other settings, such as the store.
    """
    from pipelines import keys

    document = {
        "division": "370303",
        "policy_pack": "3703",
        **(more or {}),
        "connections": connections,
        "sources": {d: {"connection": s} if isinstance(s, str) else s for d, s in sources.items()},
        **({"catalogue": {"connection": "services"}} if "services" in connections else {}),
        "case_systems": {"requests": {"kind": "folder", "path": str(county / "requests")}},
    }
    root.mkdir(parents=True, exist_ok=True)
    (root / CONFIGURATION).write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), "utf-8")
    ws = Workspace.open(root)
    if not ws.path(ws.settings.keys.path).exists():
        keys.init(ws.path(ws.settings.keys.path))
    keys.KeyRing.open(ws.settings.keys, ws.root).export_public_key()
    return ws


def interesting(con: Any, batch: Batch) -> str:
    """The request whose report has most to show: review reasons, exceeded tests, items."""
    from pipelines.warehouse import scan

    def table(name: str) -> str:
        return scan(*sorted((batch.folder / "assessed").glob(f"*/{name}.parquet")))

    row = con.execute(
        f"""WITH
        reasons AS (SELECT request_id, count(DISTINCT code) AS n FROM {table("review")} GROUP BY request_id),
        open_tests AS (
            SELECT request_id, count(*) AS n FROM {table("tests")} WHERE result <> 'satisfied' GROUP BY request_id),
        items AS (SELECT request_id, count(*) AS n FROM {table("asset_items")} GROUP BY request_id)
        SELECT request_id FROM {table("conclusions")}
        LEFT JOIN reasons USING (request_id) LEFT JOIN open_tests USING (request_id)
        LEFT JOIN items USING (request_id)
        ORDER BY coalesce(reasons.n, 0) DESC, coalesce(open_tests.n, 0) DESC, coalesce(items.n, 0) DESC, request_id
        LIMIT 1"""
    ).fetchone()
    return str(row[0])


def write_report(ws: Workspace, request: str, folder: Path) -> Path:
    """One report as JSON and as the page that is drawn from it."""
    from pipelines.commands.report_text import find_report
    from pipelines.render import html

    document = find_report(request, ws.root)
    (folder / "report.json").write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", "utf-8")
    page = folder / "report.html"
    page.write_text(html(document), "utf-8")
    return page
