"""Worlds as the tables that sql/ reads, one run over all of them, and what it found by household."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from functools import cache

import duckdb
import pyarrow as pa

from pipelines import exchange_rates
from pipelines.assess import run_steps
from pipelines.facts import KINDS, number_facts
from pipelines.policy.tables import SCHEMAS
from pipelines.warehouse import sql_text
from tests.reference.generate import COVERED, World
from tests.reference.rates import RATES
from tests.reference.told import Expense, Holding, Household, Income, Link, Policy, Status

OURS = {  # our names where the tables have others
    "start": "period_from", "end": "period_to", "amount": "amount_fen", "ref": "record_ref",
    "corrects": "correction_of",
    "what": "class", "value": "value_fen", "use": "use_character", "proceeds": "proceeds_fen",
    "mortgage": "mortgage_fen", "no": "row_no",
    "name": "name_token",
}  # fmt: skip
STATUS_OURS = OURS | {"start": "from_on", "end": "to_on"}
Told = Income | Holding | Status | Link | Expense
PERSONS = 1_000  # numbers of persons and names in one world
FACTS = 1_000  # numbers of facts in one world


def token(place: int, number: int | None) -> str | None:
    """The token of a person (or a name) of the world at a place among all worlds."""
    return None if number is None else f"00000000-0000-0000-0000-{(place + 1) * PERSONS + number:012x}"


class Rows:
    """Rows of one table; every row has the values of ``names`` in their order."""

    def __init__(self, **types: str) -> None:
        self.types = types
        self.rows: list[tuple] = []

    def add(self, *row: object) -> None:
        """One row more."""
        self.rows.append(row)

    def create(self, con: duckdb.DuckDBPyConnection, table: str) -> None:
        """The table."""
        con.execute(f"CREATE OR REPLACE TABLE {table} ({', '.join(f'{name} {of}' for name, of in self.types.items())})")
        if self.rows:
            columns = dict(zip(self.types, (list(column) for column in zip(*self.rows, strict=True)), strict=True))
            con.register("_given", pa.table(columns))
            con.execute(f"INSERT INTO {table} SELECT * FROM _given")
            con.unregister("_given")


def load(con: duckdb.DuckDBPyConnection, worlds: Sequence[World], policies: Sequence[Policy]) -> None:
    """Everything that run_steps needs."""
    load_policies(con, policies)
    load_requests(con, worlds)
    load_answers(con, worlds)
    load_facts(con, worlds)


def load_policies(con: duckdb.DuckDBPyConnection, policies: Sequence[Policy]) -> None:
    rows: dict[str, list[dict]] = {name: [] for name in SCHEMAS}
    for place, policy in enumerate(policies):
        for table, lines in policy_rows(policy).items():
            rows[table] += [{"policy_id": place, **line} for line in lines]
    for table, schema in SCHEMAS.items():
        con.register("_given", pa.Table.from_pylist(rows[table], schema=schema))
        con.execute(f"CREATE OR REPLACE TABLE {table} AS SELECT * FROM _given")
        con.unregister("_given")
    feeds = Rows(dataset="VARCHAR", figure="VARCHAR")
    for dataset, figures in policies[0].feeds.items():
        for figure in figures:
            feeds.add(dataset, figure)
    feeds.create(con, "feeds")
    load_rates(con)


def load_rates(con: duckdb.DuckDBPyConnection) -> None:
    """The rates of the made worlds, in the table that a site's file becomes."""
    exchange_rates.load(con, None)
    rates = Rows(currency="VARCHAR", published_on="DATE", last_day="DATE", unit="BIGINT", rate_micro="BIGINT")
    for rate in RATES:
        rates.add(rate.currency, rate.first, rate.last, rate.unit, rate.micro)
    rates.create(con, "rates")
    con.execute(
        "INSERT INTO exchange_rates BY NAME SELECT *, 'x' AS rate, 'x' AS source, 'official' AS sure FROM rates"
    )


def policy_rows(policy: Policy) -> dict[str, list[dict]]:
    """A policy as rows of the policy tables; what only reports show is left out."""
    settings = {
        field.name: getattr(policy, field.name)
        for field in fields(policy)
        if field.name in SCHEMAS["policy"].names and field.name != "student_stages"
    }
    return {
        "policy": [settings | {"student_stages": sorted(policy.student_stages), "unit": "household"}],
        "policy_tests": [
            {"test": t.name, "figure": t.figure, "op": t.op, "scale": t.scale, "unit": t.unit, "limit_value": t.limit}
            for t in policy.tests
        ],
        "policy_income_excluded": [{"kind": kind, "cites": "x"} for kind in sorted(policy.income_excluded)],
        "policy_sources": [{"dataset": name, "requirement": need} for name, need in policy.sources.items()],
        "policy_tolerances": [{"item": item, "tolerance": value} for item, value in policy.tolerances.items()],
        "policy_statuses": [
            {"kind": kind, "min_years": years or 0, "counted": years is None, "cites": "x"}
            for kind, years in policy.statuses.items()
        ],
        "policy_vehicle_exempt": [
            {"use_character": use, "needs_evidence": needs, "cites": "x"}
            for use, needs in sorted(policy.vehicle_exempt.items())
        ],
        "policy_expense_deductions": [
            {"kind": kind, "rate_bp": rate, "cap_fen": cap, "cites": "x"}
            for kind, (rate, cap) in sorted(policy.expenses.items())
        ],
    }


def load_requests(con: duckdb.DuckDBPyConnection, worlds: Sequence[World]) -> None:
    text, day, number = "VARCHAR", "DATE", "INTEGER"
    requests = Rows(
        request_id=text, policy_id=number, programme=text, division=text, area_kind=text, application_date=day,
        reference_date=day,
    )  # fmt: skip
    members = Rows(
        request_id=text, member_no=number, person="UUID", name_token="UUID", relation=text, role=text, birth_date=day,
        married="BOOLEAN", student_stage=text, student_full_time="BOOLEAN", legal_capacity="BOOLEAN",
        support_household=number, support_number=number,
    )  # fmt: skip
    statuses = Rows(request_id=text, member_no=number, kind=text, from_on=day, to_on=day)
    declared = Rows(request_id=text, item=text, declared="BIGINT")
    other = Rows(person="UUID", request_id=text)
    ended = Rows(request_id=text, member_no=number, reason=text)
    for place, world in enumerate(worlds):
        for told, policy in zip(world.households, world.policies, strict=True):
            key = told.request_id
            requests.add(key, policy, "p", "370303", "urban", told.reference, told.reference)
            for m in told.members:
                members.add(
                    key, m.number, token(place, m.person), token(place, m.name), m.relation, m.role, m.birth, m.married,
                    m.student_stage, m.full_time, m.capacity, *m.supports,
                )  # fmt: skip
                for kind, start, end in m.statuses:
                    statuses.add(key, m.number, kind, start, end)
            for item, value in told.declared.items():
                declared.add(key, item, value)
            for person, where in told.elsewhere.items():
                other.add(token(place, person), where)
            for number_of, reason in told.ended.items():
                ended.add(key, number_of, reason)
    requests.create(con, "requests")
    members.create(con, "members")
    statuses.create(con, "member_statuses")
    declared.create(con, "declarations")
    other.create(con, "other_requests")
    ended.create(con, "ended_authorisations")


def load_answers(con: duckdb.DuckDBPyConnection, worlds: Sequence[World]) -> None:
    """Queries and coverage: everything asked and covered, but what the worlds say otherwise."""
    text, number = "VARCHAR", "INTEGER"
    otherwise = Rows(request_id=text, member_no=number, dataset=text, state=text, unread=number)
    for told in households(worlds):
        for (member, dataset), answer in told.answers.items():
            if answer is not COVERED:
                otherwise.add(told.request_id, member, dataset, answer.state, answer.unread)
    otherwise.create(con, "otherwise")
    con.execute("""CREATE OR REPLACE TABLE answers AS
        SELECT m.request_id, m.member_no, s.dataset, m.person, COALESCE(o.state, 'covered') AS answer,
          COALESCE(o.unread, 0) AS unread
        FROM members m
        JOIN requests r USING (request_id)
        JOIN policy_sources s USING (policy_id)
        LEFT JOIN otherwise o USING (request_id, member_no, dataset)""")
    con.execute("""CREATE OR REPLACE TABLE queries AS
        SELECT request_id, member_no, dataset, person,
          CASE WHEN answer IN ('not_authorised', 'not_queryable') THEN answer ELSE 'ask' END AS state
        FROM answers""")
    con.execute("""CREATE OR REPLACE TABLE coverage AS
        SELECT DISTINCT ON (dataset, person) dataset, person, answer AS state, DATE '2026-09-10' AS as_of,
          'sha256:0' AS extract_digest, CAST(unread AS INTEGER) AS quarantined_rows
        FROM answers WHERE answer NOT IN ('not_authorised', 'not_queryable')""")
    failed = Rows(dataset="VARCHAR")  # of an extract, so for everybody in the run
    for dataset in sorted(households(worlds)[0].gates) if worlds else ():
        failed.add(dataset)
    failed.create(con, "failed_gates")


def load_facts(con: duckdb.DuckDBPyConnection, worlds: Sequence[World]) -> None:
    told: dict[str, list[dict[str, object]]] = {kind: [] for kind in KINDS}
    frozen = Rows(row_digest="VARCHAR", reason="VARCHAR")
    for place, world in enumerate(worlds):
        first = world.households[0]  # households of a world share their facts
        for kind, facts in (("income", first.income), ("holding", first.holdings), ("status", first.statuses),
                            ("link", first.links), ("expense", first.expenses)):  # fmt: skip
            told[kind] += [fact_row(place, fact) for fact in facts]
        for no, reason in first.doubted.items():
            frozen.add(digest(place, no), reason)
    frozen.create(con, "frozen")
    for kind in KINDS:
        con.execute(f"CREATE OR REPLACE TABLE told_{kind} AS {sql_text(f'facts/{kind}.sql')}")
        if told[kind]:
            con.register("_given", pa.table({name: [row[name] for row in told[kind]] for name in told[kind][0]}))
            con.execute(f"INSERT INTO told_{kind} BY NAME SELECT * FROM _given")
            con.unregister("_given")
    number_facts(con)


@cache
def names(of: type) -> tuple[tuple[str, str], ...]:
    """Our names of a fact's fields, and the tables'."""
    ours = STATUS_OURS if issubclass(of, Status | Link) else OURS
    return tuple((field.name, ours.get(field.name, field.name)) for field in fields(of))


def fact_row(place: int, fact: Told) -> dict[str, object]:
    """A fact under the names of the fact tables."""
    row: dict[str, object] = {theirs: getattr(fact, ours) for ours, theirs in names(type(fact))}
    row["person"], row["name_token"] = token(place, fact.person), token(place, fact.name)
    row["row_no"] = place * FACTS + fact.no
    if isinstance(fact, Holding):
        row["co_holders"] = [token(place, holder) for holder in fact.co_holders]
    if isinstance(fact, Link):
        row["other"] = token(place, fact.other)
    row["extract_digest"], row["row_digest"] = "sha256:0", digest(place, fact.no)
    return row


def digest(place: int, no: int) -> str:
    """The digest of a row: no two rows have the same."""
    return f"{place} {no}"


def households(worlds: Iterable[World]) -> list[Household]:
    """Every household of the worlds."""
    return [told for world in worlds for told in world.households]


def run(con: duckdb.DuckDBPyConnection) -> None:
    """The assessment under test."""
    run_steps(con)
