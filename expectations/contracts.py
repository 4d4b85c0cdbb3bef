"""The suite of an admitted dataset: what its contract says, and what its own file adds."""

from __future__ import annotations

from connectors.contract import Column, Contract
from expectations.suite import Expectation, Suite, own_expectations

_EARLIEST = "DATE '1900-01-01'"
# A key twice in one extract is a nuisance that assessment settles (the later row wins); a file that holds itself
# twice is not, and shows far above this share.
_DOUBLE_KEYS_FAIL_ABOVE = 0.2
_IMPLAUSIBLE_DATES_FAIL_ABOVE = 0.05


def table_name(dataset: str) -> str:
    """The DuckDB name of an admitted dataset."""
    return dataset.replace("/", "__")


def suite_for(contract: Contract, as_of: str) -> Suite:
    """Build the suite of one dataset.

    Args:
        contract: the dataset's contract.
        as_of: ISO date of the batch; no fact may be later than a year after it.
    """
    expectations = [*_row_identity(contract)]
    for column in contract.columns:
        if column.sensitivity != "drop":
            expectations += _of_column(column, as_of)
    expectations += own_expectations(contract.dataset)
    return Suite(
        name=contract.dataset.replace("/", "."),
        table=table_name(contract.dataset),
        zh=contract.title.zh,
        en=contract.title.en,
        expectations=expectations,
    )


def _row_identity(contract: Contract) -> list[Expectation]:
    """Every row leads to its extract, its place in it and its digest (R65); business keys are unique there."""
    return [
        Expectation(
            name="row_has_evidence",
            kind="rows",
            broken="extract_digest IS NULL OR row_no IS NULL OR row_no < 1 OR row_digest IS NULL",
            rule="R65",
            zh="每行可追溯到提取批次、行号和行摘要",
            en="every row leads to its extract, row number and row digest",
        ),
        Expectation(
            name="row_once",
            kind="unique",
            columns=["extract_digest", "row_no"],
            rule="R7",
            zh="同一提取批次中每行只收入一次",
            en="a row of an extract is admitted once",
        ),
        Expectation(
            name="key_once",
            kind="unique",
            columns=["extract_digest", *contract.key],
            fail_above=_DOUBLE_KEYS_FAIL_ABOVE,
            rule="R8",
            zh=f"业务主键({'、'.join(contract.key)})在同一提取批次中不重复",
            en=f"the business key ({', '.join(contract.key)}) is unique within an extract",
        ),
    ]


def _of_column(column: Column, as_of: str) -> list[Expectation]:
    made = []
    if not column.nullable and column.type != "display":
        made.append(
            Expectation(
                name=f"{column.name}_given",
                kind="not_null",
                columns=[column.name],
                zh=f"{column.source} 必填",
                en=f"{column.name} is given",
            )
        )
    if column.codes:
        made.append(
            Expectation(
                name=f"{column.name}_code",
                kind="in_set",
                columns=[column.name],
                values=sorted(set(column.codes.values())),
                zh=f"{column.source} 为约定代码",
                en=f"{column.name} is one of the contract's codes",
            )
        )
    if column.type in ("date", "month"):
        made.append(
            Expectation(
                name=f"{column.name}_plausible",
                kind="between",
                columns=[column.name],
                low=_EARLIEST,
                high=f"DATE '{as_of}' + INTERVAL {column.years_ahead} YEAR",
                fail_above=_IMPLAUSIBLE_DATES_FAIL_ABOVE,
                zh=f"{column.source} 日期合理",
                en=f"{column.name} lies between 1900 and {column.years_ahead} years after the batch",
            )
        )
    return made
