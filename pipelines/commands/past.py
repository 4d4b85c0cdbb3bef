"""What is told of reports made again: replayed, recomputed by an auditor, or as of a day that is past."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.commands.terminal import emit
from pipelines.errors import HeduiError
from pipelines.settings import Workspace

if TYPE_CHECKING:
    from rich.console import Console

    from pipelines.versions import Difference


@dataclass(eq=False)
class NotAReportError(HeduiError):
    """A file is no report of this format."""

    file: str

    zh = "{file} 不是报告的 JSON 文件"
    en = "{file} is not a report's JSON file"
    todo = "give the report as it was delivered: one JSON object with report_id and version"
    exit_code = 2


@dataclass(eq=False)
class OneVersionError(HeduiError):
    """A report has one version only: there is nothing to compare."""

    report: str

    zh = "报告 {report} 只有一个版本"
    en = "report {report} has one version only"
    todo = "a later verification that says something else makes the next one"
    exit_code = 2


def tell_replay(ws: Workspace, report: str, out: Path | None, as_json: bool) -> int:
    """Make a report again, compare it with the one that was issued, and hand it over."""
    from pipelines.replay import again, as_issued, issued

    row = issued(ws, report)
    made, before = again(ws, row), as_issued(ws, row)
    same = made == before
    if out:
        out.write_bytes(made)
    document = {
        "report_id": row.report_id, "version": row.version, "request_id": row.request_id, "batch": row.batch_id,
        "same_bytes": same, "digest": row.digest, "differences": _differences(json.loads(made), json.loads(before)),
        "report": json.loads(made),
    }  # fmt: skip

    def show(console: Console) -> None:
        name = f"{row.report_id}-{row.version}"
        if same:
            console.print(f"重现一致 the same bytes: {name}, SHA-256 {row.digest}, {len(made):,} bytes")
        else:
            console.print(f"重现不一致 other bytes than were issued: {name}")
            _draw_differences(console, document["differences"], "重现 again", "出具时 as issued")
        if out:
            console.print(f"{out}")

    emit(document, as_json, show)
    return 0 if same else 1


def tell_recomputed(ws: Workspace, file: Path, as_json: bool) -> int:
    """Work a report out anew and say what differs from the file."""
    from pipelines.explain import names
    from pipelines.replay import again, issued

    given = file.read_bytes()
    try:
        found = json.loads(given)
        report_id, version = str(found["report_id"]), int(found["version"])
    except (ValueError, KeyError, TypeError):
        raise NotAReportError(file.name) from None
    made = again(ws, issued(ws, report_id, version))
    differences = _differences(found, json.loads(made))
    same = given.rstrip(b"\n") == made
    document = {
        "file": file.name, "report_id": report_id, "version": version, "same_bytes": same,
        "figures": len(names(json.loads(made))), "differences": differences,
    }  # fmt: skip

    def show(console: Console) -> None:
        if differences:
            console.print(f"文件与重新计算的结果不同 the file is not what the rows give: {len(differences)}")
            _draw_differences(console, differences, "文件 file", "重新计算 recomputed")
        elif same:
            console.print(f"逐字节一致 the same bytes: {document['figures']} figures of {report_id}-{version} hold")
        else:
            console.print(f"内容一致，仅排版不同 the same content, laid out another way: {report_id}-{version}")

    emit(document, as_json, show)
    return 1 if differences else 0


def tell_look_back(ws: Workspace, request: str, as_of: datetime, as_json: bool) -> int:
    """Answer what would have been known at a moment that is past."""
    from pipelines.commands.report_text import draw
    from pipelines.replay import look_back
    from pipelines.verify import newest_collected

    source = newest_collected(ws, request, as_of)
    document = look_back(ws, request, as_of, source)

    def show(console: Console) -> None:
        console.print(
            f"回溯查询：截至 {as_of.isoformat()} 已知的情况，不出具报告 · "
            f"what was known by then, from batch {source.id}; nothing is issued"
        )
        draw(console, document)

    emit({"batch": source.id, "issued": False, "report": document}, as_json, show)
    return 0


def difference(ws: Workspace, name: str, earlier: int, later: int) -> Difference:
    """What a later version of a report says otherwise than an earlier one.

    Args:
        ws: the workspace.
        name: of a request, or of a report.
        earlier: version; 0 for the one that the later supersedes.
        later: version; 0 for the newest.

    Raises:
        NotIssuedHereError: a version was never issued.
        OneVersionError: there is no earlier one.
    """
    from pipelines.objections import events_between
    from pipelines.replay import as_issued, issued
    from pipelines.store import Store
    from pipelines.versions import compare

    store = Store.open(ws.store_url)
    try:
        newest = store.latest_reports([name]).get(name)
        after = issued(ws, newest.report_id if newest else name, later or None)
        number = earlier or after.supersedes
        if not number:
            raise OneVersionError(after.report_id)
        old, new = (json.loads(as_issued(ws, row)) for row in (issued(ws, after.report_id, number), after))
        moments = (datetime.fromisoformat(old["as_of"]), datetime.fromisoformat(new["as_of"]))
        return compare(old, new, events_between(store, after.request_id, *moments))
    finally:
        store.close()


def _differences(found: Any, expected: Any, path: str = "") -> list[dict[str, Any]]:
    """Fields in which two documents differ, as path, one value and the other."""
    if isinstance(found, dict) and isinstance(expected, dict):
        keys = sorted(found.keys() | expected.keys())
        pairs = [(f"{path}.{key}".strip("."), found.get(key), expected.get(key)) for key in keys]
    elif isinstance(found, list) and isinstance(expected, list):
        both = range(max(len(found), len(expected)))
        pairs = [
            (f"{path}[{i}]", found[i] if i < len(found) else None, expected[i] if i < len(expected) else None)
            for i in both
        ]
    else:
        return [] if found == expected else [{"field": path, "found": found, "expected": expected}]
    return [difference for where, a, b in pairs if a != b for difference in _differences(a, b, where)]


def _draw_differences(out: Console, differences: list[dict[str, Any]], first: str, second: str) -> None:
    from pipelines.commands.terminal import draw_table

    rows = [(d["field"], json.dumps(d["found"], ensure_ascii=False), json.dumps(d["expected"], ensure_ascii=False))
            for d in differences]  # fmt: skip
    draw_table(out, "", ("字段 field", first, second), rows)
