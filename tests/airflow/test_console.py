"""The console in a real browser, against the running Airflow: its login, its menu, its scheduler."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, unquote, urlsplit

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
expect.set_options(timeout=30_000)  # two cores may be busy with other tests
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


def test_a_run_is_started_by_form_watched_and_approved(
    login: Callable[[str], Page], standing: Standing, standing_requests: list[str]
) -> None:
    request_id, reason = standing_requests[2], "窗口来访，家庭成员变化"
    with a_warning(standing):
        page = login("staff")
        fill_in_airflows_form(page, request_id, reason)
        page.goto("/hedui/runs")
        page.get_by_role("link", name="manual__").first.click()
        expect(page.get_by_text(reason)).to_be_visible()
        page.get_by_role("link", name="自动刷新").click()
        expect(page.get_by_text("等待人员答复 waits for a person")).to_be_visible(timeout=180_000)
        run_id = unquote(urlsplit(page.url).path.rsplit("/", 1)[-1])
        assert not page.get_by_role("link", name="待答复").count()
        answer_in_airflow(standing, run_id)  # staff may not: the question stands

        reviewer = login("reviewer")
        reviewer.goto("/hedui/approvals")
        expect(reviewer.get_by_text("质量核验有提示").first).to_be_visible()
        form = reviewer.locator(f'form[action$="{quote(run_id, safe="")}/answer"]')
        form.get_by_label("理由").fill("已电话核实来源")
        form.get_by_role("button", name="可以送达").click()
        finish(reviewer)
    asked, answered = entries(standing, "run_requested")[-1], entries(standing, "approval")[-1]
    assert (asked["by"], asked["reason"]) == ("staff", reason)
    assert (answered["by"], answered["answer"], answered["reason"]) == ("reviewer", "approved", "已电话核实来源")
    open_report(page, request_id)
    assert request_id in page.content()


@contextmanager
def a_warning(standing: Standing) -> Iterator[None]:
    """The newest extracts have come with a warning: what is verified on them waits at the gate."""
    file = sorted((standing.workspace / "batches").glob("*/gates.json"))[0]
    before = file.read_text("utf-8")
    gates = json.loads(before)
    file.write_text(json.dumps(gates | {next(iter(gates)): "warn"}), "utf-8")
    try:
        yield
    finally:
        file.write_text(before, "utf-8")


def fill_in_airflows_form(page: Page, request_id: str, reason: str) -> None:
    """Airflow's own form, in Chinese, as its page draws it from the DAG."""
    page.goto("/dags/verify_requests")
    page.get_by_role("button", name="触发").first.click()
    expect(page.get_by_text("事由（人工触发必填）")).to_be_visible()
    page.locator("#element_requests").fill(request_id)
    page.locator("#element_reason").fill(reason)
    page.get_by_role("combobox", name="取数方式").click()
    page.get_by_role("option", name="用已接收的数据").click()
    with page.expect_response(lambda told: told.url.endswith("/dagRuns") and told.request.method == "POST") as told:
        page.get_by_test_id("trigger-dag-submit").click()
    assert told.value.status == 200


def answer_in_airflow(standing: Standing, run_id: str) -> None:
    """Somebody whose role is not to answer, past the console."""
    address = f"/dags/verify_requests/dagRuns/{quote(run_id)}/taskInstances/approve/-1/hitlDetails"
    body = {"chosen_options": ["Approve"], "params_input": {"reason": "我也同意"}}
    staff, asked = standing.rest("staff"), len(entries(standing, "approval"))
    assert staff.http.patch(address, json=body).status_code == 200
    end = time.monotonic() + 120

    def stands() -> bool:
        found = staff.http.get(address)  # there is none while the task tries again
        return found.status_code == 200 and not found.json()["response_received"]

    while not stands() and time.monotonic() < end:
        time.sleep(0.5)
    assert stands(), "whoever may not answer has not answered"
    assert len(entries(standing, "approval")) == asked
    assert staff.run("verify_requests", run_id)["state"] == "running"


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
