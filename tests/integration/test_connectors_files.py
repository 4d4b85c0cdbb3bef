"""Files in a folder and over SFTP: what is read is what was sent, or it is refused as a whole."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors.connections import FolderConnection, SftpConnection
from connectors.contract import Contract, HttpDelivery
from connectors.extract import (
    Asked,
    ContractViolation,
    DecodeRefused,
    Extract,
    ExtractRefused,
    SourceRefused,
    SourceUnavailable,
)
from connectors.sources import open_extracts, probe
from connectors.synthetic.servers import ServedCounty
from tests.integration.conftest import DAY, as_csv, cells, deliver

CSV = ["housing/online_filing", "natural_resources/real_estate_title", "public_security/vehicle_registration"]


def opened(contract: Contract, folder: Path, asked: Asked) -> list[Extract]:
    return open_extracts(contract, FolderConnection(path=folder), asked, folder)


def read(extract: Extract, contract: Contract) -> pa.Table:
    return pa.Table.from_batches(list(extract.batches()), contract.schema)


def test_every_dataset_is_read_back_as_it_was_sent(
    served: ServedCounty, contracts: dict[str, Contract], asked: Asked, tmp_path: Path
) -> None:
    for dataset, contract in contracts.items():
        (extract,) = open_extracts(contract, served.connections[served.sources[dataset]], asked, tmp_path)
        # who is asked one by one is answered in the order of asking, which is not that of the department's books
        by_person = isinstance(contract.delivery, HttpDelivery) and contract.delivery.style == "person"
        order = [(name, "ascending") for name in contract.schema.names] if by_person else []
        got, sent = read(extract, contract), cells(contract, 30)
        got, sent = (table.sort_by(order) if order else table for table in (got, sent))
        assert got == sent, dataset
        assert str(extract.digest).startswith(("sha256:", "sm3:"))


@pytest.mark.parametrize("dataset", CSV)
@pytest.mark.parametrize("separator", [",", "|", "\t", ";"])
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_r18_any_separator_and_both_encodings_with_rare_characters(
    dataset: str, separator: str, encoding: str, contracts: dict[str, Contract], asked: Asked, tmp_path: Path
) -> None:
    contract = contracts[dataset].delivered({"separator": separator, "encoding": encoding})
    deliver(tmp_path, contract, cells(contract, 5))
    (extract,) = opened(contract, tmp_path, asked)
    assert read(extract, contract) == cells(contract, 5)


def test_quotes_blank_cells_another_order_and_a_byte_order_mark(
    contracts: dict[str, Contract], asked: Asked, tmp_path: Path
) -> None:
    contract = contracts["social_security/unemployment"]
    content = '\ufeff月领取金额,身份证号,终止月份,起始月份\n"1,580.00","a""b",,\n1,2,3,4'.encode()
    deliver(tmp_path, contract, cells(contract, 2), content=content)
    (extract,) = opened(contract, tmp_path, asked)
    assert read(extract, contract).to_pylist() == [
        {"身份证号": 'a"b', "起始月份": None, "终止月份": None, "月领取金额": "1,580.00"},
        {"身份证号": "2", "起始月份": "4", "终止月份": "3", "月领取金额": "1"},
    ]


@pytest.mark.parametrize("dataset", ["housing/online_filing", "social_security/pensions"])
def test_r2_an_empty_extract_is_an_answer(
    dataset: str, contracts: dict[str, Contract], asked: Asked, tmp_path: Path
) -> None:
    contract = contracts[dataset]
    deliver(tmp_path, contract, cells(contract, 0))
    (extract,) = opened(contract, tmp_path, asked)
    assert read(extract, contract).num_rows == 0
    assert (extract.declared_rows, extract.as_of) == (0, DAY)


@pytest.mark.parametrize("dataset", ["housing/online_filing", "social_security/pensions"])
@pytest.mark.parametrize(
    ("said", "step"),
    [({"rows": 4}, "count rows"), ({"rows": 6}, "count rows"), ({"digest": "0" * 64}, "check digest")],
)
def test_r2_a_wrong_count_or_digest_refuses_the_whole_extract(
    dataset: str, said: dict, step: str, contracts: dict[str, Contract], asked: Asked, tmp_path: Path
) -> None:
    contract = contracts[dataset]
    deliver(tmp_path, contract, cells(contract, 5), **said)
    (extract,) = opened(contract, tmp_path, asked)
    with pytest.raises(ExtractRefused) as raised:
        read(extract, contract)
    assert (raised.value.dataset, raised.value.step) == (dataset, step)


@pytest.mark.parametrize("dataset", ["housing/online_filing", "social_security/pensions"])
def test_r2_a_file_cut_short_is_refused(
    dataset: str, contracts: dict[str, Contract], asked: Asked, tmp_path: Path
) -> None:
    contract = contracts[dataset]
    file = deliver(tmp_path, contract, cells(contract, 50))
    file.write_bytes(file.read_bytes()[: file.stat().st_size * 2 // 3])
    (extract,) = opened(contract, tmp_path, asked)
    with pytest.raises((ExtractRefused, DecodeRefused)):
        read(extract, contract)


@pytest.mark.parametrize("algorithm", ["sha256", "sm3"])
def test_r2_manifests_carry_sha256_or_sm3(
    algorithm: str, contracts: dict[str, Contract], asked: Asked, tmp_path: Path
) -> None:
    contract = contracts["securities/holdings"].model_copy(update={"digest": algorithm})
    deliver(tmp_path, contract, cells(contract, 3))
    (extract,) = opened(contract, tmp_path, asked)
    assert read(extract, contract).num_rows == 3
    assert str(extract.digest).startswith(algorithm + ":")


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ({"rows": -1}, "rows"),
        ({"digest": "abc"}, "digest"),
        ({"dataset": "banks/deposits"}, "dataset"),
        ({"mode": "increment"}, "mode"),
        ({"as_of": "tomorrow"}, "as_of"),
        ({"colour": 1}, "colour"),
    ],
)
def test_r2_a_manifest_that_says_something_wrong_is_refused(
    said: dict, word: str, contracts: dict[str, Contract], asked: Asked, tmp_path: Path
) -> None:
    contract = contracts["securities/holdings"]
    deliver(tmp_path, contract, cells(contract, 3), **said)
    with pytest.raises(ExtractRefused, match=word) as raised:
        opened(contract, tmp_path, asked)
    assert raised.value.step == "read manifest"


def test_r1_a_missing_extract_is_unavailable_and_never_empty(
    contracts: dict[str, Contract], asked: Asked, tmp_path: Path
) -> None:
    contract = contracts["securities/holdings"]
    with pytest.raises(SourceUnavailable) as raised:
        opened(contract, tmp_path, asked)
    assert raised.value.dataset == contract.dataset
    file = deliver(tmp_path, contract, cells(contract, 3))
    with pytest.raises(SourceUnavailable, match="no extract was delivered"):
        opened(contract, tmp_path, replace(asked, on=date(2026, 9, 9)))
    file.unlink()
    with pytest.raises(SourceUnavailable, match="missing"):
        opened(contract, tmp_path, asked)


def test_r2_a_file_without_a_manifest_is_refused_unless_the_contract_asks_for_none(
    contracts: dict[str, Contract], asked: Asked, tmp_path: Path
) -> None:
    contract = contracts["securities/holdings"]
    file = deliver(tmp_path, contract, cells(contract, 3), name="holdings_20260908")
    file.with_name(file.name + ".manifest.json").unlink()
    with pytest.raises(ExtractRefused, match="came without one"):
        opened(contract, tmp_path, asked)
    (extract,) = opened(contract.model_copy(update={"manifest": "none"}), tmp_path, asked)
    assert (extract.as_of, read(extract, contract).num_rows) == (date(2026, 9, 8), 3)


def test_r7_the_same_file_sent_twice_is_one_extract(
    contracts: dict[str, Contract], asked: Asked, tmp_path: Path
) -> None:
    contract = contracts["public_security/vehicle_registration"]
    deliver(tmp_path, contract, cells(contract, 5), name="base")
    deliver(tmp_path, contract, cells(contract, 2), name="inc1", mode="increment", sequence=2)
    once = [(e.digest, e.as_of, e.mode) for e in opened(contract, tmp_path, asked)]
    deliver(tmp_path, contract, cells(contract, 2), name="inc1-again", mode="increment", sequence=3)
    assert [(e.digest, e.as_of, e.mode) for e in opened(contract, tmp_path, asked)] == once


def test_r8_newest_full_extract_then_its_increments_in_order(
    contracts: dict[str, Contract], asked: Asked, tmp_path: Path
) -> None:
    contract = contracts["public_security/vehicle_registration"]
    deliver(tmp_path, contract, cells(contract, 1), name="a", as_of="2026-08-01", mode="increment")
    deliver(tmp_path, contract, cells(contract, 2), name="z", as_of="2026-08-02")
    deliver(tmp_path, contract, cells(contract, 3), name="c", as_of="2026-08-03", mode="increment", sequence=2)
    deliver(tmp_path, contract, cells(contract, 4), name="d", as_of="2026-08-03", mode="increment", sequence=1)
    deliver(tmp_path, contract, cells(contract, 6), name="later", as_of="2026-10-01")
    found = opened(contract, tmp_path, asked)
    assert [extract.name for extract in found] == ["z.csv", "d.csv", "c.csv"]
    assert [extract.mode for extract in found] == ["full", "increment", "increment"]


def test_r18_undecodable_bytes_are_refused_with_their_position(
    contracts: dict[str, Contract], asked: Asked, tmp_path: Path
) -> None:
    contract = contracts["public_security/household_registration"]
    table = cells(contract, 2_000)
    good = as_csv(table, ",", "gb18030")
    at = len(good) - 3
    deliver(tmp_path, contract, table, content=good[:at] + b"\xff" + good[at:])
    (extract,) = opened(contract, tmp_path, asked)
    with pytest.raises(DecodeRefused) as raised:
        read(extract, contract)
    assert (raised.value.position, raised.value.encoding) == (at, "gb18030")


@pytest.mark.parametrize("dataset", ["housing/online_filing", "social_security/pensions"])
def test_a_renamed_column_stops_the_dataset_and_is_named(
    dataset: str, contracts: dict[str, Contract], asked: Asked, tmp_path: Path
) -> None:
    contract = contracts[dataset]
    table = cells(contract, 3)
    first = table.column_names[0]
    renamed = table.rename_columns(["改名", *table.column_names[1:]])
    deliver(tmp_path, contract, renamed)
    (extract,) = opened(contract, tmp_path, asked)
    with pytest.raises(ContractViolation) as raised:
        read(extract, contract)
    assert (raised.value.dataset, raised.value.column, raised.value.found) == (dataset, first, "missing")


def test_parquet_with_another_type_is_refused(contracts: dict[str, Contract], asked: Asked, tmp_path: Path) -> None:
    contract = contracts["social_security/pensions"]
    table = cells(contract, 3)
    at = table.column_names.index("FFJE")
    deliver(tmp_path, contract, table.set_column(at, "FFJE", table.column("FFJE").cast(pa.float64())))
    (extract,) = opened(contract, tmp_path, asked)
    with pytest.raises(ContractViolation, match="double"):
        read(extract, contract)


@pytest.mark.parametrize("lines", [0, 600_000])
def test_a_row_of_another_width_is_refused_by_its_line_and_never_shown(
    lines: int, contracts: dict[str, Contract], asked: Asked, tmp_path: Path
) -> None:
    contract = contracts["social_security/unemployment"]
    content = "身份证号,起始月份,终止月份,月领取金额\n1,2,3,4\n38010119900101001X,5\n1,2,3,4\n".encode()
    header, _, good = content.partition(b"\n")
    content = header + b"\n" + b"1,2,3,4\n" * lines + good
    deliver(tmp_path, contract, cells(contract, 3), content=content)
    (extract,) = opened(contract, tmp_path, asked)
    with pytest.raises(ExtractRefused, match=f"line {lines + 3}: 2 cells instead of 4") as raised:
        read(extract, contract)
    assert "38010119900101001X" not in str(raised.value)


def test_a_stream_may_be_left_before_its_end(contracts: dict[str, Contract], asked: Asked, tmp_path: Path) -> None:
    contract = contracts["housing/online_filing"]
    table = cells(contract, 1_000)
    many = pa.concat_tables([table] * 300)
    body = as_csv(table, ",", "utf-8").partition(b"\r\n")
    content = body[0] + body[1] + body[2] * 300
    deliver(tmp_path, contract, many, content=content)
    (extract,) = opened(contract, tmp_path, asked)
    batches = extract.batches()
    assert next(batches).num_rows > 0
    batches.close()  # type: ignore[attr-defined]
    assert read(opened(contract, tmp_path, asked)[0], contract).num_rows == 300_000


def sftp_of(served: ServedCounty) -> SftpConnection:
    connection = served.connections["sftp"]
    assert isinstance(connection, SftpConnection)
    return connection


def test_sftp_goes_on_where_the_connection_was_cut(
    served: ServedCounty, contracts: dict[str, Contract], asked: Asked, tmp_path: Path
) -> None:
    contract = contracts["public_security/vehicle_registration"].delivered({"separator": ","})
    table = cells(contract, 1_000)
    body = as_csv(table, ",", "gb18030").partition(b"\r\n")
    content = body[0] + body[1] + body[2] * 100
    departments = served.service.departments
    deliver(departments / "big", contract, pa.concat_tables([table] * 100), content=content)
    connection = sftp_of(served).model_copy(update={"path": "/big"})
    (extract,) = open_extracts(contract, connection, asked, tmp_path)
    before = len(served.sessions)
    rows = 0
    for number, batch in enumerate(extract.batches()):
        rows += batch.num_rows
        if number == 0:
            for session in list(served.sessions):
                session._loop.call_soon_threadsafe(session.abort)
    assert before >= 1
    assert rows == 100_000


def test_r1_sftp_with_a_wrong_password_or_an_unknown_host_is_refused_and_not_tried_again(
    served: ServedCounty, contracts: dict[str, Contract], tmp_path: Path
) -> None:
    contract = contracts["public_security/vehicle_registration"]
    (tmp_path / "password").write_text("wrong")
    (tmp_path / "nobody").write_text("")
    for change in ({"password_file": tmp_path / "password"}, {"known_hosts": tmp_path / "nobody"}):
        state = probe(contract, sftp_of(served).model_copy(update=change), date(2026, 9, 16), tmp_path)
        assert isinstance(state.error, SourceRefused), change
        assert not state.reachable


def test_r1_sftp_that_is_down_is_unavailable(
    served: ServedCounty, contracts: dict[str, Contract], asked: Asked, tmp_path: Path
) -> None:
    down = sftp_of(served).model_copy(update={"port": 1, "attempts": 2})
    with pytest.raises(SourceUnavailable):
        open_extracts(contracts["public_security/vehicle_registration"], down, asked, tmp_path)


def test_r4_the_test_call_says_how_old_the_last_extract_is(
    contracts: dict[str, Contract], asked: Asked, tmp_path: Path
) -> None:
    contract = contracts["securities/holdings"]
    deliver(tmp_path, contract, cells(contract, 3), as_of="2026-07-01")
    state = probe(contract, FolderConnection(path=tmp_path), asked.on, tmp_path)
    assert (state.reachable, state.last_as_of, state.fresh) == (True, date(2026, 7, 1), False)
    assert probe(contract, FolderConnection(path=tmp_path), date(2026, 8, 1), tmp_path).fresh


def test_parquet_written_elsewhere_is_read_by_the_contract(
    contracts: dict[str, Contract], asked: Asked, tmp_path: Path
) -> None:
    contract = contracts["taxation/annual_settlement"].delivered({"way": "files", "format": "parquet"})
    table = cells(contract, 4)
    wide = table.set_column(1, "zjhm", table.column("zjhm").cast(pa.large_string()).dictionary_encode())
    file = deliver(tmp_path, contract, table)
    pq.write_table(wide, file)
    said = json.loads((file.parent / f"{file.name}.manifest.json").read_text())
    import hashlib

    said["digest"] = hashlib.sha256(file.read_bytes()).hexdigest()
    (file.parent / f"{file.name}.manifest.json").write_text(json.dumps(said))
    (extract,) = opened(contract, tmp_path, asked)
    assert read(extract, contract) == table
