"""Households told in words and figures, as tables that sql/ reads. No code of the assessment is repeated here.

The stories (tests/rules/golden/*.yaml) say who lives together, what the departments sent, what was not answered, and
what the report must say. Amounts are yuan, months are written 2025-09..2026-08, persons are letters. Many stories are
loaded into one connection as quickly as one: no two of them share a request, a person, a policy or an extract.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Iterator, Sequence
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
COUNTS = ("homes", "vehicles", "businesses")
REQUESTS = {
    "request_id": "VARCHAR", "policy_id": "INTEGER", "programme": "VARCHAR", "division": "VARCHAR",
    "area_kind": "VARCHAR", "application_date": "DATE", "reference_date": "DATE",
}  # fmt: skip
MEMBERS = {
    "request_id": "VARCHAR", "member_no": "INTEGER", "person": "UUID", "name_token": "UUID", "relation": "VARCHAR",
    "role": "VARCHAR", "birth_date": "DATE", "married": "BOOLEAN", "student_stage": "VARCHAR",
    "student_full_time": "BOOLEAN", "legal_capacity": "BOOLEAN", "support_household": "INTEGER",
    "support_number": "INTEGER",
}  # fmt: skip
STATUSES = {
    "request_id": "VARCHAR", "member_no": "INTEGER", "kind": "VARCHAR", "from_on": "DATE", "to_on": "DATE",
}  # fmt: skip
DECLARATIONS = {"request_id": "VARCHAR", "item": "VARCHAR", "declared": "BIGINT"}
OTHERS = {"person": "UUID", "request_id": "VARCHAR"}
FEEDS = {"dataset": "VARCHAR", "figure": "VARCHAR"}
ENDED = {"request_id": "VARCHAR", "member_no": "INTEGER", "reason": "VARCHAR"}


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


@dataclass(frozen=True)
class Told:
    """A story under the number of its policy and the id of its request."""

    story: Story
    request: str = "Q"
    policy_id: int = 0

    def person(self, name: str) -> uuid.UUID:
        """The token of a person, an account or a name: any fixed permutation serves."""
        return uuid.uuid5(uuid.NAMESPACE_OID, f"{self.request} {name}")

    @property
    def extract(self) -> str:
        """The digest of the one extract that every source has sent of it."""
        return "sha256:" + hashlib.sha256(self.request.encode()).hexdigest()


def assess(story: Story) -> Household:
    """Load the story's tables and run the assessment."""
    return Household(assessed([Told(story)]), story)


def assess_all(*stories: Story) -> list[Household]:
    """Assess several stories in one run, which takes little longer than one of them."""
    told = [Told(story, f"Q{number}", number) for number, story in enumerate(stories)]
    con = assessed(told)
    return [Household(con, one.story, f"request_id = '{one.request}'") for one in told]


def assessed(told: Sequence[Told]) -> duckdb.DuckDBPyConnection:
    """A connection on which the stories were assessed; those that tell the same otherwise do not go together.

    What holds for all on a connection: gates that failed, exchange rates.
    """
    con = duckdb.connect(config={"threads": 1})
    _planned(con, told)
    _policy(con, told)
    _facts(con, told)
    _coverage(con, told)
    number_facts(con)
    run_steps(con)
    return con


def fen(yuan: object) -> int:
    """Yuan as written in a story, in fen."""
    return int(Decimal(str(yuan)) * 100)


def _create(
    con: duckdb.DuckDBPyConnection, table: str, columns: dict[str, str], rows: Iterable[dict[str, Any]]
) -> None:
    con.execute(f"CREATE TABLE {table} ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")
    _insert(con, table, columns, rows)


def _insert(con: duckdb.DuckDBPyConnection, table: str, columns: Iterable[str], rows: Iterable[dict[str, Any]]) -> None:
    """All rows in one statement, as texts that DuckDB casts: a statement a row takes a hundred times as long."""
    known = list(columns)
    texts: dict[str, list[str | None]] = {name: [] for name in known}
    for row in rows:
        unknown = set(row) - set(known)
        assert not unknown, f"{table} has no {unknown}"
        for name in known:
            texts[name].append(_text(row.get(name)))
    con.register("_rows", pa.table({name: pa.array(values, pa.string()) for name, values in texts.items()}))
    con.execute(f"INSERT INTO {table} ({', '.join(known)}) SELECT * FROM _rows")
    con.unregister("_rows")


def _text(value: object) -> str | None:
    if isinstance(value, list):
        return f"[{', '.join(map(str, value))}]"
    return None if value is None else str(value)


def _members(told: Told) -> Iterator[dict[str, Any]]:
    for number, (who, given) in enumerate(told.story["members"].items(), start=1):
        yield {
                "request_id": told.request, "member_no": number,
                "person": None if given.get("number") is False else told.person(who),
                "name_token": told.person("name " + who), "relation": given.get("relation", "applicant"),
                "role": given.get("role", "member"), "birth_date": given.get("born", date(1980, 1, 1)),
                "married": given.get("married"), "student_stage": given.get("student"),
                "student_full_time": "student" in given, "legal_capacity": given.get("capacity", True),
                "support_household": given.get("own_household"), "support_number": given.get("supports"),
        }  # fmt: skip


def _request(told: Told) -> dict[str, Any]:
    story = told.story
    applied = story.get("applied", date(2026, 9, 15))
    return {
        "request_id": told.request, "policy_id": told.policy_id,
        "programme": story.get("programme", "subsistence_allowance"),
        "division": str(story.get("division", "370303")), "area_kind": story.get("area", "urban"),
        "application_date": applied, "reference_date": story.get("reference", applied),
    }  # fmt: skip


def _numbered(told: Told, part: str) -> Iterator[tuple[int, Story]]:
    """The lines of a part that are about a member, with the member's number."""
    numbers = {who: number for number, who in enumerate(told.story["members"], start=1)}
    for line in told.story.get(part, []):
        yield numbers[line["who"] if isinstance(line, dict) else line], line


def _planned(con: duckdb.DuckDBPyConnection, all_told: Sequence[Told]) -> None:
    for table, columns, rows in (
        ("requests", REQUESTS, lambda told: [_request(told)]),
        ("members", MEMBERS, _members),
        ("member_statuses", STATUSES, lambda told: [
            {"request_id": told.request, "member_no": number, "kind": s["kind"], "from_on": s["from"],
             "to_on": s.get("to")}
            for number, s in _numbered(told, "declared_statuses")
        ]),
        ("declarations", DECLARATIONS, lambda told: [
            {"request_id": told.request, "item": item, "declared": value if item in COUNTS else fen(value)}
            for item, value in told.story.get("declared", {}).items()
        ]),
        ("other_requests", OTHERS, lambda told: [
            {"person": told.person(who), "request_id": "OTHER"}
            for who in told.story.get("also_in_another_request", [])
        ]),
        ("ended_authorisations", ENDED, lambda told: [
            {"request_id": told.request, "member_no": number, "reason": "withdrawn"}
            for number, _ in _numbered(told, "authorisation_ended")
        ]),
    ):  # fmt: skip
        _create(con, table, columns, [row for told in all_told for row in rows(told)])


@cache
def _pack(name: str) -> Pack:
    return load_pack(PACKS / name if (PACKS / name).exists() else pack_folder(name))


@cache
def _feeds() -> list[tuple[str, str]]:
    return [(dataset, figure) for dataset, contract in load_contracts().items() for figure in contract.feeds]


def _pack_says(con: duckdb.DuckDBPyConnection, policy_id: int, said: Story) -> None:
    """What a story's pack says otherwise: amounts in yuan, shares in percent."""
    columns = {"wage_deduction_cap": "wage_deduction_cap_fen", "support_floor": "support_floor_fen"}
    own = f"policy_id = {policy_id}"
    for name, value in said.items():
        if name == "expenses":
            for kind, rule in value.items():
                cap = fen(rule["cap"]) if "cap" in rule else None
                con.execute(
                    "INSERT INTO policy_expense_deductions VALUES (?, ?, ?, ?, '示例 example')",
                    [policy_id, kind, rule["share"] * 100, cap],
                )
        elif name == "vehicle_exempt":
            con.execute(f"DELETE FROM policy_vehicle_exempt WHERE {own}")
            for use, evidence in value.items():
                con.execute(
                    "INSERT INTO policy_vehicle_exempt VALUES (?, ?, ?, '示例 example')",
                    [policy_id, use, evidence == "with evidence"],
                )
        elif name == "support_share":
            con.execute(f"UPDATE policy SET support_share_bp = ? WHERE {own}", [value * 100])
        elif name in columns:
            con.execute(f"UPDATE policy SET {columns[name]} = ? WHERE {own}", [fen(value)])
        else:
            con.execute(f"UPDATE policy SET {name} = ? WHERE {own}", [value])


def _policy(con: duckdb.DuckDBPyConnection, all_told: Sequence[Told]) -> None:
    by_pack: dict[str, list[Told]] = {}
    for told in all_told:
        by_pack.setdefault(str(told.story.get("pack", "example")), []).append(told)
    for place, (pack, own) in enumerate(by_pack.items()):
        requests = [_request(told) for told in own]
        keys = [(r["programme"], r["division"], r["area_kind"], r["application_date"]) for r in requests]
        for table, content in tables(_pack(pack), keys).items():
            numbers = pa.array([told.policy_id for told in own], pa.int32()).take(content["policy_id"])
            con.register("_policy_table", content.set_column(0, "policy_id", numbers))
            into = f"INSERT INTO {table}" if place else f"CREATE TABLE {table} AS"
            con.execute(f"{into} SELECT * FROM _policy_table")
    con.unregister("_policy_table")
    for told in all_told:
        _pack_says(con, told.policy_id, told.story.get("pack_says", {}))
    rates = {told.story.get("exchange_rates") for told in all_told}
    exchange_rates.load(con, exchange_rates.EXAMPLE if rates == {"example"} else None)
    _create(con, "feeds", FEEDS, [{"dataset": dataset, "figure": figure} for dataset, figure in _feeds()])


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


NOT_COLUMNS = {
    "who", "name", "months", "year", "period", "from", "to", "source", "yuan", "sold_for", "owed", "with", "other",
}  # fmt: skip


def _fact_rows(told: Told, kind: str, fact: Story) -> Iterator[dict[str, Any]]:
    given = {k: v for k, v in fact.items() if k not in NOT_COLUMNS}
    base = given | {"person": told.person(fact["who"]), "dataset": fact.get("source", "test/source")}
    if "name" in fact:
        base["name_token"] = told.person("name " + fact["name"])
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
            row["co_holders"] = [told.person(other) for other in fact.get("with", [])]
            row["value_fen"] = fen(fact["yuan"]) if "yuan" in fact else None
            row["proceeds_fen"] = fen(fact["sold_for"]) if "sold_for" in fact else None
            row["mortgage_fen"] = fen(fact["owed"]) if "owed" in fact else None
            row.setdefault("status", "held")
            if row["class"] in ("dwelling", "vehicle") and "share_bp" not in row:
                row["share_bp"] = 10000
        else:
            row |= {"from_on": start} | ({"to_on": end} if kind == "status" else {"other": told.person(fact["other"])})
        yield row


def _facts(con: duckdb.DuckDBPyConnection, all_told: Sequence[Told]) -> None:
    rows: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
    for told in all_told:
        found = [(k, row) for k in KINDS for fact in told.story.get(k, []) for row in _fact_rows(told, k, fact)]
        for row_no, (kind, row) in enumerate(found, start=1):
            rows[kind].append(row | {"extract_digest": told.extract, "row_no": row_no, "row_digest": f"{row_no:032x}"})
    for kind in KINDS:
        con.execute(f"CREATE TABLE told_{kind} AS {sql_text(f'facts/{kind}.sql')}")
        columns = [name for name, *_ in con.execute(f"DESCRIBE told_{kind}").fetchall()]
        _insert(con, f"told_{kind}", columns, rows[kind])


def _coverage(con: duckdb.DuckDBPyConnection, all_told: Sequence[Told]) -> None:
    con.execute("""CREATE TABLE queries AS
        SELECT m.request_id, m.member_no, s.dataset, m.person,
          CASE WHEN m.person IS NULL THEN 'not_queryable' ELSE 'ask' END AS state
        FROM members m JOIN requests r USING (request_id) JOIN policy_sources s USING (policy_id)""")
    con.execute("""CREATE TABLE coverage AS
        SELECT DISTINCT dataset, person, 'covered' AS state, DATE '2026-09-10' AS as_of, 'sha256:0' AS extract_digest,
          0 AS quarantined_rows
        FROM queries WHERE state = 'ask'""")
    for told in all_told:
        for gap in told.story.get("not_covered", []):
            who = told.story["members"] if gap.get("who", "all") == "all" else [gap["who"]]
            for name in who:
                con.execute(
                    "UPDATE coverage SET state = ? WHERE dataset = ? AND person = ?",
                    [gap.get("state", "unavailable"), gap["source"], told.person(name)],
                )
        for bad in told.story.get("quarantined", []):
            con.execute(
                "UPDATE coverage SET quarantined_rows = 1 WHERE dataset = ? AND person = ?",
                [bad["source"], told.person(bad["who"])],
            )
    failed = {dataset for told in all_told for dataset in told.story.get("failed_gates", [])}
    _create(con, "failed_gates", {"dataset": "VARCHAR"}, [{"dataset": dataset} for dataset in sorted(failed)])
