"""Income within the window: what counts of each line, and what is taken off the wages (R35–R46)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import groupby

from tests.reference.found import Deduction, Item
from tests.reference.household import Persons
from tests.reference.told import Income, Member

TAX = "taxation/"


@dataclass(slots=True)
class Line:
    """Records of one payer, period and kind, netted (R39)."""

    member: Member
    facts: list[Income]
    amount: int
    start: date
    end: date
    of_facts: list[str | None]  # why each record is disputed, if it is: one row, one question
    also: list[str] = field(default_factory=list)  # why the line is where none of its records is
    unclear: bool = False  # nobody can say what a correction stands for (R39)
    repeated: bool = False
    rest: int | None = None  # what is left of a yearly figure beside what is told by the month (R36)

    @property
    def first(self) -> Income:
        return self.facts[0]

    @property
    def doubts(self) -> list[str]:
        """Why it is disputed: every reason of its records, by name; the first of them is said of the line."""
        return sorted({doubt for doubt in self.of_facts if doubt}) or self.also

    def doubt(self, reason: str) -> None:
        """A doubt of every record that has none of its own."""
        self.of_facts = [doubt or reason for doubt in self.of_facts]


def lines(persons: Persons) -> list[Line]:
    """Every line of the members inside the window, duplicates marked."""
    known: list[tuple[tuple, Member, Income]] = []
    for fact in persons.told.income:
        member = persons.of(fact)
        if member is not None:
            same = (member.number, fact.dataset, fact.category, fact.kind, fact.payer or "", fact.one_off or "",
                    fact.granularity, str(fact.start), str(fact.end))  # fmt: skip
            known.append((same, member, fact))
    known.sort(key=lambda one: (one[0], one[2].no))
    netted: list[Line] = []
    for _, group in groupby(known, key=lambda one: one[0]):
        told = list(group)
        netted += net(persons, told[0][1], [fact for _, _, fact in told])
    placed = [line for line in netted if in_window(persons, line)]
    for line in placed:
        if line.unclear:
            line.doubt("correction_unclear")
    for line in placed:
        doubt = same_wage(line, placed)
        line.repeated = doubt == "reported_twice"
        line.also += ["payer_unknown"] * (doubt == "payer_unknown")
    for line in placed:
        if line.first.granularity == "annual":
            told = told_by_month(line, placed)
            line.rest = min(line.amount, max(0, line.amount - told))
            line.repeated |= line.rest == 0 < told
    return placed


def net(persons: Persons, member: Member, facts: list[Income]) -> list[Line]:
    """R39: a correction stands in the place of its original, a reversal is a negative amount; only the net counts.

    R38: records that nothing corrects stay apart, however alike they are.
    """
    changes = [fact for fact in facts if fact.mark != "original"]
    if not changes:
        return [line(persons, member, [fact], fact.amount) for fact in facts]
    replaced = {fact.corrects for fact in changes if fact.mark == "correction" and fact.corrects is not None}
    originals = [fact for fact in facts if fact.mark == "original"]
    unnamed = [fact for fact in changes if fact.mark == "correction" and fact.corrects is None]
    unclear = False
    if unnamed:
        left = [fact for fact in originals if fact.ref not in replaced]
        if len(left) == 1 and len(unnamed) == 1:
            replaced.add(left[0].ref)
        else:
            unclear = bool(left) or len(unnamed) > 1
    amount = sum(fact.amount for fact in facts if fact.ref is None or fact.ref not in replaced)
    one = line(persons, member, facts, amount)
    one.unclear = unclear
    return [one]


def line(persons: Persons, member: Member, facts: list[Income], amount: int) -> Line:
    """A line, in the period that it is for (R35), or that the pack says of bonus and arrears (R37)."""
    first = facts[0]
    start, end = first.start, first.end
    by_payment = start is None or persons.told.policy.bonus_rule == "paid"
    if first.one_off is not None and first.paid_on is not None and by_payment:
        start = first.paid_on.replace(day=1)
        end = (start + timedelta(days=31)).replace(day=1)
    assert start is not None
    assert end is not None
    late = (died := persons.died.get(member.number)) is not None and start > died
    return Line(member, facts, amount, start, end, [persons.doubt(fact, member, late) for fact in facts])


def in_window(persons: Persons, one: Line) -> bool:
    """R46: whether the line's period meets the window; what does not is no income of this report."""
    begin, stop = persons.window
    if one.start >= stop or one.end <= begin:
        return False
    if one.first.granularity == "annual":
        one.doubt("annual_only")  # R36, even if the year lies wholly within
    elif one.start < begin or one.end > stop:
        one.doubt("straddles_window")
    return True


def same_wage(one: Line, others: list[Line]) -> str | None:
    """R40: a month's wage by social insurance that tax reports too (person, payer, month) counts once: the tax figure.

    Where one of the two does not say who paid, it may be the same wage: disputed. R37: a bonus is no month's wage.
    """
    if one.first.category != "wage" or one.first.kind != "wage" or one.first.dataset.startswith(TAX):
        return None
    taxed = [
        other.first.payer
        for other in others
        if other.first.dataset.startswith(TAX)
        and (other.first.category, other.first.kind, other.first.one_off) == ("wage", "wage", None)
        and other.first.granularity != "annual"
        and other.member is one.member
        and (other.start.year, other.start.month) == (one.start.year, one.start.month)
    ]
    if one.first.payer is not None and one.first.payer in taxed:
        return "reported_twice"
    return "payer_unknown" if taxed and (one.first.payer is None or None in taxed) else None


def told_by_month(one: Line, others: list[Line]) -> int:
    """R36: how much of a yearly figure is told by the month already: the same kind, within its year."""
    return sum(
        other.amount
        for other in others
        if other.first.granularity != "annual"
        and not other.repeated
        and other.member is one.member
        and (other.first.category, other.first.kind) == (one.first.category, one.first.kind)
        and one.start <= other.start
        and other.end <= one.end
    )


def item(persons: Persons, one: Line) -> Item:
    """How a line counts for the household: as what it is worth, if its person counts (R21, R27, R28)."""
    worth = own_worth(persons, one)
    late = after_death(persons, one) and one.member.role == "member"
    if one.member.number not in persons.counted and not late:
        return replace(worth, low=0, high=0, treatment="not_counted", reason=None)
    return worth


def own_worth(persons: Persons, one: Line) -> Item:
    """What a line is worth, whether or not its person counts (section 1, R21, R36–R43, R50)."""
    policy = persons.told.policy
    found = Item(
        one.member.number, tuple(fact.no for fact in one.facts), one.first.dataset, f"income.{one.first.category}",
        sum(fact.amount for fact in one.facts), 0, 0, "counted", None,
    )  # fmt: skip
    if one.first.kind in policy.income_excluded:
        return replace(found, treatment="excluded", reason="excluded_kind")  # R42
    if one.repeated:
        return replace(found, treatment="duplicate", reason="reported_twice")
    if (home := compensated(persons, one)) == "stands":
        return replace(found, treatment="duplicate", reason="compensated_home_held")  # R50: the home counts
    offset = policy.loss_offset and one.first.category == "business"
    if one.amount < 0 and not offset:
        return replace(found, treatment="loss", reason="business_loss")  # R43
    doubts = one.doubts or (["compensation_unclear"] if home == "unclear" else [])
    if one.member.role == "supporter" and dead(persons, one.member) and not after_death(persons, one):
        return replace(found, treatment="not_counted")  # R21, R27: from their death on nobody supports
    if doubts and (one.amount or len(one.facts) == 1):  # a net of nothing leaves nothing to doubt
        open_part = one.amount if one.rest is None else one.rest
        low, high = min(0, open_part), max(0, open_part)
        return replace(found, low=low, high=high, treatment="disputed", reason=doubts[0], others=tuple(doubts[1:]))
    netted = len(one.facts) > 1
    return replace(
        found, low=one.amount, high=one.amount,
        treatment="netted" if netted else "counted", reason="corrected" if netted else None,
    )  # fmt: skip


def after_death(persons: Persons, one: Line) -> bool:
    """R21: whether the income is for a time after the member's death."""
    died = persons.died.get(one.member.number)
    return died is not None and one.start > died


def dead(persons: Persons, member: Member) -> bool:
    """R21: whether the person had died before the reference date."""
    return member.number in persons.died and persons.died[member.number] < persons.told.reference


def compensated(persons: Persons, one: Line) -> str | None:
    """R50: of a compensation, whether the home that it is for still stands.

    It does not say which home it is for: with one that stands and one that is gone, it may be for either.
    """
    if one.first.kind not in COMPENSATION:
        return None
    standing, gone = homes_taken(persons)
    if standing:
        return "unclear" if gone else "stands"
    return None


def homes_taken(persons: Persons) -> tuple[bool, bool]:
    """R50: whether those who count hold a home whose taking lies ahead, and whether they had one that is gone."""
    day, standing, gone = persons.told.reference, False, False
    for holding in persons.told.holdings:
        member = persons.of(holding)
        if holding.status not in TAKEN or member is None or member.number not in persons.counted:
            continue
        begun = holding.acquired_on is None or holding.acquired_on <= day
        if begun and persons.doubt(holding, member) is None:
            standing |= holding.status_on is not None and holding.status_on > day
            gone |= holding.status_on is None or holding.status_on <= day
    return standing, gone


def says_gone(persons: Persons, line: Line) -> bool:
    """R50: whether the line is a compensation that was surely paid to somebody who counts: a home is gone for it."""
    paid = line.first.kind in COMPENSATION and line.amount > 0 and not line.doubts
    return paid and line.member.number in persons.counted and not homes_taken(persons)[0]


TAKEN = ("demolished", "expropriated")
COMPENSATION = ("expropriation_compensation", "demolition_compensation")


def deductions(persons: Persons, found: list[tuple[Line, Item]]) -> list[Deduction]:
    """R44: the pack's share of each month's wages, up to its cap a month, once per earner however many payers."""
    policy = persons.told.policy
    months: dict[tuple[int, int, int], list[int]] = {}
    for one, counted in found:
        if one.first.category == "wage" and one.first.granularity != "annual" and counted.treatment in SUMMED:
            sums = months.setdefault((one.member.number, one.start.year, one.start.month), [0, 0])
            sums[0] += counted.low
            sums[1] += counted.high or 0
    by_member: dict[int, list[int]] = {}
    for (member, _, _), wages in sorted(months.items()):
        total = by_member.setdefault(member, [0, 0, 0])
        total[2] += 1
        for i in (0, 1):
            share = max(0, wages[i]) * policy.wage_deduction_bp // 10_000
            cap = policy.wage_deduction_cap_fen
            total[i] += share if cap is None else min(share, cap)
    return [Deduction(member, months, low, high) for member, (low, high, months) in sorted(by_member.items())]


SUMMED = ("counted", "netted", "disputed")
