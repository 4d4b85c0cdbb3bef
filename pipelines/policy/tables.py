"""Policy as tables that ``sql/`` joins by ``policy_id``: SQL never knows a limit."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import date

import pyarrow as pa

from pipelines.policy.load import Pack
from pipelines.policy.resolve import ResolvedPolicy, resolve
from pipelines.policy.settle import Settled
from pipelines.policy.suitable import suitable

Key = tuple[str, str, str, date]
Line = dict[str, object]

_TEXT, _LONG, _INT, _FLAG = pa.string(), pa.int64(), pa.int32(), pa.bool_()
_TEST = {
    "test": _TEXT,
    "figure": _TEXT,
    "op": _TEXT,
    "scale": _TEXT,
    "unit": _TEXT,
    "limit_value": _LONG,
    "title_zh": _TEXT,
    "title_en": _TEXT,
    "formula": _TEXT,
    "cites": _TEXT,
    "example": _FLAG,
}
SCHEMAS: dict[str, pa.Schema] = {
    "policy": pa.schema(
        {
            "policy_id": _INT,
            "programme": _TEXT,
            "programme_zh": _TEXT,
            "programme_en": _TEXT,
            "unit": _TEXT,
            "supporters_asked": _FLAG,
            "pack": _TEXT,
            "version": _TEXT,
            "digest": _TEXT,
            "window_months": _INT,
            "bonus_rule": _TEXT,
            "loss_offset": _FLAG,
            "wage_deduction_bp": _INT,
            "wage_deduction_cap_fen": _LONG,
            "minor_age": _INT,
            "adult_child_age": _INT,
            "student_stages": pa.list_(_TEXT),
            "mortgage_netted": _FLAG,
            "validity_months": _INT,
            "objection_days": _INT,
            "objection_unit": _TEXT,
            "trace_proceeds_min_fen": _LONG,
            "support_share_bp": _INT,
            "support_floor_fen": _LONG,
        }
    ),
    "policy_tests": pa.schema({"policy_id": _INT, **_TEST}),
    "policy_income_excluded": pa.schema({"policy_id": _INT, "kind": _TEXT, "cites": _TEXT}),
    "policy_sources": pa.schema({"policy_id": _INT, "dataset": _TEXT, "requirement": _TEXT}),
    "policy_tolerances": pa.schema({"policy_id": _INT, "item": _TEXT, "tolerance": _LONG}),
    "policy_statuses": pa.schema(
        {"policy_id": _INT, "kind": _TEXT, "min_years": _INT, "counted": _FLAG, "cites": _TEXT}
    ),
    "policy_vehicle_exempt": pa.schema(
        {"policy_id": _INT, "use_character": _TEXT, "needs_evidence": _FLAG, "cites": _TEXT}
    ),
    "policy_expense_deductions": pa.schema(
        {"policy_id": _INT, "kind": _TEXT, "rate_bp": _INT, "cap_fen": _LONG, "cites": _TEXT}
    ),
    # tests of programmes that were not applied for, and what each requires that the one applied for need not have
    "policy_suitable": pa.schema(
        {"policy_id": _INT, "programme": _TEXT, "programme_zh": _TEXT, "programme_en": _TEXT, **_TEST}
    ),
    "policy_suitable_sources": pa.schema({"policy_id": _INT, "programme": _TEXT, "dataset": _TEXT}),
}


def tables(pack: Pack, keys: Sequence[Key]) -> dict[str, pa.Table]:
    """The policy of every key (programme, division, area kind, application date) as Arrow tables.

    Args:
        pack: a loaded pack.
        keys: ``policy_id`` is the place of a key in this list.

    Returns:
        One table for each of SCHEMAS; money in fen, rates in basis points.

    Raises:
        As ``resolve``.
    """
    lines: dict[str, list[Line]] = {name: [] for name in SCHEMAS}
    told: dict[tuple[str, str, str, int], dict[str, list[Line]]] = {}
    eras = sorted(pack.days_of_change)
    for policy_id, (programme, division, area_kind, on) in enumerate(keys):
        # Thousands of application dates, and between two days of change all of them have one answer.
        key = (programme, division, area_kind, bisect_right(eras, on))
        if key not in told:
            told[key] = _told(pack, programme, division, area_kind, on)
        for name, rows in told[key].items():
            lines[name].extend({"policy_id": policy_id, **row} for row in rows)
    return {name: pa.Table.from_pylist(lines[name], schema=schema) for name, schema in SCHEMAS.items()}


def _told(pack: Pack, programme: str, division: str, area_kind: str, on: date) -> dict[str, list[Line]]:
    """The rows of every table for one key."""
    policy = resolve(pack, programme, division, area_kind, on)
    others = list(suitable(policy, lambda name: resolve(pack, name, division, area_kind, on)))
    return {
        "policy": [_policy(policy)],
        **{name: list(rows) for name, rows in _parts(policy).items()},
        "policy_suitable": [{**_named(other), **line} for other, _ in others for line in _tests(other)],
        "policy_suitable_sources": [
            {"programme": other.programme.name, "dataset": dataset}
            for other, datasets in others
            for dataset in datasets
        ],
    }


def _named(policy: ResolvedPolicy) -> Line:
    programme = policy.programme
    return {"programme": programme.name, "programme_zh": programme.title.zh, "programme_en": programme.title.en}


def _policy(policy: ResolvedPolicy) -> Line:
    value = policy.value
    return {
        **_named(policy),
        "unit": policy.programme.authorisation.unit,
        "supporters_asked": "supporters" in policy.programme.authorisation.of,
        "pack": policy.pack.id,
        "version": policy.pack.version,
        "digest": policy.pack.digest,
        "window_months": value("window_months"),
        "bonus_rule": value("bonus_rule"),
        "loss_offset": value("loss_offset"),
        "wage_deduction_bp": value("wage_deduction") or 0,
        "wage_deduction_cap_fen": value("wage_deduction_cap"),
        "minor_age": value("minor_age"),
        "adult_child_age": value("adult_child_age"),
        "student_stages": value("student_stages") or (),
        "mortgage_netted": value("mortgage_netted"),
        "validity_months": value("validity_months"),
        "objection_days": value("objection_days"),
        "objection_unit": policy.pack.parameters["objection_days"].unit,
        "trace_proceeds_min_fen": value("trace_proceeds_min"),
        "support_share_bp": value("support_share"),
        "support_floor_fen": value("support_floor"),
    }


def _parts(policy: ResolvedPolicy) -> dict[str, Iterator[Line]]:
    return {
        "policy_tests": _tests(policy),
        "policy_income_excluded": _items(policy, "income_excluded", "kind"),
        "policy_sources": ({"dataset": name, "requirement": need} for name, need in policy.sources.items()),
        "policy_tolerances": (
            {"item": item, "tolerance": settled.value or 0}
            for name in ("tolerance_money", "tolerance_count")
            for item, settled in policy.lists[name].items()
        ),
        "policy_statuses": (
            {
                "kind": kind,
                "min_years": settled.value or 0,
                "counted": settled.value is None,
                "cites": cited(policy, settled),
            }
            for kind, settled in policy.lists["excluded_status"].items()
        ),
        "policy_vehicle_exempt": (
            {**line, "needs_evidence": bool(_of_item(policy, "vehicle_evidence", str(line["use_character"])))}
            for line in _items(policy, "vehicle_exempt", "use_character")
        ),
        "policy_expense_deductions": (
            {
                "kind": kind,
                "rate_bp": settled.value,
                "cap_fen": _of_item(policy, "expense_cap", kind),
                "cites": cited(policy, settled),
            }
            for kind, settled in policy.lists["expense_rate"].items()
            if settled.value
        ),
    }


def _tests(policy: ResolvedPolicy) -> Iterator[Line]:
    for name, resolved in policy.tests.items():
        yield {
            "test": name,
            "figure": resolved.test.figure,
            "op": resolved.operator.value,
            "scale": resolved.test.scale,
            "unit": resolved.test.unit,
            "limit_value": resolved.limit_value,
            "title_zh": resolved.test.title.zh,
            "title_en": resolved.test.title.en,
            "formula": resolved.limit.working,
            "cites": "；".join(resolved.cites),
            "example": resolved.example,
        }


def _of_item(policy: ResolvedPolicy, name: str, item: str) -> object:
    """The value of an item of a list, None where it has none."""
    settled = policy.lists[name].get(item)
    return settled.value if settled else None


def _items(policy: ResolvedPolicy, name: str, column: str) -> Iterator[Line]:
    """Items of a list of flags that hold."""
    for item, settled in policy.lists[name].items():
        if settled.value:
            yield {column: item, "cites": cited(policy, settled)}


def cited(policy: ResolvedPolicy, settled: Settled) -> str:
    """Citations of a value in full, or that it is an example."""
    return "；".join(policy.pack.cite(settled.cites)) or "示例 example"
