"""Persons in no request, as schools, hospitals, farms, roads and waters know them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from connectors.synthetic import livelihood
from connectors.synthetic.people import People
from connectors.synthetic.rows import NULL, Columns, Ints, day, pick
from connectors.synthetic.traits import age, each, some

_SERIALS_FROM = 10_000_000


def _enrolments(people: People, persons: Ints, rng: np.random.Generator) -> Columns:
    pupil = some(people, persons, 0.05, 0.6, low=6, high=22)
    grant = np.where(rng.random(len(pupil)) < 0.1, 1_500_00, NULL)
    study = pick((rng.random(len(pupil)) < 0.02).astype(np.int64), ("full_time", "part_time"))
    more = {"scholarship_fen": grant, "study": study}
    return livelihood.enrolments(pupil, age(people, pupil), 2026, **more)


def _settlements(people: People, persons: Ints, rng: np.random.Generator) -> Columns:
    patient = each(some(people, persons, 0.25, 0.2, low=0), 2)
    kind = pick(rng.choice(3, len(patient), p=[0.7, 0.22, 0.08]), ("outpatient", "pharmacy", "inpatient"))
    total = rng.integers(20_00, 2_500_00, len(patient)) * np.where(kind.codes == 2, 12, 1)
    number = _SERIALS_FROM * 10 + patient * 8 + np.arange(len(patient)) % 2
    on = rng.integers(day("2025-07-01"), day("2026-09-12"), len(patient))
    refunded = (rng.random(len(patient)) < 0.01).astype(np.int64)
    return livelihood.settlements(patient, number, total, on, kind, refunded=refunded)


def _illnesses(people: People, persons: Ints, rng: np.random.Generator) -> Columns:
    ill = some(people, persons, 0.35, 0.012)
    kind = pick(rng.integers(0, len(livelihood.ILLNESSES), len(ill)), livelihood.ILLNESSES)
    since = rng.integers(day("2019-01-01"), day("2026-09-01"), len(ill))
    closed = np.where(rng.random(len(ill)) < 0.1, since + 200, NULL)
    return livelihood.illnesses(ill, kind, since, closed_on=np.minimum(closed, day("2026-09-10")))


def _machines(people: People, persons: Ints, rng: np.random.Generator) -> Columns:
    owner = some(people, persons, 0.65, 0.008, high=75)
    value = rng.integers(10, 1_500, len(owner)) * 100_00
    gone = rng.random(len(owner)) < 0.1
    on = np.where(gone, rng.integers(day("2021-01-01"), day("2026-09-01"), len(owner)), NULL)
    status = pick(gone.astype(np.int64), ("normal", "scrapped"))
    return livelihood.machines(owner, _SERIALS_FROM + owner, value, status=status, status_on=on)


def _subsidies(people: People, persons: Ints, rng: np.random.Generator) -> Columns:
    farmer = some(people, persons, 0.65, 0.04)
    fen = rng.integers(1, 40, len(farmer)) * 125_00
    paid = rng.integers(day("2026-03-01"), day("2026-09-01"), len(farmer))
    kind = pick(rng.integers(0, len(livelihood.SUBSIDY_KINDS), len(farmer)), livelihood.SUBSIDY_KINDS)
    return livelihood.subsidies(farmer, fen, 2026, np.where(rng.random(len(farmer)) < 0.2, NULL, paid), kind)


def _licences(people: People, persons: Ints, rng: np.random.Generator) -> Columns:
    holder = some(people, persons, 0.7, 0.02)  # of those who own a vehicle
    number = _SERIALS_FROM + holder
    state = pick(rng.choice(3, len(holder), p=[0.85, 0.1, 0.05]), ("valid", "suspended", "cancelled"))
    return livelihood.licences(holder, number, number, state=state, kind="taxi")


def _vessels(people: People, persons: Ints, rng: np.random.Generator) -> Columns:
    owner = some(people, persons, 0.75, 0.012, low=20)
    share = np.where(rng.random(len(owner)) < 0.2, 5_000, NULL)
    value = rng.integers(50, 9_000, len(owner)) * 100_00
    return livelihood.vessels(owner, _SERIALS_FROM + owner, value, share_bp=share)


WRITERS: dict[str, Callable[[People, Ints, np.random.Generator], Columns]] = {
    livelihood.ENROLMENT: _enrolments,
    livelihood.SETTLEMENTS: _settlements,
    livelihood.ILLNESS: _illnesses,
    livelihood.MACHINERY: _machines,
    livelihood.SUBSIDIES: _subsidies,
    livelihood.LICENCES: _licences,
    livelihood.VESSELS: _vessels,
}
