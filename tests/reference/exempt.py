"""R53: vehicles that the pack leaves out by their use, with evidence where it wants any."""

from __future__ import annotations

from tests.reference.household import Persons, said
from tests.reference.told import Holding

EVIDENCE = {
    "disabled": ("disability", "disabled_persons/disability"),
    "operating": ("operating_licence", "transport/operating_licences"),
}


def exemption(persons: Persons, vehicle: Holding) -> str | None:
    """Whether the vehicle is exempt, or would be: ``exempt``, ``no_evidence``, ``evidence_unknown``, or None."""
    wanted = persons.told.policy.vehicle_exempt
    if vehicle.use not in wanted:
        return None
    if not wanted[vehicle.use] or proven(persons, vehicle):
        return "exempt"
    source = EVIDENCE[vehicle.use][1]
    everybody = [m for m in persons.told.members if m.number in persons.counted]
    if all(persons.answer(m, source).state == "covered" and not persons.answer(m, source).unread for m in everybody):
        return "no_evidence"  # absence is only known from an answer about everybody whose it could be
    return "evidence_unknown"


def proven(persons: Persons, vehicle: Holding) -> bool:
    """Whether a counted member's disability, or a licence of this vehicle, is in force on the reference date."""
    kind, source = EVIDENCE[str(vehicle.use)]
    day = persons.told.reference
    for member in persons.told.members:
        if member.number not in persons.counted or persons.answer(member, source).state != "covered":
            continue
        for status in said(persons, member, kind):
            begun = status.start is None or status.start <= day
            if begun and (status.end is None or status.end > day) and fits(status.detail, vehicle):
                return True
    return False


def fits(plate: str | None, vehicle: Holding) -> bool:
    """A licence names its plate, without the plate's kind; a disability is of whoever rides."""
    return vehicle.use == "disabled" or plate == vehicle.asset.split(" ")[1]
