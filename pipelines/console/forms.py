"""Forms that nobody else can send for somebody: a token in each, and the browser's word on where it comes from."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from fastapi import Depends, Form, Request
from pydantic import AfterValidator, StringConstraints

from pipelines.console.site import site
from pipelines.errors import HeduiError
from pipelines.request_rules import holds_identifier

FIELD = "csrf"
SAFE = ("GET", "HEAD", "OPTIONS")
_FROM_HERE = ("same-origin", "none")


@dataclass(eq=False)
class ForeignFormError(HeduiError):
    """A form does not come from a page of the console, or from one of yesterday's."""

    zh = "表单不是从本系统的页面提交的，或页面打开时间过长"
    en = "the form does not come from a page of this console, or that page has been open for too long"
    todo = "返回上一页，刷新后再提交 / go back, reload the page and send the form again"


@dataclass(eq=False)
class IdentifierInTextError(HeduiError):
    """A typed text that is kept in the clear holds an ID number."""

    zh = "说明文字中不能含有身份证号"
    en = "a text that is kept in the ledger must not hold an ID number"
    todo = "改写后再提交 / write it without the number"


def _without_identifier(text: str) -> str:
    if holds_identifier(text):
        raise IdentifierInTextError
    return text


Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=4, max_length=200),
    AfterValidator(_without_identifier),
    Form(),
]


def token(user: str, on: date) -> str:
    """The token that a user's forms hold on a day."""
    key = site().ring().key("console/csrf")
    return hmac.digest(key, f"{user}\n{on.isoformat()}".encode(), "sha256").hex()


async def from_here(request: Request) -> str:
    """The token of the form that was sent; empty for what changes nothing.

    Raises:
        ForeignFormError: the browser says that another site sent it.
    """
    if request.method in SAFE:
        return ""
    if request.headers.get("sec-fetch-site", "none") not in _FROM_HERE:
        raise ForeignFormError
    form = await request.form()
    return str(form.get(FIELD, ""))


SentToken = Annotated[str, Depends(from_here)]


def check(request: Request, sent: str, user: str) -> None:
    """Refuse a form that does not hold the user's token of today or yesterday.

    Raises:
        ForeignFormError: it does not.
    """
    if request.method in SAFE:
        return
    today = site().now().date()
    valid = [token(user, today - timedelta(days=back)) for back in (0, 1)]
    if not any(hmac.compare_digest(sent, one) for one in valid):
        raise ForeignFormError
