"""The contracts, and what a bad one is refused with."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml

from connectors.contract import CONTRACTS, Contract, ContractError, load_contract, load_contracts

DATASETS = [
    "agriculture/machinery",
    "agriculture/subsidies",
    "banks/account_interest",
    "banks/deposits",
    "banks/wallets",
    "civil_affairs/assistance_payments",
    "civil_affairs/death_funeral",
    "civil_affairs/marriage",
    "disabled_persons/disability",
    "education/enrolment",
    "finance/one_card_payments",
    "health/severe_illness",
    "housing/housing_fund",
    "housing/online_filing",
    "insurers/policies",
    "market_regulation/business_registration",
    "medical_insurance/outpatient_inpatient",
    "natural_resources/real_estate_title",
    "public_security/detention",
    "public_security/household_registration",
    "public_security/vehicle_registration",
    "securities/holdings",
    "social_security/contributions",
    "social_security/pensions",
    "social_security/unemployment",
    "taxation/annual_settlement",
    "taxation/individual_income",
    "transport/operating_licences",
    "transport/vessels",
    "veterans/veteran_benefits",
]


@pytest.fixture(scope="module")
def contracts() -> dict[str, Contract]:
    return load_contracts()


def test_every_dataset_of_the_first_release_has_a_contract(contracts: dict[str, Contract]) -> None:
    assert list(contracts) == DATASETS


def test_dropped_columns_have_no_name_and_identifiers_never_stay_values(contracts: dict[str, Contract]) -> None:
    for contract in contracts.values():
        for column in contract.columns:
            assert (column.name is None) == (column.sensitivity == "drop")
            if column.type in ("id", "name"):
                assert column.sensitivity == "identifier"


def test_money_has_a_unit_and_its_factor(contracts: dict[str, Contract]) -> None:
    units = {
        (contract.dataset, column.name): (column.unit, column.factor)
        for contract in contracts.values()
        for column in contract.columns
        if column.type == "money"
    }
    assert units["banks/wallets", "balance_fen"] == ("分", 1)
    assert units["banks/deposits", "balance_fen"] == ("元", 100)
    assert units["housing/online_filing", "price_fen"] == ("万元", 1_000_000)


def test_schema_is_text_for_csv_and_http_and_typed_for_the_others(contracts: dict[str, Contract]) -> None:
    assert set(contracts["banks/deposits"].schema.types) == {pa.string()}
    assert set(contracts["housing/online_filing"].schema.types) == {pa.string()}
    typed = contracts["taxation/individual_income"].schema
    assert typed.field("sre").type == pa.decimal128(18, 2)
    assert typed.field("skssqq").type == pa.date32()
    assert contracts["taxation/annual_settlement"].schema.field("nd").type == pa.int64()


def test_a_site_may_deliver_another_way_with_the_same_columns(contracts: dict[str, Contract]) -> None:
    contract = contracts["taxation/individual_income"]
    assert contract.delivered({}) is contract
    as_files = contract.delivered({"way": "files", "format": "parquet"})
    assert (as_files.way, as_files.schema) == ("files", contract.schema)
    as_csv = contract.delivered({"way": "files", "format": "csv"})
    assert set(as_csv.schema.types) == {pa.string()}
    renamed = contract.delivered({"table": "tax.income"})
    assert renamed.delivery.order_by == ["pzxh"]  # type: ignore[union-attr]
    with pytest.raises(ContractError) as raised:
        contract.delivered({"way": "files", "format": "excel"})
    assert raised.value.file == "sources.taxation/individual_income.delivery"
    assert "format" in raised.value.field


def test_the_contract_is_frozen(contracts: dict[str, Contract]) -> None:
    with pytest.raises(ValueError, match="frozen"):
        contracts["banks/wallets"].mode = "increment"  # type: ignore[misc]


def column_of(given: dict[str, Any], source: str) -> dict[str, Any]:
    return next(column for column in given["columns"] if column["source"] == source)


WRONG = {
    "an unknown field": (lambda c: c.update(colour="red"), "colour", "Extra"),
    "no key": (lambda c: c.update(key=[]), "key", "at least 1"),
    "a key that is no column": (lambda c: c.update(key=["nothing"]), "-", "no column nothing"),
    "an unknown encoding": (lambda c: c["delivery"].update(encoding="big5"), "delivery.files.encoding", "utf-8"),
    "an unknown way": (lambda c: c["delivery"].update(way="pigeon"), "delivery", "pigeon"),
    "money without a unit": (lambda c: column_of(c, "DYJE").pop("unit"), "columns.13", "unit"),
    "an identifier without a kind": (lambda c: column_of(c, "ZJH").pop("kind"), "columns.3", "kind"),
    "a code without its set": (lambda c: column_of(c, "GYFS").pop("codes"), "columns.5", "codes"),
    "two columns of one name": (lambda c: column_of(c, "ZL").update(name="title_number"), "-", "twice"),
    "no subject": (lambda c: column_of(c, "ZJH").pop("subject"), "-", "subject"),
    "an identifier kept as a value": (
        lambda c: column_of(c, "ZJH").update(sensitivity="value"),
        "columns.3",
        "type",
    ),
    "money under another name": (lambda c: column_of(c, "DYJE").update(name="mortgage"), "columns.13", "_fen"),
    "another dataset": (lambda c: c.update(dataset="banks/titles"), "dataset", "place"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_bad_contract_is_refused_by_file_field_and_reason(case: str, tmp_path: Path) -> None:
    change, field, reason = WRONG[case]
    text = (CONTRACTS / "natural_resources/real_estate_title.yaml").read_text("utf-8")
    given = copy.deepcopy(yaml.safe_load(text))
    change(given)
    file = tmp_path / "natural_resources" / "real_estate_title.yaml"
    file.parent.mkdir()
    file.write_text(yaml.safe_dump(given, allow_unicode=True), "utf-8")
    with pytest.raises(ContractError) as raised:
        load_contract(file)
    assert raised.value.file == "natural_resources/real_estate_title.yaml"
    assert raised.value.field.startswith(field)
    assert reason in raised.value.reason
    assert raised.value.exit_code == 2


def test_what_is_not_yaml_or_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="no <department>"):
        load_contracts(tmp_path)
    (tmp_path / "banks").mkdir()
    (tmp_path / "banks" / "deposits.yaml").write_text("dataset: [", "utf-8")
    with pytest.raises(ContractError, match="not YAML"):
        load_contracts(tmp_path)
