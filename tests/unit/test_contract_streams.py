"""Columns, decoding and digests of streams: what arrives is the contract's, however it was cut."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.conform import check_columns, check_types, conform
from connectors.content_digest import ContentDigest
from connectors.contract import Contract, load_contracts
from connectors.csv_stream import decoded
from connectors.extract import ContractViolation, DecodeRefused
from connectors.files import Manifest, counted

CONTRACT = load_contracts()["taxation/annual_settlement"]
NAMES = CONTRACT.schema.names


def test_columns_may_come_in_another_order_and_in_no_other_way() -> None:
    check_columns(CONTRACT, NAMES[::-1])
    for found, column, what in (
        (NAMES[:-1], "sre", "missing"),
        ([*NAMES, "xb"], "xb", "unknown column"),
        ([*NAMES, "xm"], "xm", "2 times"),
    ):
        with pytest.raises(ContractViolation) as raised:
            check_columns(CONTRACT, found)
        assert (raised.value.dataset, raised.value.column, raised.value.found) == (CONTRACT.dataset, column, what)


@pytest.mark.parametrize(("column", "found"), [("sre", pa.float64()), ("nd", pa.string()), ("xm", pa.int64())])
def test_a_column_of_another_type_is_named_with_both_types(column: str, found: pa.DataType) -> None:
    schema = CONTRACT.schema.set(NAMES.index(column), pa.field(column, found))
    with pytest.raises(ContractViolation) as raised:
        check_types(CONTRACT, schema)
    expected = str(CONTRACT.schema.field(column).type)
    assert (raised.value.column, raised.value.expected, raised.value.found) == (column, expected, str(found))


def rows(contract: Contract, money: pa.Array) -> pa.RecordBatch:
    values = {"nd": pa.array([2025] * len(money), pa.int32()), "sre": money}
    text = pa.array(["x"] * len(money), pa.large_string())
    return pa.RecordBatch.from_pydict({name: values.get(name, text) for name in contract.schema.names})


def test_narrower_types_are_widened_and_what_does_not_fit_is_refused_without_its_value() -> None:
    batch = conform(CONTRACT, rows(CONTRACT, pa.array([Decimal("1.50")], pa.decimal128(9, 2))))
    assert batch.schema == CONTRACT.schema
    assert batch.column("sre").to_pylist() == [Decimal("1.50")]
    with pytest.raises(ContractViolation) as raised:
        conform(CONTRACT, rows(CONTRACT, pa.array([Decimal("1.5678")], pa.decimal128(9, 4))))
    assert "5678" not in str(raised.value)


def cut(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    at = 0
    for size in sizes:
        yield data[at : at + size]
        at += size
    yield data[at:]


SIZES = st.lists(st.integers(1, 7), max_size=20)
ENCODINGS = st.sampled_from(["utf-8", "gb18030"])


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), ENCODINGS, SIZES)
def test_r18_decoding_does_not_depend_on_where_the_bytes_were_cut(text: str, encoding: str, sizes: list[int]) -> None:
    text = text.replace("\ufeff", "")
    assert "".join(decoded(cut(text.encode(encoding), sizes), encoding, "d", "f")) == text


@given(st.text("王李𬸚䶮·1a,", max_size=20), ENCODINGS, SIZES)
def test_r18_the_first_bad_byte_is_named_by_its_position(text: str, encoding: str, sizes: list[int]) -> None:
    good = text.encode(encoding)
    with pytest.raises(DecodeRefused) as raised:
        list(decoded(cut(good + b"\xff" + b"abc", sizes), encoding, "d", "f"))
    assert (raised.value.position, raised.value.encoding) == (len(good), encoding)


def test_r18_a_file_that_ends_within_a_character_is_refused() -> None:
    with pytest.raises(DecodeRefused) as raised:
        list(decoded(iter(["王龙".encode("gb18030")[:3]]), "gb18030", "d", "f"))
    assert raised.value.position == 2


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    assert "".join(decoded(iter(["\ufeffZJH,XM".encode()]), "utf-8", "d", "f")) == "ZJH,XM"


CELLS = st.tuples(
    st.none() | st.text("王a", max_size=3), st.none() | st.integers(0, 9), st.none() | st.dates(date(2000, 1, 1))
)
SCHEMA = pa.schema([("t", pa.string()), ("n", pa.int64()), ("d", pa.date32())])


def digest(table: pa.Table, batch_rows: int) -> str:
    taken = ContentDigest(SCHEMA)
    for batch in table.to_batches(batch_rows):
        taken.update(batch)
    return taken.tagged()


@given(st.lists(CELLS, max_size=30), st.integers(1, 7), st.data())
def test_r7_the_digest_of_an_answer_depends_on_its_rows_alone(cells: list, size: int, data: st.DataObject) -> None:
    columns = list(zip(*cells, strict=True)) or [(), (), ()]
    table = pa.table([pa.array(v, f.type) for v, f in zip(columns, SCHEMA, strict=True)], schema=SCHEMA)
    assert digest(table, size) == digest(table, 1000)
    if cells:
        row = data.draw(st.integers(0, len(cells) - 1))
        assert digest(pa.concat_tables([table.slice(0, row), table.slice(row + 1)]), size) != digest(table, 1000)


def manifest(name: str, day: int, sequence: int = 1, mode: str = "increment", digest: str = "") -> Manifest:
    tag = (digest or name).encode().hex()[:8].ljust(64, "0")
    return Manifest(
        dataset="a/b",
        file=name,
        rows=1,
        digest_algorithm="sha256",
        digest=tag,
        as_of=date(2026, 9, day),
        sequence=sequence,
        mode=mode,  # type: ignore[arg-type]
    )


def names(found: list[Manifest]) -> list[str]:
    return [m.file for m in found]


def test_r8_the_newest_full_extract_counts_and_the_increments_after_it() -> None:
    delivered = [
        manifest("F1", 1, mode="full"),
        manifest("I1", 2),
        manifest("F2", 3, mode="full"),
        manifest("I2", 4),
    ]
    assert names(counted(delivered)) == ["F2", "I2"]
    assert names(counted(delivered[1:2])) == ["I1"]


def test_r7_an_extract_sent_twice_counts_once_and_never_undoes_what_came_between() -> None:
    first, again = manifest("I1", 2), manifest("I3", 4, digest="I1")
    delivered = [manifest("F1", 1, mode="full"), first, manifest("I2", 3), again]
    assert names(counted(delivered)) == ["F1", "I1", "I2"]


def test_r7_the_same_content_for_a_later_day_confirms_it() -> None:
    delivered = [manifest("F1", 1, mode="full"), manifest("F2", 9, mode="full", digest="F1")]
    assert [m.as_of.day for m in counted(delivered)] == [9]
