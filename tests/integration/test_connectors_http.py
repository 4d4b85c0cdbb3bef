"""Services that misbehave: what may pass is tried again, what will not is not, and nothing wrong is taken."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from connectors.connections import HttpConnection
from connectors.contract import Contract, ContractError
from connectors.extract import (
    Asked,
    ContractViolation,
    Extract,
    ExtractRefused,
    SourceRefused,
    SourceTimedOut,
    SourceUnavailable,
)
from connectors.http import json_rows
from connectors.sources import open_extracts
from connectors.synthetic.department_service import Misbehaviour
from connectors.synthetic.servers import ServedCounty, serve_county
from tests.integration.conftest import PEOPLE, cells, deliver

DEPOSITS = "banks/deposits"


@pytest.fixture
def service(served: ServedCounty) -> Iterator[HttpConnection]:
    connection = served.connections["services"]
    assert isinstance(connection, HttpConnection)
    served.service.requests.clear()
    yield connection.model_copy(update={"attempts": 3})
    served.service.wrong.clear()


@pytest.fixture(params=["ticket", "paged"])
def contract(request: pytest.FixtureRequest, contracts: dict[str, Contract]) -> Contract:
    return contracts[DEPOSITS].delivered({"style": request.param, "page_rows": 7})


def read(contract: Contract, connection: HttpConnection, asked: Asked) -> tuple[Extract, pa.Table]:
    (extract,) = open_extracts(contract, connection, asked, Path("/"))
    return extract, pa.Table.from_batches(list(extract.batches()), contract.schema)


def test_pages_come_together_in_order(contract: Contract, service: HttpConnection, asked: Asked) -> None:
    extract, rows = read(contract, service, asked)
    assert rows == cells(contract, 30)
    assert (extract.declared_rows, extract.answered) == (30, None)


def test_only_the_persons_asked_for_are_answered(contract: Contract, service: HttpConnection, asked: Asked) -> None:
    _, rows = read(contract, service, replace(asked, persons=pa.array(PEOPLE[:1])))
    assert set(rows.column("CKRSFZJHM").to_pylist()) == {PEOPLE[0]}


def test_r2_nothing_found_is_an_answer(contract: Contract, service: HttpConnection, asked: Asked) -> None:
    extract, rows = read(contract, service, replace(asked, persons=pa.array(["380101200001010010"])))
    assert (rows.num_rows, extract.declared_rows) == (0, 0)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_fault_that_passes_is_tried_again(
    status: int, served: ServedCounty, contract: Contract, service: HttpConnection, asked: Asked
) -> None:
    served.service.wrong[DEPOSITS] = Misbehaviour("status", times=2, status=status)
    _, rows = read(contract, service, asked)
    assert rows.num_rows == 30


def test_r1_a_fault_that_stays_is_unavailable_after_the_last_try(
    served: ServedCounty, contract: Contract, service: HttpConnection, asked: Asked
) -> None:
    served.service.wrong[DEPOSITS] = Misbehaviour("status", status=503)
    with pytest.raises(SourceUnavailable, match="HTTP 503") as raised:
        read(contract, service, asked)
    assert raised.value.dataset == DEPOSITS
    assert len(served.service.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_r1_what_will_not_pass_is_refused_at_once(
    status: int, served: ServedCounty, contract: Contract, service: HttpConnection, asked: Asked
) -> None:
    served.service.wrong[DEPOSITS] = Misbehaviour("status", status=status)
    with pytest.raises(SourceRefused, match=f"HTTP {status}"):
        read(contract, service, asked)
    assert len(served.service.requests) == 1


def test_r1_a_slow_service_times_out_and_is_tried_again(
    served: ServedCounty, contract: Contract, service: HttpConnection, asked: Asked
) -> None:
    hasty = service.model_copy(update={"timeout_seconds": 0.3, "attempts": 2})
    served.service.wrong[DEPOSITS] = Misbehaviour("slow", times=1, seconds=0.6)
    _, rows = read(contract, hasty, asked)
    assert rows.num_rows == 30
    served.service.wrong[DEPOSITS] = Misbehaviour("slow", seconds=0.6)
    with pytest.raises(SourceTimedOut):
        read(contract, hasty, asked)


def test_a_page_that_was_cut_is_fetched_again(
    served: ServedCounty, contract: Contract, service: HttpConnection, asked: Asked
) -> None:
    served.service.wrong[DEPOSITS] = Misbehaviour("cut", times=2)
    _, rows = read(contract, service, asked)
    assert rows == cells(contract, 30)


def test_r1_a_service_that_always_cuts_is_unavailable(
    served: ServedCounty, contract: Contract, service: HttpConnection, asked: Asked
) -> None:
    served.service.wrong[DEPOSITS] = Misbehaviour("cut")
    with pytest.raises(SourceUnavailable) as raised:
        read(contract, service, asked)
    assert raised.value.step == "fetch page"


@pytest.mark.parametrize(("trouble", "step"), [("wrong_count", "count rows"), ("wrong_digest", "check digest")])
def test_r2_an_answer_that_is_not_what_it_declares_is_refused(
    trouble: str,
    step: str,
    served: ServedCounty,
    contracts: dict[str, Contract],
    service: HttpConnection,
    asked: Asked,
) -> None:
    served.service.wrong[DEPOSITS] = Misbehaviour(trouble)  # type: ignore[arg-type]
    with pytest.raises(ExtractRefused) as raised:
        read(contracts[DEPOSITS], service, asked)
    assert (raised.value.dataset, raised.value.step) == (DEPOSITS, step)


def test_r3_a_partial_answer_lists_who_was_answered(
    served: ServedCounty, contracts: dict[str, Contract], service: HttpConnection, asked: Asked
) -> None:
    served.service.wrong[DEPOSITS] = Misbehaviour("partial", times=1)
    extract, rows = read(contracts[DEPOSITS], service, asked)
    assert extract.answered is not None
    assert extract.answered.to_pylist() == PEOPLE[1:]
    assert set(rows.column("CKRSFZJHM").to_pylist()) == set(PEOPLE[1:])


def test_r3_long_lists_go_in_several_requests_and_make_one_extract(
    served: ServedCounty, contracts: dict[str, Contract], service: HttpConnection, asked: Asked
) -> None:
    contract = contracts[DEPOSITS].delivered({"list_limit": 2})
    served.service.wrong[DEPOSITS] = Misbehaviour("partial", times=1)
    extract, rows = read(contract, service, asked)
    assert extract.answered is not None
    assert extract.answered.to_pylist() == PEOPLE[1:]
    assert rows.num_rows == 20
    whole, _ = read(contract, service, asked)
    assert whole.answered is None
    assert whole.digest != extract.digest


def test_r1_a_ticket_that_never_gets_ready_times_out(
    served: ServedCounty, contracts: dict[str, Contract], service: HttpConnection, asked: Asked
) -> None:
    served.service.wrong[DEPOSITS] = Misbehaviour("never_ready")
    with pytest.raises(SourceTimedOut) as raised:
        read(contracts[DEPOSITS], service.model_copy(update={"ticket_seconds": 0.2}), asked)
    assert raised.value.step == "look at ticket"


def test_r1_an_answer_that_is_no_json_is_refused(
    served: ServedCounty, contracts: dict[str, Contract], service: HttpConnection, asked: Asked
) -> None:
    served.service.wrong[DEPOSITS] = Misbehaviour("not_json")
    with pytest.raises(SourceRefused):
        read(contracts[DEPOSITS], service, asked)


def test_r1_a_service_that_is_down_is_unavailable(
    contracts: dict[str, Contract], service: HttpConnection, asked: Asked
) -> None:
    down = service.model_copy(update={"base_url": "http://127.0.0.1:1", "attempts": 2})
    with pytest.raises(SourceUnavailable) as raised:
        read(contracts[DEPOSITS], down, asked)
    assert raised.value.step == "submit list"


def test_r7_asked_again_a_service_gives_the_same_digest(
    contract: Contract, service: HttpConnection, asked: Asked
) -> None:
    assert read(contract, service, asked)[0].digest == read(contract, service, asked)[0].digest


@pytest.mark.parametrize(
    ("change", "column", "found"),
    [({"ZHYE": 12.5}, "ZHYE", "number"), ({"XB": "1"}, "XB", "unknown column"), ({"BZ": None}, None, None)],
)
def test_a_page_holds_quoted_text_under_the_contracts_names(
    change: dict, column: str | None, found: str | None, contracts: dict[str, Contract]
) -> None:
    contract = contracts[DEPOSITS]
    row = {**cells(contract, 1).to_pylist()[0], **change}
    page = (json.dumps(row, ensure_ascii=False) + "\n").encode()
    if column is None:
        (batch,) = json_rows(contract, page)
        assert batch.to_pylist() == [row]
        return
    with pytest.raises(ContractViolation) as raised:
        list(json_rows(contract, page))
    assert (raised.value.column, raised.value.found) == (column, found)


def test_a_page_without_a_column_is_refused(contracts: dict[str, Contract]) -> None:
    contract = contracts[DEPOSITS]
    row = cells(contract, 1).to_pylist()[0]
    row.pop("BZ")
    with pytest.raises(ContractViolation, match="missing"):
        list(json_rows(contract, json.dumps(row).encode()))


def test_a_connection_of_another_kind_is_a_configuration_error(
    contracts: dict[str, Contract], service: HttpConnection, asked: Asked
) -> None:
    with pytest.raises(ContractError, match="does not go with"):
        open_extracts(contracts["securities/holdings"], service, asked, Path("/"))


@pytest.mark.parametrize("dataset", [DEPOSITS, "taxation/individual_income"])
def test_a_department_that_renames_a_column_stops_its_dataset(
    dataset: str, contracts: dict[str, Contract], asked: Asked, tmp_path: Path
) -> None:
    contract = contracts[dataset]
    table = cells(contract, 9)
    last = table.column_names[-1]
    deliver(tmp_path / "departments", contract, table.rename_columns([*table.column_names[:-1], "xin"]))
    with serve_county(tmp_path, {dataset: contract}, database=contract.way == "database") as served:
        connection = served.connections[served.sources[dataset]]
        with pytest.raises(ContractViolation) as raised:
            _ = [list(extract.batches()) for extract in open_extracts(contract, connection, asked, tmp_path)]
    assert (raised.value.column, raised.value.found) == (last, "missing")
