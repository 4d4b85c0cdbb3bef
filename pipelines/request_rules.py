"""What must hold between the fields of a request: household, identity, dates, authorisations (R26, R28, R33).

Each rule speaks only where the fields that it compares could be read, so that a line that is wrong in its structure
still hears of everything else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from pipelines.identifiers import IdProblem
from pipelines.requests import Authorisation, Line, Member, Problem, Request

# Eighteen characters with a date of birth in their middle: a number that must not be kept in the clear.
_ID_NUMBER = re.compile(r"\d{6}(?:18|19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]")


class Person(NamedTuple):
    """What the identifier of a member said, read with all others of the chunk.

    Attributes:
        token: 32 hexadecimal digits, None where there is no accepted number.
        problem: why the number was not accepted, None where it was or there is none.
        born: date of birth, from the number or as given.
    """

    token: str | None
    problem: IdProblem | None
    born: date | None


@dataclass(frozen=True)
class PolicyAnswer:
    """What the policy pack says of a request's programme, place and date.

    Attributes:
        problem: why it says nothing, None where it does.
        minor_age: years below which a guardian signs.
        statuses: kinds of declared status that it knows.
        student_stages: stages of education that it knows.
        unknown_persons: whether somebody may be applied for whose identity nobody knows.
    """

    problem: Problem | None
    minor_age: int = 0
    statuses: frozenset[str] = frozenset()
    student_stages: frozenset[str] = frozenset()
    unknown_persons: bool = False


@dataclass(frozen=True)
class Context:
    """What a request is judged by: the day of intake, the departments there are, the policy pack."""

    today: date
    departments: frozenset[str]
    policy: Callable[[str, str, str, date], PolicyAnswer]


def problems(line: Line, persons: Sequence[Person], context: Context) -> tuple[Problem, ...]:
    """All errors of a request's line, those of its structure first.

    Args:
        line: as ``requests.read_line`` gave it, with a request.
        persons: one for each of its members.
        context: what it is judged by.
    """
    request = line.request
    if request is None:
        return line.problems
    wrong = tuple(problem.path for problem in line.problems)
    found = [problem for problem in _all(request, persons, context, wrong) if not _covered(problem.path, wrong)]
    if not found:
        return line.problems
    return tuple(dict.fromkeys((*line.problems, *found)))


def holds_identifier(text: str | None) -> bool:
    """Whether a text that is kept in the clear has an ID number in it."""
    return text is not None and _ID_NUMBER.search(text) is not None


def _covered(path: str, wrong: tuple[str, ...]) -> bool:
    """Whether the structure of ``path``, or of what it is part of, is wrong already."""
    return any(path == other or path.startswith((f"{other}.", f"{other}[")) for other in wrong)


def _all(request: Request, persons: Sequence[Person], context: Context, wrong: tuple[str, ...]) -> Iterator[Problem]:
    answer = _policy(request, context)
    if answer.problem:
        yield answer.problem
    yield from _head(request, context)
    yield from _household(request, persons)
    for i, (member, person) in enumerate(zip(request.members or (), persons, strict=True)):
        path = f"members[{i}]"
        if f"{path}.id_number" not in wrong:
            yield from _identity(member, person, path, answer)
        yield from _dates(request, member, person, path)
        if member.support is not None and member.role == "member":
            yield Problem("not_a_supporter", f"{path}.support")
        yield from _known_codes(member, answer, path)
        if member.authorisation is not None:
            yield from _authorisation(member, member.authorisation, person, f"{path}.authorisation", answer, context)


def _policy(request: Request, context: Context) -> PolicyAnswer:
    key = (request.programme, request.division, request.area_kind, request.application_date)
    return PolicyAnswer(None) if None in key else context.policy(*key)


def _head(request: Request, context: Context) -> Iterator[Problem]:
    for name in ("request_id", "requester", "purpose"):
        if holds_identifier(getattr(request, name)):
            yield Problem("identifier_in_text", name)
    for name in ("application_date", "reference_date"):
        if _after(getattr(request, name), context.today):
            yield Problem("in_future", name)


def _household(request: Request, persons: Sequence[Person]) -> Iterator[Problem]:
    if request.members is None:
        return
    members = request.members
    if all(member.role == "supporter" for member in members):
        yield Problem("household_of_none", "members")
    elif None not in [m.relation for m in members]:
        applicants = [m for m in members if m.relation == "applicant" and m.role != "supporter"]
        if len(applicants) != 1:
            yield Problem("one_applicant", "members")
    authorisations = [m.authorisation.authorisation_id if m.authorisation else None for m in members]
    yield from _twice([m.member_no for m in members], "member_no", "duplicate_member_no")
    yield from _twice([person.token for person in persons], "id_number", "duplicate_member")
    yield from _twice(authorisations, "authorisation.authorisation_id", "duplicate_authorisation")


def _twice(values: Sequence[object], field: str, code: str) -> Iterator[Problem]:
    seen = set()
    for i, value in enumerate(values):
        if value is not None and value in seen:
            yield Problem(code, f"members[{i}].{field}")
        seen.add(value)


def _identity(member: Member, person: Person, path: str, answer: PolicyAnswer) -> Iterator[Problem]:
    if person.problem is not None:
        yield Problem(f"id_{person.problem.name}", f"{path}.id_number")
    elif answer.unknown_persons and member.id_number is None:
        return
    elif person.born is None:
        yield Problem("birth_date_missing", f"{path}.birth_date")
    elif member.birth_date is not None and member.birth_date != person.born:
        yield Problem("birth_date_differs", f"{path}.birth_date")


def _dates(request: Request, member: Member, person: Person, path: str) -> Iterator[Problem]:
    if _after(person.born, request.reference_date or request.application_date):
        yield Problem("born_later", f"{path}.{'birth_date' if member.birth_date else 'id_number'}")
    for j, status in enumerate(member.statuses or ()):
        if _after(status.from_, status.to):
            yield Problem("ends_before", f"{path}.statuses[{j}].to")


def _known_codes(member: Member, answer: PolicyAnswer, path: str) -> Iterator[Problem]:
    if answer.problem or not answer.statuses:
        return
    for j, status in enumerate(member.statuses or ()):
        if status.kind is not None and status.kind not in answer.statuses:
            yield Problem("not_allowed", f"{path}.statuses[{j}].kind", ", ".join(sorted(answer.statuses)))
    stage = member.student.stage if member.student else None
    if stage is not None and stage not in answer.student_stages:
        yield Problem("not_allowed", f"{path}.student.stage", ", ".join(sorted(answer.student_stages)))


def _authorisation(
    member: Member, given: Authorisation, person: Person, path: str, answer: PolicyAnswer, context: Context
) -> Iterator[Problem]:
    if holds_identifier(given.authorisation_id):
        yield Problem("identifier_in_text", f"{path}.authorisation_id")
    if _after(given.signed_on, given.valid_until):
        yield Problem("ends_before", f"{path}.valid_until")
    for j, department in enumerate(given.scope or ()):
        if department not in context.departments and department != "*":
            yield Problem("unknown_department", f"{path}.scope[{j}]")
    if person.born is None or given.signed_on is None or answer.problem or not answer.minor_age:
        return
    needed = member.legal_capacity is False or given.signed_on < birthday(person.born, answer.minor_age)
    if needed and (given.signed_by != "guardian" or given.guardian_name is None):
        field = "guardian_name" if given.signed_by == "guardian" else "signed_by"
        yield Problem("guardian_needed", f"{path}.{field}")
    elif not needed and given.signed_by == "guardian":
        yield Problem("signs_for_self", f"{path}.signed_by")


def birthday(born: date, years: int) -> date:
    """The day on which somebody reaches an age; who was born on 29 February does so on 1 March of a common year."""
    try:
        return born.replace(year=born.year + years)
    except ValueError:
        return date(born.year + years, 3, 1)


def _after(first: date | None, second: date | None) -> bool:
    return first is not None and second is not None and first > second
