"""Persons behind a request: found by number, shown by name. Each time it is in the ledger first, with the purpose."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass

import pyarrow as pa
import sqlalchemy as sa

from pipelines.console import cases
from pipelines.console.access import Visitor
from pipelines.console.site import Site
from pipelines.errors import HeduiError
from pipelines.opening import DOCUMENTS, DOCUMENTS_KEY
from pipelines.pseudonyms import Tokeniser
from pipelines.sealing import unseal
from pipelines.store_tokens import token_texts
from pipelines.tables import requests


@dataclass(eq=False)
class NotANumberError(HeduiError):
    """What was typed is no identifier; it is not repeated."""

    zh = "不是有效的证件号码"
    en = "this is no valid identifier"
    todo = "核对后重新输入 / check it and type it again"


@dataclass(eq=False)
class DocumentGoneError(HeduiError):
    """A request's document was cleared after a withdrawal, or at the end of its retention."""

    zh = "该申请的原始内容已按规定删除"
    en = "the content of this request was deleted as the rules say"
    todo = ""


@dataclass(frozen=True)
class Shown:
    """A member as the request names them."""

    number: int
    relation: str
    name: str
    id_number: str | None


def requests_of(site: Site, visitor: Visitor, id_number: str, purpose: str) -> list[cases.Case]:
    """Requests of the visitor's divisions in which the person of a number is a member.

    Raises:
        NotANumberError: it is no identifier.
    """
    ring = site.ring()
    tokeniser = Tokeniser(ring, ring.epoch, site.ws.settings.token_cipher, site.now().date())
    token = token_texts(tokeniser.persons(pa.array([id_number], pa.string())).values)[0]
    if token is None:
        raise NotANumberError
    found = cases.of_person(site.store, visitor.divisions, token)
    detail = {"by": visitor.name, "purpose": purpose, "requests": [case.request_id for case in found]}
    site.remember("person_searched", _once(visitor), detail)
    return found


def members_of(site: Site, visitor: Visitor, case: cases.Case, purpose: str) -> list[Shown]:
    """Names and numbers of a request's members, out of the sealed request.

    Raises:
        DocumentGoneError: it was deleted.
    """
    where = (requests.c.request_id == case.request_id, requests.c.application == case.application)
    with site.store.read() as connection:
        sealed = connection.scalar(sa.select(requests.c.document).where(*where))
    if not sealed:
        raise DocumentGoneError
    key = site.ring().seal_key(DOCUMENTS_KEY)
    document = json.loads(unseal(key, pa.array([sealed], pa.binary()), DOCUMENTS)[0].as_py())
    shown = [Shown(one["member_no"], one["relation"], one["name"], one.get("id_number")) for one in document["members"]]
    detail = {"by": visitor.name, "purpose": purpose, "application": case.application, "members": len(shown)}
    site.remember("reidentified", f"{case.request_id}/{_once(visitor)}", detail)
    return shown


def _once(visitor: Visitor) -> str:
    """A subject that no other entry has: the same person may look twice for the same reason."""
    return f"{visitor.name}/{secrets.token_hex(8)}"
