"""The same figures as a careful pandas program would compute them, for `make bench`.

It reads the same requests and extracts, keeps the rows of the households' members, and gives per household: income
in the window after the employment deduction, financial assets, homes, vehicles. It leaves out what Hedui adds
(tokens, encryption, coverage, intervals, evidence, reports), so it stands for the least that a script must do.
Columns are read as needed only, filters come before conversions, and nothing loops over rows.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
CHECK = np.array(list("10X98765432"))
PROJECTS = {
    "NY001": "farmland_protection_subsidy", "NY002": "grain_subsidy", "LY001": "eco_forest_compensation",
    "SL001": "reservoir_resettlement_aid", "ZR001": "expropriation_compensation", "MZ001": "elderly_allowance",
    "WJ001": "family_planning_reward", "WJ002": "family_planning_special",
}  # fmt: skip
FARMING = {
    "耕地地力保护补贴": "farmland_protection", "实际种粮农民一次性补贴": "grain_growers",
    "农机购置与应用补贴": "machinery_purchase", "稻谷补贴": "rice", "生产者补贴": "producer", "其他涉农补贴": "other",
}  # fmt: skip


@dataclass
class Policy:
    """What the policy pack says, as `run.py` hands it over."""

    wage_deduction_bp: int
    wage_deduction_cap_fen: int | None
    excluded_income: list[str]
    exempt_vehicles: list[str]


@dataclass
class Extracts:
    """The departments' folders."""

    base: Path
    members: pd.Index

    def read(self, dataset: str, columns: list[str], person: str, **csv: str) -> pd.DataFrame:
        """All files of a dataset in order, rows of members only, everything as text."""
        folder = self.base / dataset.replace("/", ".")
        frames = []
        for manifest in sorted(folder.glob("*.manifest.json"), key=_order):
            file = folder / json.loads(manifest.read_text())["file"]
            if file.suffix == ".xlsx":
                frame = pd.read_excel(file, usecols=columns, dtype=str, engine="calamine", keep_default_na=False)
            elif file.suffix == ".csv":
                frame = pd.read_csv(file, usecols=columns, dtype=str, keep_default_na=False, **csv)  # type: ignore[call-overload]
            else:
                frame = pd.read_parquet(file, columns=columns)
            frame[person] = normalise(frame[person])
            frames.append(frame[frame[person].isin(self.members)])
        return pd.concat(frames, ignore_index=True).drop_duplicates(ignore_index=True)


def _order(manifest: Path) -> tuple[str, int]:
    document = json.loads(manifest.read_text())
    return document["as_of"], document.get("sequence", 1)


def normalise(ids: pd.Series) -> pd.Series:
    """Full-width digits, spaces, lower-case x, and 15 digits to 18."""
    out = ids.astype("string[pyarrow]")
    odd = ~out.str.fullmatch(r"[0-9]{17}[0-9X]").fillna(False).astype(bool)
    if odd.any():
        fixed = out[odd].str.normalize("NFKC").str.replace(r"\s", "", regex=True).str.upper()
        old = fixed.str.fullmatch(r"[0-9]{15}").fillna(False).astype(bool)
        fixed[old] = to_18(fixed[old])
        out[odd] = fixed
    return out


def to_18(ids: pd.Series) -> pd.Series:
    """GB 11643: the century and the check digit of the older form."""
    if not len(ids):
        return ids
    body = ids.str.slice(0, 6) + "19" + ids.str.slice(6)
    digits = np.array([list(text) for text in body], dtype=int)
    return body + pd.Series(CHECK[(digits * WEIGHTS).sum(axis=1) % 11], index=ids.index)


def fen(amounts: pd.Series, factor: int = 100) -> pd.Series:
    """Amounts in the department's unit to integer fen; empty is 0."""
    if amounts.dtype == object or pd.api.types.is_string_dtype(amounts.dtype):
        amounts = amounts.astype(str).str.replace(",", "", regex=False).replace({"": "0", "None": "0", "<NA>": "0"})
    return (pd.to_numeric(amounts, errors="coerce").fillna(0).astype(float) * factor).round().astype("int64")


def day(dates: pd.Series) -> pd.Series:
    """Dates in any of the usual forms; 00000000 and what lies beyond is no date."""
    if pd.api.types.is_datetime64_any_dtype(dates):
        return dates
    text = (
        dates.astype(str).str.replace(r"[-/.](\d)(?=[-/.]|$)", r"0\1", regex=True).str.replace(r"[-/.]", "", regex=True)
    )
    found = pd.to_datetime(text.str.slice(0, 8), format="%Y%m%d", errors="coerce")
    return found.where(found.dt.year < 2200)


def month(months: pd.Series) -> pd.Series:
    """The first day of a month given as 202607, 2026-07 or a date."""
    if pd.api.types.is_datetime64_any_dtype(months):
        return months.dt.to_period("M").dt.to_timestamp()
    text = months.astype(str).str.replace(r"\D", "", regex=True).str.slice(0, 6)
    return pd.to_datetime(text, format="%Y%m", errors="coerce")


def read_members(requests: Path) -> pd.DataFrame:
    """One row per member: request, person, reference date."""
    rows = [
        (line["request_id"], member["id_number"], line.get("reference_date") or line["application_date"])
        for file in sorted(requests.glob("*.jsonl"))
        for line in map(json.loads, file.read_text("utf-8").splitlines())
        if "members" in line
        for member in line["members"]
        if member.get("role", "member") == "member"
    ]
    members = pd.DataFrame(rows, columns=["request_id", "person", "reference"])
    members["person"] = normalise(members["person"])
    members["reference"] = pd.to_datetime(members["reference"])
    members["window_to"] = members["reference"].dt.to_period("M").dt.to_timestamp()
    members["window_from"] = members["window_to"] - pd.DateOffset(months=12)
    return members


def incomes(extracts: Extracts) -> pd.DataFrame:
    """Every income: person, kind, wage or not, period (half-open), fen."""
    tax = extracts.read(
        "taxation/individual_income",
        ["pzxh", "zjhm", "kjywrsbh", "sdxm", "skssqq", "skssqz", "sre", "gzbz", "ypzxh"],
        "zjhm",
    )
    tax = tax[~tax["pzxh"].isin(tax.loc[tax["gzbz"] == "1", "ypzxh"])]
    amount = fen(tax["sre"])
    tax_income = pd.DataFrame(
        {
            "person": tax["zjhm"],
            "kind": tax["sdxm"],
            "wage": tax["sdxm"].isin(["工资薪金所得", "劳务报酬所得", "全年一次性奖金收入", "全年一次性奖金"]),
            "start": day(tax["skssqq"]),
            "end": day(tax["skssqz"]) + pd.Timedelta(days=1),
            "fen": amount.where(tax["gzbz"] != "2", -amount.abs()),
        }
    )
    tax_income = tax_income[(tax_income["end"] - tax_income["start"]).dt.days <= 360]

    pension = extracts.read("social_security/pensions", ["AAC002", "DYLB", "AAE003", "FFJE"], "AAC002")
    start = month(pension["AAE003"])
    pensions = pd.DataFrame({
        "person": pension["AAC002"], "kind": pension["DYLB"].replace({"居民基础养老金": "resident_basic_pension"}),
        "wage": False, "start": start, "end": start + pd.DateOffset(months=1), "fen": fen(pension["FFJE"]),
    })  # fmt: skip

    benefit = extracts.read(
        "social_security/unemployment", ["身份证号", "起始月份", "终止月份", "月领取金额"], "身份证号"
    )
    first, last = month(benefit["起始月份"]).dt.to_period("M"), month(benefit["终止月份"]).dt.to_period("M")
    benefit["months"] = [pd.period_range(a, b, freq="M") for a, b in zip(first, last, strict=True)]
    benefit = benefit.explode("months")
    start = pd.PeriodIndex(benefit["months"], freq="M").to_timestamp()
    benefits = pd.DataFrame({
        "person": benefit["身份证号"].to_numpy(), "kind": "unemployment_benefit", "wage": False, "start": start,
        "end": start + pd.DateOffset(months=1), "fen": fen(benefit["月领取金额"]).to_numpy(),
    })  # fmt: skip

    interest = extracts.read("banks/account_interest", ["CKRSFZJHM", "ZH", "JXQSRQ", "JXZZRQ", "LXJE"], "CKRSFZJHM")
    interests = pd.DataFrame({
        "person": interest["CKRSFZJHM"], "kind": "interest", "wage": False, "start": day(interest["JXQSRQ"]),
        "end": day(interest["JXZZRQ"]) + pd.Timedelta(days=1), "fen": fen(interest["LXJE"]),
    })  # fmt: skip
    payments, subsidies = one_card(extracts), farm_subsidies(extracts)
    wages = declared_wages(extracts, tax)
    every = [tax_income, wages, pensions, benefits, interests, payments, subsidies]
    return pd.concat(every, ignore_index=True)


def by_month(frame: pd.DataFrame, start: pd.Series, **columns: object) -> pd.DataFrame:
    """Incomes of one month each."""
    return pd.DataFrame({**columns, "start": start, "end": start + pd.DateOffset(months=1)})


def one_card(extracts: Extracts) -> pd.DataFrame:
    """Payments on the farmers' card, by the month they are for."""
    card = extracts.read("finance/one_card_payments", ["sfzh", "xmbm", "ssny", "je"], "sfzh")
    kind = card["xmbm"].replace(PROJECTS)
    return by_month(card, month(card["ssny"]), person=card["sfzh"], kind=kind, wage=False, fen=fen(card["je"]))


def farm_subsidies(extracts: Extracts) -> pd.DataFrame:
    """Farming subsidies, by the month they were paid in."""
    farm = extracts.read("agriculture/subsidies", ["身份证号", "补贴项目", "补贴金额", "发放日期"], "身份证号")
    paid = day(farm["发放日期"])
    farm, paid = farm[paid.notna()], paid[paid.notna()]
    kind = "agricultural_" + farm["补贴项目"].replace(FARMING)
    start = paid.dt.to_period("M").dt.to_timestamp()
    return by_month(farm, start, person=farm["身份证号"], kind=kind, wage=False, fen=fen(farm["补贴金额"]))


def declared_wages(extracts: Extracts, tax: pd.DataFrame) -> pd.DataFrame:
    """Wages that employers declared for social insurance, where the tax office has none of that payer and month."""
    told = extracts.read("social_security/contributions", ["AAC002", "AAB001", "AAE003", "SBGZ"], "AAC002")
    told = told[told["SBGZ"].notna() & (told["SBGZ"].astype(str) != "")].assign(start=lambda f: month(f["AAE003"]))
    told = told.drop_duplicates(["AAC002", "AAB001", "start"])
    taxed = tax[tax["sdxm"].isin(["工资薪金所得"])]
    known = pd.DataFrame({
        "AAC002": taxed["zjhm"], "AAB001": taxed["kjywrsbh"],
        "start": day(taxed["skssqq"]).dt.to_period("M").dt.to_timestamp(), "taxed": True,
    }).drop_duplicates()  # fmt: skip
    told = told.merge(known, on=["AAC002", "AAB001", "start"], how="left")
    told = told[told["taxed"].isna()]
    return by_month(told, told["start"], person=told["AAC002"], kind="wage", wage=True, fen=fen(told["SBGZ"]))


def income_totals(members: pd.DataFrame, extracts: Extracts, policy: Policy) -> pd.Series:
    """Income of each household in its window, after the deduction of each earner."""
    found = incomes(extracts)
    found = found[~found["kind"].isin(policy.excluded_income)].merge(members, on="person")
    found = found[(found["start"] >= found["window_from"]) & (found["end"] <= found["window_to"])]
    total = found.groupby("request_id")["fen"].sum()
    if not policy.wage_deduction_bp:
        return total
    wages = found[found["wage"]].assign(month=lambda f: f["start"].dt.to_period("M"))
    monthly = wages.groupby(["request_id", "person", "month"])["fen"].sum().clip(lower=0)
    deduction = monthly * policy.wage_deduction_bp // 10_000
    if policy.wage_deduction_cap_fen is not None:
        deduction = deduction.clip(upper=policy.wage_deduction_cap_fen)
    return total.sub(deduction.groupby("request_id").sum(), fill_value=0)


def financial_assets(members: pd.DataFrame, extracts: Extracts) -> pd.Series:
    """Deposits (an account once), wallets that mirror none of them, securities, cash values of policies."""
    deposit = extracts.read("banks/deposits", ["CKRSFZJHM", "ZH", "ZHYE", "DGBZ"], "CKRSFZJHM")
    deposit = deposit[~deposit["DGBZ"].astype(str).isin(["1", "是", "Y", "true", "True"])]
    deposits = pd.DataFrame({"person": deposit["CKRSFZJHM"], "asset": deposit["ZH"], "fen": fen(deposit["ZHYE"])})
    wallet = extracts.read("banks/wallets", ["SFZJHM", "ZFZH", "YE", "GLZH"], "SFZJHM")
    wallet = wallet[~wallet["GLZH"].isin(deposit["ZH"])]
    wallets = pd.DataFrame({"person": wallet["SFZJHM"], "asset": wallet["ZFZH"], "fen": fen(wallet["YE"], 1)})
    security = extracts.read("securities/holdings", ["证件号码", "证券账户", "持仓市值", "资金余额"], "证件号码")
    securities = pd.DataFrame({
        "person": security["证件号码"], "asset": security["证券账户"],
        "fen": fen(security["持仓市值"]) + fen(security["资金余额"]),
    })  # fmt: skip
    policy = extracts.read("insurers/policies", ["保单号", "投保人证件号码", "现金价值", "保单状态"], "投保人证件号码")
    policy = policy[policy["保单状态"] != "退保"]
    policies = pd.DataFrame(
        {"person": policy["投保人证件号码"], "asset": policy["保单号"], "fen": fen(policy["现金价值"])}
    )
    held = pd.concat([deposits, wallets, securities, policies], ignore_index=True).merge(members, on="person")
    return held.drop_duplicates(["request_id", "asset"]).groupby("request_id")["fen"].sum()


def homes(members: pd.DataFrame, extracts: Extracts) -> pd.Series:
    """Homes held on the reference date; a title and a filing of one unit are one home, and the title decides."""
    title = extracts.read(
        "natural_resources/real_estate_title", ["YWH", "BDCDYH", "ZJH", "FWYT", "DJSJ", "QSZT", "ZXSJ"],
        "ZJH", encoding="gb18030",
    )  # fmt: skip
    title = title[title["FWYT"].isin(["10", "11", "111", "112", "12", "13"])]
    unit = title["BDCDYH"].where(title["BDCDYH"] != "", "title " + title["YWH"])
    titles = pd.DataFrame({
        "person": title["ZJH"], "unit": unit, "since": day(title["DJSJ"]), "until": day(title["ZXSJ"]),
        "historic": title["QSZT"].isin(["2", "3"]), "titled": True,
    })  # fmt: skip
    filing = extracts.read(
        "housing/online_filing",
        ["备案编号", "不动产单元号", "买受人证件号码", "网签日期", "状态"],
        "买受人证件号码",
    )
    filing = filing[filing["状态"] != "已撤销"]
    unit = filing["不动产单元号"].where(filing["不动产单元号"] != "", "filing " + filing["备案编号"])
    filings = pd.DataFrame({
        "person": filing["买受人证件号码"], "unit": unit, "since": day(filing["网签日期"]), "until": pd.NaT,
        "historic": False, "titled": False,
    })  # fmt: skip
    told = pd.concat([titles, filings], ignore_index=True).merge(members, on="person")
    told["held"] = (
        (told["since"].isna() | (told["since"] <= told["reference"]))
        & (told["until"].isna() | (told["until"] > told["reference"]))
        & ~(told["historic"] & told["until"].isna())
    )
    # where a title speaks of a unit, filings of it do not count
    titled = told.groupby(["request_id", "unit"])["titled"].transform("max")
    held = told[told["held"] & (told["titled"] | ~titled)]
    return held.drop_duplicates(["request_id", "unit"]).groupby("request_id").size()


def vehicles(members: pd.DataFrame, extracts: Extracts, policy: Policy) -> pd.Series:
    """Vehicles by the last word on each plate."""
    columns = ["HPHM", "HPZL", "SFZMHM", "SYXZ", "CCDJRQ", "ZT", "ZTRQ", "CZBZ"]
    told = extracts.read("public_security/vehicle_registration", columns, "SFZMHM", encoding="gb18030", sep="|")
    told = told.drop_duplicates(["HPHM", "HPZL"], keep="last")
    told = told[(told["CZBZ"] != "3") & ~told["SYXZ"].isin(policy.exempt_vehicles)]
    told = told.rename(columns={"SFZMHM": "person"}).merge(members, on="person")
    ended = told["ZT"].isin(list("BEMPC")) & ~(day(told["ZTRQ"]) > told["reference"])
    held = told[~ended & (day(told["CCDJRQ"]) <= told["reference"])]
    return held.drop_duplicates(["request_id", "HPHM", "HPZL"]).groupby("request_id").size()


def figures(requests: Path, base: Path, policy: Policy) -> pd.DataFrame:
    """Per household: income, financial_assets (fen), homes, vehicles (counts)."""
    members = read_members(requests)
    extracts = Extracts(base, pd.Index(members["person"].dropna().unique()))
    result = pd.DataFrame(index=pd.Index(members["request_id"].unique(), name="request_id").sort_values())
    result["income"] = income_totals(members, extracts, policy)
    result["financial_assets"] = financial_assets(members, extracts)
    result["homes"] = homes(members, extracts)
    result["vehicles"] = vehicles(members, extracts, policy)
    return result.fillna(0).clip(lower=0).astype("int64")


if __name__ == "__main__":
    found = figures(Path(sys.argv[1]), Path(sys.argv[2]), Policy(**json.loads(sys.argv[3])))
    found.to_csv(sys.argv[4])
