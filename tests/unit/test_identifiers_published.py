"""Reference data of identifiers is what the code takes it for."""

from __future__ import annotations

import csv

from pipelines.id_tables import ABOLISHED_AREA, DATA, KIND, UNKNOWN_AREA, IdKind, areas


def codes(name: str) -> set[int]:
    with (DATA / name).open(encoding="utf-8", newline="") as handle:
        return {int(row["code"]) for row in csv.DictReader(handle)}


def test_r17_every_published_code_is_known() -> None:
    table, current, abolished = areas(), codes("admin_shandong.csv"), codes("admin_shandong_abolished.csv")
    assert all(table[code] == IdKind.resident_id for code in current)
    assert all(table[code] == IdKind.resident_id | ABOLISHED_AREA for code in abolished - current)


def test_r17_only_shandong_is_known_by_county() -> None:
    table = areas()
    assert table[370171] == IdKind.resident_id | UNKNOWN_AREA
    assert table[110171] == IdKind.resident_id
    assert table[380101] == IdKind.resident_id | UNKNOWN_AREA


def test_no_other_first_digit_is_a_kind() -> None:
    kinds = areas() & KIND
    assert set(kinds[:100_000]) | set(kinds[700_000:810_000]) == {IdKind.none}
    assert set(kinds[810_001:820_000]) == {IdKind.none}
