"""A household told in words and figures, as tables that sql/ reads. No code of the assessment is repeated here.

The stories (tests/rules/golden/*.yaml) say who lives together, what the departments sent, what was not answered, and
what the report must say. Amounts are yuan, months are written 2025-09..2026-08, persons are letters.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from connectors.contract import load_contracts
from pipelines import exchange_rates
from pipelines.assess import run_steps
from pipelines.facts import KINDS, number_facts
from pipelines.policy import Pack, load_pack, pack_folder, tables
from pipelines.warehouse import sql_text

PACKS = Path(__file__).resolve().parent.parent / "packs"
Story = dict[str, Any]


@dataclass
class Household:
    """One story, loaded: a connection with every table that sql/household, sql/figures and sql/assess read."""

    con: duckdb.DuckDBPyConnection
    story: Story
    own: str = "TRUE"  # which rows are this household's, where others are on the same connection

    def rows(self, table: str, columns: str = "*", where: str = "TRUE") -> list[tuple]:
        """Rows of an assessed table."""
        source = f"(SELECT * FROM {table} WHERE {self.own})"
        return self.con.execute(f"SELECT {columns} FROM {source} WHERE {where} ORDER BY ALL").fetchall()


def assess(story: Story) -> Household:
    """Load the story's tables and run the assessment."""
    con = load(story)
    number_facts(con)
    run_steps(con)
    return Household(con, story)


def load(story: Story) -> duckdb.DuckDBPyConnection:
    """The story's tables; its facts are told, and not numbered yet."""
    con = duckdb.connect(config={"threads": 1})
    _planned(con, story)
    _policy(con, story)
    _facts(con, story)
    _coverage(con, story)
    return con


def person(name: str) -> uuid.UUID:
    """The token of a person, an account or a name: any fixed permutation serves."""
    return uuid.uuid5(uuid.NAMESPACE_OID, name)


def fen(yuan: object) -> int:
    """Yuan as written in a story, in fen."""
    return int(Decimal(str(yuan)) * 100)


def _create(con: duckdb.DuckDBPyConnection, table: str, columns: dict[str, str], rows: list[dict[str, Any]]) -> None:
    con.execute(f"CREATE TABLE {table} ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")
    marks = ", ".join("?" for _ in columns)
    for row in rows:
        unknown = set(row) - set(columns)
        assert not unknown, f"{table} has no {unknown}"
        con.execute(f"INSERT INTO {table} VALUES ({marks})", [row.get(name) for name in columns])


def _members(story: Story) -> list[dict[str, Any]]:
    members = []
    for number, (who, told) in enumerate(story["members"].items(), start=1):
        given = dict(told)
        members.append(
            {
                "request_id": "Q", "member_no": number,
                "person": None if given.get("number") is False else person(who),
                "name_token": person("name " + who), "relation": given.get("relation", "applicant"),
                "role": given.get("role", "member"), "birth_date": given.get("born", date(1980, 1, 1)),
                "married": given.get("married"), "student_stage": given.get("student"),
                "student_full_time": "student" in given, "legal_capacity": given.get("capacity", True),
                "support_household": given.get("own_household"), "support_number": given.get("supports"),
            }
        )  # fmt: skip
    return members


def _planned(con: duckdb.DuckDBPyConnection, story: Story) -> None:
    members = _members(story)
    applied = story.get("applied", date(2026, 9, 15))
    request = {
        "request_id": "Q", "policy_id": 0, "programme": story.get("programme", "subsistence_allowance"),
        "division": str(story.get("division", "370303")), "area_kind": story.get("area", "urban"),
        "application_date": applied, "reference_date": story.get("reference", applied),
    }  # fmt: skip
    _create(
        con,
        "requests",
        dict.fromkeys(request, "VARCHAR")
        | {"policy_id": "INTEGER", "application_date": "DATE", "reference_date": "DATE"},
        [request],
    )
    kinds = dict.fromkeys(members[0], "VARCHAR") | {
        "member_no": "INTEGER", "person": "UUID", "name_token": "UUID", "birth_date": "DATE", "married": "BOOLEAN",
        "student_full_time": "BOOLEAN", "legal_capacity": "BOOLEAN", "support_household": "INTEGER",
        "support_number": "INTEGER",
    }  # fmt: skip
    _create(con, "members", kinds, members)
    numbers = {who: member["member_no"] for who, member in zip(story["members"], members, strict=True)}
    statuses = [
        {
            "request_id": "Q",
            "member_no": numbers[s["who"]],
            "kind": s["kind"],
            "from_on": s["from"],
            "to_on": s.get("to"),
        }
        for s in story.get("declared_statuses", [])
    ]
    _create(
        con,
        "member_statuses",
        {"request_id": "VARCHAR", "member_no": "INTEGER", "kind": "VARCHAR", "from_on": "DATE", "to_on": "DATE"},
        statuses,
    )
    declared = [
        {
            "request_id": "Q",
            "item": item,
            "declared": value if item in ("homes", "vehicles", "businesses") else fen(value),
        }
        for item, value in story.get("declared", {}).items()
    ]
    _create(con, "declarations", {"request_id": "VARCHAR", "item": "VARCHAR", "declared": "BIGINT"}, declared)
    other = [{"person": person(who), "request_id": "OTHER"} for who in story.get("also_in_another_request", [])]
    _create(con, "other_requests", {"person": "UUID", "request_id": "VARCHAR"}, other)
    ended = [
        {"request_id": "Q", "member_no": numbers[who], "reason": "withdrawn"}
        for who in story.get("authorisation_ended", [])
    ]
    _create(con, "ended_authorisations", {"request_id": "VARCHAR", "member_no": "INTEGER", "reason": "VARCHAR"}, ended)


@cache
def _pack(name: str) -> Pack:
    return load_pack(PACKS / name if (PACKS / name).exists() else pack_folder(name))


@cache
def _feeds() -> list[tuple[str, str]]:
    return [(dataset, figure) for dataset, contract in load_contracts().items() for figure in contract.feeds]


def _pack_says(con: duckdb.DuckDBPyConnection, told: Story) -> None:
    """What a story's pack says otherwise: amounts in yuan, shares in percent."""
    columns = {"wage_deduction_cap": "wage_deduction_cap_fen", "support_floor": "support_floor_fen"}
    for name, value in told.items():
        if name == "expenses":
            for kind, rule in value.items():
                cap = fen(rule["cap"]) if "cap" in rule else None
                con.execute(
                    "INSERT INTO policy_expense_deductions VALUES (0, ?, ?, ?, '示例 example')",
                    [kind, rule["share"] * 100, cap],
                )
        elif name == "vehicle_exempt":
            con.execute("DELETE FROM policy_vehicle_exempt")
            for use, evidence in value.items():
                con.execute(
                    "INSERT INTO policy_vehicle_exempt VALUES (0, ?, ?, '示例 example')",
                    [use, evidence == "with evidence"],
                )
        elif name == "support_share":
            con.execute("UPDATE policy SET support_share_bp = ?", [value * 100])
        elif name in columns:
            con.execute(f"UPDATE policy SET {columns[name]} = ?", [fen(value)])
        else:
            con.execute(f"UPDATE policy SET {name} = ?", [value])


def _policy(con: duckdb.DuckDBPyConnection, story: Story) -> None:
    pack = _pack(str(story.get("pack", "example")))
    key = con.execute("SELECT programme, division, area_kind, application_date FROM requests").fetchall()
    for table, content in tables(pack, key).items():
        con.register("_policy_table", content)
        con.execute(f"CREATE TABLE {table} AS SELECT * FROM _policy_table")
    _pack_says(con, story.get("pack_says", {}))
    exchange_rates.load(con, exchange_rates.EXAMPLE if story.get("exchange_rates") == "example" else None)
    feeds = _feeds()
    con.register("_feeds", pa.table({"dataset": [f[0] for f in feeds], "figure": [f[1] for f in feeds]}))
    con.execute("CREATE TABLE feeds AS SELECT * FROM _feeds")


def _spans(fact: Story) -> Iterator[tuple[date | None, date | None]]:
    """Half-open periods: `months: 2025-09..2026-08` is one a month, `year: 2025` one a year, `period: [a, b]` one."""
    if "months" in fact:
        first, last = (str(fact["months"]).split("..") * 2)[:2]
        y, m = map(int, first.split("-"))
        while (y, m) <= tuple(map(int, last.split("-"))):
            following = (y, m + 1) if m < 12 else (y + 1, 1)
            yield date(y, m, 1), date(*following, 1)
            y, m = following
    elif "year" in fact:
        yield date(fact["year"], 1, 1), date(fact["year"] + 1, 1, 1)
    elif "period" in fact:
        yield fact["period"][0], fact["period"][1]
    else:
        yield fact.get("from"), fact.get("to")


def _fact_rows(kind: str, fact: Story) -> Iterator[dict[str, Any]]:
    given = {
        k: v
        for k, v in fact.items()
        if k
        not in (
            "who",
            "name",
            "months",
            "year",
            "period",
            "from",
            "to",
            "source",
            "yuan",
            "sold_for",
            "owed",
            "with",
            "other",
        )
    }
    base = given | {"person": person(fact["who"]), "dataset": fact.get("source", "test/source")}
    if "name" in fact:
        base["name_token"] = person("name " + fact["name"])
    for start, end in _spans(fact):
        row = dict(base)
        if kind == "expense":
            row |= {"period_from": start, "period_to": end, "amount_fen": fen(fact["yuan"])}
        elif kind == "income":
            annual = "annual" if "year" in fact else "month"
            row |= {"period_from": start, "period_to": end, "amount_fen": fen(fact["yuan"])}
            row.setdefault("granularity", annual)
            row.setdefault("kind", fact["category"])
        elif kind == "holding":
            row["co_holders"] = [person(other) for other in fact.get("with", [])]
            row["value_fen"] = fen(fact["yuan"]) if "yuan" in fact else None
            row["proceeds_fen"] = fen(fact["sold_for"]) if "sold_for" in fact else None
            row["mortgage_fen"] = fen(fact["owed"]) if "owed" in fact else None
            row.setdefault("status", "held")
            if row["class"] in ("dwelling", "vehicle") and "share_bp" not in row:
                row["share_bp"] = 10000
        else:
            row |= {"from_on": start} | ({"to_on": end} if kind == "status" else {"other": person(fact["other"])})
        yield row


def _facts(con: duckdb.DuckDBPyConnection, story: Story) -> None:
    row_no = 0
    for kind in KINDS:
        con.execute(f"CREATE TABLE told_{kind} AS {sql_text(f'facts/{kind}.sql')}")
        for fact in story.get(kind, []):
            for row in _fact_rows(kind, fact):
                row_no += 1
                row |= {"extract_digest": "sha256:" + "0" * 64, "row_no": row_no, "row_digest": f"{row_no:032x}"}
                names = ", ".join(row)
                con.execute(
                    f"INSERT INTO told_{kind} ({names}) VALUES ({', '.join('?' for _ in row)})", list(row.values())
                )


def _coverage(con: duckdb.DuckDBPyConnection, story: Story) -> None:
    con.execute("""CREATE TABLE queries AS
        SELECT m.request_id, m.member_no, s.dataset, m.person,
          CASE WHEN m.person IS NULL THEN 'not_queryable' ELSE 'ask' END AS state
        FROM members m JOIN requests r USING (request_id) JOIN policy_sources s USING (policy_id)""")
    con.execute("""CREATE TABLE coverage AS
        SELECT DISTINCT dataset, person, 'covered' AS state, DATE '2026-09-10' AS as_of, 'sha256:0' AS extract_digest,
          0 AS quarantined_rows
        FROM queries WHERE state = 'ask'""")
    for gap in story.get("not_covered", []):
        who = story["members"] if gap.get("who", "all") == "all" else [gap["who"]]
        for name in who:
            con.execute(
                "UPDATE coverage SET state = ? WHERE dataset = ? AND person = ?",
                [gap.get("state", "unavailable"), gap["source"], person(name)],
            )
    for bad in story.get("quarantined", []):
        con.execute(
            "UPDATE coverage SET quarantined_rows = 1 WHERE dataset = ? AND person = ?",
            [bad["source"], person(bad["who"])],
        )
    con.execute("CREATE TABLE failed_gates (dataset VARCHAR)")
    for dataset in story.get("failed_gates", []):
        con.execute("INSERT INTO failed_gates VALUES (?)", [dataset])
