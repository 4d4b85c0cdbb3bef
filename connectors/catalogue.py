"""The data bureau's catalogue: which dataset may be exchanged, from whom, in which form, for what, until when.

It is shown, and decides nothing: whether a query is made hangs on the programme and on the person's authorisation.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connectors.connections import HttpConnection
from connectors.contract import HttpDelivery
from connectors.extract import ExtractRefused
from connectors.http import Service

NAME = "data_bureau/catalogue"


class Entry(BaseModel):
    """One dataset with the number of its exchange ticket, and the ticket's last day, None if it has no end."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str = Field(pattern=r"^[a-z_]+/[a-z_]+$")
    provider: str
    form: str
    purpose: str
    ticket: str
    valid_to: date | None = None


class _Catalogue(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    entries: list[Entry]


def read_catalogue(connection: HttpConnection, endpoint: str, root: Path) -> dict[str, Entry]:
    """The catalogue by dataset; where one is listed twice, the ticket that lasts longer.

    Raises:
        SourceUnavailable: the bureau does not answer, or refuses.
        ExtractRefused: the answer is no catalogue; its first wrong field is named, its values are not.
    """
    delivery = HttpDelivery(way="http", style="paged", endpoint=endpoint)
    answer = Service(NAME, delivery, connection, root).call("read catalogue", "GET", delivery.endpoint)
    try:
        listed = _Catalogue.model_validate_json(answer.content).entries
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "answer"
        raise ExtractRefused(NAME, "read catalogue", f"{field}: {first['msg']}") from None
    return {entry.dataset: entry for entry in sorted(listed, key=lambda entry: entry.valid_to or date.max)}
