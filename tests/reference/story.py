"""A difference as a golden story (tests/rules/golden): what was told, in the same words, and what both sides found."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal
from typing import Any

from tests.reference.against import Difference
from tests.reference.told import Expense, Fact, Holding, Household, Income, Link, Policy

NAMES = "ABCDEFGH"
COUNTS = ("homes", "vehicles", "businesses")
LABELS = {
    "start": "from", "end": "to", "what": "class", "use": "use_character", "ref": "record_ref",
    "corrects": "correction_of",
}  # fmt: skip


def story(found: Difference, heading: str) -> str:
    """The household as a story, with the policy it is under, and the two findings below it as remarks."""
    told = found.told
    lines = [f"- id: {told.request_id}", f"  name: {heading}", f"  reference: {told.reference}", "  policy:"]
    lines += [f"    {name}: {value}" for name, value in settings(told.policy)]
    lines += ["  members:", *(f"    {who(m.person, told)}: {flow(member(m))}" for m in told.members)]
    for title, facts in (("income", told.income), ("holding", told.holdings), ("status", told.statuses),
                         ("link", told.links), ("expense", told.expenses)):  # fmt: skip
        lines += [f"  {title}:"] * bool(facts) + [f"    - {flow(fact(one, told))}" for one in facts]
    if told.declared:
        declared = {item: value if item in COUNTS else yuan(value) for item, value in told.declared.items()}
        lines.append(f"  declared: {flow(declared)}")
    lines += gaps(told)
    for aspect, (ours, theirs) in found.aspects.items():
        lines += [f"  # {aspect}: reading {ours}", f"  # {' ' * len(aspect)}      sql {theirs}"]
    return "\n".join(lines)


def settings(policy: Policy) -> list[tuple[str, Any]]:
    """The policy's values, each on a line of its own."""
    told = [(field.name, getattr(policy, field.name)) for field in fields(policy) if field.name != "feeds"]
    return [(name, flow(sorted(value)) if isinstance(value, frozenset) else flow(value)) for name, value in told]


def member(m: Any) -> dict[str, Any]:
    """A member as stories tell one."""
    told = {"relation": m.relation, "born": m.birth, "married": m.married, "student": m.student_stage, "role": m.role}
    more = {"capacity": None if m.capacity else False, "number": None if m.person is not None else False}
    more |= {"own_household": m.supports[0], "supports": m.supports[1]}
    return told | more | {"statuses": [list(one) for one in m.statuses] or None, "full_time": m.full_time}


def fact(one: Fact, told: Household) -> dict[str, Any]:
    """A fact as stories tell one: names for numbers, yuan for fen."""
    row: dict[str, Any] = {"row": one.no, "who": who(one.person, told), "source": one.dataset}
    if one.name is not None:
        row["name"] = name(one.name, told)
    for field in fields(one):
        value = getattr(one, field.name)
        if field.name in ("no", "person", "name", "dataset") or value in (None, ()) or value is False:
            continue
        row[LABELS.get(field.name, field.name)] = value
    if isinstance(one, Income | Expense):
        row["yuan"] = yuan(row.pop("amount"))
    elif isinstance(one, Holding):
        for ours, theirs in (("value", "yuan"), ("proceeds", "sold_for")):
            if ours in row:
                row[theirs] = yuan(row.pop(ours))
        if "co_holders" in row:
            row["with"] = [who(holder, told) for holder in row.pop("co_holders")]
    elif isinstance(one, Link):
        row["other"] = who(one.other, told)
    return row


def gaps(told: Household) -> list[str]:
    """Sources that did not answer, rows that could not be read, authorisations that ended."""
    lines = []
    persons = {m.number: who(m.person, told) for m in told.members}
    for (number, dataset), answer in sorted(told.answers.items()):
        if answer.state not in ("covered", "not_queryable"):
            lines.append(f"    - {flow({'who': persons[number], 'source': dataset, 'state': answer.state})}")
    lines = ["  not_covered:"] * bool(lines) + lines
    unread = [(persons[n], dataset) for (n, dataset), answer in sorted(told.answers.items()) if answer.unread]
    lines += ["  quarantined:"] * bool(unread) + [f"    - {flow({'who': w, 'source': d})}" for w, d in unread]
    if told.ended:
        lines.append(f"  authorisation_ended: {flow([persons[number] for number in told.ended])}")
    if told.doubted:
        lines.append(f"  doubted_rows: {flow({str(no): why for no, why in told.doubted.items()})}")
    if told.gates:
        lines.append(f"  failed_gates: {flow(sorted(told.gates))}")
    if told.elsewhere:
        lines.append(f"  also_in_another_request: {flow([who(person, told) for person in told.elsewhere])}")
    return lines


def who(person: int | None, told: Household) -> str:
    """A letter for a member, a word for anybody else."""
    members = {m.person: NAMES[m.number - 1] for m in told.members if m.person is not None}
    if person is None:
        return next(NAMES[m.number - 1] for m in told.members if m.person is None)
    return members.get(person, f"outsider {person}")


def name(number: int, told: Household) -> str:
    """The letter of the member whose name it is."""
    return next((NAMES[m.number - 1] for m in told.members if m.name == number), "somebody else")


def yuan(fen: int) -> Decimal:
    """Fen as yuan."""
    return Decimal(fen).scaleb(-2)


def flow(value: Any) -> str:
    """A value as YAML in one line; what is not told is left out."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(one)}" for key, one in value.items() if one is not None) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(one) for one in value) + "]"
    if hasattr(value, "__dataclass_fields__"):
        return flow({field.name: getattr(value, field.name) for field in fields(value)})
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return f'"{value}"' if value in ("<", "<=") else str(value)
