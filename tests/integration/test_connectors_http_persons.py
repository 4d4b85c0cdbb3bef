"""A service that answers about one person at a time: some are answered, some are not, or it is down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from connectors import http_persons
from connectors.connections import HttpConnection
from connectors.contract import Contract
from connectors.extract import Asked, Extract, ExtractRefused, SourceUnavailable
from connectors.sources import open_extracts
from connectors.synthetic.department_service import Misbehaviour
from connectors.synthetic.servers import ServedCounty, serve_county
from tests.integration.conftest import PEOPLE, cells, deliver

DETENTION = "public_security/detention"
NOBODY = "380101200001010010"


@pytest.fixture(scope="module")
def here(contracts: dict[str, Contract], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedCounty]:
    """Ten rows, about three persons by turns; about a fourth it does not answer."""
    root = tmp_path_factory.mktemp("persons")
    contract = contracts[DETENTION]
    deliver(root / "departments", contract, cells(contract, 10))
    (root / "departments" / contract.folder / "unanswered.json").write_text(json.dumps([NOBODY]), "utf-8")
    with serve_county(root, {DETENTION: contract}, database=False) as county:
        yield county


@pytest.fixture
def connection(here: ServedCounty) -> Iterator[HttpConnection]:
    found = here.connections["services"]
    assert isinstance(found, HttpConnection)
    here.service.requests.clear()
    yield found.model_copy(update={"attempts": 2})
    here.service.wrong.clear()


def ask(contract: Contract, connection: HttpConnection, asked: Asked, persons: list[str]) -> tuple[Extract, pa.Table]:
    of = replace(asked, persons=pa.array(persons, pa.string()))
    (extract,) = open_extracts(contract, connection, of, Path("/"))
    return extract, pa.Table.from_batches(list(extract.batches()), contract.schema)


def test_everybody_asked_is_asked_about_once(
    here: ServedCounty, contracts: dict[str, Contract], connection: HttpConnection, asked: Asked
) -> None:
    extract, rows = ask(contracts[DETENTION], connection, asked, PEOPLE)
    assert rows.num_rows == extract.declared_rows == 10
    assert rows.column("SFZH").to_pylist() == [PEOPLE[0]] * 4 + [PEOPLE[1]] * 3 + [PEOPLE[2]] * 3
    assert extract.answered is None
    assert (extract.digest or "").startswith("sha256:")
    assert len(here.service.requests) == len(PEOPLE)


def test_r2_a_person_without_rows_is_answered(
    contracts: dict[str, Contract], connection: HttpConnection, asked: Asked
) -> None:
    extract, rows = ask(contracts[DETENTION], connection, asked, ["380101197001010017"])
    assert (rows.num_rows, extract.declared_rows, extract.answered) == (0, 0, None)


def test_r3_one_who_is_refused_is_unanswered_and_the_others_stand(
    contracts: dict[str, Contract], connection: HttpConnection, asked: Asked
) -> None:
    extract, rows = ask(contracts[DETENTION], connection, asked, [PEOPLE[0], NOBODY, PEOPLE[1]])
    assert rows.num_rows == 7
    assert extract.answered is not None
    assert extract.answered.to_pylist() == PEOPLE[:2]


def test_r1_nobody_answered_is_a_source_that_is_down(
    here: ServedCounty, contracts: dict[str, Contract], connection: HttpConnection, asked: Asked
) -> None:
    here.service.wrong[DETENTION] = Misbehaviour("status", status=503)
    with pytest.raises(SourceUnavailable, match="HTTP 503"):
        ask(contracts[DETENTION], connection, asked, PEOPLE)


def test_r3_a_service_that_goes_down_is_not_asked_about_the_rest(
    here: ServedCounty,
    contracts: dict[str, Contract],
    connection: HttpConnection,
    asked: Asked,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http_persons, "ROUND", 1)
    extract, rows = ask(contracts[DETENTION], connection, asked, [PEOPLE[0], NOBODY, *PEOPLE[1:]])
    assert rows.num_rows == 4
    assert extract.answered is not None
    assert extract.answered.to_pylist() == PEOPLE[:1]
    assert len(here.service.requests) == 2


def test_r2_an_answer_that_is_not_what_it_declares_refuses_the_whole(
    here: ServedCounty, contracts: dict[str, Contract], connection: HttpConnection, asked: Asked
) -> None:
    here.service.wrong[DETENTION] = Misbehaviour("wrong_digest")
    with pytest.raises(ExtractRefused, match="digest"):
        ask(contracts[DETENTION], connection, asked, PEOPLE)


def test_r66_the_same_answers_have_the_same_digest(
    contracts: dict[str, Contract], connection: HttpConnection, asked: Asked
) -> None:
    one, two = (ask(contracts[DETENTION], connection, asked, PEOPLE)[0].digest for _ in range(2))
    assert one == two
