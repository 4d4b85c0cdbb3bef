"""Property on the reference date: what is held, by whom, and how it counts (R25, R47–R60)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tests.reference.exempt import exemption
from tests.reference.found import Bound, Item
from tests.reference.household import Persons
from tests.reference.rates import in_yuan
from tests.reference.told import Holding, Member

FIGURE = {
    "deposit": "financial_assets", "wallet": "financial_assets", "security": "financial_assets",
    "insurance": "financial_assets", "dwelling": "homes", "vehicle": "vehicles", "business": "businesses",
}  # fmt: skip
FILINGS = "housing/online_filing"
TAKEN = ("demolished", "expropriated")
MONEY = ("deposit", "wallet", "security", "insurance")


@dataclass(slots=True)
class Thing:
    """One thing and every record of it by a member: two titles of a unit, one account sent for each holder."""

    what: str
    asset: str
    records: list[tuple[Member, Holding]]


def things(persons: Persons) -> list[Thing]:
    """Things by class and asset; sales are no things (R48, R56: one thing is one item, whoever sent it)."""
    found: dict[tuple[str, str], Thing] = {}
    for holding in sorted(persons.told.holdings, key=lambda one: one.no):
        member = persons.of(holding)
        if member is not None and holding.what != "sale":
            key = (holding.what, holding.asset)
            found.setdefault(key, Thing(*key, [])).records.append((member, holding))
    return [found[key] for key in sorted(found)]


def held(persons: Persons, holding: Holding) -> bool | None:
    """Whether the thing is held on the reference date (R25, R49, R52); None: it ended on a day that is not known."""
    day = persons.told.reference
    if holding.acquired_on is not None and holding.acquired_on > day:
        return False
    if holding.status == "held":
        return True
    if holding.status_on is not None:
        return holding.status_on > day
    if holding.what == "insurance" and holding.as_of is not None and holding.as_of <= day:
        return False  # R59: surrendered by the day that the insurer speaks of
    return None


def items(persons: Persons, compensated: bool = False) -> list[Item]:
    """Every thing, as it counts; ``compensated``: a compensation for a home that is gone was surely paid (R50)."""
    told = things(persons)
    counting = [item(persons, thing, compensated) for thing in told]
    accounts = {
        thing.asset.split(" ")[0]
        for thing, found in zip(told, counting, strict=True)
        if thing.what == "deposit"
        and found.treatment in ("counted", "disputed", "unpriced", "exempt")
        and any(member.number in persons.counted for member, _ in thing.records)
    }
    return [mirrored(thing, found, accounts) for thing, found in zip(told, counting, strict=True)]


def mirrored(thing: Thing, found: Item, accounts: set[str]) -> Item:
    """R57: a wallet that mirrors a bank account of the household that counts is not counted again."""
    mirrors = any(holding.mirrors in accounts for _, holding in thing.records)
    if thing.what == "wallet" and mirrors and found.treatment in ("counted", "disputed"):
        return replace(found, low=0, high=0, treatment="mirrored", reason="mirrors_account")
    return found


def item(persons: Persons, thing: Thing, compensated: bool) -> Item:
    """How one thing counts."""
    inside = [(m, h) for m, h in thing.records if m.number in persons.counted]
    first = min((h for _, h in thing.records), key=lambda h: speaks(persons, h))
    found = Item(
        min(m.number for m, _ in thing.records), tuple(h.no for _, h in thing.records), first.dataset,
        FIGURE.get(thing.what), first.value, 0, 0, "counted", None,
    )  # fmt: skip
    late = [h for m, h in thing.records if after_death(persons, m, h)]
    if not inside and not late:
        return replace(found, treatment="not_counted")
    doubts: list[str] = []
    speaking = deciding(
        persons,
        inside + [(m, h) for m, h in thing.records if h in late and m.number not in persons.counted],
        titles_of(persons, thing),
    )
    states = [held(persons, h) for _, h in speaking]
    if compensated:  # R50: what was paid for it says that it is gone, where no day does
        states = [
            s if s is not None or h.status not in TAKEN else False for s, (_, h) in zip(states, speaking, strict=True)
        ]
    if True not in states and None not in states:
        if not inside:
            return replace(found, treatment="not_counted")
        return replace(found, treatment="not_held")
    dated = [(one, state) for one, state in zip(speaking, states, strict=True) if state is not False]
    kept = any(h.custodial for (_, h), _ in dated)
    dated = [((m, h), state) for (m, h), state in dated if not h.custodial]
    live = [one for one, _ in dated]
    if not live:
        return replace(found, treatment="exempt", reason="custodial")  # R55
    evidence = exemption(persons, live[0][1]) if thing.what == "vehicle" else None
    if evidence == "exempt":
        return replace(found, treatment="exempt", reason=live[0][1].use)  # R53
    named = [doubtful(persons, m, h) or ("ended_on_unknown" if state is None else None) for (m, h), state in dated]
    if None not in named:
        doubts += sorted({doubt for doubt in named if doubt})  # each of them is a reason by itself
    if evidence == "evidence_unknown" and not doubts:
        doubts.append(evidence)
    return valued(persons, thing, replace(found, amount=value(persons, thing)), live, doubts, evidence, kept)


def speaks(persons: Persons, holding: Holding) -> tuple[bool, bool, str, int]:
    """Which record speaks for a thing: a title before a filing, what is held before what has ended (R48)."""
    return holding.dataset == FILINGS, held(persons, holding) is False, holding.dataset, holding.no


def titles_of(persons: Persons, thing: Thing) -> list[Holding]:
    """Titles of the unit that had begun by the reference date, whoever of the request holds it, dwelling or not."""
    return [
        h for h in persons.told.holdings
        if h.dataset == "natural_resources/real_estate_title" and h.asset == thing.asset
        and thing.what in ("dwelling", "premises") and persons.of(h) is not None
        and (h.acquired_on is None or h.acquired_on <= persons.told.reference)
    ]  # fmt: skip


def deciding(
    persons: Persons, records: list[tuple[Member, Holding]], titles: list[Holding]
) -> list[tuple[Member, Holding]]:
    """R48: of a title and filings of one unit the title speaks, and a filing later than the title's end again (R49)."""
    if not titles:
        return records
    return [
        (m, h)
        for m, h in records
        if h.dataset != "housing/online_filing"
        or (h.acquired_on is not None and all(t.status_on is not None and h.acquired_on > t.status_on for t in titles))
    ]


def after_death(persons: Persons, member: Member, holding: Holding) -> bool:
    """R21: whether the record speaks of a day after the member's death; a register speaks of the reference date."""
    died = persons.died.get(member.number)
    on = holding.as_of or persons.told.reference
    return died is not None and member.role == "member" and on > died


def doubtful(persons: Persons, member: Member, holding: Holding) -> str | None:
    """Why one record is disputed."""
    doubt = persons.doubt(holding, member, after_death(persons, member, holding))
    if holding.contested and doubt in (None, "after_death", "stale"):
        return "contested_registration"  # R54: said to be registered under a stolen identity
    return doubt


def valued(
    persons: Persons,
    thing: Thing,
    found: Item,
    live: list[tuple[Member, Holding]],
    doubts: list[str],
    label: str | None,
    kept: bool,
) -> Item:
    """What a held thing adds: money by the household's share, anything else one (R47, R56, R58)."""
    low: int
    high: Bound
    if thing.what in MONEY:
        whole = worth(persons, live, found.amount)
        low, high, doubt = shared(persons, live, whole or 0, kept)
        if doubt and not doubts:
            doubts.append(doubt)
        if whole is None:
            high = None
            if not doubts:
                return replace(found, low=0, high=None, treatment="unpriced", reason="no_exchange_rate")  # R58
        if any(h.suspended for _, h in live):
            label = "price_suspended"  # R60: its last price, and a question
    else:
        low, high = 1, 1
        of_counted = [h for m, h in live if m.number in persons.counted] or [h for _, h in live]
        if thing.what == "dwelling" and not doubts and all(h.share_bp is None for h in of_counted):
            doubts.append("share_unknown")  # R47
    if doubts:
        return replace(found, low=0, high=high, treatment="disputed", reason=doubts[0], others=tuple(doubts[1:]))
    return replace(found, low=low, high=high, reason=label)


def worth(persons: Persons, live: list[tuple[Member, Holding]], whole: int | None) -> int | None:
    """R58: the amount in fen of yuan, by the rate of the day that the balance speaks of; None: nobody knows."""
    currency = live[0][1].currency or "CNY"
    if whole is None or currency == "CNY":
        return whole
    return in_yuan(whole, currency, max(h.as_of or persons.told.reference for _, h in live))


def value(persons: Persons, thing: Thing) -> int | None:
    """What a thing is worth by its clean records; what a disputed one says is no certainty."""
    clean = [
        h for m, h in thing.records
        if m.number in persons.counted and held(persons, h) and not h.custodial and doubtful(persons, m, h) is None
    ]  # fmt: skip
    for some in (clean, [h for _, h in thing.records]):
        if values := [h.value for h in some if h.value is not None]:
            return max(values)
    return None


def net_of_debt(persons: Persons, thing: Thing) -> int | None:
    """R51: the value of a thing, less what is owed on it where the pack nets."""
    whole = value(persons, thing)
    if whole is None or not persons.told.policy.mortgage_netted:
        return whole
    return max(0, whole - max((h.mortgage or 0 for _, h in thing.records), default=0))


def shared(
    persons: Persons, live: list[tuple[Member, Holding]], whole: int, kept: bool
) -> tuple[int, Bound, str | None]:
    """R56: the whole if every holder is inside; else the known shares of those inside; else a question.

    R55: for whom another member keeps a part (``kept``) is somebody outside.
    """
    if not any(m.number in persons.counted for m, _ in live):
        return 0, whole, None  # of one who died: nobody says who has it now
    inside = {number for number, member in persons.numbers.items() if member.number in persons.counted}
    holders = {holder for _, h in live for holder in h.co_holders} | {h.person for _, h in live}
    if holders <= inside and not kept:
        return whole, whole, None
    shares = {m.number: h.share_bp for m, h in live if m.number in persons.counted}
    if None in shares.values():
        return 0, whole, "joint_account_unknown_shares"
    part = whole * min(10_000, sum(share or 0 for share in shares.values())) // 10_000
    return part, part, None


def untraced(persons: Persons, found: list[Item]) -> set[tuple[int, str]]:
    """R49: members whose sale within the window left no matching balance, with the source of the sale."""
    smallest = persons.told.policy.trace_proceeds_min_fen
    balances = sum(item.low for item in found if item.figure == "financial_assets")
    reasons = set()
    for holding in persons.told.holdings:
        member = persons.of(holding)
        if holding.what != "sale" or member is None or member.number not in persons.counted or smallest is None:
            continue
        if persons.doubt(holding, member):
            continue  # R4, R12: it does not speak of the member for sure, and is a question already
        on, paid = holding.status_on, holding.proceeds
        recent = on is not None and persons.window[0] <= on < persons.told.reference
        if recent and paid is not None and paid >= smallest and balances < paid:
            reasons.add((member.number, holding.dataset))
    return reasons
