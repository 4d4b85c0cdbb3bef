"""The form that starts a verification, judged as a whole before anything is done: every error at once, or a selection.

Airflow's own form checks each field by its schema; what holds between fields, and against the case store, is here, so
that the REST API and a person meet the same rules. No field may hold an identifier: they are kept by Airflow in clear.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import sqlalchemy as sa

from pipelines import tables
from pipelines.console import access
from pipelines.errors import HeduiError
from pipelines.policy import load_pack, pack_folder
from pipelines.request_rules import holds_identifier
from pipelines.settings import Workspace
from pipelines.store import Store, find

HERE = timezone(timedelta(hours=8))
PRIORITIES, WAYS = ("normal", "urgent"), ("fresh", "admitted")
LEAST_REASON, MOST_REASON, MOST_REQUESTS = 4, 200, 1000
# What a run is called that no user started, by Airflow's type of run.
_NOBODY = ("scheduled", "manual", "backfill", "operator_triggered", "asset_triggered", "asset_materialization")
FIELDS = ("division", "programme", "requests", "priority", "as_of", "reason", "collect")


@dataclass(eq=False)
class FormRefusedError(HeduiError):
    """The run does not start: its form is wrong; ``problems`` names the fields and never repeats what was typed."""

    problems: str

    zh = "核对申请表有误，未作任何查询：{problems}"
    en = "the run's form is wrong and nothing was asked: {problems}"
    todo = "correct the fields and trigger again"
    exit_code = 2


@dataclass(frozen=True)
class Form:
    """What a run is asked to do; None means no restriction.

    Attributes:
        division: code, or the beginning of one.
        programme: its code in the policy pack.
        requests: ids.
        urgent: its tasks come before those of runs that are not (pipelines/airflow_config); the ledger has it, too.
        as_of: the moment that the batch speaks of; None for the run's own.
        reason: of the query, as typed by whom it was triggered.
        admitted: one request on extracts that were admitted already; nobody is asked.
        by: who triggered it; None if nobody did, but an arrival.
    """

    division: str | None = None
    programme: str | None = None
    requests: tuple[str, ...] | None = None
    urgent: bool = False
    as_of: datetime | None = None
    reason: str | None = None
    admitted: bool = False
    by: str | None = None


def read(given: Mapping[str, object], ws: Workspace, now: datetime, by: str | None) -> Form:
    """The form, if everything in it is right.

    Args:
        given: the run's parameters.
        ws: its division, policy pack and case store.
        now: the run's moment; what is verified lies in no later one.
        by: who triggered the run, None for an arrival.

    Raises:
        FormRefusedError: with every problem.
    """
    found = [*_fields(given, ws, now, by), *_together(given, by)]
    if not found:
        found = [*_requests(given, ws), *_allowed(given, ws, by)]
    if found:
        raise FormRefusedError("；".join(found))
    moment, requests = _text(given, "as_of"), given.get("requests")
    return Form(
        _text(given, "division"),
        _text(given, "programme"),
        tuple(sorted(set(map(str, requests)))) if isinstance(requests, list | tuple) and requests else None,
        given.get("priority") == "urgent",
        read_moment(moment) if moment else None,
        _text(given, "reason"),
        given.get("collect") == "admitted",
        by,
    )


def read_reason(given: Mapping[str, object], ws: Workspace, by: str | None) -> str | None:
    """The reason alone, of a form of an administrator that has nothing else.

    Raises:
        FormRefusedError: it is missing, or is none; or the user is no administrator of ``access.yaml``.
    """
    reason = _text(given, "reason")
    found = list(_reason(reason, by))
    person = by if by not in _NOBODY and (ws.root / access.FILE).is_file() else None
    if person is not None and access.Role.administrator not in access.visitor(ws.root, person).roles:
        found.append("只有系统管理员可以发起 for administrators only: access.yaml")
    if found:
        raise FormRefusedError("；".join(found))
    return reason


def selected(form: Form, ws: Workspace) -> list[str] | None:
    """The open requests that a form speaks of; None for all.

    An arrival speaks of those that no report was ever issued for: the others are the nightly run's.
    """
    if form.requests is None and form.division is None and form.programme is None and form.by is not None:
        return None
    table = tables.requests
    query = sa.select(table.c.request_id).where(table.c.state == "open")
    if form.requests is not None:
        return list(form.requests)
    if form.division is not None:
        query = query.where(table.c.division.startswith(form.division, autoescape=True))
    if form.programme is not None:
        query = query.where(table.c.programme == form.programme)
    if form.by is None:
        query = query.where(table.c.request_id.not_in(sa.select(tables.reports.c.request_id)))
    store = Store.open(ws.store_url)
    try:
        with store.read() as connection:
            return list(connection.scalars(query.order_by(table.c.request_id)))
    finally:
        store.close()


def read_moment(text: str) -> datetime | None:
    """A moment as ISO 8601, in the county's time where it names none; None if it is no moment."""
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        return None
    return given.replace(tzinfo=HERE) if given.tzinfo is None else given.astimezone(HERE)


def _text(given: Mapping[str, object], name: str) -> str | None:
    """A field's text without the spaces around it; None where it was left empty."""
    value = given.get(name)
    return value.strip() or None if isinstance(value, str) else None


def _fields(given: Mapping[str, object], ws: Workspace, now: datetime, by: str | None) -> Iterator[str]:
    """What is wrong with each field for itself."""
    for name in sorted(set(given) - set(FIELDS)):
        yield f"未知字段 unknown field: {name if name.isidentifier() else '?'}"
    for name in ("division", "programme", "as_of", "reason"):
        if not isinstance(given.get(name), str | None):
            yield f"{name}: 应为文字 not a text"
    division, programme = _text(given, "division"), _text(given, "programme")
    if division is not None and not re.fullmatch(r"\d{6}", division):
        yield "division 区划: 应为六位数字 six digits"
    elif division is not None and not _has_division(ws, division):
        yield "division 区划: 不在本单位范围内 not a division of this site"
    if programme is not None and programme not in _programmes(ws):
        yield "programme 救助项目: 政策包中没有 not in the policy pack"
    if given.get("priority") not in (None, *PRIORITIES):
        yield "priority 优先级: normal | urgent"
    if given.get("collect") not in (None, *WAYS):
        yield "collect 取数方式: fresh | admitted"
    moment = _text(given, "as_of")
    if moment is not None and (read := read_moment(moment)) is None:
        yield "as_of 核对时点: 应为 ISO 8601，如 2026-09-16T02:00:00+08:00"
    elif moment is not None and read is not None and read > now:
        yield "as_of 核对时点: 晚于现在 in the future"
    yield from _reason(_text(given, "reason"), by)


def _reason(reason: str | None, by: str | None) -> Iterator[str]:
    if reason is None:
        if by is not None:
            yield "reason 查询事由: 必填 required, it goes into the ledger"
    elif not LEAST_REASON <= len(reason) <= MOST_REASON:
        yield f"reason 查询事由: {LEAST_REASON}–{MOST_REASON} 字 characters"
    elif holds_identifier(reason):
        yield "reason 查询事由: 不得含身份证号 no ID number here"


def _together(given: Mapping[str, object], by: str | None) -> Iterator[str]:
    """What is wrong between fields."""
    requests = given.get("requests")
    if requests is not None and not (isinstance(requests, list | tuple) and all(isinstance(r, str) for r in requests)):
        yield "requests 申请编号: 应为编号列表 a list of ids"
    elif isinstance(requests, list | tuple) and len(requests) > MOST_REQUESTS:
        yield f"requests 申请编号: 最多 {MOST_REQUESTS} 个；更多时请留空并选区划 at most; else leave empty"
    elif isinstance(requests, list | tuple) and any(holds_identifier(r) for r in requests):
        yield "requests 申请编号: 不得含身份证号 no ID number here"
    if given.get("collect") == "admitted" and (not isinstance(requests, list | tuple) or len(set(requests)) != 1):
        yield "collect=admitted: 只能核对一份申请 exactly one request"


def _requests(given: Mapping[str, object], ws: Workspace) -> Iterator[str]:
    """Requests that are not there, not open, or not of the division and programme named beside them."""
    wanted = sorted({str(request) for request in given.get("requests") or ()})  # type: ignore[attr-defined]
    if not wanted:
        return
    store = Store.open(ws.store_url)
    try:
        with store.read() as connection:
            columns = ("request_id", "division", "programme")
            rows = list(find(connection, tables.requests, "request_id", wanted, tables.requests.c.state == "open",
                             columns=columns))  # fmt: skip
    finally:
        store.close()
    missing = len(wanted) - len({row.request_id for row in rows})
    if missing:
        yield f"requests 申请编号: {missing} 个不存在或不在办 not open"
    division, programme = _text(given, "division"), _text(given, "programme")
    if division is not None and (other := sum(not row.division.startswith(division) for row in rows)):
        yield f"requests 申请编号: {other} 个不属于该区划 of another division"
    if programme is not None and (other := sum(row.programme != programme for row in rows)):
        yield f"requests 申请编号: {other} 个不属于该项目 of another programme"


def _allowed(given: Mapping[str, object], ws: Workspace, by: str | None) -> Iterator[str]:
    """Whether ``access.yaml`` lets a user start this: it holds for Airflow's own form and its REST API as well.

    A schedule is nobody; a site without the file has not said who its users are.
    """
    if by is None or by in _NOBODY or not (ws.root / access.FILE).is_file():
        return
    user = access.visitor(ws.root, by)
    if not user.may(access.Permission.run):
        yield "用户无权发起核对 this user may not start a verification: access.yaml"
    elif not user.sees_all(_divisions(given, ws)):
        yield "范围超出用户负责的地区 not all of it is of this user's divisions: access.yaml"


def _divisions(given: Mapping[str, object], ws: Workspace) -> list[str]:
    """Divisions that a form speaks of: of its requests, else its own, else the site's."""
    wanted = sorted({str(request) for request in given.get("requests") or ()})  # type: ignore[attr-defined]
    if not wanted:
        return [_text(given, "division") or ws.settings.division]
    store = Store.open(ws.store_url)
    try:
        with store.read() as connection:
            rows = find(connection, tables.requests, "request_id", wanted, columns=("division",))
            return sorted({row.division for row in rows})
    finally:
        store.close()


def _programmes(ws: Workspace) -> frozenset[str]:
    return frozenset(load_pack(pack_folder(ws.settings.policy_pack, ws.policies)).programmes)


def _has_division(ws: Workspace, division: str) -> bool:
    """The site's own division, one below it (a prefecture's code ends in 00), or one that a request is of."""
    own = ws.settings.division.removesuffix("00").removesuffix("00")
    if division.startswith(own):
        return True
    store = Store.open(ws.store_url)
    try:
        with store.read() as connection:
            query = sa.select(tables.requests.c.request_id).where(tables.requests.c.division == division)
            return connection.execute(query.limit(1)).first() is not None
    finally:
        store.close()
