"""From a department's rows, by its own contract, to facts: nothing that was sent apart becomes one on the way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from connectors.contract import load_contracts
from pipelines.admission import current_view_sql
from pipelines.facts import table_name
from pipelines.warehouse import SQL
from tests.admitting import Lab, extract, person

A = person(1)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def facts(lab: Lab, kind: str, dataset: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The facts of one kind that a dataset's rows become."""
    of = load_contracts()[dataset]
    given = {column.source: None for column in of.columns}
    admitted = lab.admit(of, extract(of, [given | row for row in rows]), [A])
    assert admitted.rows_quarantined == 0
    of_kind = (SQL / "facts" / kind / f"{table_name(dataset)}.sql").read_text("utf-8")
    view = current_view_sql(of, [admitted.path])
    return lab.query(f"WITH {table_name(dataset)} AS ({view}) SELECT * FROM ({of_kind}) ORDER BY row_no")


def pension(paid_on: str, yuan: str = "600.00") -> dict[str, Any]:
    """June's pension, as it was paid on a day."""
    values = {"AAC002": A, "DYLB": "职工养老金", "AAE003": "202606", "FFJE": yuan, "FFRQ": paid_on, "BFBZ": "0"}
    return typed("social_security/pensions", values)


def balance(kind: str = "活期", currency: str = "CNY", yuan: str = "100.00") -> dict[str, Any]:
    """A balance under one and the same account number."""
    values = {
        "CKRSFZJHM": A, "CKRXM": "张三", "YHMC": "齐商银行", "ZH": "6223000000000001", "ZHWH": "0001", "ZHLB": kind,
        "BZ": currency, "ZHYE": yuan, "YERQ": "2026-08-31", "DGBZ": "0",
    }  # fmt: skip
    return typed("banks/deposits", values)


def typed(dataset: str, values: dict[str, str]) -> dict[str, Any]:
    """Values as the contract's form delivers them."""
    texts = pa.array(list(values.values()), pa.string())
    types = [load_contracts()[dataset].schema.field(name).type for name in values]
    return {n: texts[i].cast(of).as_py() for i, (n, of) in enumerate(zip(values, types, strict=True))}


def test_r38_two_payments_of_one_month_are_two_facts(lab: Lab) -> None:
    found = facts(lab, "income", "social_security/pensions", [pension("2026-06-05"), pension("2026-06-20")])
    assert [fact["amount_fen"] for fact in found] == [60_000, 60_000]


def test_r07_a_payment_that_a_file_holds_twice_is_one_fact(lab: Lab) -> None:
    found = facts(lab, "income", "social_security/pensions", [pension("2026-06-05"), pension("2026-06-05")])
    assert [fact["amount_fen"] for fact in found] == [60_000]


def test_r56_balances_under_one_account_number_are_things_of_their_own(lab: Lab) -> None:
    rows = [balance(), balance(kind="定期", yuan="90000.00"), balance(currency="USD", yuan="7.00")]
    found = facts(lab, "holding", "banks/deposits", rows)
    values = [(fact["value_fen"], fact["currency"]) for fact in found]
    assert values == [(10_000, "CNY"), (9_000_000, "CNY"), (700, "USD")]
    assert len({fact["asset"] for fact in found}) == 3
    assert {fact["asset"].split(" ")[0] for fact in found} == {found[0]["asset"]}


def insured(kind: str, wage: str | None, month: str = "202606", employer: str = "91370303MA00000001") -> dict[str, Any]:
    """A contribution of one kind of insurance, with the wage that the employer declared for it."""
    values = {"AAC002": A, "AAB001": employer, "AAE140": kind, "AAE003": month, "AAC040": "4500.00", "AAC031": "1"}
    return typed("social_security/contributions", values | ({"SBGZ": wage} if wage else {}))


def taxed(item: str, period: tuple[str, str], yuan: str = "9000.00") -> dict[str, Any]:
    """A payment declared for tax."""
    values = {
        "pzxh": "1", "zjhm": A, "xm": "张三", "kjywrsbh": "91370303MA00000001", "kjywrmc": "工厂", "sdxm": item,
        "skssqq": period[0], "skssqz": period[1], "sbrq": "2026-02-11", "sre": yuan, "gzbz": "0",
    }  # fmt: skip
    return typed("taxation/individual_income", values)


def title(state: str, cancelled_on: str | None) -> dict[str, Any]:
    """A home in the register of titles."""
    values = {"YWH": "1", "BDCQZH": "鲁1", "ZJH": A, "QLRMC": "张三", "GYFS": "0", "FWYT": "10", "ZL": "人民路1号"}
    ended = {"ZXSJ": cancelled_on} if cancelled_on else {}
    return typed("natural_resources/real_estate_title", values | {"DJSJ": "2010-01-01", "QSZT": state} | ended)


def test_r40_wage_declared_for_three_insurances_is_one_fact(lab: Lab) -> None:
    rows = [insured("110", "3000.00"), insured("310", "3000.00"), insured("210", None), insured("110", None, "202607")]
    found = facts(lab, "income", "social_security/contributions", rows)
    assert [(fact["amount_fen"], fact["payer"], fact["disputed_reason"]) for fact in found] == [
        (300_000, "91370303MA00000001", None)
    ]


def test_r40_wage_that_differs_by_insurance_is_disputed(lab: Lab) -> None:
    rows = [insured("110", "2000.00"), insured("310", "3000.00")]
    found = facts(lab, "income", "social_security/contributions", rows)
    assert [(fact["amount_fen"], fact["disputed_reason"]) for fact in found] == [(300_000, "wage_unclear")]


def test_r40_two_employers_of_one_month_are_two_facts(lab: Lab) -> None:
    rows = [insured("110", "2000.00"), insured("110", "2000.00", employer="91370303MA00000002")]
    assert len(facts(lab, "income", "social_security/contributions", rows)) == 2


def test_r37_annual_bonus_stands_apart_and_is_no_annual_figure(lab: Lab) -> None:
    month, year = ("2026-02-01", "2026-02-28"), ("2025-01-01", "2025-12-31")
    paid = [("全年一次性奖金收入", month), ("全年一次性奖金", year), ("工资薪金所得", month), ("工资薪金所得", year)]
    rows = [taxed(*payment) | {"pzxh": str(place)} for place, payment in enumerate(paid)]
    found = facts(lab, "income", "taxation/individual_income", rows)
    assert [(fact["category"], fact["kind"], fact["one_off"], fact["granularity"]) for fact in found] == [
        ("wage", "bonus", "bonus", "irregular"),
        ("wage", "bonus", "bonus", "irregular"),
        ("wage", "wage", None, "month"),
        ("wage", "wage", None, "annual"),
    ]


@pytest.mark.parametrize(
    ("state", "status"), [("4", "demolished"), ("5", "expropriated"), ("3", "sold"), ("1", "held")]
)
def test_r50_a_home_says_how_it_ended(lab: Lab, state: str, status: str) -> None:
    ended = None if status == "held" else "2026-03-01"
    [found] = facts(lab, "holding", "natural_resources/real_estate_title", [title(state, ended)])
    assert (found["status"], str(found["status_on"])) == (status, str(ended))


def settled(number: str, self_paid: str, kind: str = "21", refunded: str = "0") -> dict[str, Any]:
    """A settlement of medical insurance in March 2026."""
    values = {
        "SETL_ID": number, "CERTNO": A, "PSN_NAME": "张三", "MED_TYPE": kind, "SETL_TIME": "2026-03-09",
        "MEDFEE_SUMAMT": "9000.00", "FUND_PAY_SUMAMT": "5400.00", "PSN_PART_AMT": self_paid, "REFD_SETL_FLAG": refunded,
    }  # fmt: skip
    return typed("medical_insurance/outpatient_inpatient", values)


def school_year(year: str, study: str = "全日制", **more: str) -> dict[str, Any]:
    """One school year of a student."""
    values = {
        "SFZJH": A, "XM": "张三", "XXBSM": "2137000001", "XD": "本科", "XXXS": study, "RXRQ": "2024-09-01",
        "YJBYRQ": "2028-06-30", "XN": year,
    }  # fmt: skip
    return values | more


def test_r46a_what_a_patient_paid_is_an_expense_of_the_day_and_a_refund_is_none(lab: Lab) -> None:
    rows = [
        settled("1", "3600.01"),
        settled("2", "80.00", "9922"),
        settled("3", "500.00", refunded="1"),
        settled("4", "0"),
    ]
    found = facts(lab, "expense", "medical_insurance/outpatient_inpatient", rows)
    assert [(fact["kind"], fact["amount_fen"], str(fact["period_from"]), str(fact["period_to"])) for fact in found] == [
        ("medical", 360_001, "2026-03-09", "2026-03-10"),
        ("rehabilitation", 8_000, "2026-03-09", "2026-03-10"),
    ]


def test_r46a_a_fee_less_its_grant_is_an_expense_of_the_day_it_was_paid(lab: Lab) -> None:
    rows = [
        school_year("2024", XF="6200.00", JXZXJ="2000.00", JFRQ="2024-09-03"),
        school_year("2025", XF="6200.00"),
        school_year("2026", XF="6200.00", JXZXJ="6200.00", JFRQ="2026-09-03"),
    ]
    found = facts(lab, "expense", "education/enrolment", rows)
    assert [(fact["amount_fen"], str(fact["period_from"]), str(fact["period_to"])) for fact in found] == [
        (420_000, "2024-09-03", "2024-09-04"),
        (620_000, "2025-09-01", "2026-09-01"),
    ]


def test_r24_full_time_study_is_one_status_however_many_school_years(lab: Lab) -> None:
    rows = [school_year("2024"), school_year("2025"), school_year("2025", "函授", XXBSM="2137000002")]
    found = facts(lab, "status", "education/enrolment", rows)
    assert [(fact["detail"], str(fact["from_on"]), str(fact["to_on"])) for fact in found] == [
        ("undergraduate", "2024-09-01", "2028-07-01")
    ]


def subsidy(batch: str, paid_on: str | None) -> dict[str, Any]:
    """A subsidy of 2026."""
    values = {
        "身份证号": A,
        "姓名": "张三",
        "补贴项目": "稻谷补贴",
        "补贴年度": "2026",
        "发放批次": batch,
        "补贴金额": "625.5",
    }
    return values | ({"发放日期": paid_on} if paid_on else {})


def test_r36_a_subsidy_of_a_year_is_annual_and_one_that_was_paid_is_of_its_month(lab: Lab) -> None:
    found = facts(lab, "income", "agriculture/subsidies", [subsidy("1", None), subsidy("2", "2026-06-11")])
    told = [(f["kind"], f["granularity"], str(f["period_from"]), str(f["period_to"]), f["amount_fen"]) for f in found]
    assert told == [
        ("agricultural_rice", "annual", "2026-01-01", "2027-01-01", 62_550),
        ("agricultural_rice", "month", "2026-06-01", "2026-07-01", 62_550),
    ]


@pytest.mark.parametrize(("state", "count"), [("营运", 1), ("停运", 0), ("注销", 0)])
def test_r53_a_licence_in_force_is_evidence_for_its_plate(lab: Lab, state: str, count: int) -> None:
    row = {"DLYSZH": "1", "CPH": "鲁C12345", "YHSFZH": A, "YHMC": "张三", "JYFW": "道路普通货物运输", "ZT": state}
    found = facts(lab, "status", "transport/operating_licences", [row | {"YXQZ": "2027-04-30"}])
    assert len(found) == count
    if found:
        vehicle = {
            "HPHM": "鲁c·12345", "HPZL": "01", "HPHMXS": "鲁C12345", "CLPP1": "五菱", "SYXZ": "F", "SFZMHM": A,
            "SYR": "张三", "CCDJRQ": "2020-01-01", "ZT": "A", "CZBZ": "1",
        }  # fmt: skip
        [held] = facts(lab, "holding", "public_security/vehicle_registration", [vehicle])
        assert held["asset"] == f"01 {found[0]['detail']}"
        assert (found[0]["from_on"], str(found[0]["to_on"])) == (None, "2027-05-01")


def test_r52_machines_and_vessels_end_on_the_day_of_their_status(lab: Lab) -> None:
    machine = {
        "登记证书编号": "N1", "机械类别": "轮式联合收割机", "所有人证件号码": A, "所有人姓名": "张三",
        "注册登记日期": "2018-01-01", "评估价值(万元)": "8.5", "状态": "报废", "状态日期": "2026-05-20",
    }  # fmt: skip
    vessel = {
        "CBSBH": "CN1", "CM": "鲁淄货1", "CBZL": "干货船", "ZDW": "61.5", "SYRZJHM": A, "SYRMC": "张三", "SYRZB": "50",
        "DJRQ": "2018-01-01", "PGJZ": "40", "ZT": "在册",
    }  # fmt: skip
    [found] = facts(lab, "holding", "agriculture/machinery", [machine])
    assert (found["class"], found["status"], str(found["status_on"])) == ("machinery", "scrapped", "2026-05-20")
    assert (found["value_fen"], found["asset"]) == (8_500_000, "machine N1")
    [found] = facts(lab, "holding", "transport/vessels", [vessel])
    assert (found["class"], found["status"], found["status_on"], found["share_bp"]) == ("vessel", "held", None, 5_000)
    assert (found["value_fen"], found["label"]) == (40_000_000, "干货船 61 总吨")


def test_an_illness_lasts_until_its_case_is_closed(lab: Lab) -> None:
    row = {"身份证号": A, "姓名": "张三", "病种": "乳腺癌", "登记日期": "2025-02-01", "结案日期": "2026-02-01"}
    [found] = facts(lab, "status", "health/severe_illness", [row])
    told = (found["kind"], found["detail"], str(found["from_on"]), str(found["to_on"]))
    assert told == ("severe_illness", "breast_cancer", "2025-02-01", "2026-02-01")
