"""Limit formulas: exact, with units, and nothing but arithmetic."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.policy.formula import ROUNDINGS, FormulaError, Quantity, evaluate, names, to_whole

VALUES = {
    "standard": Quantity(Fraction(108_000), money=True),
    "minimum_wage": Quantity(Fraction(160_000), money=True),
    "months": Quantity(Fraction(24)),
}


def work_out(formula: str) -> Quantity:
    return evaluate(formula, VALUES.__getitem__)


@pytest.mark.parametrize(
    ("formula", "fen"),
    [
        ("standard", 108_000),
        ("24 * standard", 2_592_000),
        ("months * standard", 2_592_000),
        ("min(1.5 * standard, minimum_wage)", 160_000),
        ("max(1.5 * standard, minimum_wage)", 162_000),
        ("standard / 3 + minimum_wage", 196_000),
        ("  (standard - 500 * standard / 1000) ", 54_000),
        ("1.1 * standard", 118_800),  # 1.1 is eleven tenths, not a float
    ],
)
def test_limits_come_out_exactly(formula: str, fen: int) -> None:
    assert work_out(formula) == Quantity(Fraction(fen), money=True)


def test_money_by_money_is_a_plain_number() -> None:
    assert work_out("minimum_wage / standard") == Quantity(Fraction(160, 108))


@pytest.mark.parametrize(
    "formula",
    [
        "",
        "standard standard",
        "standard; months",
        "x = standard",
        "standard + months",  # money and a number
        "min(standard, 3)",
        "standard * standard",
        "months / standard",
        "standard / 0",
        "standard ** 2",
        "standard % 7",
        "-standard",
        "standard // 2",
        "standard if months else 0",
        "standard.real",
        "standard['a']",
        "[standard]",
        "(lambda: 1)()",
        "__import__('os').getcwd()",
        "open('x')",
        "abs(standard)",
        "min(standard)",
        "min(*[standard, standard])",
        "min(standard, key=standard)",
        "'a' * 3",
        "True * standard",
        "1j * standard",
        "f'{standard}'",
        "standard < minimum_wage",
        "standard and months",
    ],
)
def test_what_is_not_a_limit_is_refused(formula: str) -> None:
    with pytest.raises(FormulaError):
        work_out(formula)


def test_names_in_order_of_use() -> None:
    assert names("min(edge_multiple * standard, minimum_wage) + standard") == (
        "edge_multiple",
        "standard",
        "minimum_wage",
    )
    with pytest.raises(FormulaError):
        names("24 *")


@pytest.mark.parametrize(
    ("rounding", "fen"),
    [
        ("half_up_fen", 148_351),
        ("down_fen", 148_350),
        ("up_fen", 148_351),
        ("half_up_yuan", 148_400),
        ("down_yuan", 148_300),
        ("up_yuan", 148_400),
    ],
)
def test_rounding_of_a_published_multiple(rounding: str, fen: int) -> None:
    assert to_whole(Fraction("148350.5"), rounding) == fen


def test_a_remainder_needs_a_rounding() -> None:
    assert to_whole(Fraction(148_350)) == 148_350
    with pytest.raises(FormulaError):
        to_whole(Fraction("148350.5"))


@given(st.decimals("0", "99", places=4), st.integers(0, 10**12))
def test_any_multiple_equals_decimal_arithmetic(multiple: Decimal, fen: int) -> None:
    values = {"standard": Quantity(Fraction(fen), money=True)}
    assert evaluate(f"{multiple} * standard", values.__getitem__).value == Fraction(multiple) * fen


@given(st.fractions(0, 10**12), st.sampled_from([r for r in ROUNDINGS if r != "exact"]))
def test_rounding_never_moves_by_a_whole_step(value: Fraction, rounding: str) -> None:
    step = 100 if rounding.endswith("yuan") else 1
    whole = to_whole(value, rounding)
    assert whole % step == 0
    assert abs(whole - value) < step
    assert not rounding.startswith("up") or whole >= value
    assert not rounding.startswith("down") or whole <= value
    assert not rounding.startswith("half") or abs(whole - value) * 2 <= step
