"""The limits that hold for each household, read from the policy pack: the county knows none by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from connectors.synthetic.rows import Ints

PROGRAMMES = ("subsistence_allowance", "subsistence_edge")
AREAS = ("urban", "rural")
TESTS = ("income", "financial_assets", "homes", "vehicles", "businesses")


@dataclass(frozen=True)
class Limits:
    """What the pack says, by policy; ``of`` is the policy of each household.

    Attributes:
        value: limit by policy and test (TESTS): fen per head and month, fen per head, counts.
        inclusive: whether the limit itself is still within, by policy and test.
        months: whole months of the window.
        wage_deduction_bp: employment cost in basis points of wages.
        tolerance: by item.
        excluded: kinds of income that do not count.
        exempt_vehicles: use characters that do not count.
        required: datasets without whose answer nothing is within limits.
        trace_proceeds_min: fen; sales below are not followed.
    """

    of: Ints
    value: Ints
    inclusive: np.ndarray
    months: int
    wage_deduction_bp: int
    tolerance: dict[str, int]
    excluded: frozenset[str]
    exempt_vehicles: frozenset[str]
    required: frozenset[str]
    trace_proceeds_min: int

    def income(self, size: Ints, households: Ints | slice = slice(None)) -> Ints:
        """The limit of a household's income over the whole window, fen."""
        total: Ints = self.value[self.of[households], 0] * size[households] * self.months
        return total

    def assets(self, size: Ints, households: Ints | slice = slice(None)) -> Ints:
        """The limit of a household's financial assets, fen."""
        total: Ints = self.value[self.of[households], 1] * size[households]
        return total


def read_limits(
    pack_name: str, programmes: Ints, areas: Ints, divisions: list[str], division: Ints, on: date
) -> Limits:
    """Read the pack for every combination of programme, division and area that occurs.

    Raises:
        PolicyError: the pack cannot be used.
    """
    from pipelines.policy import load_pack, pack_folder, tables

    key = (programmes * len(divisions) + division) * len(AREAS) + areas
    found, of = np.unique(key, return_inverse=True)
    keys = [
        (
            PROGRAMMES[k // len(AREAS) // len(divisions)],
            divisions[k // len(AREAS) % len(divisions)],
            AREAS[k % len(AREAS)],
            on,
        )
        for k in found.tolist()
    ]
    read = {name: table.to_pylist() for name, table in tables(load_pack(pack_folder(pack_name)), keys).items()}
    value = np.zeros((len(keys), len(TESTS)), np.int64)
    inclusive = np.zeros((len(keys), len(TESTS)), bool)
    for row in read["policy_tests"]:
        if row["test"] in TESTS:
            place = row["policy_id"], TESTS.index(row["test"])
            value[place], inclusive[place] = row["limit_value"], row["op"] == "<="
    policy = read["policy"][0]
    return Limits(
        of=of,
        value=value,
        inclusive=inclusive,
        months=policy["window_months"],
        wage_deduction_bp=policy["wage_deduction_bp"],
        tolerance={row["item"]: row["tolerance"] for row in read["policy_tolerances"]},
        excluded=frozenset(row["kind"] for row in read["policy_income_excluded"]),
        exempt_vehicles=frozenset(row["use_character"] for row in read["policy_vehicle_exempt"]),
        required=frozenset(r["dataset"] for r in read["policy_sources"] if r["requirement"] == "required"),
        trace_proceeds_min=policy["trace_proceeds_min_fen"],
    )
