"""Names made comparable (R15)."""

from __future__ import annotations

import csv

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.id_tables import DATA
from pipelines.names import NameChange, normalise_names, read_names
from tests.unit.identifier_examples import Example, pairs


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


CHARACTERS = (
    "王张三买提aZ １ｂ\t\u3000\u200b·•‧・．.\uf92c\ue863\ue5e5昇䶮𬍛"
    + "".join(row["variant"] for row in rows("name_variants.csv")[:40])
    + "".join(chr(int(row["pua_codepoint"][2:], 16)) for row in rows("pua_gb18030_unicode.csv"))
)


def one(name: str) -> str:
    return str(normalise_names(pa.array([name]))[0].as_py())


@pytest.mark.parametrize(
    "example",
    [example for example in pairs() if example.cells["kind"] == "name"],
    ids=lambda e: f"{e.delivered} {e.cells['also delivered as']}",
)
def test_r15_examples_of_the_specification(example: Example) -> None:
    same = one(example.delivered) == one(example.cells["also delivered as"])
    assert same == (example.cells["same"] == "yes")


@pytest.mark.parametrize(
    ("name", "becomes", "applied"),
    [
        ("王小明", "王小明", NameChange.none),
        ("王 小明", "王小明", NameChange.blanks),
        ("刘\ue863", "刘䶮", NameChange.private_use),
        ("\uf92c平", "郎平", NameChange.nfkc),
        ("阿•B", "阿·B", NameChange.dots),
        ("阿．b", "阿·B", NameChange.nfkc | NameChange.dots | NameChange.case),
        ("張 三", "张三", NameChange.blanks | NameChange.variants),
        ("昇𬍛", "昇𬍛", NameChange.none),
    ],
)
def test_r15_what_was_applied_is_recorded(name: str, becomes: str, applied: NameChange) -> None:
    read = read_names(pa.array([None, name, "李四", name]))
    assert read.values.to_pylist() == [None, becomes, "李四", becomes]
    assert read.applied.tolist() == [0, applied, 0, applied]


@given(st.lists(st.one_of(st.none(), st.text(CHARACTERS, max_size=12)), max_size=20))
def test_r15_normalising_twice_changes_nothing(names: list[str | None]) -> None:
    once = read_names(pa.array(names, pa.string()))
    again = read_names(once.values)
    assert again.values.equals(once.values)
    assert not again.applied.any()


@given(st.lists(st.text(max_size=12), max_size=20))
def test_a_name_is_read_alike_alone_and_in_any_column(names: list[str]) -> None:
    assert normalise_names(pa.array(names, pa.string())).to_pylist() == [one(name) for name in names]


def test_r15_variant_table_is_simple() -> None:
    table = {row["variant"]: row["standard"] for row in rows("name_variants.csv")}
    assert len(table) == len(rows("name_variants.csv"))
    assert not set(table) & set(table.values()), "a standard form is never itself replaced"
    assert not set(table) & set("昇堃喆甯淼犇"), "standard in names since 2013"


def test_r15_private_use_table_leads_out_of_private_use() -> None:
    for row in rows("pua_gb18030_unicode.csv"):
        assert one(chr(int(row["pua_codepoint"][2:], 16))) != chr(int(row["pua_codepoint"][2:], 16))


def test_columns_of_nothing() -> None:
    assert read_names(pa.array([], pa.string())).applied.tolist() == []
    assert normalise_names(pa.array([None, ""], pa.string())).to_pylist() == [None, ""]
    assert normalise_names(pa.chunked_array([["張三"], ["李四"]])).to_pylist() == ["张三", "李四"]
