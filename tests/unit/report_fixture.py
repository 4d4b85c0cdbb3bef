"""Made-up assessed tables for the tests of report, signing and rendering: three households, every kind of content."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pyarrow as pa

from connectors.contract import Words
from pipelines import warehouse
from pipelines.batch import Batch, write_json

DATA_KEY = bytes(range(32))
AS_OF = datetime.fromisoformat("2026-09-16T02:00:00+08:00")
FACT = "STRUCT(dataset VARCHAR, extract_digest VARCHAR, row_no BIGINT, row_digest VARCHAR)[]"
PLANNED = ("members", "policy", "policy_sources")
DDL = {
    "households": "request_id VARCHAR, programme VARCHAR, division VARCHAR, area_kind VARCHAR, application_date DATE, "
    "reference_date DATE, window_from DATE, window_to DATE, window_months INTEGER, counted INTEGER, policy_id INTEGER",
    "household_members": "request_id VARCHAR, member_no INTEGER, person UUID, relation VARCHAR, role VARCHAR, "
    "counted BOOLEAN, why VARCHAR, rule VARCHAR",
    "member_coverage": "request_id VARCHAR, member_no INTEGER, dataset VARCHAR, requirement VARCHAR, state VARCHAR, "
    "as_of DATE, extract_digest VARCHAR, quarantined_rows INTEGER",
    "income_items": "request_id VARCHAR, item_no INTEGER, member_no INTEGER, category VARCHAR, kind VARCHAR, "
    "payer VARCHAR, dataset VARCHAR, granularity VARCHAR, period_from DATE, period_to DATE, paid_on_min DATE, "
    "amount_fen BIGINT, low_fen BIGINT, high_fen BIGINT, treatment VARCHAR, reason VARCHAR, rule VARCHAR, "
    f"cites VARCHAR, facts {FACT}",
    "deductions": "request_id VARCHAR, member_no INTEGER, kind VARCHAR, low_fen BIGINT, high_fen BIGINT, months INTEGER, "
    "rule VARCHAR",
    "asset_items": "request_id VARCHAR, item_no INTEGER, member_no INTEGER, class VARCHAR, label VARCHAR, asset VARCHAR, "
    "share_bp INTEGER, value_fen BIGINT, figure VARCHAR, low BIGINT, high BIGINT, treatment VARCHAR, reason VARCHAR, "
    "rule VARCHAR, cites VARCHAR, status VARCHAR, status_on DATE, currency VARCHAR, "
    f"as_of DATE, display BLOB, facts {FACT}",
    "figures": "request_id VARCHAR, figure VARCHAR, unit VARCHAR, low BIGINT, high BIGINT",
    "tests": "request_id VARCHAR, test VARCHAR, figure VARCHAR, op VARCHAR, scale VARCHAR, unit VARCHAR, "
    "limit_value BIGINT, limit_total BIGINT, low BIGINT, high BIGINT, result VARCHAR, cites VARCHAR, title_zh VARCHAR, "
    "title_en VARCHAR, formula VARCHAR, example BOOLEAN",
    "declaration": "request_id VARCHAR, item VARCHAR, declared BIGINT, declared_at_all BOOLEAN, low BIGINT, high BIGINT, "
    "tolerance BIGINT, result VARCHAR, material BOOLEAN",
    "review": f"request_id VARCHAR, code VARCHAR, rule VARCHAR, member_no INTEGER, dataset VARCHAR, facts {FACT}",
    "decisive": "request_id VARCHAR, test VARCHAR, rank INTEGER, kind VARCHAR, item_kind VARCHAR, label VARCHAR, "
    f"member_no INTEGER, dataset VARCHAR, period_from DATE, amount BIGINT, facts {FACT}",
    "conclusions": "request_id VARCHAR, limits VARCHAR, declaration VARCHAR",
    "withheld": "request_id VARCHAR, member_no INTEGER, dataset VARCHAR, reason VARCHAR, items INTEGER",
    "policy": "policy_id INTEGER, programme VARCHAR, programme_zh VARCHAR, programme_en VARCHAR, pack VARCHAR, "
    "version VARCHAR, digest VARCHAR, validity_months INTEGER, objection_days INTEGER",
    "policy_sources": "policy_id INTEGER, dataset VARCHAR, requirement VARCHAR",
    "members": "request_id VARCHAR, member_no INTEGER, display BLOB",
}
TAX, TAX_YEAR = "taxation/individual_income", "taxation/annual_settlement"
TITLE, FILING = "natural_resources/real_estate_title", "housing/online_filing"
REGISTER, VEHICLES = "public_security/household_registration", "public_security/vehicle_registration"
DEPOSITS, WALLETS, SECURITIES = "banks/deposits", "banks/wallets", "securities/holdings"
PAYMENTS, PENSIONS = "social_security/contributions", "social_security/pensions"
SOURCES = {
    TAX: ("个人所得税扣缴申报", "Individual income tax", "国家税务总局淄博市税务局", "Zibo tax office"),
    TAX_YEAR: ("综合所得和经营所得年度汇算", "Annual settlement", "国家税务总局淄博市税务局", "Zibo tax office"),
    TITLE: ("不动产权登记", "Real-estate titles", "淄博市自然资源和规划局", "Zibo natural resources"),
    FILING: ("商品房网签备案", "Online filing of sales", "淄博市住房和城乡建设局", "Zibo housing"),
    REGISTER: ("户籍人口登记", "Household register", "淄博市公安局", "Zibo public security"),
    VEHICLES: ("机动车登记", "Vehicle register", "淄博市公安局交通警察支队", "Zibo traffic police"),
    DEPOSITS: ("银行存款", "Bank deposits", "中国人民银行淄博市分行", "People's Bank, Zibo"),
    WALLETS: ("支付账户余额", "Payment wallets", "非银行支付机构", "Payment institutions"),
    SECURITIES: ("证券账户", "Securities", "中国证券登记结算有限责任公司", "Securities depository"),
    PAYMENTS: (
        "社会保险缴费",
        "Social-insurance contributions",
        "淄博市人力资源和社会保障局",
        "Zibo social security",
    ),
    PENSIONS: ("养老金发放", "Pensions", "淄博市人力资源和社会保障局", "Zibo social security"),
}
SUBJECTS = {
    "HS-2026-000001": [
        ("王丽萍", "38031019800101001X"),
        ("赵大壮", "380310197809150037"),
        ("赵小满", "380310201603080026"),
    ],
    "HS-2026-000002": [("孙兰英", "380311195002110044")],
    "HS-2026-000003": [("欧阳·𠮷", "480312199001010055"), ("李<b>四&", "480312199203030066")],
}
YUAN = 100


def extract(dataset: str) -> str:
    """A made-up digest of the dataset's extract."""
    import hashlib

    return hashlib.sha256(dataset.encode()).hexdigest()


def fact(dataset: str, row: int) -> list[dict[str, object]]:
    """One row as evidence."""
    return [{"dataset": dataset, "extract_digest": extract(dataset), "row_no": row, "row_digest": f"{row:032x}"}]


def months() -> Sequence[tuple[str, str]]:
    """The window of the worked example (rules.md section 10), month by month."""
    firsts = [f"{2025 + (8 + i) // 12}-{(8 + i) % 12 + 1:02d}-01" for i in range(13)]
    return list(zip(firsts, firsts[1:], strict=False))


def _income(request: str, **fields: object) -> dict[str, object]:
    base: dict[str, object] = {"request_id": request, "treatment": "counted", "granularity": "month", "rule": "R35"}
    return base | fields


def rows() -> dict[str, list[dict[str, object]]]:
    """The rows of every table: the worked example with its trouble, a clean household of one, one with odd names."""
    one, two, three = SUBJECTS
    found: dict[str, list[dict[str, object]]] = {name: [] for name in DDL}
    for policy_id, (request, members) in enumerate(SUBJECTS.items()):
        _common(found, request, policy_id, len(members))
    found["income_items"] = [
        _income(
            one,
            item_no=i + 1,
            member_no=1,
            category="wage",
            kind="wage",
            payer="淄博鲁中餐饮服务有限公司",
            dataset=TAX,
            period_from=a,
            period_to=b,
            paid_on_min=b,
            amount_fen=2_000 * YUAN,
            low_fen=2_000 * YUAN,
            high_fen=2_000 * YUAN,
            facts=fact(TAX, 100 + i),
        )
        for i, (a, b) in enumerate(months())
    ] + [
        _income(
            one,
            item_no=13,
            member_no=1,
            category="business",
            kind="business",
            payer="",
            dataset=TAX_YEAR,
            granularity="annual",
            period_from="2025-01-01",
            period_to="2026-01-01",
            amount_fen=12_000 * YUAN,
            low_fen=0,
            high_fen=12_000 * YUAN,
            treatment="disputed",
            reason="annual_only",
            rule="R36",
            facts=fact(TAX_YEAR, 7),
        ),
        _income(
            one,
            item_no=14,
            member_no=2,
            category="transfer",
            kind="pension_employee",
            payer="",
            dataset=PENSIONS,
            period_from="2025-09-01",
            period_to="2026-09-01",
            amount_fen=7_200 * YUAN,
            low_fen=7_200 * YUAN,
            high_fen=7_200 * YUAN,
            facts=fact(PENSIONS, 9) + fact(PENSIONS, 10),
        ),
        _income(
            one,
            item_no=15,
            member_no=2,
            category="transfer",
            kind="veteran_benefit",
            payer="",
            dataset=PENSIONS,
            period_from="2025-09-01",
            period_to="2026-09-01",
            amount_fen=3_600 * YUAN,
            low_fen=0,
            high_fen=0,
            treatment="excluded",
            reason="excluded_kind",
            rule="R42",
            cites="办法 第十三条",
            facts=fact(PENSIONS, 11),
        ),
        _income(
            two,
            item_no=1,
            member_no=1,
            category="transfer",
            kind="resident_basic_pension",
            payer="\x1f 社保\x01\n",
            dataset=PENSIONS,
            period_from="2025-09-01",
            period_to="2026-09-01",
            amount_fen=2_616 * YUAN,
            low_fen=2_616 * YUAN,
            high_fen=2_616 * YUAN,
            facts=fact(PENSIONS, 77),
        ),
    ]
    found["deductions"] = [
        {
            "request_id": one,
            "member_no": 1,
            "kind": "employment_cost",
            "low_fen": 2_400 * YUAN,
            "high_fen": 2_400 * YUAN,
            "months": 12,
            "rule": "R44",
        }
    ]
    asset: dict[str, object] = {
        "request_id": one,
        "treatment": "counted",
        "asset": "a",
        "as_of": "2026-09-01",
        "status": "held",
        "currency": "CNY",
    }
    found["asset_items"] = [
        asset
        | {
            "item_no": 1,
            "member_no": 1,
            "class": "deposit",
            "figure": "financial_assets",
            "label": "齐商银行 尾号 4417",
            "value_fen": 60_000 * YUAN,
            "low": 60_000 * YUAN,
            "high": 60_000 * YUAN,
            "rule": "R56",
            "facts": fact(DEPOSITS, 3) + fact(DEPOSITS, 4),
        },
        asset
        | {
            "item_no": 2,
            "member_no": 2,
            "class": "deposit",
            "figure": "financial_assets",
            "label": "张店农商银行 尾号 0926",
            "low": 0,
            "value_fen": 30_000 * YUAN,
            "high": 30_000 * YUAN,
            "treatment": "disputed",
            "rule": "R56",
            "reason": "joint_account_unknown_shares",
            "facts": fact(DEPOSITS, 5),
        },
        asset
        | {
            "item_no": 3,
            "member_no": 3,
            "class": "wallet",
            "figure": "financial_assets",
            "label": "支付宝",
            "value_fen": 500 * YUAN,
            "low": 0,
            "high": 0,
            "treatment": "mirrored",
            "reason": "mirrors_account",
            "rule": "R57",
            "facts": fact(WALLETS, 12),
        },
        asset
        | {
            "item_no": 4,
            "member_no": 1,
            "class": "dwelling",
            "figure": "homes",
            "label": "",
            "share_bp": 5_000,
            "low": 1,
            "high": 1,
            "rule": "R47",
            "display": "山东省淄博市张店区共青团西路88号3号楼2单元501室".encode(),
            "facts": fact(TITLE, 21),
        },
        asset
        | {
            "item_no": 5,
            "member_no": 1,
            "class": "vehicle",
            "label": "五菱 LZW6442",
            "low": 0,
            "high": 0,
            "treatment": "not_held",
            "reason": "scrapped",
            "rule": "R52",
            "figure": "vehicles",
            "status": "scrapped",
            "status_on": "2026-08-01",
            "display": "鲁C·8A6T3".encode(),
            "facts": fact(VEHICLES, 5),
        },
    ]
    found["review"] = [
        {
            "request_id": one,
            "code": "annual_only",
            "rule": "R36",
            "member_no": 1,
            "dataset": TAX_YEAR,
            "facts": fact(TAX_YEAR, 7),
        },
        {
            "request_id": one,
            "code": "joint_account_unknown_shares",
            "rule": "R56",
            "member_no": 2,
            "dataset": DEPOSITS,
            "facts": fact(DEPOSITS, 5),
        },
        {
            "request_id": one,
            "code": "source_not_covered",
            "rule": "R6",
            "member_no": 1,
            "dataset": SECURITIES,
            "facts": [],
        },
    ]
    found["decisive"] = [
        {
            "request_id": one,
            "test": "financial_assets",
            "rank": 1,
            "kind": "source",
            "item_kind": "source",
            "label": SECURITIES,
            "dataset": SECURITIES,
            "member_no": 1,
            "facts": [],
        },
        {
            "request_id": one,
            "test": "financial_assets",
            "rank": 2,
            "kind": "fact",
            "item_kind": "asset",
            "label": "deposit/",
            "dataset": DEPOSITS,
            "member_no": 2,
            "period_from": "2026-09-01",
            "facts": fact(DEPOSITS, 5),
            "amount": 30_000 * YUAN,
        },
        {
            "request_id": one,
            "test": "income",
            "rank": 1,
            "kind": "fact",
            "item_kind": "income",
            "label": "business/business",
            "dataset": TAX_YEAR,
            "member_no": 1,
            "period_from": "2025-01-01",
            "facts": fact(TAX_YEAR, 7),
            "amount": 12_000 * YUAN,
        },
    ]
    found["withheld"] = [
        {"request_id": three, "member_no": 2, "dataset": DEPOSITS, "reason": "authorisation_ended", "items": 2}
    ]
    return found


FIGURES = {
    "HS-2026-000001": {
        "income": (28_800, 40_800),
        "income.wage": (24_000, 24_000),
        "income.business": (0, 12_000),
        "income.property": (0, 0),
        "income.transfer": (7_200, 7_200),
        "financial_assets": (60_000, None),
        "homes": (1, 1),
        "vehicles": (0, 0),
    },
    "HS-2026-000002": {
        "income": (2_616, 2_616),
        "income.wage": (0, 0),
        "income.business": (0, 0),
        "income.property": (0, 0),
        "income.transfer": (2_616, 2_616),
        "financial_assets": (0, 0),
        "homes": (0, 0),
        "vehicles": (0, 0),
    },
    "HS-2026-000003": {
        "income": (50_000, 50_000),
        "financial_assets": (10, 10),
        "homes": (3, 3),
        "vehicles": (0, 0),
    },
}
TESTS = {
    "income": (
        "<",
        "per_head_month",
        "fen",
        100_000,
        "人均月收入低于低保标准",
        "Income per head and month below the standard",
    ),
    "financial_assets": (
        "<=",
        "per_head",
        "fen",
        2_400_000,
        "人均金融资产不超过低保标准的24倍",
        "Financial assets per head",
    ),
    "homes": ("<=", "household", "count", 1, "家庭住房不超过一套", "No more than one home"),
    "vehicles": ("<=", "household", "count", 0, "没有机动车(规定豁免的除外)", "No vehicle beyond the exempt"),
}
DECLARED = {
    "HS-2026-000001": {
        "income.wage": 22_000,
        "income.business": None,
        "income.transfer": 7_200,
        "financial_assets": 60_000,
        "homes": 1,
        "vehicles": 0,
    },
    "HS-2026-000002": {"income.transfer": 2_616, "financial_assets": 0, "homes": 0, "vehicles": 0},
    "HS-2026-000003": {"homes": 1},
}


def _common(found: dict[str, list[dict[str, object]]], request: str, policy_id: int, counted: int) -> None:
    """What every household has: members, coverage, figures, tests, declaration, conclusion, policy."""
    relations = ("applicant", "spouse", "child")
    found["households"].append(
        {
            "request_id": request,
            "programme": "subsistence_allowance",
            "division": "370303",
            "area_kind": "urban",
            "application_date": "2026-09-15",
            "reference_date": "2026-09-15",
            "window_from": "2025-09-01",
            "window_to": "2026-09-01",
            "window_months": 12,
            "counted": counted,
            "policy_id": policy_id,
        }
    )
    found["policy"].append(
        {
            "policy_id": policy_id,
            "programme": "subsistence_allowance",
            "programme_zh": "最低生活保障",
            "programme_en": "subsistence allowance",
            "pack": "3703",
            "version": "2026-07",
            "digest": "ab" * 32,
            "validity_months": 6,
            "objection_days": 10,
        }
    )
    found["policy_sources"] += [
        {
            "policy_id": policy_id,
            "dataset": dataset,
            "requirement": "optional" if dataset == WALLETS else "required",
        }
        for dataset in SOURCES
    ]
    for i, (name, number) in enumerate(SUBJECTS[request]):
        key = {"request_id": request, "member_no": i + 1}
        display = json.dumps({"name": name, "id_number": number}, ensure_ascii=False).encode()
        found["members"].append(key | {"display": display})
        why = "minor" if i == 2 else "member"
        found["household_members"].append(
            key
            | {
                "person": f"00000000-0000-4000-8000-{policy_id:06d}{i:06d}",
                "relation": relations[i],
                "role": "member",
                "counted": True,
                "why": why,
                "rule": "R28",
            }
        )
        for dataset in SOURCES:
            down = dataset == SECURITIES and request == "HS-2026-000001"
            state = "unavailable" if down else "covered"
            found["member_coverage"].append(
                key
                | {
                    "dataset": dataset,
                    "requirement": "required",
                    "state": state,
                    "as_of": None if down else "2026-09-01",
                    "extract_digest": None if down else extract(dataset),
                    "quarantined_rows": 0,
                }
            )
    _judged(found, request, counted)


def _judged(found: dict[str, list[dict[str, object]]], request: str, counted: int) -> None:
    scale_of = {"per_head_month": counted * 12, "per_head": counted, "household": 1}
    results = []
    for figure, (low, high) in FIGURES[request].items():
        unit = "count" if figure in ("homes", "vehicles") else "fen"
        scale = 1 if unit == "count" else YUAN
        low, high = low * scale, None if high is None else high * scale
        found["figures"].append({"request_id": request, "figure": figure, "unit": unit, "low": low, "high": high})
        if figure in TESTS:
            op, per, unit, limit, zh, en = TESTS[figure]
            total = limit * scale_of[per] + (1 if op == "<=" else 0)
            result = (
                "satisfied" if high is not None and high < total else "exceeded" if low >= total else "undetermined"
            )
            results.append(result)
            found["tests"].append(
                {
                    "request_id": request,
                    "test": figure,
                    "figure": figure,
                    "op": op,
                    "scale": per,
                    "unit": unit,
                    "limit_value": limit,
                    "limit_total": limit * scale_of[per],
                    "low": low,
                    "high": high,
                    "result": result,
                    "cites": "淄民〔2024〕10号",
                    "title_zh": zh,
                    "title_en": en,
                    "formula": "standard * 24" if figure == "financial_assets" else str(limit),
                    "example": figure == "homes",
                }
            )
        if figure in DECLARED[request]:
            declared = (DECLARED[request][figure] or 0) * scale
            wrong = declared < low or (high is not None and declared > high)
            found["declaration"].append(
                {
                    "request_id": request,
                    "item": figure,
                    "declared": declared,
                    "low": low,
                    "high": high,
                    "tolerance": 0,
                    "declared_at_all": DECLARED[request][figure] is not None,
                    "material": False,
                    "result": "differs" if wrong else "matches" if low == high else "undetermined",
                }
            )
    limits = (
        "over_limit" if "exceeded" in results else "undetermined" if "undetermined" in results else "within_limits"
    )
    worst = [r["result"] for r in found["declaration"] if r["request_id"] == request]
    declared_as = next((r for r in ("differs", "undetermined", "matches") if r in worst), "undetermined")
    found["conclusions"].append({"request_id": request, "limits": limits, "declaration": declared_as})


class PlainOpener:
    """Stands for the unsealing of pseudonyms: the fixture's display fields are not sealed."""

    def members(self, sealed: pa.Array) -> pa.Array:
        return sealed.cast(pa.string())

    def assets(self, classes: pa.Array, sealed: pa.Array) -> pa.Array:
        return sealed.cast(pa.string())


def write(batches: Path, copies: int = 1, shuffled: bool = False) -> Batch:
    """Write the tables as a batch; ``copies`` repeats the households under other request ids for measurements."""
    batch = Batch.create(batches, "b1", AS_OF)
    extracts = [
        {"dataset": dataset, "digest": extract(dataset), "as_of": "2026-09-01", "path": "admitted/x.parquet"}
        for dataset in SOURCES
        if dataset != SECURITIES
    ]
    write_json(batch.folder / "extracts.json", extracts)
    with warehouse.connect(DATA_KEY) as con:
        for name, columns in DDL.items():
            con.execute(f"CREATE TABLE {name} ({columns})")
            _insert(con, name, rows()[name])
            folder = batch.folder if name in PLANNED else batch.folder / "assessed" / "0000"
            select = f"SELECT * FROM {name}"
            if copies > 1 and "request_id" in columns:
                select = (
                    f"SELECT request_id || '-' || lpad(i::VARCHAR, 6, '0') AS request_id, {name}.* EXCLUDE (request_id) "
                    f"FROM {name}, range({copies}) AS r(i) ORDER BY ALL"
                )
            order = " ORDER BY hash(request_id || 'x')" if shuffled and "request_id" in columns else ""
            warehouse.write_parquet(con, select if copies > 1 else select + order, folder / f"{name}.parquet")
    return batch


def _insert(con: duckdb.DuckDBPyConnection, name: str, given: list[dict[str, object]]) -> None:
    columns = [part.split()[0] for part in DDL[name].replace(FACT, "FACT").split(", ")]
    for row in given:
        assert set(row) <= set(columns), set(row) - set(columns)
        marks = ", ".join("?" for _ in columns)
        con.execute(f"INSERT INTO {name} VALUES ({marks})", [row.get(column) for column in columns])


def contracts() -> dict[str, SimpleNamespace]:
    """What the contracts say of the datasets."""
    return {
        key: SimpleNamespace(title=Words(zh=zh, en=en), provider=Words(zh=by_zh, en=by_en))
        for key, (zh, en, by_zh, by_en) in SOURCES.items()
    }
