"""Identifiers of persons: the specification's examples, published vectors, and properties."""

from __future__ import annotations

import csv
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.id_tables import DATA
from pipelines.identifiers import Classified, IdKind, IdProblem, classify, normalise, unknown_area
from tests.unit.identifier_examples import ON, Example, right, wrong

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
TABLES = {"resident_id", "resident_id_15", "gat_residence_permit", "fpr_2023", "fpr_old15"}


def one(text: str | None, kind: IdKind | None = None) -> Classified:
    return classify(pa.array([text], pa.string()), ON, kind)


def with_check(body: str) -> str:
    """The check character as the standard's text computes it, apart from the code under test."""
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, WEIGHTS, strict=True)) % 11]


def vectors(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


numbers = st.builds(
    lambda area, days, sequence: with_check(f"{area}{date(1900, 1, 1) + timedelta(days):%Y%m%d}{sequence:03}"),
    st.sampled_from(["680102", "379922", "479902", "810000", "830000", "911124"]),
    st.integers(0, (ON - date(1900, 1, 1)).days),
    st.integers(0, 999),
)


@pytest.mark.parametrize("example", right(), ids=lambda e: e.delivered)
def test_right_examples_of_the_specification(example: Example) -> None:
    read = one(example.delivered, IdKind.passport if example.passport else None)
    assert read.reason[0] == IdProblem.ok
    assert read.canonical[0].as_py() == example.cells["becomes"]
    assert IdKind(read.kind[0]).name == example.cells["kind"]
    assert read.unknown_area[0] == ("warning" in example.cells["why"])


@pytest.mark.parametrize("example", wrong(), ids=lambda e: e.delivered)
def test_r9_wrong_examples_of_the_specification_are_refused_and_not_repaired(example: Example) -> None:
    read = one(example.delivered, IdKind.passport if example.passport else None)
    assert IdProblem(read.reason[0]).name == example.cells["problem"]
    assert read.canonical[0].as_py() is None
    assert read.kind[0] == IdKind.none
    assert not read.blocks.any()


def test_specification_has_examples_of_every_kind_and_problem() -> None:
    assert {e.cells["kind"] for e in right()} == {kind.name for kind in IdKind} - {"none"}
    assert {e.cells["problem"] for e in wrong()} == {problem.name for problem in IdProblem} - {"ok"}


@pytest.mark.parametrize(
    "row", [row for row in vectors("id_test_vectors.csv") if row["kind"] in TABLES], ids=lambda row: row["number"]
)
def test_r9_r17_r19a_published_vectors(row: dict[str, str]) -> None:
    read = one(row["number"])
    if "after abolition" in row["why"]:
        # The vectors call it invalid; R17 forbids asking whether a code existed at birth, so it is a warning.
        assert read.reason[0] == IdProblem.ok
        assert read.unknown_area[0]
    else:
        assert (read.reason[0] == IdProblem.ok) == (row["expected"] in ("valid", "policy"))


@pytest.mark.parametrize("row", vectors("id_15_to_18.csv"), ids=lambda row: row["id15"])
def test_r10_published_conversions(row: dict[str, str]) -> None:
    becomes = one(row["id15"]).canonical[0].as_py()
    # The last vector puts 18 where nothing in the 15 digits says so: that would be a guess.
    assert (becomes == row["id18"]) == (row["century_inserted"] == "19")
    assert with_check(becomes[:17]) == becomes


@given(numbers)
def test_r10_fifteen_digits_and_eighteen_are_one_person(number: str) -> None:
    if number[6:8] == "19" and number[0] in "1234567" and number[14:17] < "996":
        assert one(number[:6] + number[8:17]).canonical[0].as_py() == number


@given(numbers, st.integers(0, 17), st.integers(1, 9))
def test_r9_any_single_wrong_digit_is_noticed(number: str, place: int, shift: int) -> None:
    digits = "0123456789X" if place == 17 else "0123456789"
    other = digits[(digits.index(number[place]) + shift) % len(digits)]
    assert one(number[:place] + other + number[place + 1 :]).reason[0] != IdProblem.ok


@given(numbers, st.integers(0, 16))
def test_r9_any_swap_of_neighbours_is_noticed(number: str, place: int) -> None:
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    assert swapped == number or one(swapped).reason[0] != IdProblem.ok


@given(numbers, st.lists(st.tuples(st.integers(0, 18), st.sampled_from(" \t　 ​﻿")), max_size=4), st.booleans())
def test_r11_spacing_width_and_case_do_not_matter(number: str, blanks: list[tuple[int, str]], wide: bool) -> None:
    dirty = number.lower()
    for place, blank in blanks:
        dirty = dirty[:place] + blank + dirty[place:]
    if wide:
        dirty = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in dirty)
    assert one(dirty).canonical[0].as_py() == number


@given(st.text("0189xXａＸ０９・·①Ⅹ²王鲁 \t\u3000\u200b\ufeff-'.", max_size=24))
def test_r11_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise(pa.array([text]))
    assert normalise(once).equals(once)


@given(st.lists(st.one_of(st.none(), numbers, st.text(max_size=20)), max_size=30), st.integers(0, 5))
def test_a_row_is_read_alike_alone_and_in_any_column(column: list[str | None], skip: int) -> None:
    whole = classify(pa.array(column, pa.string()).slice(skip), ON)
    for position, text in enumerate(column[skip:]):
        alone = one(text)
        assert whole.reason[position] == alone.reason[0]
        assert whole.canonical[position].as_py() == alone.canonical[0].as_py()


@given(numbers)
def test_dates_agree_with_the_calendar(number: str) -> None:
    for day in range(32):
        text = with_check(f"{number[:12]}{day:02}{number[14:17]}")
        try:
            birth = date(int(text[6:10]), int(text[10:12]), day)
            expected = IdProblem.ok if birth <= ON else IdProblem.bad_date
        except ValueError:
            expected = IdProblem.bad_date
        assert one(text).reason[0] == expected


def test_born_today_is_not_in_the_future() -> None:
    column = pa.array([with_check("68010220260916001"), with_check("68010220260917001")])
    assert classify(column, ON).reason.tolist() == [IdProblem.ok, IdProblem.bad_date]
    assert classify(column).reason.tolist() == [IdProblem.ok, IdProblem.ok]


@pytest.mark.parametrize("n", [1, 2])
def test_the_column_read_is_left_as_it_was(n: int) -> None:
    column = pa.array(["11010519491231O02X"] * n)
    assert set(classify(column, ON).reason.tolist()) == {IdProblem.bad_character}
    assert column.to_pylist() == ["11010519491231O02X"] * n


def test_layouts_of_arrow_make_no_difference() -> None:
    rows = ["680102199001010012", None, "680102991231003", "x", ""]
    expected = classify(pa.array(rows), ON).reason.tolist()
    for column in (
        pa.array(rows, pa.large_string()),
        pa.array(rows, pa.string_view()),
        pa.array(rows).dictionary_encode(),
        pa.chunked_array([rows[:2], rows[2:]], pa.string()),
        pa.array(["q", *rows]).slice(1),
    ):
        assert classify(column, ON).reason.tolist() == expected


@pytest.mark.parametrize("rows", [[], [None], [None, None], [""]])
def test_columns_of_nothing(rows: list[str | None]) -> None:
    read = classify(pa.array(rows, pa.string()), ON)
    assert read.reason.tolist() == [IdProblem.missing] * len(rows)
    assert read.canonical.null_count == len(rows)


def test_more_rows_than_one_chunk() -> None:
    column = pa.array(["680102199001010012", "680102199001010011"] * 20_000)
    read = classify(column, ON)
    assert np.array_equal(read.reason, [IdProblem.ok, IdProblem.bad_check_digit] * 20_000)
    assert read.unknown_area.sum() == 20_000


def test_r17_unknown_area_is_a_count_of_valid_numbers() -> None:
    column = pa.array(["370171199001010012", "11010519491231002X", "370171199001010013", None])
    assert unknown_area(column).tolist() == [True, False, False, False]


def test_r19a_a_passport_is_never_guessed() -> None:
    assert one("E12345678").reason[0] == IdProblem.wrong_length
    assert one("E12345678", IdKind.passport).reason[0] == IdProblem.ok
