"""Every route of the console, whichever it is: login, role, division, forms, headers."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, Mount

from pipelines import objections
from pipelines.console.access import GRANTED, Permission, Role
from pipelines.console.app import create_app
from pipelines.console.guard import Needs
from tests.cases import AT
from tests.console.conftest import OTHER, OWN, Console

RUN = "manual__1+of a run"
# What each form holds when it is filled in as it should be; a new route needs a line here.
FORMS: dict[str, dict[str, str]] = {
    "/search": {"term": OWN[0]},
    "/persons": {"id_number": "11010519491231002X", "purpose": "低保审核"},
    "/requests/{request_id}/members": {"purpose": "低保审核"},
    "/requests/{request_id}/run": {"reason": "家庭情况变化"},
    "/reports/{report_id}/{version}/open": {"purpose": "低保审核"},
    "/reports/{report_id}/{version}/objections": {"item": "asset.1", "ground": "not_mine"},
    "/reports/{report_id}/{version}/again": {"reason": "业务系统未收到"},
    "/objections/{objection_id}/answer": {"outcome": "confirmed"},
    "/objections/{objection_id}/close": {"taken_back": "true"},
    "/runs/{run_id}/answer": {"chosen": "Approve", "reason": "已核实"},
}
ROLES = {"staff": Role.staff, "reviewer": Role.reviewer, "auditor": Role.auditor, "administrator": Role.administrator}


def routes() -> list[APIRoute]:
    found = []
    for route in create_app().routes:
        if isinstance(route, APIRoute):
            found.append(route)
        else:
            assert isinstance(route, Mount)
            assert route.path == "/static", "only static files are served without a login"
    return found


def needs(dependant: Dependant) -> list[Needs]:
    own = [dependant.call] if isinstance(dependant.call, Needs) else []
    return own + [one for below in dependant.dependencies for one in needs(below)]


ALL = [(route, method) for route in routes() for method in sorted(route.methods or ())]
POSTS = [route for route, method in ALL if method == "POST"]


def permission(route: APIRoute) -> Permission:
    return needs(route.dependant)[0].permission


@pytest.fixture
def addresses(console: Console) -> dict[str, str]:
    """What stands in paths: things of the division of OWN."""
    row = console.store.latest_reports([OWN[0]])[OWN[0]]
    facts = [{"extract": "x", "row": 1, "row_digest": "ab"}]
    document = {
        "income": {"items": []}, "assets": {"items": [{"no": 1, "facts": facts, "dataset": "banks/deposits"}]},
        "conclusion": {"review": []}, "objection": {"days": 10, "unit": "working_days"}, "sources": [],
    }  # fmt: skip
    opened = objections.open_objection(console.store, row, document, "asset.1", "other", "370303", AT)
    console.airflow.runs[RUN] = {"requests": [OWN[0]]}
    console.airflow.waiting.append(RUN)
    return {
        "request_id": OWN[0], "report_id": row.report_id, "version": str(row.version), "run_id": quote(RUN),
        "objection_id": opened.objection_id,
    }  # fmt: skip


def called(console: Console, user: str | None, route: APIRoute, method: str, addresses: dict[str, str], **more: str):
    """Call a route as it should be called; ``more`` changes the form."""
    path = route.path.format(**addresses)
    client = console.client(user)
    if method == "GET":
        return client.get(path)
    return client.post(path, data=FORMS[route.path] | more)


@pytest.mark.parametrize(("route", "method"), ALL, ids=lambda value: getattr(value, "path", value))
def test_has_one_guard_which_looks_up_all_that_the_path_names(route: APIRoute, method: str) -> None:
    found = needs(route.dependant)
    assert len(found) == 1, "a route takes exactly one of pipelines.console.guard"
    assert set(re.findall(r"{(\w+)}", route.path)) == set(found[0].names)
    assert method in ("GET", "POST")


def test_without_login_there_is_nothing(console: Console, addresses: dict[str, str]) -> None:
    before = console.entries()
    for route, method in ALL:
        answer = called(console, None, route, method, addresses)
        if method == "GET":
            assert (answer.status_code, answer.content) == (303, b""), route.path
            assert answer.headers["location"].startswith("/auth/login?next=")
        else:
            assert answer.status_code == 401, route.path
            assert OWN[0] not in answer.text
    assert console.entries() == before


@pytest.mark.parametrize("user", [*ROLES, "stranger"])
def test_without_the_permission_there_is_nothing(console: Console, addresses: dict[str, str], user: str) -> None:
    before = console.entries()
    granted = GRANTED[ROLES[user]] if user in ROLES else frozenset()
    refused = [(route, method) for route, method in ALL if permission(route) not in granted]
    assert refused
    for route, method in refused:
        answer = called(console, user, route, method, addresses)
        assert answer.status_code == 403, route.path
        assert OWN[0] not in answer.text
    assert console.entries() == before


def test_roles_are_as_the_handbook_says() -> None:
    personal = {Permission.persons, Permission.reports, Permission.requests, Permission.object}
    assert not GRANTED[Role.auditor] & personal
    assert not GRANTED[Role.administrator] & personal
    assert [role for role in Role if Permission.approve in GRANTED[role]] == [Role.reviewer]
    assert [role for role in Role if Permission.ledger in GRANTED[role]] == [Role.auditor]


def test_things_of_another_division_do_not_exist(console: Console, addresses: dict[str, str]) -> None:
    token = console.token("elsewhere")
    before = console.entries()
    named = [(route, method) for route, method in ALL if "{" in route.path]
    assert {name for route, _ in named for name in needs(route.dependant)[0].names} == set(addresses)
    for route, method in named:
        answer = called(console, "elsewhere", route, method, addresses, csrf=token)
        assert answer.status_code == 404, route.path
        assert OWN[0] not in answer.text
    assert console.entries() == before
    assert not console.airflow.answers


def test_lists_hold_the_own_division_only(console: Console, addresses: dict[str, str]) -> None:
    lists = [route for route, method in ALL if method == "GET" and "{" not in route.path]
    own, other = {}, {}
    for path in [*(route.path for route in lists), "/outbox?state=delivered"]:
        own[path], other[path] = (console.client(user).get(path) for user in ("staff", "elsewhere"))
        assert OTHER not in own[path].text
        assert not any(name in other[path].text for name in (*OWN, RUN)), path
    for path in ("/requests", "/outbox?state=delivered"):
        assert all(name in own[path].text for name in OWN)
        assert OTHER in other[path].text
    assert "manual__1" in own["/runs"].text
    assert "1" in own["/coverage"].text


@pytest.mark.parametrize("route", POSTS, ids=lambda route: route.path)
def test_a_form_from_elsewhere_changes_nothing(console: Console, addresses: dict[str, str], route: APIRoute) -> None:
    from pipelines.console import forms
    from pipelines.console.site import site

    user = next(name for name, role in ROLES.items() if permission(route) in GRANTED[role])
    token, before = console.token(user), console.entries()
    old = forms.token(user, site().now().date() - timedelta(days=2))
    for wrong in ({}, {"csrf": ""}, {"csrf": console.token("elsewhere")}, {"csrf": old}):
        assert called(console, user, route, "POST", addresses, **wrong).status_code == 403
    for other_site in ("cross-site", "same-site"):
        answer = console.client(user).post(
            route.path.format(**addresses),
            data=FORMS[route.path] | {"csrf": token},
            headers={"sec-fetch-site": other_site},
        )
        assert answer.status_code == 403
    assert console.entries() == before
    assert not console.airflow.answers
    assert list(console.airflow.runs) == [RUN]
    assert called(console, user, route, "POST", addresses, csrf=token).status_code in (200, 303, 409, 422, 404)


def test_every_answer_has_the_headers_and_no_script_of_its_own(console: Console, addresses: dict[str, str]) -> None:
    told = [
        called(console, user, route, method, addresses, csrf=console.token("staff"))
        for route, method in ALL
        for user in ("staff", None)
    ]
    told += [console.client("staff").get(path) for path in ("/static/console.css", "/static/none", "/none")]
    for answer in told:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        if "<html" in answer.text:
            assert not re.search(r"<script(?! src=)|\son\w+=|javascript:|\sstyle=", answer.text)


def test_the_style_of_reports_is_the_one_that_the_policy_names(console: Console, addresses: dict[str, str]) -> None:
    import base64
    import hashlib

    path = "/reports/{report_id}/{version}/open".format(**addresses)
    answer = console.client("staff").post(path, data={"purpose": "低保审核", "csrf": console.token("staff")})
    assert answer.status_code == 200
    styles = re.findall(r"<style>(.*?)</style>", answer.text, re.S)
    digests = [base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() for style in styles]
    assert len(digests) == 1
    assert f"'sha256-{digests[0]}'" in answer.headers["content-security-policy"]


def test_an_error_tells_its_class_and_place_only(
    console: Console, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from pipelines.console import cases

    def broken(*_: object) -> None:
        raise RuntimeError("11010519491231002X")

    monkeypatch.setattr(cases, "page", broken)
    answer = console.client("staff").get("/requests")
    assert answer.status_code == 500
    assert "11010519491231002X" not in answer.text + "".join(capsys.readouterr())
    assert "content-security-policy" in answer.headers


def test_the_plugin_serves_this_app_and_nothing_else() -> None:
    from pipelines.console.plugin import PREFIX, HeduiConsole, console

    assert [app["app"] for app in HeduiConsole.fastapi_apps] == [console]
    assert HeduiConsole.fastapi_apps[0]["url_prefix"] == PREFIX
    bundle = Path(__file__).resolve().parents[2] / "pipelines/console/static/menu.js"
    assert HeduiConsole.react_apps[0]["bundle_url"] == f"hedui/static/{bundle.name}"
    assert bundle.is_file()
    text = (Path(__file__).resolve().parents[2] / "pyproject.toml").read_text("utf-8")
    assert '[project.entry-points."airflow.plugins"]' in text
