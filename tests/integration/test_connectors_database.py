"""Databases: PostgreSQL through its binary COPY, and any other through SQLAlchemy."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import psycopg
import pyarrow as pa
import pytest
import sqlalchemy as sa

from connectors.connections import DatabaseConnection
from connectors.contract import Contract
from connectors.extract import Asked, ContractViolation, Extract, SourceRefused, SourceUnavailable
from connectors.sources import open_extracts
from connectors.synthetic.servers import ServedCounty
from tests.integration.conftest import PEOPLE, cells

INCOME = "taxation/individual_income"


@pytest.fixture
def postgres(served: ServedCounty) -> DatabaseConnection:
    connection = served.connections["database"]
    assert isinstance(connection, DatabaseConnection)
    return connection


@pytest.fixture
def sqlite(contracts: dict[str, Contract], tmp_path: Path) -> DatabaseConnection:
    """The same table in SQLite: the way for every database that is not PostgreSQL."""
    contract = contracts[INCOME]
    types = {pa.string(): sa.String(), pa.date32(): sa.Date(), pa.decimal128(18, 2): sa.Numeric(18, 2)}
    engine = sa.create_engine(f"sqlite:///{tmp_path}/tax.db")
    columns = [sa.Column(field.name, types[field.type]) for field in contract.schema]
    table = sa.Table("grsds_srmx", sa.MetaData(), *columns)
    with engine.begin() as session:
        table.create(session)
        session.execute(table.insert(), cells(contract, 30).to_pylist())
    return DatabaseConnection(kind="database", url=f"sqlite:///{tmp_path}/tax.db")


def read(contract: Contract, connection: DatabaseConnection, asked: Asked) -> tuple[Extract, pa.Table]:
    (extract,) = open_extracts(contract, connection, asked, Path("/"))
    return extract, pa.Table.from_batches(list(extract.batches()), contract.schema)


def everybody(asked: Asked) -> Asked:
    return replace(asked, persons=pa.array(PEOPLE + [f"38020119900101{n:04d}" for n in range(1000)]))


@pytest.mark.filterwarnings("ignore:Dialect sqlite")
def test_both_ways_give_the_same_rows_and_the_same_digest(
    contracts: dict[str, Contract], postgres: DatabaseConnection, sqlite: DatabaseConnection, asked: Asked
) -> None:
    contract = contracts[INCOME]
    fast, rows = read(contract, postgres, everybody(asked))
    slow, same = read(contract, sqlite, everybody(asked))
    assert rows == same == cells(contract, 30)
    assert fast.digest == slow.digest


def test_r7_asked_again_a_database_gives_the_same_digest(
    contracts: dict[str, Contract], postgres: DatabaseConnection, asked: Asked
) -> None:
    first, _ = read(contracts[INCOME], postgres, asked)
    second, _ = read(contracts[INCOME], postgres, asked)
    assert first.digest == second.digest
    other, _ = read(contracts[INCOME], postgres, replace(asked, persons=pa.array(PEOPLE[:1])))
    assert other.digest != first.digest


@pytest.mark.filterwarnings("ignore:Dialect sqlite")
@pytest.mark.parametrize("place", ["postgres", "sqlite"])
def test_few_persons_are_asked_for_by_name_and_many_by_the_window(
    place: str, contracts: dict[str, Contract], asked: Asked, request: pytest.FixtureRequest
) -> None:
    connection = request.getfixturevalue(place)
    contract = contracts[INCOME]
    _, rows = read(contract, connection, replace(asked, persons=pa.array(PEOPLE[1:2])))
    assert set(rows.column("zjhm").to_pylist()) == {PEOPLE[1]}
    _, rows = read(contract, connection, replace(asked, persons=pa.array([], pa.string())))
    assert rows.num_rows == 0
    _, rows = read(contract, connection, everybody(asked))
    assert rows.num_rows == 30


def test_r11_a_number_that_is_written_otherwise_is_found_by_name_too(
    contracts: dict[str, Contract], postgres: DatabaseConnection, asked: Asked
) -> None:
    contract = contracts["civil_affairs/death_funeral"]
    forms = {
        " 38010119900101001x": PEOPLE[0],
        "３８０１０１１９９００１０１００１Ｘ": PEOPLE[0],
        "380101900101001": PEOPLE[0],
    }
    with psycopg.connect(postgres.url, autocommit=True) as session:
        for number, form in enumerate(forms):
            session.execute("INSERT INTO bzxx VALUES (%s, %s, '甲', '2026-01-01', NULL)", (f"x{number}", form))
        try:
            _, rows = read(contract, postgres, replace(asked, persons=pa.array(PEOPLE[:1])))
        finally:
            session.execute("DELETE FROM bzxx WHERE bh LIKE 'x%'")
    assert set(forms) < set(rows.column("sfzh").to_pylist())


@pytest.mark.filterwarnings("ignore:Dialect sqlite")
@pytest.mark.parametrize("place", ["postgres", "sqlite"])
def test_the_window_is_half_open(
    place: str, contracts: dict[str, Contract], asked: Asked, request: pytest.FixtureRequest
) -> None:
    connection = request.getfixturevalue(place)
    window = (date(2026, 1, 10), date(2026, 1, 12))
    _, rows = read(contracts[INCOME], connection, replace(asked, window=window))
    assert {day.day for day in rows.column("skssqq").to_pylist()} == {10, 11}


def test_r1_a_database_that_is_down_is_unavailable_and_one_that_refuses_is_refused(
    contracts: dict[str, Contract], postgres: DatabaseConnection, asked: Asked
) -> None:
    down = postgres.model_copy(update={"url": "postgresql://postgres@127.0.0.1:1/postgres", "attempts": 2})
    with pytest.raises(SourceUnavailable) as raised:
        read(contracts[INCOME], down, asked)
    assert (raised.value.dataset, raised.value.step) == (INCOME, "connect")
    missing = contracts[INCOME].delivered({"table": "nothing"})
    with pytest.raises(SourceRefused, match="find table"):
        read(missing, postgres, asked)
    with psycopg.connect(postgres.url, autocommit=True) as session:
        session.execute("CREATE ROLE clerk LOGIN")
        clerk = postgres.url.replace("postgres:@", "clerk:@")
        try:
            with pytest.raises(SourceRefused):
                read(contracts[INCOME], postgres.model_copy(update={"url": clerk}), asked)
        finally:
            session.execute("DROP ROLE clerk")


@pytest.mark.parametrize(
    ("change", "column", "found"),
    [
        ("ADD COLUMN mz text", "mz", "unknown column"),
        ("RENAME COLUMN xm TO xingming", "xm", "missing"),
        ("ALTER COLUMN sre TYPE double precision", "sre", "DOUBLE PRECISION"),
        ("ALTER COLUMN skssqq TYPE text", "skssqq", "TEXT"),
        ("ALTER COLUMN sre TYPE numeric", "sre", "double"),
    ],
)
def test_a_changed_table_stops_the_dataset(
    change: str, column: str, found: str, contracts: dict[str, Contract], postgres: DatabaseConnection, asked: Asked
) -> None:
    with psycopg.connect(postgres.url, autocommit=True) as session:
        session.execute("CREATE TABLE changed AS SELECT * FROM grsds_srmx")
        session.execute(f"ALTER TABLE changed {change}")
        try:
            with pytest.raises(ContractViolation) as raised:
                read(contracts[INCOME].delivered({"table": "changed"}), postgres, asked)
        finally:
            session.execute("DROP TABLE changed")
    assert (raised.value.dataset, raised.value.column) == (INCOME, column)
    assert found in raised.value.found


def test_the_day_comes_from_a_query_or_is_the_day_of_asking(
    contracts: dict[str, Contract], postgres: DatabaseConnection, asked: Asked
) -> None:
    extract, _ = read(contracts[INCOME], postgres, asked)
    assert extract.as_of == asked.on
    dated = contracts[INCOME].delivered({"as_of_query": "SELECT max(sbrq) FROM grsds_srmx"})
    extract, _ = read(dated, postgres, asked)
    assert extract.as_of == date(2026, 1, 28)
