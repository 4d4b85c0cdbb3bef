"""The case store on SQLite and PostgreSQL: one schema, idempotent writes, tokens carried over whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from uuid import UUID

import pyarrow as pa
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from pipelines import store as stores
from pipelines import tables
from pipelines.batch import Batch
from pipelines.store import ExtractRow, ReportChangedError, ReportRow, Store, StoreAheadError, find, insert_many
from pipelines.store_tokens import RotationUnfinishedError, require_epoch, retoken, token_array, token_texts
from tests.databases import store_url  # noqa: F401

REPORT = ReportRow("HD1", 1, "R-1", "b1", "d1", "part-0001.parquet")


@pytest.fixture
def store(store_url: str) -> Store:  # noqa: F811
    return Store.open(store_url, lambda: datetime.fromisoformat("2026-09-16T02:00:00+08:00"))


def request_row(request_id: str, state: str = "open", application: int = 1) -> dict[str, object]:
    return {
        "request_id": request_id,
        "application": application,
        "programme": "subsistence_allowance",
        "division": "370303",
        "area_kind": "urban",
        "application_date": date(2026, 9, 10),
        "reference_date": date(2026, 9, 10),
        "requester": "370303",
        "purpose": "application",
        "state": state,
        "received_at": "2026-09-16T02:00:00+08:00",
        "document": b"sealed",
        "document_digest": "00",
    }


def test_migrations_and_tables_say_the_same(store: Store) -> None:
    with store.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []


def test_the_known_schema_is_the_newest_migration() -> None:
    folder = Path(stores.__file__).parent / "migrations"
    assert ScriptDirectory(str(folder)).get_current_head() == stores.SCHEMA


def test_opened_again_it_is_the_same_store(store: Store, store_url: str) -> None:  # noqa: F811
    store.put_reports([REPORT])
    assert Store.open(store_url).latest_reports() == {"R-1": REPORT}


def test_a_newer_store_is_refused(store: Store, store_url: str) -> None:  # noqa: F811
    with store.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreAheadError):
        Store.open(store_url)


def test_reports_are_put_once(store: Store) -> None:
    assert store.put_reports([REPORT]) == 1
    assert store.put_reports([REPORT, replace(REPORT, report_id="HD2", request_id="R-2")]) == 1
    with store.read() as connection:
        rows = connection.execute(sa.select(tables.outbox.c.report_id, tables.outbox.c.state)).all()
    assert sorted(map(tuple, rows)) == [("HD1", "pending"), ("HD2", "pending")]


def test_a_changed_report_is_refused_and_nothing_is_written(store: Store) -> None:
    store.put_reports([REPORT])
    with pytest.raises(ReportChangedError):
        store.put_reports([replace(REPORT, report_id="HD2"), replace(REPORT, digest="other")])
    assert list(store.latest_reports()) == ["R-1"]


def test_the_latest_version_is_found(store: Store) -> None:
    second = replace(REPORT, version=2, digest="d2", supersedes=1)
    store.put_reports([second])
    store.put_reports([REPORT])
    assert store.latest_reports(["R-1", "R-9"]) == {"R-1": second}


def test_only_one_application_of_a_request_is_open(store: Store) -> None:
    with store.begin() as connection:
        insert_many(connection, tables.requests, [request_row("R-1", "superseded"), request_row("R-1", application=2)])
    with pytest.raises(sa.exc.IntegrityError), store.begin() as connection:
        insert_many(connection, tables.requests, [request_row("R-1", application=3)])


def test_a_state_that_does_not_exist_is_refused(store: Store) -> None:
    with pytest.raises(sa.exc.IntegrityError), store.begin() as connection:
        insert_many(connection, tables.requests, [request_row("R-1", "approved")])


def test_withdrawn_is_withdrawn_until_applied_for_again(store: Store) -> None:
    with store.begin() as connection:
        rows = [request_row("R-1", "withdrawn"), request_row("R-2", "withdrawn"), request_row("R-2", application=2)]
        insert_many(connection, tables.requests, rows)
    assert store.withdrawn_requests() == {"R-1"}


def test_find_takes_any_number_of_values(store: Store) -> None:
    with store.begin() as connection:
        insert_many(connection, tables.requests, [request_row(f"R-{i}") for i in range(5)])
    wanted = [f"R-{i}" for i in range(100_000)] + ["R-'; --", "R-中"]
    with store.read() as connection:
        rows = list(find(connection, tables.requests, "request_id", wanted, columns=["request_id", "document"]))
        assert sorted(row.request_id for row in rows) == [f"R-{i}" for i in range(5)]
        assert rows[0].document == b"sealed"
        assert list(find(connection, tables.requests, "request_id", [])) == []


def test_extracts_have_a_history(store: Store) -> None:
    row = ExtractRow(
        "b1", "taxation/individual_income", "aa", date(2026, 9, 1), 10, 5, 1, {"income_fen": 200_000}, "admitted"
    )
    store.put_extracts([row, replace(row, digest="bb", state="refused")])
    store.put_extracts([replace(row, rows_read=99)])
    store.put_extracts([replace(row, batch_id="b2", digest="cc", as_of=date(2026, 8, 1))])
    history = store.extract_history("taxation/individual_income")
    assert [(h.batch_id, h.rows_read) for h in history] == [("b2", 10), ("b1", 10)]
    assert history[1] == row
    assert store.extract_history("taxation/individual_income", before_batch="b1") == history[:1]


def test_coverage_counts_are_replaced(store: Store) -> None:
    store.put_coverage("b1", {("x/y", "covered"): 5, ("x/y", "stale"): 1})
    store.put_coverage("b1", {("x/y", "covered"): 6})
    with store.read() as connection:
        assert [row.persons for row in connection.execute(sa.select(tables.coverage_counts))] == [6]


def test_a_batch_is_kept_once(store: Store, tmp_path: Path) -> None:
    batch = Batch.create(tmp_path, "b1", datetime.fromisoformat("2026-09-16T02:00:00+08:00"))
    store.put_batch(batch, 5)
    store.put_batch(batch, 7)
    with store.read() as connection:
        assert connection.execute(sa.select(tables.batches.c.requests)).all() == [(5,)]


def test_r19_tokens_are_carried_over_all_at_once(store: Store) -> None:
    texts = [UUID(int=i).hex for i in range(3)]
    with store.begin() as connection:
        insert_many(connection, tables.requests, [request_row("R-1")])
        rows = [
            {"request_id": "R-1", "application": 1, "member_no": i, "role": "member", "person": person, "epoch": 1}
            for i, person in enumerate([*texts, None])
        ]
        insert_many(connection, tables.members, rows)

    def change(tokens: pa.Array) -> pa.Array:
        return token_array([UUID(int=UUID(hex=text).int + 100).hex for text in token_texts(tokens)])

    assert retoken(store, change, 2) == 3
    assert retoken(store, change, 2) == 0
    with store.begin() as connection, pytest.raises(RotationUnfinishedError):
        require_epoch(connection, 1)
    with store.read() as connection:
        query = sa.select(tables.members.c.person, tables.members.c.epoch).order_by(tables.members.c.member_no)
        found = connection.execute(query).all()
    assert [row.person for row in found] == [UUID(int=100 + i).hex for i in range(3)] + [None]
    assert [row.epoch for row in found][:3] == [2, 2, 2]


def test_an_error_of_the_store_does_not_show_what_was_to_be_written(store: Store) -> None:
    with pytest.raises(sa.exc.StatementError) as caught, store.begin() as connection:
        connection.execute(sa.text("INSERT INTO nowhere VALUES (:value)"), {"value": "what nobody may read"})
    assert "nobody may read" not in str(caught.value)
