"""Who lives in the county: households and their planted problems, members, everybody else."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa

from connectors.synthetic.households import CHILD, REFERENCE, Members, draw_families, make_members
from connectors.synthetic.limits import read_limits
from connectors.synthetic.people import People, draw_surnames, id_numbers, names
from connectors.synthetic.plants import Kind
from connectors.synthetic.rows import NULL, Ints, day
from connectors.synthetic.scene import PLAIN, Papers, Scene, chance

PACK = "3703"
DIVISIONS = ["370303", "370302", "370304", "370305", "370306", "370321", "370322", "370323"]
PLANTED_SHARE = 0.25
SHARED = "in_two_households"


def draw_kinds(seed: int, households: int, kinds: tuple[Kind, ...]) -> Ints:
    """The planted problem of each household, -1 for none: a quarter of them, every kind in turn."""
    rng = chance(seed, "kinds")
    chosen = rng.permutation(households)[: int(households * PLANTED_SHARE)]
    kind = np.full(households, -1)
    kind[chosen] = np.arange(len(chosen)) % len(kinds)
    shared = np.flatnonzero(kind == [k.name for k in kinds].index(SHARED))
    if len(shared) % 2:
        kind[shared[-1]] = -1  # it takes two
    return kind


def make_scene(seed: int, households: int, kinds: tuple[Kind, ...], outsiders_per_person: int) -> Scene:
    """Households, members, everybody else, and the limits that hold; no rows yet."""
    kind = draw_kinds(seed, households, kinds)
    rng = chance(seed, "families")
    families = draw_families(rng, [kinds[k].families if k >= 0 else None for k in kind.tolist()])
    shared = np.flatnonzero(kind == [k.name for k in kinds].index(SHARED))
    members = make_members(rng, families, shared)
    _set_apart(members, kind, kinds)
    own = int(members.person.max()) + 1
    shadow = np.full(households, -1)
    planted = np.flatnonzero(kind >= 0)
    shadow[planted] = own + np.arange(len(planted))
    people, everyone = _people(seed, members, kind, kinds, shadow, outsiders_per_person)
    rng = chance(seed, "places")
    division = np.where(rng.random(households) < 0.8, 0, rng.integers(0, len(DIVISIONS), households))
    programmes = (rng.random(households) < 0.25).astype(np.int64)
    areas = (rng.random(households) < 0.55).astype(np.int64)
    applied = day("2026-09-01") + rng.integers(0, 8, households)
    return Scene(
        seed=seed,
        members=members,
        people=people,
        limits=read_limits(PACK, programmes, areas, DIVISIONS, division, date(2026, 9, 1)),
        kind=kind,
        applied=applied,
        shadow=shadow,
        papers=_papers(rng, members, people, applied),
        divisions=DIVISIONS,
        division=division,
        areas=areas,
        programmes=programmes,
        names=[everyone],
        died=np.full(len(members), NULL),
        linked=np.full(len(members), NULL),
    )


def _set_apart(members: Members, kind: Ints, kinds: tuple[Kind, ...]) -> None:
    """Members who do not count, by what is planted in their household."""
    for place, planted in enumerate(kinds):
        households = np.flatnonzero(kind == place)
        if planted.apart is not None and len(households):
            members.counted[members.first(households, planted.apart)] = False


def _people(
    seed: int, members: Members, kind: Ints, kinds: tuple[Kind, ...], shadow: Ints, outsiders_per_person: int
) -> tuple[People, pa.Array]:
    """Members first, then the shadows (like the applicant, of the other sex), then everybody else."""
    rng = chance(seed, "people")
    own = int(members.person.max()) + 1
    planted = np.flatnonzero(shadow >= 0)
    inside, outside = own + len(planted), own * outsiders_per_person
    total = inside + outside
    birth, male = np.empty(total, np.int64), np.empty(total, bool)
    birth[members.person], male[members.person] = members.birth, members.male
    heads = members.head(planted)
    birth[own:inside] = members.birth[heads] + rng.integers(-700, 700, len(planted))
    male[own:inside] = ~members.male[heads]
    bands = rng.choice(3, outside, p=[0.15, 0.67, 0.18])
    low, high = np.array([0, 18, 60]), np.array([18, 60, 92])
    birth[inside:] = REFERENCE - (low[bands] * 365.25 + rng.random(outside) * (high - low)[bands] * 365.25).astype(
        np.int64
    )
    male[inside:] = rng.random(outside) < 0.51
    newborn = [k.name for k in kinds].index("newborn")
    _make_newborn(members, np.flatnonzero(kind == newborn), birth)
    in_x = np.array([k.ends_in_x for k in kinds] + [False])[kind]
    ends_in_x = np.zeros(total, bool)
    ends_in_x[members.person[members.head(np.flatnonzero(in_x))]] = True
    surname = draw_surnames(rng, total)
    child = members.relation == CHILD
    surname[members.person[child]] = surname[members.person[members.head(members.household[child])]]
    everyone = names(rng, surname)
    return (
        People(
            id_numbers(rng, birth, male, ends_in_x),
            birth,
            male,
            np.arange(total),
            rng.random(total, np.float32),
            inside,
        ),
        everyone,
    )


def _make_newborn(members: Members, households: Ints, birth: Ints) -> None:
    if len(households):
        child = members.first(households, CHILD)
        members.birth[child] = birth[members.person[child]] = day("2026-07-20")


def _papers(rng: np.random.Generator, members: Members, people: People, applied: Ints) -> Papers:
    n = len(members)
    signed = applied[members.household] - rng.integers(0, 4, n)
    return Papers(
        form=np.full(n, PLAIN),
        numbered=np.ones(n, bool),
        name=people.name[members.person].copy(),
        married=members.married.copy(),
        signed_on=signed,
        valid_until=signed + 365,
        scope=np.zeros(n, np.int64),
        supporter=np.zeros(n, bool),
        status=np.zeros(n, np.int64),
    )
