"""What the public purse pays to households: assistance, one-card subsidies, veterans' and disability benefits.

Rows of the four datasets, and who gets them in the ordinary life of the households.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from connectors.synthetic.earnings import MONTHS, WINDOW_FIRST, WINDOW_LAST, each_month, in_window
from connectors.synthetic.households import Flags
from connectors.synthetic.rows import Column, Columns, Ints, Words, columns, day, pick
from connectors.synthetic.scene import TRANSFER, Scene, chance

ASSISTANCE, ONE_CARD = "civil_affairs/assistance_payments", "finance/one_card_payments"
VETERANS, DISABILITY = "veterans/veteran_benefits", "disabled_persons/disability"
TOLD_ON = day("2026-09-10")
LIVING, NURSING = 17_300, 15_400  # the two allowances a month, fen
_LEVELS = tuple(f"{number}级" for number in "五六七八九十")
_VETERANS = ("rural_elderly", "combat", "disability", "survivor")
_MONTHS_IN_WINDOW = WINDOW_LAST - WINDOW_FIRST + 1


def assistance(person: Ints, month: Ints, fen: Ints | int, programme: Column | str) -> Columns:
    """Social assistance, one row a month."""
    values = {"person": person, "programme": programme, "month": MONTHS[month], "amount_fen": fen}
    return columns(len(person), values)


def one_card(person: Ints, month: Ints, fen: Ints, project: Column | str, **more: object) -> Columns:
    """Payments through the one card, twenty days into their month unless told."""
    values = {"person": person, "project": project, "month": MONTHS[month], "amount_fen": fen}
    return columns(len(person), {**values, "paid_on": MONTHS[month] + 19, **more})


def veterans(person: Ints, fen: Ints, kind: Words, **more: object) -> Columns:
    """Veterans' benefits, one row for all months since the first; the disabled have a level, the others none."""
    level = np.where(np.array([word == "disability" for word in kind.words])[kind.codes], person % len(_LEVELS), -1)
    values = {
        "person": person,
        "kind": kind,
        "level": pick(level, _LEVELS),
        "from_month": day("2012-08-01"),
        "to_month": None,
        "monthly_amount_fen": fen,
        "as_of": TOLD_ON,
    }
    return columns(len(person), {**values, **more})


def disabled(person: Ints, kind: Column | str, level: Column | str, **more: object) -> Columns:
    """Disability certificates without an allowance, unless told."""
    values = {
        "person": person,
        "kind": kind,
        "level": level,
        "issued_on": day("2011-03-01") + (person * 89) % 4_000,
        "cancelled_on": None,
        "from_month": None,
        "living_allowance_fen": None,
        "nursing_allowance_fen": None,
        "as_of": TOLD_ON,
    }
    return columns(len(person), {**values, **more})


def counted(scene: Scene, kinds: Sequence[str]) -> Ints:
    """1 for each kind of income that the pack counts, 0 for what it leaves out (R42)."""
    return np.array([kind not in scene.limits.excluded for kind in kinds], np.int64)


def allowances() -> dict[str, object]:
    """The columns of both allowances, paid since 2021."""
    since = day("2021-01-01")
    return {"from_month": since, "living_allowance_fen": LIVING, "nursing_allowance_fen": NURSING}


def allowance_worth(scene: Scene) -> int:
    """What both allowances are worth over the window."""
    counts = counted(scene, ("disability_living_allowance", "disability_nursing_allowance"))
    return int(LIVING * counts[0] + NURSING * counts[1]) * _MONTHS_IN_WINDOW


def write_benefits(scene: Scene) -> None:
    """Ordinary life; households with a planted problem get none of it, so that their sums stay what they are."""
    clean = scene.kind[scene.members.household] < 0
    _assistance(scene, np.flatnonzero(scene.kind < 0))
    _subsidies(scene, np.flatnonzero((scene.kind < 0) & (scene.areas == 1)))
    _elderly(scene, clean)
    _veterans(scene, clean)
    _disabled(scene, clean)


def _assistance(scene: Scene, households: Ints) -> None:
    """One household in eight is in payment already; one in fifty had temporary aid once."""
    rng = chance(scene.seed, "assistance")
    draw = rng.random(len(households))
    paid = scene.members.head(households[draw < 0.12])
    first = rng.integers(0, 10, len(paid))
    of, month = each_month(first, np.full(len(paid), WINDOW_LAST))
    fen = rng.integers(200, 900, len(paid))[of] * 100
    _add_assistance(scene, paid[of], month, fen, "subsistence_allowance")
    helped = scene.members.head(households[draw > 0.98])
    month = rng.integers(WINDOW_FIRST, WINDOW_LAST + 1, len(helped))
    _add_assistance(scene, helped, month, rng.integers(5, 30, len(helped)) * 100_00, "temporary_aid")


def _add_assistance(scene: Scene, member: Ints, month: Ints, fen: Ints, programme: str) -> None:
    counts = int(counted(scene, (f"assistance_{programme}",))[0])
    rows = assistance(scene.members.person[member], month, fen, programme)
    scene.book.add(ASSISTANCE, rows, scene.worth(member, TRANSFER, fen * in_window(month) * counts))


def _subsidies(scene: Scene, households: Ints) -> None:
    """Rural households have land: a subsidy each June, and for some another in the autumn."""
    rng = chance(scene.seed, "subsidies")
    for project, share, at in (("farmland_protection_subsidy", 0.6, 11), ("grain_subsidy", 0.3, 4)):
        head = scene.members.head(households[rng.random(len(households)) < share])
        add_card(scene, head, np.full(len(head), at), rng.integers(80, 700, len(head)) * 100, project)


def add_card(
    scene: Scene, member: Ints, month: Ints, fen: Ints, project: str, said: Ints | int | None = None, **more: object
) -> None:
    """Add one-card payments of one project, declared unless told."""
    worth = fen * in_window(month) * int(counted(scene, (project,))[0])
    rows = one_card(scene.members.person[member], month, fen, project, **more)
    scene.book.add(ONE_CARD, rows, scene.worth(member, TRANSFER, worth, said=said))


def _elderly(scene: Scene, clean: Flags) -> None:
    """An allowance from the eightieth year on; a reward for family planning for a few from the sixtieth."""
    rng = chance(scene.seed, "elderly")
    draw, age = rng.random(len(scene.members)), scene.members.age
    for project, chosen, fen in (
        ("elderly_allowance", (age >= 81) & (draw < 0.9), 100_00),
        ("family_planning_reward", (age >= 61) & (draw < 0.05), 80_00),
    ):
        member = np.flatnonzero(clean & chosen)
        of, month = each_month(np.full(len(member), 1), np.full(len(member), WINDOW_LAST))
        add_card(scene, member[of], month, np.full(len(of), fen), project)


def _veterans(scene: Scene, clean: Flags) -> None:
    rng = chance(scene.seed, "veterans")
    members = scene.members
    chosen = clean & members.male & (members.age >= 60) & (rng.random(len(members)) < 0.06)
    member = np.flatnonzero(chosen)
    kind = rng.integers(0, len(_VETERANS), len(member))
    fen = rng.integers(5_00, 12_00, len(member)) * 100
    rows = veterans(members.person[member], fen, pick(kind, _VETERANS))
    counts = counted(scene, [f"veteran_benefit_{name}" for name in _VETERANS])[kind]
    scene.book.add(VETERANS, rows, scene.worth(member, TRANSFER, fen * _MONTHS_IN_WINDOW * counts))


def _disabled(scene: Scene, clean: Flags) -> None:
    """Every adult child without full capacity, and a few others; the former get both allowances."""
    members = scene.members
    child = np.flatnonzero(clean & ~members.capable)
    rows = disabled(members.person[child], "intellectual", pick(child % 2, ("1", "2")), **allowances())
    scene.book.add(DISABILITY, rows, scene.worth(child, TRANSFER, allowance_worth(scene)))
    others = clean & members.capable & (chance(scene.seed, "disabled").random(len(members)) < 0.03)
    other = np.flatnonzero(others)
    rows = disabled(members.person[other], pick(other % 3, ("physical", "sight", "hearing")), "3")
    scene.book.add(DISABILITY, rows, scene.nothing(other))
