"""What check says of rules that can never speak, or that speak past each other."""

from __future__ import annotations

from pathlib import Path

from pipelines.policy import load_pack, pack_folder
from tests.unit.test_policy import ALLOWANCE, EDGE, LAW, local, value, write_pack
from tests.unit.test_policy_packs import found


def test_a_value_that_others_go_before_everywhere_is_unreachable(tmp_path: Path) -> None:
    everywhere = value("1.00", "2026-01-01")
    kinds = value({"urban": "2.00", "rural": "3.00"}, "2025-01-01")
    warnings = found(local(tmp_path, {"standard": [everywhere, kinds]}), "warning")
    assert [text for text in warnings if "holds nowhere and never" in text] == [
        "local/parameters/local.yaml: standard holds nowhere and never: others go before it"
    ]


def test_a_value_that_one_kind_or_an_earlier_day_still_needs_is_reachable(tmp_path: Path) -> None:
    one_kind = [value("1.00", "2026-01-01"), value({"urban": "2.00"}, "2025-01-01")]
    assert not any("nowhere" in text for text in found(local(tmp_path / "a", {"standard": one_kind}), "warning"))
    earlier = [value("1.00", "2024-01-01"), value({"urban": "2.00", "rural": "3.00"}, "2025-01-01")]
    assert not any("nowhere" in text for text in found(local(tmp_path / "b", {"standard": earlier}), "warning"))
    other = [value("1.00", "2026-01-01"), value("2.00", "2025-01-01", programmes=[EDGE])]
    assert not any("nowhere" in text for text in found(local(tmp_path / "c", {"standard": other}), "warning"))


def test_a_general_value_that_displaces_the_baselines_for_one_programme_is_told(tmp_path: Path) -> None:
    pack = local(tmp_path, {"window_months": [value(6)]})
    warnings = [text for text in found(pack, "warning") if "displaces" in text]
    assert warnings == ["local/parameters/local.yaml: window_months displaces what national says of rigid_expenditure"]
    own = local(tmp_path / "b", {"window_months": [value(6), value(12, programmes=["rigid_expenditure"])]})
    assert not any("displaces" in text for text in found(own, "warning"))
    assert not any("displaces" in text for text in found(load_pack(pack_folder("4403")), "warning"))


def test_a_yearly_limit_over_another_window_is_an_error(tmp_path: Path) -> None:
    errors = found(local(tmp_path, {"window_months": [value(6)]}), "error")
    assert errors
    assert all(text.startswith("rigid_expenditure") and "the window 6 months" in text for text in errors)


def test_a_limit_that_nothing_can_satisfy_is_told(tmp_path: Path) -> None:
    pack = local(tmp_path, {"vehicle_limit": [value(0)], "count_operator": [value("<")]})
    assert any("nothing can satisfy it" in text and ": vehicles" in text for text in found(pack, "warning"))


def test_a_test_whose_figure_nobody_is_asked_for_is_told(tmp_path: Path) -> None:
    folder = write_pack(tmp_path, {}, laws=LAW)
    (folder / "programmes").mkdir()
    text = "sources: {public_security/vehicle_registration: optional}"
    (folder / "programmes" / f"{ALLOWANCE}.yaml").write_text(text, "utf-8")
    warnings = found(load_pack(folder), "warning")
    assert (
        "programmes/subsistence_allowance.yaml: tests.vehicles no required source feeds vehicles: always open"
        in warnings
    )


def test_an_excluded_income_that_nobody_sends_by_that_name_is_told() -> None:
    notes = found(load_pack(pack_folder("3703")), "note")
    assert any("income_excluded.scholarship no department sends anything called scholarship" in text for text in notes)
    assert not any("called resident_basic_pension" in text for text in notes)
