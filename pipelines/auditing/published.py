"""The tables that are published: made of every batch's record, small cells hidden. Pages and downloads draw on these.

A hidden count is None, and its column is named in the row's ``hidden``; a page shows a mark there, a download nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pipelines.auditing.record import Record
from pipelines.auditing.small_cells import Line, hidden, is_small, share

Kind = Literal["text", "date", "count", "share", "flag"]
Row = dict[str, Any]
ALL = "all"
# Measures of time, not of persons; and the rows or persons that must stand behind any other.
_COUNTED, _ENOUGH = ("age", "thin_months"), 50
ANSWERED, ASKED = ("covered", "stale"), ("covered", "stale", "unanswered", "unavailable")


@dataclass(frozen=True)
class Table:
    """A published table.

    Attributes:
        name: of its downloads.
        zh: what it holds.
        en: the same in English.
        columns: name → kind; a share is in per cent.
        rows: each with every column, and ``hidden``.
    """

    name: str
    zh: str
    en: str
    columns: Mapping[str, Kind]
    rows: list[Row]

    def of(self, **wanted: object) -> list[Row]:
        """The rows in which columns have these values."""
        return [row for row in self.rows if all(row[name] == value for name, value in wanted.items())]


def shown(row: Row, unseen: Iterable[str]) -> Row:
    """The row as it is published: hidden columns are empty and named."""
    names = sorted(set(unseen))
    return row | dict.fromkeys(names) | {"hidden": " ".join(names)}


def small(row: Row, *names: str) -> Row:
    """A row whose counts stand in no sum with others."""
    return shown(row, [name for name in names if row[name] is not None and is_small(row[name])])


def key(record: Record) -> Row:
    """Batch and moment, with which every row begins."""
    return {"batch": record["batch"], "moment": record["as_of"]}


def households(record: Record) -> int:
    """Households of the batch."""
    return sum(row[-1] for row in record["groups"])


def batches(records: list[Record]) -> Table:
    """One row a batch."""
    rows = []
    for record in records:
        gates = [found["gate"] for found in record["datasets"].values()]
        reports = record["reports"]
        counts = {name: int(reports.get(name, 0)) for name in ("new", "unchanged", "withdrawn")}
        counts["households"] = households(record)
        unseen = hidden(counts, [Line(("new", "unchanged", "withdrawn"), "households")] if reports else [])
        row = key(record) | counts
        row |= {
            "datasets": len(gates),
            "failed": sum(bool(found["failed"]) for found in record["datasets"].values()),
            **{f"gate_{verdict}": gates.count(verdict) for verdict in ("pass", "warn", "fail")},
            "expectations": len(record["expectations"]),
            "expectations_warn": sum(entry["verdict"] == "warn" for entry in record["expectations"]),
            "expectations_fail": sum(entry["verdict"] == "fail" for entry in record["expectations"]),
        }
        rows.append(shown(row, map(str, unseen)))
    columns: dict[str, Kind] = {"batch": "text", "moment": "date"}
    columns |= dict.fromkeys((name for name in (rows[0] if rows else {}) if name not in (*columns, "hidden")), "count")
    return Table("batches", "批次", "Batches", columns, rows)


def deliveries(records: list[Record]) -> Table:
    """One row a batch and dataset: how timely and how complete it was, and what the gate said."""
    rows = []
    for record in records:
        for dataset, found in record["datasets"].items():
            asked = sum(found["coverage"].get(state, 0) for state in ASKED)
            answered = sum(found["coverage"].get(state, 0) for state in ANSWERED)
            usable = found["rows_read"] - found["rows_set_aside"]
            row = key(record) | {
                "department": dataset.partition("/")[0],
                "dataset": dataset,
                "failure": found["failed"],
                "gate": found["gate"],
                "extracts": found["extracts"],
                "data_as_of": found["as_of"],
                "age_days": found["age_days"],
                "freshness_days": found["freshness_days"],
                "timely": None if found["age_days"] is None else found["age_days"] <= found["freshness_days"],
                "rows_read": found["rows_read"],
                "rows_kept": found["rows_kept"],
                "usable_share": share(usable, found["rows_read"]),
                "persons_asked": asked,
                "answer_rate": share(answered, asked),
            }
            rows.append(small(row, "rows_read", "rows_kept", "persons_asked"))
    kinds: dict[str, Kind] = {
        "batch": "text", "moment": "date", "department": "text", "dataset": "text", "failure": "text", "gate": "text",
        "extracts": "count", "data_as_of": "date", "age_days": "count", "freshness_days": "count", "timely": "flag",
        "rows_read": "count", "rows_kept": "count", "usable_share": "share", "persons_asked": "count",
        "answer_rate": "share",
    }  # fmt: skip
    return Table(
        "deliveries", "各部门数据：时效、完整、应答", "Deliveries: timeliness, completeness, answers", kinds, rows
    )


def coverage(records: list[Record]) -> Table:
    """Persons by state, for each batch and dataset."""
    rows = []
    for record in records:
        for dataset, found in record["datasets"].items():
            counts: dict[Any, int] = dict(found["coverage"])
            asked = [state for state in ASKED if state in counts]
            totals = {"asked": sum(counts[s] for s in asked), ALL: sum(counts.values())}
            others = [state for state in counts if state not in asked]
            lines = [Line(tuple(asked), "asked"), Line(("asked", *others), ALL)]
            unseen = hidden(counts | totals, lines)
            for state, persons in found["coverage"].items():
                row = key(record) | {"dataset": dataset, "state": state, "persons": persons}
                rows.append(shown(row, ["persons"] if state in unseen else []))
    columns: dict[str, Kind] = {
        "batch": "text", "moment": "date", "dataset": "text", "state": "text", "persons": "count",
    }  # fmt: skip
    return Table("coverage", "人员的核实情况", "Persons by state", columns, rows)


def set_aside(records: list[Record]) -> Table:
    """Rows set aside at admission, by reason; one row with the reason ``all`` is their sum."""
    rows = []
    for record in records:
        for dataset, found in record["datasets"].items():
            counts: dict[Any, int] = {(column, reason): n for column, reason, n in found["quarantine"]}
            if not counts:
                continue
            line = Line(tuple(counts), ("", ALL))
            counts |= {line.total: sum(counts.values())}
            unseen = hidden(counts, [line])
            for cell in (*line.parts, line.total):
                column, reason = cell
                row = key(record) | {"dataset": dataset, "column": column, "reason": reason, "rows": counts[cell]}
                rows.append(shown(row, ["rows"] if cell in unseen else []))
    columns: dict[str, Kind] = {
        "batch": "text", "moment": "date", "dataset": "text", "column": "text", "reason": "text", "rows": "count",
    }  # fmt: skip
    return Table("set_aside", "隔离的行（按原因）", "Rows set aside, by reason", columns, rows)


def expectations(records: list[Record]) -> Table:
    """Every expectation's outcome."""
    rows = []
    for record in records:
        for entry in record["expectations"]:
            row = key(record) | {
                "suite": entry["suite"],
                "expectation": entry["name"],
                "rule": entry["rule"],
                "zh": entry["zh"],
                "en": entry["en"],
                "rows": entry["rows"],
                "broken": entry["broken"],
                "warn_above": entry["warn_above"] * 100,
                "fail_above": entry["fail_above"] * 100,
                "verdict": entry["verdict"],
            }
            unseen = [name for name in ("rows", "broken") if is_small(row[name])]
            if is_small(row["rows"] - row["broken"]):
                unseen.append("broken")
            rows.append(shown(row, unseen))
    columns: dict[str, Kind] = {
        "batch": "text", "moment": "date", "suite": "text", "expectation": "text", "rule": "text", "zh": "text",
        "en": "text", "rows": "count", "broken": "count", "warn_above": "share", "fail_above": "share",
        "verdict": "text",
    }  # fmt: skip
    return Table("expectations", "质量规则的结果", "Outcomes of expectations", columns, rows)


def drift(records: list[Record]) -> Table:
    """Measures of each dataset beside those of its last extract, where enough stands behind both."""
    rows = []
    for record in records:
        for found in record["drift"]:
            if found["measure"] in _COUNTED or found["n"] >= _ENOUGH:
                row = key(record) | {name: found[name] for name in ("dataset", "measure", "column", "verdict")}
                row |= {"now": _told(found, "now", "n"), "before": _told(found, "before", "n_before")}
                rows.append(row | {"breaks": " ".join(found["broken"]), "hidden": ""})
    columns: dict[str, Kind] = {
        "batch": "text", "moment": "date", "dataset": "text", "measure": "text", "column": "text", "now": "share",
        "before": "share", "verdict": "text", "breaks": "text",
    }  # fmt: skip
    return Table("drift", "与上次数据相比", "Against the last extract", columns, rows)


def _told(found: Row, name: str, of: str) -> float | None:
    """A measure as it is published: yuan, days or months as they are, a share cut down to its step."""
    value, whole = found[name], found[of]
    if value is None:
        return None
    if found["measure"] == "median":
        return value / 100 if whole >= _ENOUGH else None
    if found["measure"] in _COUNTED:
        return float(value)
    if found["measure"] == "delivered":
        return None if is_small(value) else float(value)
    return share(value * whole // 10_000, whole)
