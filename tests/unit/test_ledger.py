"""The ledger: append-only, idempotent, and any touch of it shows, at the first entry that was touched."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines import ledger, tables
from pipelines.ledger import Entry, LedgerConflictError, LedgerProblem
from pipelines.store import Store
from tests.databases import store_url  # noqa: F401

APPEND_ONLY = re.compile("SQLITE_CONSTRAINT_TRIGGER|sqlstate=P0001")  # a trigger's refusal, without its words


@pytest.fixture
def store(store_url: str) -> Store:  # noqa: F811
    return Store.open(store_url)


def filled(store: Store, entries: int = 5) -> Store:
    ledger.append_many(store, [Entry("query", "b1", f"x/{i}", {"persons": i, "title": "核对"}) for i in range(entries)])
    return store


def touch(store: Store, statement: str) -> None:
    """What somebody with the database's password could do: the triggers go first."""
    with store.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("DROP TRIGGER ledger_no_update")
            connection.exec_driver_sql("DROP TRIGGER ledger_no_delete")
        else:
            connection.exec_driver_sql("ALTER TABLE ledger DISABLE TRIGGER USER")
        connection.exec_driver_sql(statement)


def test_an_empty_ledger_holds(store: Store) -> None:
    assert ledger.verify(store) is None
    assert ledger.head(store) == (0, ledger.GENESIS)


def test_a_filled_ledger_holds(store: Store) -> None:
    filled(store)
    assert ledger.verify(store) is None
    assert ledger.head(store)[0] == 5


def test_the_same_again_changes_nothing(store: Store) -> None:
    head = ledger.head(filled(store))
    ledger.append(store, "query", "b1", "x/3", {"title": "核对", "persons": 3})
    assert ledger.head(store) == head
    ledger.append(store, "query", None, "x/3", {"persons": 3})
    assert ledger.head(store)[0] == 6


def test_the_same_twice_at_once_is_one_entry(store: Store) -> None:
    entry = Entry("query", "b1", "x", {"persons": 1})
    assert ledger.append_many(store, [entry, entry]) == 1


def test_the_same_with_another_detail_is_refused_whole(store: Store) -> None:
    filled(store)
    with pytest.raises(LedgerConflictError):
        ledger.append_many(store, [Entry("query", "b1", "new", {}), Entry("query", "b1", "x/3", {"persons": 4})])
    assert ledger.head(store)[0] == 5


@pytest.mark.parametrize("statement", ["UPDATE ledger SET detail = '{}' WHERE seq = 2", "DELETE FROM ledger"])
def test_the_database_refuses_update_and_delete(store: Store, statement: str) -> None:
    filled(store)
    with pytest.raises(sa.exc.DBAPIError, match=APPEND_ONLY), store.begin() as connection:
        connection.exec_driver_sql(statement)
    assert ledger.verify(store) is None


def test_postgresql_refuses_truncate(store: Store) -> None:
    if store.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has no TRUNCATE")
    with pytest.raises(sa.exc.DBAPIError, match=APPEND_ONLY), store.begin() as connection:
        connection.exec_driver_sql("TRUNCATE ledger")


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE ledger SET detail = '{}' WHERE seq = 3", LedgerProblem(3, "hash")),
        ("UPDATE ledger SET hash = previous_hash WHERE seq = 3", LedgerProblem(3, "hash")),
        ("UPDATE ledger SET previous_hash = hash WHERE seq = 3", LedgerProblem(3, "chain")),
        ("DELETE FROM ledger WHERE seq = 3", LedgerProblem(4, "gap")),
        ("DELETE FROM ledger WHERE seq = 1", LedgerProblem(2, "gap")),
        ("UPDATE ledger SET seq = seq + 10 WHERE seq = 5", LedgerProblem(15, "gap")),
    ],
)
def test_the_first_touched_entry_is_named(store: Store, statement: str, problem: LedgerProblem) -> None:
    touch(filled(store), statement)
    assert ledger.verify(store) == problem


@pytest.mark.parametrize("column", ["at", "kind", "batch_id", "subject", "detail", "previous_hash", "hash"])
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seq=st.integers(1, 5), value=st.text("0123456789abcdef核", min_size=1, max_size=64))
def test_any_change_of_any_column_is_found(tmp_path: Path, column: str, seq: int, value: str) -> None:
    path = tmp_path / "store.sqlite"
    store = Store.open(f"sqlite:///{path}")
    if ledger.head(store)[0] == 0:
        filled(store)
        touch(store, "SELECT 1")
    which = tables.ledger.c.seq == seq
    with store.begin() as connection:
        before = connection.scalar(sa.select(tables.ledger.c[column]).where(which))
        connection.execute(tables.ledger.update().where(which).values({column: value}))
    problem = ledger.verify(store)
    with store.begin() as connection:
        connection.execute(tables.ledger.update().where(which).values({column: before}))
    assert problem is not None or value == before
    assert problem is None or problem.seq in (seq, seq + 1)
    assert ledger.verify(store) is None
    store.close()


def test_many_writers_make_one_chain(store: Store) -> None:
    def write(name: int) -> None:
        for i in range(10):
            ledger.append(store, "query", "b1", f"{name}/{i}", {"i": i})

    threads = [threading.Thread(target=write, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledger.head(store)[0] == 40
    assert ledger.verify(store) is None
