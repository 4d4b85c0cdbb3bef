"""What must hold of a table, as data: one definition, read by the native gate and by Great Expectations alike.

An expectation counts the rows that break it. Its verdict weighs their share: above ``warn_above`` it is a
a warning, above ``fail_above`` a failure. Nothing here, and nothing made from it, holds a value.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

FOLDER = Path(__file__).resolve().parent
Verdict = Literal["pass", "warn", "fail"]


class Expectation(BaseModel):
    """One expectation on a table.

    Attributes:
        name: unique in its suite; appears in gates, logs and on the quality pages.
        kind: ``not_null``, ``in_set``, ``between`` (nulls are not looked at by the last two), ``unique`` (over
            ``columns``) or ``rows`` (``broken`` is an SQL predicate that selects the rows that break it).
        warn_above: share of broken rows above which it warns.
        fail_above: share of broken rows above which it fails; 1 means that it never does.
        zh: what is expected, for staff.
        en: the same in English.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    kind: Literal["not_null", "in_set", "between", "unique", "rows"]
    columns: list[str] = []
    values: list[str] = []
    low: str | None = None
    high: str | None = None
    broken: str | None = None
    warn_above: float = 0.0
    fail_above: float = 0.0
    rule: str | None = None
    zh: str
    en: str

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> Self:
        given = {
            "not_null": len(self.columns) == 1,
            "in_set": len(self.columns) == 1 and bool(self.values),
            "between": len(self.columns) == 1 and (self.low is not None or self.high is not None),
            "unique": bool(self.columns),
            "rows": self.broken is not None,
        }
        if not given[self.kind]:
            raise ValueError(f"{self.name}: {self.kind} lacks a field")
        return self

    @property
    def predicate(self) -> str:
        """The SQL predicate that selects the broken rows; ``unique`` has none, it needs the whole table."""
        column = f'"{self.columns[0]}"' if self.columns else ""
        if self.kind == "not_null":
            return f"{column} IS NULL"
        if self.kind == "in_set":
            listed = ", ".join(_quoted(value) for value in self.values)
            return f"{column} NOT IN ({listed})"
        if self.kind == "between":
            bounds = [f"{column} < {self.low}"] if self.low is not None else []
            bounds += [f"{column} > {self.high}"] if self.high is not None else []
            return " OR ".join(bounds)
        return self.broken or ""

    def count_sql(self, table: str) -> str:
        """An SQL expression that counts the broken rows of ``table``, to stand in a SELECT from it."""
        if self.kind != "unique":
            return f"count(*) FILTER (WHERE {self.predicate})"
        keys = ", ".join(f'"{column}"' for column in self.columns)
        return f"(SELECT coalesce(sum(n), 0) FROM (SELECT count(*) AS n FROM {table} GROUP BY {keys}) WHERE n > 1)"

    def verdict(self, broken: int, rows: int) -> Verdict:
        """Weigh ``broken`` of ``rows``; an expectation that selects rows of another table may break on none."""
        share = broken / max(rows, 1)
        if share > self.fail_above:
            return "fail"
        return "warn" if share > self.warn_above else "pass"


class Suite(BaseModel):
    """The expectations on one table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    table: str
    zh: str
    en: str
    expectations: list[Expectation]

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = [expectation.name for expectation in self.expectations]
        if len(set(names)) != len(names):
            raise ValueError(f"{self.name}: an expectation's name is used twice")
        return self

    def count_sql(self) -> str:
        """One SELECT: the rows of the table, then the broken rows of each expectation in order."""
        counts = "".join(f",\n  {e.count_sql(self.table)}" for e in self.expectations)
        return f"SELECT count(*){counts}\nFROM {self.table}"


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


@cache
def product_suites() -> tuple[Suite, ...]:
    """The suites of the assessed tables, one file each."""
    files = sorted((FOLDER / "products").glob("*.yaml"))
    return tuple(Suite.model_validate(yaml.load(file.read_text("utf-8"), Loader=yaml.CSafeLoader)) for file in files)


@cache
def suite_of(name: str) -> Suite:
    """A suite of its own: ``drift`` on the measures of all datasets, ``issued`` on what was reported."""
    return Suite.model_validate(yaml.load((FOLDER / f"{name}.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader))


def own_expectations(dataset: str) -> list[Expectation]:
    """What a dataset's own file adds to what its contract already says; empty where there is no file."""
    file = FOLDER / "datasets" / f"{dataset.replace('/', '.')}.yaml"
    document = yaml.load(file.read_text("utf-8"), Loader=yaml.CSafeLoader) if file.is_file() else []
    return [Expectation.model_validate(entry) for entry in document or []]
