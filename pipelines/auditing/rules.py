"""Rule records (R77) and corrections asked of departments (R69), as published tables.

What can be told today: how many households each review reason was raised for, by division, kind of area and
programme; and what became of the objections against items of reports, by the rule of the item. An objection that the
department answers with a correction refutes what the rule had raised; one that it confirms, or that is taken back,
upholds it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from pipelines import tables
from pipelines.auditing.published import ALL, Kind, Row, Table, households, shown
from pipelines.auditing.record import Record
from pipelines.auditing.small_cells import LEAST, Line, hidden, share
from pipelines.objections import Objection, listed
from pipelines.store import Store

_AXES = ("division", "area_kind", "programme")
OUTCOMES = ("waiting", "corrected", "confirmed", "taken_back")


def raised(records: list[Record]) -> Table:
    """Households by review reason and group; of a group of fewer than five nothing is told."""
    rows = [row for record in records if households(record) >= LEAST for row in _raised(record)]
    columns: dict[str, Kind] = {
        "batch": "text", "moment": "date", "rule": "text", "reason": "text", "axis": "text", "group": "text",
        "households": "count", "share": "share",
    }  # fmt: skip
    return Table("rule_records", "规则档案：提示次数", "Rule records: what was raised", columns, rows)


def groups(records: list[Record]) -> Table:
    """Households by division, kind of area and programme."""
    rows = []
    for record in records:
        of = _groups(record)
        unseen = hidden(of, _axes(of))
        for cell in sorted(of):
            row = {"batch": record["batch"], "moment": record["as_of"], "axis": cell[0], "group": cell[1]}
            rows.append(shown(row | {"households": of[cell]}, ["households"] if cell in unseen else []))
    columns: dict[str, Kind] = {
        "batch": "text", "moment": "date", "axis": "text", "group": "text", "households": "count",
    }  # fmt: skip
    return Table("households", "核对的家庭", "Households", columns, rows)


def _groups(record: Record) -> dict[tuple[str, str], int]:
    """Households by (axis, group), with all of them under (``all``, ``all``)."""
    of: dict[tuple[str, str], int] = defaultdict(int)
    for *group, count in record["groups"]:
        for cell in ((ALL, ALL), *zip(_AXES, group, strict=True)):
            of[cell] += count
    return of


def _axes(cells: Iterable[tuple[str, str]]) -> list[Line]:
    """Along every axis the groups add up to the same."""
    return [Line(tuple(cell for cell in cells if cell[0] == axis), (ALL, ALL)) for axis in _AXES]


def _raised(record: Record) -> list[Row]:
    """One batch: each reason along every axis; the sums over the axes are one and the same, and guarded as such."""
    of = _groups(record)
    counts: dict[tuple[str, str], dict[tuple[str, str], int]] = defaultdict(lambda: dict.fromkeys(of, 0))
    for reason, rule, *group, count in record["review"]:
        for cell in ((ALL, ALL), *zip(_AXES, group, strict=True)):
            counts[rule, reason][cell] += count
    lines, few = _axes(of), [cell for cell in of if of[cell] < LEAST]
    unknown = hidden(of, lines)
    rows = []
    for (rule, reason), found in sorted(counts.items(), key=lambda one: (_number(one[0][0]), *one[0])):
        unseen = hidden(found, lines, few)
        for cell in sorted(found):
            row = {"batch": record["batch"], "moment": record["as_of"], "rule": rule, "reason": reason}
            row |= {"axis": cell[0], "group": cell[1], "households": found[cell]}
            # Both counts are published, so their share tells nothing more.
            row["share"] = None if cell in unseen | unknown else round(100 * found[cell] / of[cell], 2)
            rows.append(shown(row, ["households"] if cell in unseen else []))
    return rows


def _number(rule: str) -> int:
    """R6 before R12."""
    return int("".join(filter(str.isdigit, rule)) or 0)


def answers(store: Store, on: date) -> tuple[Table, Table]:
    """Objections by dataset and by rule and division: what was asked, what was answered, as of a day.

    Both tables count the same objections, so their cells are guarded together.
    """
    everything = listed(store)
    about, divisions = _about(store), _divisions(store)
    by: dict[tuple[str, ...], list[Objection]] = defaultdict(list)
    for one in everything:
        rule = about.get(one.objection_id, ("", ""))
        by["dataset", one.dataset].append(one)
        by["rule", *rule, ALL].append(one)
        by["rule", *rule, divisions.get(one.request_id, "")].append(one)
    counts = {(*key, name): n for key, found in by.items() for name, n in _outcomes(found).items()}
    counts |= {(ALL, name): n for name, n in _outcomes(everything).items()}
    unseen = hidden(counts, _sums(counts))
    datasets = [
        _row({"department": key[1].partition("/")[0], "dataset": key[1]}, key, counts, unseen) | _clock(found, on)
        for key, found in sorted(by.items())
        if key[0] == "dataset"
    ]
    rules = [
        _row({"rule": key[1], "reason": key[2], "division": key[3]}, key, counts, unseen)
        for key in sorted(by)
        if key[0] == "rule"
    ]
    told: dict[str, Kind] = dict.fromkeys(("asked", *OUTCOMES), "count")
    clock: dict[str, Kind] = {"overdue": "flag", "next_due": "date", "late_answers": "share"}
    words: dict[str, Kind] = {"department": "text", "dataset": "text"}
    texts: dict[str, Kind] = {"rule": "text", "reason": "text", "division": "text"}
    return (
        Table("corrections", "要求部门更正的情况", "Corrections asked of departments",
              words | told | clock, datasets),
        Table("rule_answers", "规则档案：异议的结果", "Rule records: what became of objections", texts | told, rules),
    )  # fmt: skip


def approvals(store: Store) -> dict[str, Row]:
    """The newest answer on each batch that waited for a person: what was answered and when; not who, and not why.

    A reason is typed by a person and could name one; it is in the ledger.
    """
    table = tables.ledger
    query = sa.select(table.c.batch_id, table.c.at, table.c.detail).where(table.c.kind == "approval")
    with store.read() as connection:
        found = connection.execute(query.order_by(table.c.seq)).all()
    return {row.batch_id: {"at": row.at, "answer": json.loads(row.detail)["answer"]} for row in found}


def _sums(counts: Mapping[tuple[str, ...], int]) -> list[Line]:
    """What adds up: outcomes to what was asked, divisions to their rule, datasets and rules to all."""
    groups = sorted({key[:-1] for key in counts})
    lines = [Line(tuple((*group, name) for name in OUTCOMES), (*group, "asked")) for group in groups]
    for name in ("asked", *OUTCOMES):
        datasets = [group for group in groups if group[0] == "dataset"]
        rules = [group for group in groups if group[0] == "rule" and group[3] == ALL]
        lines += [Line(tuple((*group, name) for group in part), (ALL, name)) for part in (datasets, rules)]
        for rule in rules:
            parts = [group for group in groups if group[:3] == rule[:3] and group != rule]
            lines.append(Line(tuple((*group, name) for group in parts), (*rule, name)))
    return lines


def _row(row: Row, key: tuple[str, ...], counts: Mapping[Any, int], unseen: Collection[Any]) -> Row:
    names = ("asked", *OUTCOMES)
    return shown(row | {name: counts[*key, name] for name in names}, [n for n in names if (*key, n) in unseen])


def _clock(found: Sequence[Objection], on: date) -> Row:
    """Whether the department is late: about the department, not about anybody's record."""
    waiting = [one for one in found if one.state == "open"]
    answered = [one for one in found if _answered_on(one)]
    return {
        "overdue": any(one.overdue(on) for one in waiting),
        "next_due": min((one.due_on.isoformat() for one in waiting), default=None),
        "late_answers": share(sum(_late(one) for one in answered), len(answered)),
    }


def _outcomes(found: Sequence[Objection]) -> dict[str, int]:
    told = [one.outcome or "waiting" for one in found]
    return {"asked": len(found)} | {name: told.count(name) for name in OUTCOMES}


def _answered_on(one: Objection) -> date | None:
    told = [event["at"] for event in one.events if event["kind"] == "answered"]
    return datetime.fromisoformat(told[0]).date() if told else None


def _late(one: Objection) -> bool:
    answered = _answered_on(one)
    return answered is not None and answered > one.due_on


def _about(store: Store) -> dict[str, tuple[str, str]]:
    """Rule and reason of what each objection is against, as the ledger keeps them since its opening."""
    table = tables.ledger
    query = sa.select(table.c.subject, table.c.detail).where(table.c.kind == "objection")
    found: dict[str, tuple[str, str]] = {}
    with store.read() as connection:
        for subject, detail in connection.execute(query):
            told: dict[str, Any] = json.loads(detail)
            if told["kind"] == "opened":
                found[subject.partition("/")[0]] = (told.get("rule") or "", told.get("reason") or "")
    return found


def _divisions(store: Store) -> dict[str, str]:
    table = tables.requests
    with store.read() as connection:
        return {row[0]: row[1] for row in connection.execute(sa.select(table.c.request_id, table.c.division))}
