"""All golden stories assessed in one run: what takes half a second for one story takes little more for all of them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import duckdb
import yaml

from pipelines.assess import run_steps
from pipelines.facts import number_facts
from tests.rules.household import Household, Story, assess, load

GOLDEN = Path(__file__).parent / "golden"
# What holds for everybody on a connection: a story that tells it its own way is assessed alone.
FOR_ALL = ("failed_gates", "exchange_rates")


@cache
def stories() -> dict[str, Story]:
    """Every golden story by its id."""
    files = sorted(GOLDEN.glob("*.yaml"))
    return {story["id"]: story for file in files for story in yaml.safe_load(file.read_text("utf-8"))}


def household(name: str) -> Household:
    """A golden story, assessed; its policy's number is its place among all stories."""
    return _alone(name) if set(FOR_ALL) & stories()[name].keys() else _together()[name]


@cache
def _alone(name: str) -> Household:
    return assess(stories()[name])


@cache
def _together() -> dict[str, Household]:
    con = duckdb.connect()
    chosen = {name: story for name, story in stories().items() if not set(FOR_ALL) & story.keys()}
    for name, story in chosen.items():
        with load(story) as one:
            _copy(one, con, list(stories()).index(name), name)
    number_facts(con)
    run_steps(con)
    return {name: Household(con, story, f"request_id = '{name}'") for name, story in chosen.items()}


def _copy(one: duckdb.DuckDBPyConnection, all_of: duckdb.DuckDBPyConnection, number: int, name: str) -> None:
    """A story's tables under its own request, persons, policy and extracts."""
    for (table,) in one.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall():
        described = [(column, kind) for column, kind, *_ in one.execute(f"DESCRIBE {table}").fetchall()]
        changed = ", ".join(f"{_own(column, kind, number, name)} AS {column}" for column, kind in described)
        all_of.register("_rows", one.execute(f"SELECT {changed} FROM {table}").to_arrow_table())
        kinds = ", ".join(f"{column} {kind}" for column, kind in described)
        all_of.execute(f"CREATE TABLE IF NOT EXISTS {table} ({kinds})")
        named = {column for column, _ in described}
        of_one = table.startswith("told_") or named & {"request_id", "policy_id", "person"}
        new = "" if of_one else f" EXCEPT SELECT * FROM {table}"
        all_of.execute(f"INSERT INTO {table} SELECT * FROM _rows{new}")
        all_of.unregister("_rows")


def _own(column: str, kind: str, number: int, name: str) -> str:
    """A column's value as this story's: no two stories share a request, a person, a policy or an extract."""
    if column == "request_id":
        return f"CASE request_id WHEN 'Q' THEN '{name}' ELSE request_id END"
    if column == "policy_id":
        return f"CAST({number} AS INTEGER)"
    if column == "extract_digest":
        return f"'sha256:' || sha256('{name}')"
    if kind == "UUID[]":
        return f"list_transform({column}, lambda x: CAST(md5(CAST(x AS VARCHAR) || '{number}') AS UUID))"
    return f"CAST(md5(CAST({column} AS VARCHAR) || '{number}') AS UUID)" if kind == "UUID" else column
