"""Rows of schools, hospitals, farms, roads and waters, as the departments in charge of them hold them."""

from __future__ import annotations

import numpy as np

from connectors.synthetic.people import words
from connectors.synthetic.rows import NULL, Column, Columns, Ints, Words, columns, day, pick

ENROLMENT, SETTLEMENTS = "education/enrolment", "medical_insurance/outpatient_inpatient"
ILLNESS, MACHINERY, SUBSIDIES = "health/severe_illness", "agriculture/machinery", "agriculture/subsidies"
LICENCES, VESSELS = "transport/operating_licences", "transport/vessels"
ILLNESSES = (
    "end_stage_renal_disease",
    "lung_cancer",
    "breast_cancer",
    "stroke",
    "severe_mental_disorder",
    "haemophilia",
)
SUBSIDY_KINDS = ("farmland_protection", "grain_growers", "producer")
STAGES = ("primary", "junior_secondary", "senior_secondary", "undergraduate")
_ENTERED_AT, _YEARS = np.array([6, 12, 15, 18]), np.array([6, 3, 3, 4])
_FIRST_OF_SEPTEMBER = np.array([day(f"{year}-09-01") for year in range(1990, 2040)], np.int64)


def stage_of(age: Ints) -> Ints:
    """The stage of somebody of that age who is at school, as a position in STAGES."""
    return np.searchsorted(_ENTERED_AT, age, "right") - 1


def enrolments(person: Ints, age: Ints, school_year: Ints | int, **more: object) -> Columns:
    """One school year of a pupil or full-time student, who entered at the usual age; school until 15 costs nothing."""
    stage = np.maximum(stage_of(age), 0)
    year = np.broadcast_to(np.asarray(school_year, np.int64), (len(person),))
    entered = 2025 - np.clip(age - 1 - _ENTERED_AT[stage], 0, _YEARS[stage] - 1)
    fee = np.choose(stage, [NULL, NULL, 1_200_00, 6_200_00])
    values = {
        "person": person,
        "school_code": stage * 100 + person % 97,
        "stage": pick(stage, STAGES),
        "study": "full_time",
        "from_on": _september(entered),
        "to_on": _september(entered + _YEARS[stage]) - 63,
        "school_year": year,
        "fee_fen": fee,
        "scholarship_fen": None,
        "paid_on": np.where(fee == NULL, NULL, _september(year) + 1 + person % 12),
    }
    return columns(len(person), {**values, **more})


def _september(year: Ints) -> Ints:
    return _FIRST_OF_SEPTEMBER[year - 1990]


def settlements(person: Ints, number: Ints, total: Ints, on: Ints | int, kind: Column | str, **more: object) -> Columns:
    """Medical settlements: the fund pays six tenths, rounded down to the fen, and the patient the rest."""
    fund = total * 6 // 10
    values = {
        "settlement": number,
        "person": person,
        "kind": kind,
        "settled_on": on,
        "total_fen": total,
        "fund_fen": fund,
        "self_fen": total - fund,
        "refunded": 0,
    }
    return columns(len(person), {**values, **more})


def illnesses(person: Ints, kind: Words | str, registered_on: Ints | int, **more: object) -> Columns:
    """Entries of the register of severe illness."""
    values = {"person": person, "kind": kind, "registered_on": registered_on, "closed_on": None}
    return columns(len(person), {**values, **more})


def machines(person: Ints, certificate: Ints, value: Ints | int, **more: object) -> Columns:
    """Registered agricultural machines; values in whole hundreds of yuan, as 万元 with two places tells them."""
    values = {
        "certificate": certificate,
        "machine_plate": certificate,
        "kind": pick(certificate % len(words()["machine_kinds"]), words()["machine_kinds"]),
        "model": pick(certificate % len(words()["machine_models"]), words()["machine_models"]),
        "person": person,
        "registered_on": day("2013-01-01") + (certificate * 89) % 4500,
        "value_fen": value,
        "status": "normal",
        "status_on": None,
    }
    return columns(len(person), {**values, **more})


def subsidies(
    person: Ints, fen: Ints, year: int, paid_on: Ints | int | None, kind: Words | str, **more: object
) -> Columns:
    """Agricultural subsidies; the area is told in hundredths of a mu."""
    area = np.maximum(np.asarray(fen) // 125, 100)
    values = {"person": person, "kind": kind, "year": year, "batch_no": 1, "area_mu_hundredths": area}
    return columns(len(person), {**values, "amount_fen": fen, "paid_on": paid_on, **more})


def licences(person: Ints, licence: Ints, plate: Ints, **more: object) -> Columns:
    """Road-transport licences of single vehicles."""
    values = {"licence": licence, "plate": plate, "person": person, "kind": "freight"}
    return columns(len(person), {**values, "valid_to": day("2027-04-30"), "state": "valid", **more})


def vessels(person: Ints, vessel: Ints, value: Ints | int, **more: object) -> Columns:
    """Registered vessels."""
    values = {
        "vessel": vessel,
        "vessel_name": vessel,
        "kind": pick(vessel % len(words()["vessel_kinds"]), words()["vessel_kinds"]),
        "tonnage_tenths": 80 + vessel % 900,
        "person": person,
        "share_bp": None,
        "registered_on": day("2008-01-01") + (vessel * 61) % 6000,
        "value_fen": value,
        "status": "normal",
        "status_on": None,
    }
    return columns(len(person), {**values, **more})
