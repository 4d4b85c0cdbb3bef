"""From rows of the register of businesses, the housing fund, the public purse and the police to facts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.admitting import Lab, person
from tests.rules.test_delivered_facts import facts, typed

A = person(1)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def business(state: str = "1", role: str = "股东", contested: str = "0", **more: str) -> dict[str, Any]:
    """A firm of 2015 in which A has a role."""
    values = {
        "UNISCID": "91370303MA00000001", "ENTNAME": "淄博柳泉商行", "ENTTYPE_CN": "有限责任公司", "POSITION_CN": role,
        "CERNO": A, "NAME": "张三", "SUBCONAM": "10.5", "FUNDEDRATIO": "60", "REGSTATE": state, "ESDATE": "2015-02-01",
        "MYDJBZ": contested,
    }  # fmt: skip
    return typed("market_regulation/business_registration", values | more)


def test_r54_two_roles_in_one_business_are_one_thing(lab: Lab) -> None:
    rows = [business(role="法定代表人"), business(role="股东")]
    found = facts(lab, "holding", "market_regulation/business_registration", rows)
    assert [(f["class"], f["asset"], f["value_fen"], f["share_bp"], f["status"]) for f in found] == [
        ("business", "91370303MA00000001", 10_500_000, 6_000, "held")
    ] * 2


@pytest.mark.parametrize(
    ("state", "dates", "status", "on"),
    [
        ("4", {"CANDATE": "2026-03-01"}, "cancelled", "2026-03-01"),
        ("2", {"REVDATE": "2026-02-01"}, "revoked", "2026-02-01"),
        ("3", {"REVDATE": "2026-02-01", "CANDATE": "2026-03-01"}, "cancelled", "2026-02-01"),
        ("6", {}, "held", "None"),
        ("4", {}, "cancelled", "None"),
    ],
)
def test_r54_a_business_says_how_and_when_it_ended(
    lab: Lab, state: str, dates: dict[str, str], status: str, on: str
) -> None:
    [found] = facts(lab, "holding", "market_regulation/business_registration", [business(state, **dates)])
    assert (found["status"], str(found["status_on"]), found["contested"]) == (status, on, False)


def test_r45_whoever_runs_a_business_is_self_employed_until_it_ends(lab: Lab) -> None:
    rows = [
        business(role="经营者", UNISCID="92370303MA00000001"),
        business("4", "经营者", UNISCID="92370303MA00000002", CANDATE="2026-03-01"),
        business(role="经营者", contested="1", UNISCID="92370303MA00000003"),
        business(role="股东"),
    ]
    found = facts(lab, "status", "market_regulation/business_registration", rows)
    assert [(f["kind"], f["detail"], str(f["from_on"]), str(f["to_on"])) for f in found] == [
        ("self_employed", "92370303MA00000001", "2015-02-01", "None"),
        ("self_employed", "92370303MA00000002", "2015-02-01", "2026-03-01"),
    ]


def fund(month: str, balance: str, account: str = "6229000000000000001", deposit: str = "600.00") -> dict[str, Any]:
    """A month of A's housing fund."""
    values = {"lsh": month, "grzh": account, "sfzh": A, "xm": "张三", "dwzh": "370300000001", "ssny": month}
    return typed("housing/housing_fund", values | {"yjce": deposit, "ye": balance})


def test_the_housing_funds_newest_balance_is_the_one_that_is_held(lab: Lab) -> None:
    rows = [fund("202606", "9000.00"), fund("202607", "9600.00"), fund("202605", "8400.00")]
    found = facts(lab, "holding", "housing/housing_fund", rows)
    assert [(f["class"], f["value_fen"], str(f["as_of"])) for f in found] == [("housing_fund", 960_000, "2026-07-01")]


def test_r41_a_month_without_a_deposit_says_nothing_of_employment(lab: Lab) -> None:
    rows = [fund("202606", "9000.00"), fund("202607", "9000.00", deposit="0.00")]
    found = facts(lab, "status", "housing/housing_fund", rows)
    assert [(f["kind"], str(f["from_on"]), str(f["to_on"]), f["detail"]) for f in found] == [
        ("housing_fund", "2026-06-01", "2026-07-01", "370300000001")
    ]


def test_r35_a_subsidy_belongs_to_its_month_and_compensation_is_property(lab: Lab) -> None:
    base = {"sfzh": A, "xm": "张三", "ffrq": "2025-12-08"}
    sent = [("1", "NY002", "202508"), ("2", "ZR001", "202603")]
    rows = [
        typed("finance/one_card_payments", base | {"lsh": ref, "xmbm": project, "ssny": month, "je": "125.50"})
        for ref, project, month in sent
    ]
    found = facts(lab, "income", "finance/one_card_payments", rows)
    assert [(f["category"], f["kind"], f["amount_fen"], str(f["period_from"]), str(f["paid_on"])) for f in found] == [
        ("transfer", "grain_subsidy", 12_550, "2025-08-01", "2025-12-08"),
        ("property", "expropriation_compensation", 12_550, "2026-03-01", "2025-12-08"),
    ]


def veteran(**more: str) -> dict[str, Any]:
    values = {
        "身份证号": A,
        "姓名": "张三",
        "优抚对象类别": "残疾军人",
        "月发放金额": "900.00",
        "数据日期": "2026-09-10",
    }
    return values | more


def test_r42_a_veterans_benefit_is_told_month_by_month(lab: Lab) -> None:
    found = facts(lab, "income", "veterans/veteran_benefits", [veteran(享受起始月份="202605", 享受终止月份="202607")])
    assert sorted((f["kind"], f["amount_fen"], str(f["period_from"]), str(f["period_to"])) for f in found) == [
        ("veteran_benefit_disability", 90_000, f"2026-0{month}-01", f"2026-0{month + 1}-01") for month in (5, 6, 7)
    ]
    assert len({f["part"] for f in found}) == 3


def test_r42_an_open_benefit_is_told_up_to_the_day_of_the_data_and_five_years_back(lab: Lab) -> None:
    found = facts(lab, "income", "veterans/veteran_benefits", [veteran(享受起始月份="199001")])
    months = sorted(str(f["period_from"])[:7] for f in found)
    assert (months[0], months[-1], len(months)) == ("2021-09", "2026-09", 61)
    assert len({f["part"] for f in found}) == 61


def certificate(**more: str) -> dict[str, Any]:
    values = {
        "身份证号": A, "姓名": "张三", "残疾人证号": f"{A}42", "残疾类别": "4", "残疾等级": "2",
        "发证日期": "2020-01-06", "数据日期": "2026-09-10",
    }  # fmt: skip
    return values | more


def test_r42_the_two_allowances_are_incomes_of_their_own(lab: Lab) -> None:
    rows = [certificate(补贴起始月份="202608", 生活补贴月标准="173.00", 护理补贴月标准="154.00")]
    found = facts(lab, "income", "disabled_persons/disability", rows)
    assert sorted((f["kind"], f["amount_fen"], str(f["period_from"])) for f in found) == [
        ("disability_living_allowance", 17_300, "2026-08-01"),
        ("disability_living_allowance", 17_300, "2026-09-01"),
        ("disability_nursing_allowance", 15_400, "2026-08-01"),
        ("disability_nursing_allowance", 15_400, "2026-09-01"),
    ]
    assert len({f["part"] for f in found}) == 4


def test_a_certificate_without_an_allowance_is_no_income(lab: Lab) -> None:
    assert facts(lab, "income", "disabled_persons/disability", [certificate()]) == []


def test_a_certificate_is_a_status_of_its_kind_and_level(lab: Lab) -> None:
    [found] = facts(lab, "status", "disabled_persons/disability", [certificate()])
    assert (found["kind"], found["detail"], str(found["from_on"])) == ("disability", "physical 2", "2020-01-06")


def test_assistance_is_income_of_a_kind_of_its_own_and_a_status(lab: Lab) -> None:
    values = {"sfzh": A, "xm": "张三", "jzlb": "最低生活保障金", "ssny": "202606", "ffje": "540.00"}
    rows = [typed("civil_affairs/assistance_payments", values)]
    [paid] = facts(lab, "income", "civil_affairs/assistance_payments", rows)
    assert (paid["kind"], paid["amount_fen"]) == ("assistance_subsistence_allowance", 54_000)
    [status] = facts(lab, "status", "civil_affairs/assistance_payments", rows)
    assert (status["kind"], status["detail"], str(status["to_on"])) == (
        "in_payment",
        "subsistence_allowance",
        "2026-07-01",
    )


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        ("监狱服刑", "prison"),
        ("强制隔离戒毒", "compulsory_treatment"),
        ("看守所羁押", "detention"),
        ("行政拘留", "detention"),
    ],
)
def test_r23_stays_go_by_the_packs_names(lab: Lab, sent: str, kind: str) -> None:
    values = {"SFZH": A, "XM": "张三", "LB": sent, "RSRQ": "2025-03-18", "CSRQ": "2026-03-18"}
    [found] = facts(lab, "status", "public_security/detention", [typed("public_security/detention", values)])
    assert (found["kind"], str(found["from_on"]), str(found["to_on"])) == (kind, "2025-03-18", "2026-03-18")
