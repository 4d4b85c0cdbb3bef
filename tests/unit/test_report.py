"""The report stage: canonical bytes, versions, what store and ledger keep, what lies on the disk."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa

from pipelines import report, tables
from pipelines.batch import Batch
from pipelines.ledger import verify
from pipelines.opening import ASSETS, MEMBERS, SealedFields
from pipelines.sealing import SealBrokenError, seal
from pipelines.signing import canonical, check, digest
from pipelines.store import Store
from pipelines.texts import CodeWithoutTextError
from pipelines.warehouse import connect, scan, write_table
from tests.assessed import AS_OF, DATA_KEY, NAMES, STORIES, request_of, stories, write
from tests.issuing import KEY, contents, issue, issued

FEW = STORIES[:3]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(f"sqlite:///{tmp_path}/store.sqlite")


@pytest.fixture
def batch(tmp_path: Path) -> Batch:
    return write(tmp_path / "batches", FEW)


def change(batch: Batch, table: str, sql: str) -> None:
    """Rewrite an assessed table of the batch, ``sql`` being its new rows out of ``old``."""
    path = batch.folder / "assessed" / "0000" / f"{table}.parquet"
    with connect(DATA_KEY) as con:
        con.execute(f"CREATE TABLE old AS SELECT * FROM {scan(path)}")
        write_table(con, con.execute(sql).to_arrow_table(), path)


def test_every_report_is_canonical_valid_and_signed(batch: Batch, store: Store) -> None:
    issue(batch, store)
    texts = contents(batch)
    assert sorted(texts) == sorted(request_of(story) for story in FEW)
    for text in texts.values():
        assert canonical(json.loads(text)) == text
        assert check(text, KEY.public_key()) == []
    assert all(check(document, KEY.public_key()) == [] for document in issued().values())


def test_control_characters_of_a_source_are_shown_as_a_space(batch: Batch, store: Store) -> None:
    change(batch, "income_items", "SELECT * REPLACE ('工' || chr(31) || chr(10) || '厂\"\\' AS payer) FROM old")
    issue(batch, store)
    for text in contents(batch).values():
        assert canonical(json.loads(text)) == text
        assert {item["payer"] for item in json.loads(text)["income"]["items"]} <= {'工 厂"\\'}


def test_worked_example_reads_as_the_rules_say() -> None:
    found = issued()[request_of(STORIES[0])]
    assert found["income"]["total_fen"] == {"low": 2_880_000, "high": 4_080_000}
    assert found["income"]["per_capita_monthly_fen"] == {"low": 80_000, "high": 113_333}
    assert found["assets"]["financial_fen"] == {"low": 6_000_000, "high": None}
    assert found["conclusion"]["limits"] == "undetermined"
    assert [reason["code"] for reason in found["conclusion"]["review"]][:2] == [
        "annual_only",
        "joint_account_unknown_shares",
    ]
    assert [member["name"] for member in found["members"]] == list(NAMES[:3])
    decisive = [(line["test"], line["kind"], line["item"]) for line in found["decisive"]]
    assert decisive[0] == ("income", "fact", 1)
    assert [kind for _, kind, _ in decisive[1:]] == ["source", "fact"]
    assert found["income"]["items"][0]["kind"] == "business"


def test_dates_come_from_the_batch_and_its_policy() -> None:
    found = issued()[request_of(STORIES[0])]
    assert found["as_of"] == AS_OF.isoformat()
    assert found["objection"]["until"] > found["as_of"][:10]
    assert found["valid_until"] > found["objection"]["until"]
    assert found["division"] == {"code": "370303", "name": "张店区"}


def test_again_after_a_crash_before_the_mark_gives_the_same_version(batch: Batch, store: Store) -> None:
    issue(batch, store)
    first = contents(batch)
    assert issue(batch, store) == {"reports": 3, "new": 0, "unchanged": 0, "withdrawn": 0, "persons": 5}
    assert contents(batch) == first
    assert verify(store) is None


def test_left_over_parts_of_a_run_that_died_are_gone(batch: Batch, store: Store) -> None:
    stray = batch.folder / "reports" / "part-0099.parquet"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"half a file")
    issue(batch, store)
    assert not stray.exists()
    assert len(contents(batch)) == 3


def test_same_content_in_another_batch_is_no_new_version(tmp_path: Path, batch: Batch, store: Store) -> None:
    issue(batch, store)
    second = write(tmp_path / "batches", FEW, "b2")
    assert issue(second, store) == {"reports": 0, "new": 0, "unchanged": 3, "withdrawn": 0, "persons": 5}
    assert contents(second) == {}
    with pytest.raises(report.ReportNotFoundError):
        report.read(second, DATA_KEY, "HD", 1)


def test_r05_changed_content_is_a_new_version_and_the_old_one_stays(tmp_path: Path, batch: Batch, store: Store) -> None:
    issue(batch, store)
    before = contents(batch)
    second = write(tmp_path / "batches", FEW, "b2")
    request = request_of(FEW[0])
    change(second, "income_items", "SELECT * REPLACE (amount_fen + 1 AS amount_fen) FROM old")
    summary = issue(second, store)
    new = {name: json.loads(text) for name, text in contents(second).items()}
    assert summary["reports"] == summary["new"] == len(new)
    assert (new[request]["version"], new[request]["supersedes"]) == (2, 1)
    assert new[request]["report_id"] == json.loads(before[request])["report_id"]
    assert contents(batch) == before
    assert issue(second, store)["new"] == 0
    assert {name: json.loads(text) for name, text in contents(second).items()} == new


def test_r31_withdrawn_request_gets_no_report(batch: Batch, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Store, "withdrawn_requests", lambda self: {request_of(FEW[1])})
    assert issue(batch, store)["withdrawn"] == 1
    assert request_of(FEW[1]) not in contents(batch)


def test_store_and_ledger_take_note(batch: Batch, store: Store) -> None:
    issue(batch, store)
    with store.read() as connection:
        rows = connection.execute(sa.select(tables.reports)).all()
        queued = connection.execute(sa.select(tables.outbox)).all()
        entries = connection.execute(sa.select(tables.ledger.c.kind, tables.ledger.c.detail)).all()
    documents = {document.report_id: document for document in report.documents(batch, DATA_KEY)}
    assert {row.report_id: row.digest for row in rows} == {d.report_id: d.digest for d in documents.values()}
    assert len(queued) == 3
    details = {kind: json.loads(detail) if isinstance(detail, str) else detail for kind, detail in entries}
    assert details["reidentification"] == {"purpose": "report", "persons": 5}
    assert details["reports"]["root"] == json.loads(next(iter(documents.values())).content)["signature"]["root"]


def test_read_gives_what_is_delivered(batch: Batch, store: Store) -> None:
    issue(batch, store)
    for document in report.documents(batch, DATA_KEY):
        assert report.read(batch, DATA_KEY, document.report_id, document.version) == document.content
        assert digest(json.loads(document.content)) == document.digest


def test_nothing_on_the_disk_tells_a_name_or_number(batch: Batch, store: Store) -> None:
    issue(batch, store)
    told = [*NAMES, "38031019800", "共青团西路"]
    for file in (batch.folder / "reports").rglob("*"):
        raw = file.read_bytes()
        assert not [text for text in told if text.encode() in raw]


def test_code_without_words_stops_before_the_first_document(batch: Batch, store: Store) -> None:
    change(batch, "review", "SELECT * REPLACE ('unheard_of' AS code) FROM old")
    with pytest.raises(CodeWithoutTextError) as stopped:
        issue(batch, store)
    assert stopped.value.code == "unheard_of"
    assert not (batch.folder / "reports").exists()


def test_every_golden_household_has_words_for_its_codes(tmp_path: Path, store: Store) -> None:
    everyone = write(tmp_path / "all", tuple(stories()))
    assert issue(everyone, store)["reports"] == len(stories())
    for document in report.documents(everyone, DATA_KEY):
        assert check(document.content, KEY.public_key()) == []


def test_sealed_fields_open_only_with_the_batches_key_and_context() -> None:
    key = bytes(range(64))
    fields = SealedFields(key)
    addresses, plates = pa.array(["张店区", None]), pa.array(["鲁C·12345"])
    sealed = pa.concat_arrays([seal(key, addresses, ASSETS["dwelling"]), seal(key, plates, ASSETS["vehicle"])])
    classes = pa.array(["dwelling", "premises", "vehicle"])
    assert fields.assets(classes, sealed).to_pylist() == ["张店区", None, "鲁C·12345"]
    names = pa.array(['{"id_number":null,"name":"王"}'])
    assert fields.members(seal(key, names, MEMBERS)).to_pylist() == names.to_pylist()
    with pytest.raises(SealBrokenError):
        fields.assets(pa.array(["vehicle"]), seal(key, pa.array(["x"]), ASSETS["dwelling"]))
    with pytest.raises(SealBrokenError):
        SealedFields(bytes(64)).members(seal(key, names, MEMBERS))
