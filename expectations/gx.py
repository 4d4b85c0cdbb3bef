"""Great Expectations over the batch's own DuckDB connection: pushed down, no database file, no failing value.

GX wants a connection string; ``duckdb+readonly:///batch`` names the connection that ``run`` was given. It lives in
memory, its tables are views over encrypted Parquet, so that GX's reach leaves nothing on disk but its pages.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import duckdb
import duckdb_engine
from sqlalchemy import pool
from sqlalchemy.dialects import registry

from expectations import docs
from expectations.docs import PAGES
from expectations.suite import Expectation, Suite
from pipelines.auditing.small_cells import is_small

if TYPE_CHECKING:
    from great_expectations.data_context import EphemeralDataContext
    from great_expectations.expectations.expectation import Expectation as GxExpectation

_CONNECTIONS: dict[str, duckdb.DuckDBPyConnection] = {}


class ReadOnlyDialect(duckdb_engine.Dialect):  # type: ignore[misc]
    """DuckDB's dialect for reading through a connection that is already open.

    GX fetches a result after it has closed its connection; the rollback on close would drop DuckDB's pending result
    and every expectation would fail with ``list index out of range``. So begin, commit and rollback do nothing.
    """

    supports_statement_cache = False

    def connect(self, *cargs: Any, **cparams: Any) -> Any:
        """A cursor of the connection registered under the URL's database name."""
        return duckdb_engine.ConnectionWrapper(_CONNECTIONS[cparams["database"]].cursor())

    @classmethod
    def get_pool_class(cls, url: object) -> type[pool.Pool]:
        """One cursor a thread."""
        return pool.SingletonThreadPool

    def do_begin(self, connection: Any) -> None:
        """Nothing: reading needs no transaction."""

    def do_commit(self, connection: Any) -> None:
        """Nothing: there is nothing to commit."""

    def do_rollback(self, connection: Any) -> None:
        """Nothing: a rollback would drop the result that GX is about to fetch."""


registry.register("duckdb.readonly", __name__, "ReadOnlyDialect")


@dataclass(frozen=True)
class Confirmed:
    """What Great Expectations found for one expectation."""

    suite: str
    name: str
    broken: int


def load() -> ModuleType:
    """Import Great Expectations: takes seconds, and without this it would send usage data out."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    import great_expectations

    module: ModuleType = great_expectations
    return module


def run(
    con: duckdb.DuckDBPyConnection, groups: Iterable[list[Suite]], folder: Path, as_of: datetime
) -> list[Confirmed]:
    """Validate the suites with Great Expectations and write Data Docs.

    Args:
        con: connection in which every suite's table exists.
        groups: suites to validate; a group is taken when the one before has been, so that it may wait for its table.
        as_of: the batch's moment; names the pages, so that they do not hang on the clock.
        folder: gets the pages, under ``PAGES``; GX's own project stays in memory.
    """
    gx = load()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    context.add_data_docs_site("pages", _site(folder / PAGES))
    _CONNECTIONS["batch"] = con
    try:
        found: dict[Any, Any] = {}
        titles: dict[str, str] = {}
        for number, suites in enumerate(groups):
            titles |= {suite.name: suite.zh for suite in suites}
            checkpoint = _checkpoint(context, f"batch-{number}", suites)
            found |= checkpoint.run(run_id=gx.RunIdentifier(run_name="batch", run_time=as_of)).run_results
        confirmed = [_confirmed(entry) for of_suite in found.values() for entry in of_suite.results]
        for key, of_suite in found.items():
            for entry in of_suite.results:
                _hide_few(entry)
            context.validation_results_store.set(key, of_suite)
        context.build_data_docs(site_names=["pages"])
    finally:
        del _CONNECTIONS["batch"]
    docs.offline(folder / PAGES, titles)
    return confirmed


def _hide_few(entry: Any) -> None:
    """Pages for auditors show no count from which a count of one to four follows; whether it passed stays."""
    result = entry.result
    rows, broken = result.get("element_count"), result.get("unexpected_count", result.get("observed_value"))
    counts = [broken, rows, rows - broken if rows and broken is not None else None]
    if any(is_small(int(count)) for count in counts if count is not None):
        entry.result = {}


def _site(folder: Path) -> dict[str, Any]:
    backend = {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder)}
    return {
        "class_name": "SiteBuilder",
        "store_backend": backend,
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        "site_section_builders": {"expectations": "None", "profiling": "None"},  # results say what was expected
        "show_how_to_buttons": False,
    }


def _checkpoint(context: EphemeralDataContext, name: str, suites: list[Suite]) -> Any:
    import great_expectations as gx

    source = context.data_sources.add_or_update_sql(
        name, connection_string="duckdb+readonly:///batch", create_temp_table=False
    )
    definitions = []
    for suite in suites:
        batch = source.add_table_asset(suite.name, table_name=suite.table).add_batch_definition_whole_table("all")
        expected = [_to_gx(suite, expectation) for expectation in suite.expectations]
        made = context.suites.add(gx.ExpectationSuite(name=suite.name, expectations=expected))
        definition = gx.ValidationDefinition(name=suite.name, data=batch, suite=made)
        definitions.append(context.validation_definitions.add(definition))
    return context.checkpoints.add(
        gx.Checkpoint(
            name=name,
            validation_definitions=definitions,
            result_format={"result_format": "SUMMARY", "exclude_unexpected_values": True},
        )
    )


def _to_gx(suite: Suite, expectation: Expectation) -> GxExpectation:
    """The expectation in GX's terms; ``meta`` carries its name back."""
    import great_expectations.expectations as gxe

    common: dict[str, Any] = {
        "meta": {"suite": suite.name, "name": expectation.name},
        "notes": f"{expectation.zh} · {expectation.en}",
        "severity": "warning" if expectation.fail_above >= 1 else "critical",
    }
    column = expectation.columns[0] if expectation.columns else ""
    mostly = 1 - expectation.warn_above
    if expectation.kind == "not_null":
        return gxe.ExpectColumnValuesToNotBeNull(column=column, mostly=mostly, **common)
    if expectation.kind == "in_set":
        return gxe.ExpectColumnValuesToBeInSet(column=column, value_set=expectation.values, mostly=mostly, **common)
    if expectation.kind == "unique" and len(expectation.columns) > 1:
        return gxe.ExpectCompoundColumnsToBeUnique(column_list=expectation.columns, mostly=mostly, **common)
    if expectation.kind == "unique":
        return gxe.ExpectColumnValuesToBeUnique(column=column, mostly=mostly, **common)
    # The selected column is a constant, so that no value can reach a result or a page. Bounds are SQL expressions,
    # so `between` goes this way too.
    query = f"SELECT 1 AS broken FROM {{batch}} WHERE {expectation.predicate}"
    return gxe.UnexpectedRowsExpectation(unexpected_rows_query=query, description=common["notes"], **common)


def _confirmed(entry: Any) -> Confirmed:
    meta = entry.expectation_config.meta
    if entry.exception_info.get("raised_exception"):
        raise RuntimeError(f"Great Expectations could not evaluate {meta['suite']}.{meta['name']}")
    result = entry.result
    if result.get("element_count") == 0:  # GX counts nothing, not even zero, in an empty extract (R2)
        return Confirmed(meta["suite"], meta["name"], 0)
    broken = result["unexpected_count"] if "unexpected_count" in result else result["observed_value"]
    return Confirmed(meta["suite"], meta["name"], int(broken))
