"""The console in a real browser, against the running Airflow: its login, its menu, its scheduler."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pypdf import PdfReader

from pipelines.commands.report_text import find_report
from pipelines.local_airflow.standing import Standing
from pipelines.settings import Workspace
from pipelines.store import Store
from pipelines.tables import ledger

AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"], "resultTypes": ["violations"]}
SIZE = {"width": 1280, "height": 900}
PURPOSE = "低保审核，窗口来访"


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def login(browser: Browser, standing: Standing) -> Callable[[str], Page]:
    """A page of somebody who has logged in by Airflow's own form; what the browser refuses is an error."""
    states: dict[str, Any] = {}

    def logged_in(user: str) -> Page:
        state = states.get(user)
        context = browser.new_context(base_url=standing.url, locale="zh-CN", viewport=SIZE, storage_state=state)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("console", lambda told: _no_violation(told.text))
        page.goto("/hedui/")
        if user not in states:
            page.fill("input[name=username]", user)
            page.fill("input[name=password]", standing.passwords[user])
            page.keyboard.press("Enter")
            page.wait_for_url("**/hedui/")
            states[user] = context.storage_state()
        return page

    return logged_in


def _no_violation(told: str) -> None:
    assert "Content Security Policy" not in told, told


def entries(standing: Standing, kind: str) -> list[dict[str, Any]]:
    """Details of the ledger's entries of a kind."""
    store = Store.open(Workspace.open(standing.workspace).store_url)
    with store.read() as connection:
        rows = connection.execute(sa.select(ledger).where(ledger.c.kind == kind).order_by(ledger.c.seq)).all()
    store.close()
    return [json.loads(row.detail) | {"subject": row.subject, "at": row.at} for row in rows]


def open_request(page: Page, request_id: str) -> None:
    page.goto("/hedui/")
    page.get_by_label("申请编号").fill(request_id)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(request_id)


def open_report(page: Page, request_id: str) -> None:
    open_request(page, request_id)
    page.get_by_label("版的目的").first.fill(PURPOSE)
    page.get_by_role("button", name="打开报告").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("居民家庭经济状况核对报告")


def test_the_menu_of_airflow_leads_to_the_console(login: Callable[[str], Page], standing: Standing) -> None:
    page = login("staff")
    page.goto("/")
    page.get_by_role("link", name="核对中心").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("核对中心")
    assert page.url == f"{standing.url}/hedui/"


def test_a_report_is_found_opened_with_a_purpose_read_and_printed(
    login: Callable[[str], Page], standing: Standing, standing_requests: list[str]
) -> None:
    request_id = standing_requests[0]
    before = len(entries(standing, "report_opened"))
    page = login("staff")
    open_request(page, request_id)
    page.get_by_role("button", name="打开报告").first.click()
    assert page.url.endswith(request_id), "a purpose is required"
    open_report(page, request_id)
    assert request_id in page.content()
    opened = entries(standing, "report_opened")[before:]
    assert [(one["by"], one["purpose"], one["request"]) for one in opened] == [("staff", PURPOSE, request_id)]
    assert PURPOSE not in page.url
    printed = "".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(page.pdf(format="A4"))).pages)
    assert "家庭经济状况核对报告" in printed
    assert request_id in printed
    assert "登记异议" not in printed, "the console's own strip is not printed"


def test_one_household_is_verified_again_and_watched_to_the_end(
    login: Callable[[str], Page], standing: Standing, standing_requests: list[str]
) -> None:
    request_id = standing_requests[2]
    page = login("staff")
    open_request(page, request_id)
    page.get_by_label("查询事由").fill("家庭成员变化")
    page.get_by_role("button", name="发起核对").click()
    finish(page)
    assert page.get_by_text("送达 deliver").is_visible()
    asked = entries(standing, "run_requested")[-1]
    assert (asked["by"], asked["reason"]) == ("staff", "家庭成员变化")


def test_an_objection_is_recorded_from_the_report_and_makes_a_new_version(
    login: Callable[[str], Page], standing: Standing, standing_requests: list[str]
) -> None:
    request_id = next(one for one in standing_requests[3:] if _has_income(standing, one))
    page = login("staff")
    open_report(page, request_id)
    page.get_by_text("登记异议").click()
    page.get_by_label("项目").select_option(index=0)
    page.get_by_label("理由").select_option("wrong_amount")
    page.get_by_role("button", name="登记").click()
    finish(page)
    open_request(page, request_id)
    expect(page.get_by_text("异议核实中").first).to_be_visible()
    expect(page.get_by_role("region", name="报告版本").get_by_text("第 2 版", exact=True)).to_be_visible()
    objection = entries(standing, "objection_recorded")[-1]
    assert (objection["by"], objection["step"], objection["request"]) == ("staff", "opened", request_id)
    page.get_by_label("部门答复").select_option("confirmed")
    page.get_by_role("button", name="登记答复").click()
    page.get_by_label("随即重新核对").uncheck()
    page.get_by_role("button", name="办结").click()
    expect(page.get_by_text("异议办结").first).to_be_visible()


def finish(page: Page) -> None:
    """Watch a run, as its page reloads itself, until it is done."""
    page.wait_for_url("**/runs/*")
    page.get_by_role("link", name="自动刷新").click()
    expect(page.get_by_role("status")).to_contain_text("完成", timeout=180_000)


def _has_income(standing: Standing, request_id: str) -> bool:
    return bool(find_report(request_id, standing.workspace)["income"]["items"])


@pytest.mark.parametrize(
    ("user", "pages"),
    [("auditor", ("requests", "outbox", "approvals")), ("administrator", ("requests", "ledger", "approvals"))],
)
def test_the_wrong_role_gets_nothing(
    login: Callable[[str], Page], standing_requests: list[str], user: str, pages: tuple[str, ...]
) -> None:
    page = login(user)
    for name in (*pages, f"requests/{standing_requests[0]}"):
        answer = page.goto(f"/hedui/{name}")
        assert answer is not None
        assert answer.status == 403
        assert standing_requests[0] not in page.content()
        expect(page.get_by_role("heading", level=1)).to_contain_text("没有此项权限")


def test_another_county_gets_nothing(login: Callable[[str], Page], standing_requests: list[str]) -> None:
    page = login("staff_elsewhere")
    answer = page.goto(f"/hedui/requests/{standing_requests[0]}")
    assert answer is not None
    assert answer.status == 404
    assert standing_requests[0] not in page.content()
    page.goto("/hedui/requests")
    expect(page.get_by_text("共 0 个申请")).to_be_visible()


def test_the_keyboard_is_enough(login: Callable[[str], Page], standing_requests: list[str]) -> None:
    page = login("staff")
    page.keyboard.press("Tab")
    focused = page.locator(":focus")
    expect(focused).to_contain_text("跳到正文")
    assert focused.bounding_box()["x"] >= 0, "what has the focus is in view"  # type: ignore[index]
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_attribute("name", "term")
    assert page.locator(":focus").evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
    page.keyboard.type(standing_requests[1])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(standing_requests[1])


def test_pages_meet_wcag_aa(login: Callable[[str], Page], standing_requests: list[str]) -> None:
    staff, reviewer, auditor = login("staff"), login("reviewer"), login("auditor")
    paths = (
        (
            staff,
            ("", "requests", f"requests/{standing_requests[0]}", "outbox?state=delivered", "objections", "coverage"),
        ),
        (reviewer, ("approvals", "runs")),
        (auditor, ("ledger", "coverage", "requests")),
    )
    found = []
    for page, names in paths:
        for name in names:
            page.goto(f"/hedui/{name}")
            found += _violations(page, name)
    open_report(staff, standing_requests[0])
    found += _violations(staff, "report")
    assert not found


def _violations(page: Page, name: str) -> list[str]:
    found = Axe().run(page, options=AXE).response["violations"]
    return [f"{name}: {one['id']} {node['html'][:200]}" for one in found for node in one["nodes"]]
