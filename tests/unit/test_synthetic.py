"""The made-up county: the same bytes again, nobody's numbers, and a truth that its files bear out."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

from connectors.connections import FolderConnection
from connectors.contract import load_contracts
from connectors.extract import Asked
from connectors.sources import open_extracts
from connectors.synthetic import generate
from connectors.synthetic.county import imagine
from connectors.synthetic.page import page
from connectors.synthetic.people import area_codes, check_digits
from connectors.synthetic.plants import catalogue
from connectors.synthetic.troubles import UnknownTrouble
from connectors.synthetic.truth import check

CONTRACTS = load_contracts()
ROOT = Path(__file__).parents[2]


def digests(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def truth_of(county: Path) -> list[dict]:
    return [json.loads(line) for line in (county / "truth.jsonl").read_text("utf-8").splitlines()]


def requests_of(county: Path) -> list[dict]:
    return [json.loads(line) for line in (county / "requests/requests-0001.jsonl").read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A county without dirt."""
    out = tmp_path_factory.mktemp("plain")
    generate(out, 400, 7, "none", outsiders_per_person=2)
    return out


def csv_rows(county: Path, dataset: str) -> list[dict[str, str]]:
    contract = CONTRACTS[dataset]
    rows: list[dict[str, str]] = []
    for file in sorted((county / "departments" / contract.folder).glob("*.csv")):
        with file.open(encoding=contract.delivery.encoding, newline="") as handle:
            rows += csv.DictReader(handle, delimiter=contract.delivery.separator)
    return rows


def excel_rows(county: Path, dataset: str) -> list[dict[str, object]]:
    contract = CONTRACTS[dataset]
    [file] = (county / "departments" / contract.folder).glob("*.xlsx")
    names, *rows = (
        CalamineWorkbook.from_path(file)
        .get_sheet_by_name(contract.delivery.sheet)
        .to_python()[contract.delivery.header_row - 1 :]
    )
    return [dict(zip(names, row, strict=True)) for row in rows]


def delivered_rows(county: Path, dataset: str) -> list[dict]:
    """The rows of a dataset, however it is delivered."""
    form = getattr(CONTRACTS[dataset].delivery, "format", "parquet")
    return {"csv": csv_rows, "xlsx": excel_rows, "parquet": parquet_rows}[form](county, dataset)


def parquet_rows(county: Path, dataset: str) -> list[dict]:
    files = sorted((county / "departments" / CONTRACTS[dataset].folder).glob("*.parquet"))
    return [row for file in files for row in pq.read_table(file).to_pylist()]


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("one", 5), ("two", 5), ("other", 6)):
        generate(tmp_path / name, 120, seed, "heavy", ["partial:banks/deposits"], outsiders_per_person=2)
    one, two, other = (digests(tmp_path / name) for name in ("one", "two", "other"))
    assert one == two
    assert one.keys() == other.keys()
    assert not set(one.values()) & set(other.values())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_planted_problem_ends_as_the_catalogue_says(seed: int) -> None:
    scene, _, truth, _ = imagine(2000, seed, CONTRACTS, {}, outsiders_per_person=0)
    assert check(catalogue(), scene, truth) == []
    planted = np.bincount(scene.kind[scene.kind >= 0], minlength=len(catalogue()))
    assert len(catalogue()) >= 30
    assert planted.min() >= 2
    assert 0.74 <= (scene.kind < 0).mean() <= 0.76


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_clean_households_raise_nothing(seed: int) -> None:
    scene, _, truth, _ = imagine(2000, seed, CONTRACTS, {}, outsiders_per_person=0)
    clean = scene.kind < 0
    assert not any(clean[households].any() for households, _ in truth.review)
    assert (truth.declaration[clean] == "matches").all()
    assert Counter(truth.limits[clean]).keys() == {"within_limits", "over_limit"}


def test_the_catalogue_names_rules_and_texts() -> None:
    assert all(kind.rule[1:].rstrip("a").isdigit() and kind.zh and kind.en for kind in catalogue())
    assert len({kind.rule for kind in catalogue()}) >= 25


def test_the_page_is_the_catalogue() -> None:
    assert (ROOT / "docs/made-up-county.md").read_text("utf-8") == page()


def test_numbers_are_valid_and_nobodys(plain: Path) -> None:
    """Every number in every dataset and request, the planted wrong one and 15 digits aside."""
    codes = {code[:2] for code in area_codes()}
    assert codes == {"38", "39", "47", "48", "49", "57", "58", "59", "67", "68", "69"}
    seen: dict[str, set[str]] = defaultdict(set)
    for dataset, contract in CONTRACTS.items():
        rows = delivered_rows(plain, dataset)
        for column in contract.subjects:
            seen[dataset] |= {row[column.source] for row in rows if row[column.source]}
    register = {n for n in seen["public_security/household_registration"] if len(n) == 18}
    digits = np.frombuffer("".join(sorted(register)).encode(), np.uint8).reshape(-1, 18)
    assert (check_digits(digits[:, :17]) == digits[:, 17]).all()
    everywhere = set().union(*seen.values())
    assert all(
        number[:6].translate(str.maketrans("０１２３４５６７８９", "0123456789"))[:6] in area_codes()
        for number in everywhere
    )
    asked = [m["id_number"] for r in requests_of(plain) for m in r["members"] if m["id_number"]]
    assert sum(number in register for number in asked) > 0.97 * len(asked)


def _yuan(text: str) -> int:
    whole, _, rest = text.partition(".")
    return int(whole) * 100 + int(rest or 0)


def test_truth_can_be_recomputed_from_the_files(plain: Path) -> None:
    """Clean households' figures, by the plainest reading of what the departments sent."""
    found: dict[str, Counter] = defaultdict(Counter)
    window = date(2025, 9, 1), date(2026, 8, 31)
    for row in parquet_rows(plain, "taxation/individual_income"):
        if window[0] <= row["skssqq"] <= row["skssqz"] <= window[1]:
            kind = {"工资薪金所得": "income.wage", "经营所得": "income.business"}.get(row["sdxm"], "income.property")
            found[row["zjhm"]][kind] += int(row["sre"] * 100)
    for row in parquet_rows(plain, "social_security/pensions"):
        if "202509" <= row["AAE003"] <= "202608" and row["DYLB"] != "居民基础养老金":
            found[row["AAC002"]]["income.transfer"] += int(row["FFJE"] * 100)
    for row in csv_rows(plain, "social_security/unemployment"):
        first, last = (int(row[c][:4]) * 12 + int(row[c][-2:]) for c in ("起始月份", "终止月份"))
        found[row["身份证号"]]["income.transfer"] += _yuan(row["月领取金额"]) * (last - first + 1)
    for row in parquet_rows(plain, "finance/one_card_payments"):
        if "202509" <= row["ssny"] <= "202608" and not row["xmbm"].startswith("WJ"):
            found[row["sfzh"]]["income.transfer"] += int(row["je"] * 100)
    for row in excel_rows(plain, "agriculture/subsidies"):
        if row["发放日期"] and window[0] <= row["发放日期"] <= window[1]:
            found[row["身份证号"]]["income.transfer"] += round(row["补贴金额"] * 100)
    for row in parquet_rows(plain, "banks/account_interest"):
        if row["JXZZRQ"] <= "2026-08-31":
            found[row["CKRSFZJHM"]]["income.property"] += _yuan(row["LXJE"])
    for row in parquet_rows(plain, "banks/deposits"):
        found[row["CKRSFZJHM"]]["financial_assets"] += _yuan(row["ZHYE"])
    for row in parquet_rows(plain, "banks/wallets"):
        found[row["SFZJHM"]]["financial_assets"] += int(row["YE"])
    for row in csv_rows(plain, "securities/holdings"):
        found[row["证件号码"]]["financial_assets"] += _yuan(row["持仓市值"]) + _yuan(row["资金余额"])
    for row in csv_rows(plain, "insurers/policies"):
        found[row["投保人证件号码"]]["financial_assets"] += _yuan(row["现金价值"])
    for row in csv_rows(plain, "public_security/vehicle_registration"):
        found[row["SFZMHM"]]["vehicles"] += row["ZT"] == "A"
    homes = {(row["ZJH"], row["BDCDYH"]) for row in csv_rows(plain, "natural_resources/real_estate_title")}
    units: dict[str, set[str]] = defaultdict(set)
    for holder, unit in homes:
        units[holder].add(unit)
    firms: dict[str, set[str]] = defaultdict(set)
    for row in parquet_rows(plain, "market_regulation/business_registration"):
        if row["REGSTATE"] == "1" and row["MYDJBZ"] == "0":
            firms[row["CERNO"]].add(row["UNISCID"])
    for request, truth in zip(requests_of(plain), truth_of(plain), strict=True):
        if truth["planted"]:
            continue
        persons = [member["id_number"] for member in request["members"]]
        total = sum((found[person] for person in persons), Counter())
        total["homes"] = len(set().union(*(units[person] for person in persons)))
        total["businesses"] = len(set().union(*(firms[person] for person in persons)))
        for figure, interval in truth["figures"].items():
            if figure != "income":
                assert interval == {"low": total[figure], "high": total[figure]}, figure
        gross = sum(total[f"income.{kind}"] for kind in ("wage", "business", "property", "transfer"))
        assert truth["figures"]["income"]["low"] == gross - total["income.wage"] // 10
        assert truth["review"] == []


def test_dirt_changes_no_truth_and_no_request(tmp_path: Path) -> None:
    for dirt in ("none", "heavy"):
        generate(tmp_path / dirt, 80, 11, dirt, outsiders_per_person=2)
    none, heavy = digests(tmp_path / "none"), digests(tmp_path / "heavy")
    for file in ("truth.jsonl", "requests/requests-0001.jsonl"):
        assert none[file] == heavy[file]
    titles = "departments/natural_resources.real_estate_title/real_estate_title-20260915.csv"
    assert none[titles] != heavy[titles]


def test_delivered_files_keep_their_contracts(tmp_path: Path) -> None:
    """Read by the connectors: columns, encodings, row counts and digests hold, whatever the dirt."""
    generate(tmp_path, 60, 3, "heavy", outsiders_per_person=3)
    asked = Asked(pa.array([], pa.string()), (date(2025, 9, 1), date(2026, 9, 1)), "test", date(2026, 9, 16))
    for contract in CONTRACTS.values():
        if contract.way == "files":
            extracts = open_extracts(contract, FolderConnection(path=tmp_path / "departments"), asked, tmp_path)
            assert extracts, contract.dataset
            digests_sent = [
                json.loads(file.read_text())["digest"]
                for file in (tmp_path / "departments" / contract.folder).glob("*.manifest.json")
            ]
            assert len(digests_sent) == len(set(digests_sent)) + 1  # the last file came twice
            for extract in extracts:
                assert sum(len(batch) for batch in extract.batches()) == extract.declared_rows


def test_a_source_that_is_down_opens_what_it_feeds(tmp_path: Path) -> None:
    summary = generate(tmp_path, 60, 3, trouble=["source_down:securities/holdings"], outsiders_per_person=1)
    assert not (tmp_path / "departments/securities.holdings").exists()
    assert summary.rows["securities/holdings"] == 0
    for truth in truth_of(tmp_path):
        assert truth["figures"]["financial_assets"]["high"] is None
        assert "source_not_covered" in truth["review"]
        assert truth["limits"] != "within_limits"


@pytest.mark.parametrize("trouble", ["source_down", "partial"])
def test_who_is_apart_by_a_silent_source_alone_counts(trouble: str) -> None:
    dataset = "public_security/detention"
    scene, _, truth, silent = imagine(2000, 4, CONTRACTS, {dataset: trouble}, outsiders_per_person=0)
    apart = {place for place, kind in enumerate(catalogue()) if kind.apart_by == dataset}
    households = np.flatnonzero(np.isin(scene.kind, list(apart)))
    assert len(households) >= 4
    spouses = scene.members.first(households, 1)
    assert (scene.members.counted[spouses] == np.isin(spouses, silent[dataset])).all()
    named = set(np.concatenate([found for found, code in truth.review if code == "member_not_counted"]).tolist())
    assert named & set(households.tolist()) == set(households[~scene.members.counted[spouses]].tolist())


def test_a_partial_answer_opens_those_left_out(tmp_path: Path) -> None:
    generate(tmp_path, 60, 3, trouble=["partial:banks/deposits"], outsiders_per_person=1)
    left_out = set(json.loads((tmp_path / "departments/banks.deposits/unanswered.json").read_text()))
    for request, truth in zip(requests_of(tmp_path), truth_of(tmp_path), strict=True):
        if not truth["planted"]:
            touched = bool(left_out & {member["id_number"] for member in request["members"]})
            assert (truth["figures"]["financial_assets"]["high"] is None) == touched


@pytest.mark.parametrize("name", ["cut_short", "wrong_digest", "stale", "renamed_column"])
def test_a_file_in_trouble_is_not_covered(tmp_path: Path, name: str) -> None:
    dataset = "insurers/policies"
    generate(tmp_path, 40, 3, "none", [f"{name}:{dataset}"], outsiders_per_person=1)
    folder = tmp_path / "departments/insurers.policies"
    manifest = json.loads(next(folder.glob("*.manifest.json")).read_text("utf-8"))
    content = (folder / manifest["file"]).read_bytes()
    whole = hashlib.sha256(content).hexdigest() == manifest["digest"]
    assert whole == (name in ("stale", "renamed_column"))
    assert (date.fromisoformat(manifest["as_of"]) < date(2026, 6, 1)) == (name == "stale")
    assert (b"_NEW" in content) == (name == "renamed_column")
    assert all(truth["figures"]["financial_assets"]["high"] is None for truth in truth_of(tmp_path))


@pytest.mark.parametrize(
    "trouble",
    [
        "flood:banks/deposits",
        "partial:insurers/policies",
        "partial:market_regulation/business_registration",
        "stale:no/such",
        "stale",
    ],
)
def test_an_unknown_trouble_is_refused(tmp_path: Path, trouble: str) -> None:
    with pytest.raises(UnknownTrouble):
        generate(tmp_path, 10, 1, trouble=[trouble])


def test_a_county_without_planted_pairs_still_stands(tmp_path: Path) -> None:
    """Few households: some kinds do not occur; documents are whole."""
    summary = generate(tmp_path, 12, 1, outsiders_per_person=0)
    assert summary.households == len(requests_of(tmp_path)) == len(truth_of(tmp_path)) == 12
    rows = duckdb.sql(f"SELECT count(*) FROM read_json('{tmp_path}/truth.jsonl')").fetchone()
    assert rows == (12,)
