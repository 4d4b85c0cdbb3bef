"""The data bureau's catalogue: read over HTTP, shown by ``hedui sources``, and never a reason to fail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from connectors.catalogue import NAME, read_catalogue
from connectors.connections import HttpConnection
from connectors.contract import load_contracts
from connectors.extract import ExtractRefused, SourceUnavailable
from connectors.synthetic.county import write_catalogue
from connectors.synthetic.department_service import Misbehaviour
from connectors.synthetic.servers import ServedCounty, serve_county
from pipelines.cli import run
from pipelines.demo import make_workspace


@pytest.fixture
def county(tmp_path: Path) -> Iterator[ServedCounty]:
    """A county of which only the data bureau has anything to say."""
    write_catalogue(tmp_path / "county" / "departments" / "data_bureau.catalogue", load_contracts(), 1)
    with serve_county(tmp_path / "county", database=False) as served:
        yield served


def connection_of(county: ServedCounty) -> HttpConnection:
    connection = county.connections["services"]
    assert isinstance(connection, HttpConnection)
    return connection.model_copy(update={"attempts": 2})


def test_every_dataset_has_a_ticket_with_a_last_day(county: ServedCounty, tmp_path: Path) -> None:
    entries = read_catalogue(connection_of(county), NAME, tmp_path)
    assert list(entries.keys() - load_contracts().keys()) == []
    assert {entry.valid_to for entry in entries.values()} <= {
        date(2027, m, d) for m, d in ((3, 31), (6, 30), (9, 30), (12, 31))
    }
    assert entries["banks/deposits"].purpose == "社会救助家庭经济状况核对"


def test_of_two_tickets_the_one_that_lasts_longer_is_told(county: ServedCounty, tmp_path: Path) -> None:
    one = {"dataset": "banks/deposits", "provider": "银行", "form": "http", "purpose": "核对", "ticket": "1"}
    entries = [one | {"valid_to": day} for day in ("2027-03-31", None, "2027-06-30")]
    file = tmp_path / "county/departments/data_bureau.catalogue/catalogue.json"
    file.write_text(json.dumps({"entries": entries}))
    assert read_catalogue(connection_of(county), NAME, tmp_path)["banks/deposits"].valid_to is None


@pytest.mark.parametrize(("content", "field"), [("[]", "answer"), ('{"entries": [{"dataset": 1}]}', "entries.0")])
def test_what_is_no_catalogue_is_refused_without_its_values(
    content: str, field: str, county: ServedCounty, tmp_path: Path
) -> None:
    (tmp_path / "county/departments/data_bureau.catalogue/catalogue.json").write_text(content)
    with pytest.raises(ExtractRefused, match=field):
        read_catalogue(connection_of(county), NAME, tmp_path)


def test_a_bureau_that_is_down_is_unavailable(county: ServedCounty, tmp_path: Path) -> None:
    county.service.wrong[NAME] = Misbehaviour("status")
    with pytest.raises(SourceUnavailable):
        read_catalogue(connection_of(county), NAME, tmp_path)


@pytest.mark.parametrize("down", [False, True])
def test_hedui_sources_shows_the_tickets_last_day(
    down: bool, county: ServedCounty, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if down:
        county.service.wrong[NAME] = Misbehaviour("status")
    connections = {name: json.loads(c.model_dump_json()) for name, c in county.connections.items()}
    connections["services"]["attempts"] = 1
    sources = {"health/severe_illness": county.sources["health/severe_illness"]}
    make_workspace(tmp_path / "workspace", tmp_path / "county", connections, sources)
    assert run(["sources", "-w", str(tmp_path / "workspace"), "--json"]) == 1  # the health department has sent nothing
    [source] = json.loads(capsys.readouterr().out)["sources"]
    assert (source["ticket_until"] is None) == down
