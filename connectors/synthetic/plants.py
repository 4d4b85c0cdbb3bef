"""The catalogue of planted problems: each with its rule, what it needs, and what must come of it.

A planted problem is a function in ``plants_*.py`` that adds rows (or changes papers) for all its households.
``docs/made-up-county.md`` is written from this catalogue.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from connectors.synthetic.rows import Ints
from connectors.synthetic.scene import Scene

Plant = Callable[[Scene, Ints], None]
COUPLE = ("couple", "couple_child", "elder_couple")
WITH_CHILD = ("couple_child", "parent_child")
SINGLE = ("single_adult", "parent_child")
BORN_BEFORE_2000 = ("single_elder", "elder_couple", "parent_student")
ELDER = ("single_elder", "elder_couple")
WITH_PARENT = ("with_parent",)
LARGE = ("couple_children", "with_parent", "with_parents")


@dataclass(frozen=True)
class Kind:
    """One kind of planted problem.

    Attributes:
        rule: the rule that it is a case of.
        zh, en: what is planted.
        limits, declaration: the expected answers of the report.
        review: review reasons that must be raised, all of them.
        shown_by: the dataset without which nobody could see it.
        families: kinds of family it needs; None for any.
        income, assets, home: whether the household has the ordinary ones besides.
        apart: relation of the member who does not count, and earns and owns nothing but what is planted.
        apart_by: the dataset without which nobody could know that; None if papers or several datasets say so.
        ends_in_x: the applicant's number must end in X.
    """

    name: str
    rule: str
    zh: str
    en: str
    plant: Plant
    limits: str = "within_limits"
    declaration: str = "matches"
    review: tuple[str, ...] = ()
    shown_by: str | None = None
    families: tuple[str, ...] | None = None
    income: bool = True
    assets: bool = True
    home: bool = True
    apart: int | None = None
    apart_by: str | None = None
    ends_in_x: bool = False


_CATALOGUE: dict[str, Kind] = {}


def planted(rule: str, zh: str, **expected: object) -> Callable[[Plant], Plant]:
    """Enter a function into the catalogue under its own name; its docstring's first line is the English text."""

    def enter(plant: Plant) -> Plant:
        name, en = plant.__name__, (plant.__doc__ or "").partition("\n")[0].rstrip(".")
        _CATALOGUE[name] = Kind(name, rule, zh, en, plant, **expected)  # type: ignore[arg-type]
        return plant

    return enter


def catalogue() -> tuple[Kind, ...]:
    """Every kind, by rule and name, so that the order does not hang on imports."""
    for module in sorted(Path(__file__).parent.glob("plants_*.py")):
        import_module(f"{__package__}.{module.stem}")
    return tuple(sorted(_CATALOGUE.values(), key=lambda kind: (*_place(kind.rule), kind.name)))


def _place(rule: str) -> tuple[int, str]:
    """R46a comes after R46."""
    number = rule[1:].rstrip("abcdefgh")
    return int(number), rule[1 + len(number) :]
