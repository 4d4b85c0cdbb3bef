"""`make bench`: time and peak memory of every stage, and what they are worth beside a yardstick in the same run.

Every stage runs in a process of its own, so that its peak memory is its own; its time includes starting Python.
Great Expectations runs beside the other stages, as in `hedui verify`. Absolute figures belong to the machine;
ratios travel.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console

from pipelines.commands.terminal import draw_table
from tests.bench import county, ratios

STAGES = ("intake", "plan", "collect", "check_admitted", "assess", "check_assessed", "report", "deliver")
ROOT = Path(__file__).resolve().parents[2]
DEAREST = 12
AIMS = {
    "tokens: HMAC loop / tokens": "≥ 15",
    "admission / read_csv": "≤ 5",
    "pandas peer / whole run": "≥ 10",
    "whole run / floor": "≤ 4",
}


@dataclass
class Step:
    """One process: seconds of wall clock, CPU seconds, peak resident MiB."""

    name: str
    seconds: float
    cpu: float
    peak_mib: float


class Process:
    """A started process whose use is read when it ends."""

    def __init__(self, name: str, command: list[str]) -> None:
        self.name, self.start = name, time.perf_counter()
        self.popen = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE)

    def go(self) -> None:
        """Tell a process that waits for it to begin."""
        assert self.popen.stdin
        self.popen.stdin.write(b"go\n")
        self.popen.stdin.flush()

    def join(self) -> Step:
        """Wait for it.

        Raises:
            SystemExit: it failed.
        """
        _, status, usage = os.wait4(self.popen.pid, 0)
        seconds = time.perf_counter() - self.start
        if status:
            raise SystemExit(f"{self.name} failed: {os.waitstatus_to_exitcode(status)}")
        return Step(self.name, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def start(step: str, folder: Path, households: int) -> Process:
    """Start one step of the bench."""
    return Process(step, [sys.executable, "-m", "tests.bench.stage", step, str(folder), str(households)])


def measure(folder: Path, households: int) -> tuple[list[Step], float]:
    """Make the county unless it is there, run every stage; returns the steps and the seconds of the whole run."""
    steps = []
    if not (folder / "county" / "truth.jsonl").exists():
        shutil.rmtree(folder, ignore_errors=True)
        steps.append(start("county", folder, households).join())
    shutil.rmtree(folder / "workspace", ignore_errors=True)
    county.workspace(folder / "workspace", folder / "county")
    began = time.perf_counter()
    quality = None
    for stage in STAGES:
        if stage == "report" and quality:
            quality.go()
        steps.append(start(stage, folder, households).join())
        if stage == "plan":
            batch = (folder / "batch").read_text()
            quality = Process("quality", [sys.executable, "-m", "pipelines.check", str(folder / "workspace"), batch])
        if stage == "report" and quality:
            quality.go()
            steps.append(quality.join())
    return steps, time.perf_counter() - began


def sql_costs(folder: Path) -> dict[str, float]:
    """Seconds of each file of sql/ in the run, the dearest first; aim: no rule's file above a tenth of the run."""
    command = [sys.executable, "-m", "tests.bench.sql_cost", str(folder)]
    told = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True).stdout
    return dict(json.loads(told))


def main() -> None:
    """Measure, compare, print and write build/bench.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "bench")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench.json")
    arguments = parser.parse_args()
    out = Console(highlight=False)
    results: dict[str, object] = {
        "machine": {"cpus": os.cpu_count(), "python": platform.python_version()},
        "runs": [],
    }
    whole: dict[int, float] = {}
    for households in arguments.households:
        folder = arguments.folder / str(households)
        steps, whole[households] = measure(folder, households)
        compared = ratios.compare(folder, whole[households])
        costs = sql_costs(folder)
        run = {
            "households": households,
            "seconds": whole[households],
            "steps": [asdict(s) for s in steps],
            "sql_seconds": costs,
            **compared,
        }
        results["runs"].append(run)  # type: ignore[attr-defined]
        rows = [(s.name, f"{s.seconds:.1f}", f"{s.cpu:.1f}", round(s.peak_mib)) for s in steps]
        rows.append(
            (
                "whole run",
                f"{whole[households]:.1f}",
                "",
                round(max(s.peak_mib for s in steps if s.name != "county")),
            )
        )
        draw_table(out, f"{households:,} households", ("stage", "seconds", "CPU seconds", "peak MiB"), rows)
        draw_table(
            out, "", ("ratio", "value", "aim"), [(k, f"{v:.2f}", AIMS[k]) for k, v in compared["ratios"].items()]
        )
        dear = [(file, f"{t:.2f}", f"{100 * t / whole[households]:.1f} %") for file, t in costs.items()][:DEAREST]
        draw_table(out, "the dearest files of sql/ (all of them in the JSON)", ("file", "seconds", "of the run"), dear)
        out.print(f"peer: {compared['peer']}\n")
    small, large = min(whole), max(whole)
    if small != large:
        results["growth"] = whole[large] / whole[small]
        aim = f"≤ {1.05 * large / small:g}"
        draw_table(out, "", ("ratio", "value", "aim"), [(f"{large:,} / {small:,}", f"{results['growth']:.2f}", aim)])
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n", "utf-8")
    out.print(f"{arguments.out}")


if __name__ == "__main__":
    main()
