"""Who belongs to the household on the reference date, and of whom which source may be relied upon (R12–R30)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from tests.reference.told import Answer, Fact, Household, Member

NOT_ASKED = Answer("not_asked")
SILENT = Answer("unavailable")
UNASKED = ("not_authorised", "not_queryable")


def years_later(day: date, years: int) -> date:
    """The same day some years on; 29 February becomes 28 February in other years."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def months_before(day: date, months: int) -> date:
    """The first of the month that lies ``months`` before the month of ``day`` (R46)."""
    return date(day.year + (day.month - 1 - months) // 12, (day.month - 1 - months) % 12 + 1, 1)


@dataclass(slots=True)
class Persons:
    """The household's people, and what is known of them."""

    told: Household
    window: tuple[date, date]
    numbers: dict[int, Member]  # every ID number that speaks of a member
    answers: dict[tuple[int, str], Answer]  # as they may be used
    died: dict[int, date] = field(default_factory=dict)  # by member number
    why: dict[int, str] = field(default_factory=dict)
    counted: set[int] = field(default_factory=set)
    doubtful: set[int] = field(default_factory=set)  # numbers reached only by a link under another name (R12, R16)

    def usable(self, member: Member, dataset: str) -> bool:
        """Whether what this source says of this member is read at all: an answer, fresh or stale (R1, R4, R30, R34)."""
        return self.answer(member, dataset).state in ("covered", "stale")

    def answer(self, member: Member, dataset: str) -> Answer:
        """What the source answered of the member, as far as it may be used."""
        return self.answers.get((member.number, dataset), NOT_ASKED)

    def of(self, fact: Fact) -> Member | None:
        """The member that a fact is of, if its source may be read of them; R13: by number, never by name."""
        member = self.numbers.get(fact.person)
        return member if member is not None and self.usable(member, fact.dataset) else None

    def doubt(self, fact: Fact, member: Member, late: bool = False) -> str | None:
        """Why a fact is disputed wherever it counts: the first of these.

        Its row is objected to (R69) or contradicts another (R8), the number is under another name (R12), the time is
        after the person's death (R21), the data are old (R4).
        """
        if fact.no in self.told.doubted:
            return self.told.doubted[fact.no]
        if (fact.name is not None and fact.name != member.name) or fact.person in self.doubtful:
            return "identity_conflict"
        if late:
            return "after_death"
        if self.answer(member, fact.dataset).state == "stale":
            return "stale"
        return None


def read_persons(told: Household) -> Persons:
    """Members, their numbers, deaths, and who counts (R16, R21, R23, R24, R26–R28)."""
    window = (months_before(told.reference, told.policy.window_months), told.reference.replace(day=1))
    own = {m.person: m for m in told.members if m.person is not None}
    persons = Persons(told, window, dict(own), usable_answers(told))
    for member in told.members:
        for other, sure in sorted(linked(persons, member).items()):
            if persons.numbers.setdefault(other, member) is member and not sure and other != member.person:
                persons.doubtful.add(other)
    for member in told.members:
        days = [s.start for s in said(persons, member, "death")]
        known = [day for day in days if day is not None]
        if known:
            persons.died[member.number] = min(known)
        persons.why[member.number] = why(persons, member)
        if persons.why[member.number] in COUNTED:
            persons.counted.add(member.number)
    return persons


def usable_answers(told: Household) -> dict[tuple[int, str], Answer]:
    """Every answer; one whose authorisation ended since (R30), or that failed its checks (R1), is taken away."""
    given = {
        (m.number, dataset): told.answers.get((m.number, dataset), SILENT)
        for m in told.members
        for dataset in told.policy.sources
    }
    if told.ended or told.gates:
        for (number, dataset), answer in given.items():
            if answer.state not in UNASKED and (number in told.ended or dataset in told.gates):
                given[number, dataset] = Answer("not_authorised" if number in told.ended else "unavailable")
    return given


def linked(persons: Persons, member: Member) -> dict[int, bool]:
    """Numbers that public security records as the member's (R16), one step, and whether under the member's name."""
    found: dict[int, bool] = {}
    for link in persons.told.links:
        if link.kind != "same_person" or member.person not in (link.person, link.other):
            continue
        if link.no in persons.told.doubted:
            continue  # R8, R69: said of nobody until its source has answered
        if persons.usable(member, link.dataset):
            other = link.other if link.person == member.person else link.person
            found[other] = found.get(other, False) or persons.doubt(link, member) != "identity_conflict"
    return found


def said(persons: Persons, member: Member, kind: str) -> Iterable:
    """Status records of a kind that speak of the member; one under another name does not (R12)."""
    for status in persons.told.statuses:
        if (
            status.kind == kind
            and status.no not in persons.told.doubted
            and persons.of(status) is member
            and persons.doubt(status, member) != "identity_conflict"
        ):
            yield status


COUNTED = ("member", "minor", "newborn", "student", "unmarried_child", "dependent_adult_child")


def why(persons: Persons, member: Member) -> str:
    """Why the member counts on the reference date, or does not."""
    if member.role == "supporter":
        return "supporter"  # R27: outside the household
    day = persons.told.reference
    if member.number in persons.died and persons.died[member.number] < day:
        return "dead"  # R21
    return excluded_status(persons, member) or place(persons, member)


def excluded_status(persons: Persons, member: Member) -> str | None:
    """The status that takes the member out of the household on the reference date (R23), the first by its name."""
    day = persons.told.reference
    for kind, after in sorted(persons.told.policy.statuses.items()):
        if after is None:
            continue
        spans = [(start, end) for told, start, end in member.statuses if told == kind]
        spans += [(s.start, s.end) for s in said(persons, member, kind)]
        for start, end in spans:
            begun = start is not None and years_later(start, after) <= day
            if begun and (end is None or day < end):
                return kind
    return None


def place(persons: Persons, member: Member) -> str:
    """A member's place in the household: children by age, study, marriage and capacity (R24, R26)."""
    policy, day = persons.told.policy, persons.told.reference
    if member.person is None:
        return "newborn"
    if years_later(member.birth, policy.minor_age) > day:
        return "minor"
    if member.relation != "child":
        return "member"
    if not member.capacity:
        return "dependent_adult_child"
    if (member.full_time and member.student_stage in policy.student_stages) or enrolled(persons, member):
        return "student"
    age = policy.adult_child_age
    if age is not None and member.married is not True and years_later(member.birth, age) > day:
        return "unmarried_child"
    return "adult_child"


def enrolled(persons: Persons, member: Member) -> bool:
    """R24: whether a school says that the member studies full-time on the reference date, at a stage that counts."""
    day, stages = persons.told.reference, persons.told.policy.student_stages
    return any(
        s.detail in stages and s.start is not None and s.start <= day and (s.end is None or s.end > day)
        for s in said(persons, member, "student")
    )


def open_sources(persons: Persons) -> set[tuple[int, str]]:
    """Required sources that say nothing sure of a counted member: not covered (R6), or with unread rows (R9)."""
    needs = persons.told.policy.sources
    return {
        (number, dataset)
        for (number, dataset), answer in persons.answers.items()
        if (answer.state != "covered" or answer.unread) and needs[dataset] == "required" and number in persons.counted
    }
