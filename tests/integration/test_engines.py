"""What a database refuses is told without the row that it refused: drivers quote it, logs and tracebacks must not."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest
import sqlalchemy as sa

from connectors.engines import discreet_engine
from tests.databases import store_url

__all__ = ["store_url"]
SECRET = "11010119900307793X"


@pytest.mark.parametrize("values", [(SECRET, SECRET), (SECRET, None)])
def test_an_error_of_the_database_quotes_no_value(
    store_url: str, values: tuple[str | None, ...], tmp_path: Path
) -> None:
    key, other = sa.Column("id_number", sa.String(20), primary_key=True), sa.Column("n", sa.String)
    table = sa.Table("t", sa.MetaData(), key, other)
    (tmp_path / "state").mkdir()
    engine = discreet_engine(store_url)
    table.metadata.create_all(engine)
    insert = table.insert()
    with engine.begin() as connection:
        connection.execute(insert.values(id_number=values[0], n=SECRET))
    with engine.connect() as connection, pytest.raises(sa.exc.DBAPIError) as caught:
        connection.execute(insert.values(id_number=values[1], n=SECRET))
    told = "".join(traceback.format_exception(caught.value))
    assert SECRET not in told
    assert "sqlstate=" in told
    engine.dispose()
