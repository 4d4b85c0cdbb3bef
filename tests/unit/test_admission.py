"""Admission of one extract: what is kept, what refuses it, and what is left behind when it fails."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from connectors.extract import Extract, ExtractRefused, SourceUnavailable
from pipelines.admission import admitted_columns
from pipelines.admitted import QuarantineShareError, UnitJumpError
from pipelines.sealing import unseal
from tests.admitting import AMOUNT, AS_OF, ID, REF, Lab, account, accounts, contract, extract, person

A, B = person(1), person(2)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def test_only_rows_in_scope_are_kept_with_where_they_came_from(lab: Lab) -> None:
    rows = [account(n, person(n), "1,000.50") for n in range(50)]
    admitted = lab.admit(accounts(), extract(accounts(), rows, batch_rows=7), [person(9), person(30)], seq=3)
    assert (admitted.rows_read, admitted.rows_admitted) == (50, 2)
    first, second = lab.rows(admitted)
    assert list(first) == list(admitted_columns(accounts()))
    assert (first["record_ref"], first["row_no"], first["amount_fen"]) == ("9", 10, 100050)
    assert (second["row_no"], second["extract_seq"], second["dataset"]) == (31, 3, "banks/accounts")
    assert (first["extract_digest"], first["op"]) == (admitted.digest, "upsert")
    assert first["row_digest"] != second["row_digest"]


def test_a_stretch_of_rows_that_are_all_of_others_is_passed_over(lab: Lab) -> None:
    """Also where a cell holds several identifiers: Arrow makes no empty array of lists of tokens."""
    holders = {"source": "GTCYR", "name": "holders", "type": "id", "kind": "person", "multiple": ";", "nullable": True}
    of = contract("banks/accounts", [REF, ID, holders], ["record_ref"])
    rows = [{"BH": str(n), "ZJHM": person(n), "GTCYR": f"{person(n)};{A}"} for n in range(20)]
    assert lab.admit(of, extract(of, rows, batch_rows=5), [person(100)]).rows_admitted == 0
    assert lab.admit(of, extract(of, rows, batch_rows=5, name="two"), [person(13)], seq=2).rows_admitted == 1


def test_the_row_digest_does_not_depend_on_the_batch_or_its_scope(lab: Lab) -> None:
    one, two = (extract(accounts(), [account(1, A), account(2, B)], name=name) for name in ("a", "b"))
    digests = [[row["row_digest"] for row in lab.rows(lab.admit(accounts(), e, [A, B]))] for e in (one, two)]
    assert digests[0] == digests[1]


def test_nothing_raw_reaches_the_disk(lab: Lab) -> None:
    plate = {"source": "HP", "name": "plate", "type": "id", "kind": "plate"}
    shown = {"source": "ZL", "name": "address", "type": "display"}
    of = contract(
        "a/b", [REF, ID, {"source": "XM", "name": "person_name", "type": "name"}, plate, shown], ["record_ref"]
    )
    row = {"BH": "1", "ZJHM": A, "XM": "司马相如", "HP": "鲁C12345", "ZL": "张店区人民西路"}
    wrong = {**row, "ZJHM": A[:17] + "Y", "BH": "2"}
    admitted = lab.admit(of, extract(of, [row, wrong]), [A])
    (kept,) = lab.rows(admitted)
    opened = unseal(lab.keys.seal, pa.array([kept["address"]]), b"a/b/address")
    assert opened.to_pylist() == ["张店区人民西路"]
    secrets = [A, A[:17], "司马相如", "鲁C12345", "张店区人民西路"]
    for file in lab.folder.rglob("*"):
        data = file.read_bytes() if file.is_file() else b""
        assert not [secret for secret in secrets if secret.encode() in data], file
    everything = repr(kept) + repr(lab.quarantine(admitted))
    assert not [secret for secret in secrets if secret in everything]


def failing(rows: list[dict[str, Any]], error: Exception) -> Extract:
    """An extract that breaks after its rows."""
    table = pa.Table.from_pylist(rows, accounts().schema)

    def read(_: Extract) -> Iterator[pa.RecordBatch]:
        yield from table.to_batches()
        raise error

    return Extract("banks/accounts", AS_OF, 1, "full", "sha256:" + "0" * 64, None, read)


@pytest.mark.parametrize(
    ("raised", "seen"),
    [
        (ExtractRefused("banks/accounts", "digest", "differs"), ExtractRefused),
        (ValueError(f"bad row {A}"), SourceUnavailable),
    ],
)
def test_a_source_that_breaks_leaves_nothing_and_no_text_of_its_own(lab: Lab, raised: Exception, seen: type) -> None:
    with pytest.raises(seen) as caught:
        lab.admit(accounts(), failing([account(1, A)], raised), [A])
    assert A not in str(caught.value)
    assert caught.value.__cause__ is None
    assert [file for file in lab.folder.rglob("*") if file.is_file()] == []


def test_an_admitted_extract_is_not_read_again(lab: Lab) -> None:
    first = lab.admit(accounts(), extract(accounts(), [account(1, A)]), [A])
    written = first.path.stat().st_mtime_ns
    again = extract(accounts(), [account(1, A)])
    assert lab.admit(accounts(), again, [A]) == first
    assert (again.rows, first.path.stat().st_mtime_ns) == (0, written)


def test_a_digest_known_only_at_the_end_names_the_file(lab: Lab) -> None:
    late = extract(accounts(), [account(1, A)])
    read = late.read

    def reading(one: Extract) -> Iterator[pa.RecordBatch]:
        yield from read(one)
        one.digest = "sha256:" + "a" * 64

    late.digest, late.read = None, reading
    admitted = lab.admit(accounts(), late, [A])
    assert admitted.path.name == f"sha256-{'a' * 64}.parquet"
    assert lab.rows(admitted)[0]["extract_digest"] == "sha256:" + "a" * 64


@pytest.mark.parametrize(("wrong", "refused"), [(10, False), (11, True)])
def test_too_large_a_share_of_wrong_rows_refuses_the_extract(lab: Lab, wrong: int, refused: bool) -> None:
    rows = [account(n, A, "x" if n < wrong else "1") for n in range(100)]
    if not refused:
        assert lab.admit(accounts(), extract(accounts(), rows), [A]).rows_quarantined == wrong
        return
    with pytest.raises(QuarantineShareError) as caught:
        lab.admit(accounts(), extract(accounts(), rows), [A])
    assert caught.value.most == "amount_fen:malformed_amount"
    assert not list(lab.folder.rglob("*.parquet"))


def test_wrong_rows_in_scope_are_not_thinned_by_rows_out_of_scope(lab: Lab) -> None:
    rows = [account(n, A, "x") for n in range(20)] + [account(n, B) for n in range(20, 2000)]
    with pytest.raises(QuarantineShareError):
        lab.admit(accounts(), extract(accounts(), rows), [A])


def amounts(factor: float, count: int = 30) -> list[dict[str, Any]]:
    return [account(n, A, f"{(n + 1) * 100 * factor:.2f}") for n in range(count)]


@pytest.mark.parametrize(
    ("factor", "jump"),
    [
        (100, "×100"),
        (60, "×100"),
        (10_000, "×10000"),
        (0.01, "÷100"),
        (0.0001, "÷10000"),
        (49, ""),
        (5, ""),
        (300, ""),
    ],
)
def test_r61_a_median_that_jumps_by_a_unit_fails_the_extract(lab: Lab, factor: float, jump: str) -> None:
    before = lab.admit(accounts(), extract(accounts(), amounts(1), name="before"), [A])
    assert before.medians == {"amount_fen": 150_000}
    now = extract(accounts(), amounts(factor), name="now")
    if not jump:
        assert lab.admit(accounts(), now, [A], history=before.medians).rows_admitted == 30
        return
    with pytest.raises(UnitJumpError) as caught:
        lab.admit(accounts(), now, [A], history=before.medians)
    assert (caught.value.column, caught.value.jump) == ("amount_fen", jump)


def test_r61_a_handful_of_amounts_is_no_median(lab: Lab) -> None:
    admitted = lab.admit(accounts(), extract(accounts(), amounts(100, 29)), [A], history={"amount_fen": 150_000})
    assert (admitted.rows_admitted, admitted.medians) == (29, {})


def test_memory_does_not_grow_with_the_extract(lab: Lab) -> None:
    of = contract("a/b", [REF, ID, AMOUNT], ["record_ref"])
    rows = [{"BH": str(n), "ZJHM": person(n), "JE": "1.00"} for n in range(20_000)]
    batch = pa.Table.from_pylist(rows, of.schema).to_batches()[0]

    def peak(batches: int) -> int:
        def read(_: Extract) -> Iterator[pa.RecordBatch]:
            for _n in range(batches):
                yield batch

        pool = pa.default_memory_pool()
        held: list[int] = []
        one = Extract("a/b", AS_OF, 1, "full", f"sha256:{batches:064d}", None, read)
        tracemalloc.start()
        lab.admit(of, one, [person(3)], progress=lambda rows: held.append(pool.bytes_allocated()))
        python = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return max(held) + python

    assert peak(40) < 1.5 * peak(4)
