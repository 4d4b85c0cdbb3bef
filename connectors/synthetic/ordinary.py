"""What schools, hospitals, farms and roads know of ordinary households: little of it counts, and all of it is shown."""

from __future__ import annotations

import numpy as np

from connectors.synthetic import livelihood
from connectors.synthetic.rows import NULL, Ints, day, pick
from connectors.synthetic.scene import TRANSFER, Scene, chance

RURAL = 1
SCHOOL_YEARS = (2025, 2026)
_YEAR_FROM, _YEAR_TO = day("2025-09-01"), day("2026-09-01")


def write_ordinary(scene: Scene) -> None:
    """Schooling for everybody; the rest for households without a planted problem."""
    _schooling(scene)
    _illness(scene)
    _farming(scene)


def _schooling(scene: Scene) -> None:
    """Every child of school age, and whoever is declared a student; one in four students has a grant."""
    members = scene.members
    place = np.flatnonzero(((members.age >= 6) & (members.age < 18)) | members.student)
    place = place[np.unique(members.person[place], return_index=True)[1]]
    for year in SCHOOL_YEARS:
        grant = np.where(members.student[place] & (place % 4 == 0), 2_000_00, NULL)
        rows = livelihood.enrolments(members.person[place], members.age[place], year, scholarship_fen=grant)
        scene.book.add(livelihood.ENROLMENT, rows, scene.nothing(place))


def _illness(scene: Scene) -> None:
    """Outpatients, more of them among the old; a few registered illnesses, which go with a stay in hospital."""
    rng = chance(scene.seed, "illness")
    members = scene.members
    clean = scene.kind[members.household] < 0
    seen = np.flatnonzero(clean & (rng.random(len(members)) < np.where(members.age >= 60, 0.45, 0.15)))
    seen = np.repeat(seen, rng.integers(1, 4, len(seen)))
    _settle(scene, rng, seen, rng.integers(40_00, 900_00, len(seen)), ("outpatient", "pharmacy", "chronic"))
    ill = np.flatnonzero(clean & (rng.random(len(members)) < 0.02) & (members.age >= 20))
    kind = pick(rng.integers(0, len(livelihood.ILLNESSES), len(ill)), livelihood.ILLNESSES)
    since = rng.integers(day("2021-01-01"), _YEAR_TO, len(ill))
    scene.book.add(livelihood.ILLNESS, livelihood.illnesses(members.person[ill], kind, since), scene.nothing(ill))
    _settle(scene, rng, ill, rng.integers(6_000_00, 60_000_00, len(ill)), ("inpatient",))


def _settle(scene: Scene, rng: np.random.Generator, member: Ints, total: Ints, kinds: tuple[str, ...]) -> None:
    number = scene.book.serials("settlement", len(member))
    on = rng.integers(_YEAR_FROM, _YEAR_TO, len(member))
    kind = pick(rng.integers(0, len(kinds), len(member)), kinds)
    rows = livelihood.settlements(scene.members.person[member], number, total, on, kind)
    scene.book.add(livelihood.SETTLEMENTS, rows, scene.nothing(member))


def _farming(scene: Scene) -> None:
    """A third of rural households draw the subsidy for their fields, once a year; a few own a machine or a boat."""
    rng = chance(scene.seed, "farming")
    rural = (scene.areas == RURAL) & (scene.kind < 0)
    draw = rng.random(scene.households)
    head = scene.members.head(np.flatnonzero(rural & (draw < 0.35)))
    fen = rng.integers(2, 12, len(head)) * 125_00
    paid_on = rng.integers(day("2026-04-01"), day("2026-07-01"), len(head))
    rows = livelihood.subsidies(scene.members.person[head], fen, 2026, paid_on, "farmland_protection")
    scene.book.add(livelihood.SUBSIDIES, rows, scene.worth(head, TRANSFER, fen))
    head = scene.members.head(np.flatnonzero(rural & (draw > 0.96)))
    number, value = scene.book.serials("certificate", len(head)), rng.integers(20, 400, len(head)) * 100_00
    rows = livelihood.machines(scene.members.person[head], number, value)
    scene.book.add(livelihood.MACHINERY, rows, scene.nothing(head))
    head = scene.members.head(np.flatnonzero(rural & (draw > 0.93) & (draw < 0.935)))
    number, value = scene.book.serials("vessel", len(head)), rng.integers(50, 900, len(head)) * 100_00
    rows = livelihood.vessels(scene.members.person[head], number, value)
    scene.book.add(livelihood.VESSELS, rows, scene.nothing(head))
