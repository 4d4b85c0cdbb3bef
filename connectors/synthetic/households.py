"""Who lives together: households by kind of family, members with relation, age and marriage, as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from connectors.synthetic.rows import Ints, day

RELATIONS = ("applicant", "spouse", "child", "parent", "grandchild", "other")
APPLICANT, SPOUSE, CHILD, PARENT, GRANDCHILD, OTHER = range(len(RELATIONS))
REFERENCE = day("2026-09-05")
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Family:
    """A kind of family: how common it is, the applicant's age, and the others by relation and age gap to him."""

    share: float
    age: tuple[int, int]
    others: tuple[tuple[int, int, int], ...] = ()  # relation, least and largest age, or gap for spouse and parent
    student: bool = False
    disabled_child: bool = False


FAMILIES = {
    "single_adult": Family(0.17, (25, 59)),
    "single_elder": Family(0.14, (62, 84)),
    "elder_couple": Family(0.10, (62, 80), ((SPOUSE, -3, 3),)),
    "couple": Family(0.10, (31, 59), ((SPOUSE, -3, 3),)),
    "couple_child": Family(0.15, (29, 47), ((SPOUSE, -3, 3), (CHILD, 2, 16))),
    "couple_children": Family(0.08, (30, 46), ((SPOUSE, -3, 3), (CHILD, 7, 16), (CHILD, 2, 6))),
    "parent_child": Family(0.08, (28, 47), ((CHILD, 2, 16),)),
    "parent_children": Family(0.03, (30, 46), ((CHILD, 7, 16), (CHILD, 2, 6))),
    "parent_student": Family(0.04, (43, 55), ((CHILD, 18, 21),), student=True),
    "with_parent": Family(0.06, (32, 48), ((SPOUSE, -3, 3), (CHILD, 3, 15), (PARENT, 25, 32))),
    "with_parents": Family(
        0.03, (32, 46), ((SPOUSE, -3, 3), (CHILD, 6, 15), (CHILD, 2, 5), (PARENT, 25, 28), (PARENT, 24, 28))
    ),
    "elder_and_disabled_child": Family(0.02, (62, 78), ((CHILD, 36, 44),), disabled_child=True),
}


@dataclass
class Members:
    """Members by position, those of one household together; ``person`` is a position in People.

    Attributes:
        offsets: first member of each household, and the end.
        counted: whether the member counts on the reference date, as it truly is.
    """

    household: Ints
    number: Ints
    person: Ints
    relation: Ints
    birth: Ints
    male: Flags
    married: Flags
    student: Flags
    capable: Flags
    counted: Flags
    offsets: Ints

    def __len__(self) -> int:
        return len(self.household)

    @property
    def age(self) -> Ints:
        """Whole years on the reference date, near enough to choose what somebody has."""
        return (REFERENCE - self.birth) * 4 // 1461

    def head(self, households: Ints) -> Ints:
        """The applicant of each household."""
        return self.offsets[households]

    def first(self, households: Ints, relation: int) -> Ints:
        """The first member of that relation in each household, which has one."""
        width = int(np.diff(self.offsets)[households].max(initial=1))
        place = np.minimum(self.offsets[households][:, None] + np.arange(width), len(self) - 1)
        fits = (self.relation[place] == relation) & (self.household[place] == households[:, None])
        found: Ints = place[np.arange(len(households)), fits.argmax(axis=1)]
        return found

    def size(self) -> Ints:
        """Counted members by household: the divisor (R28)."""
        return np.bincount(self.household, self.counted, len(self.offsets) - 1).astype(np.int64)


def draw_families(rng: np.random.Generator, wanted: Sequence[tuple[str, ...] | None]) -> npt.NDArray[np.object_]:
    """A kind of family for each household: any of those that its planted problem needs, else as common as it is."""
    names = list(FAMILIES)
    share = np.array([FAMILIES[name].share for name in names])
    chosen = np.array(names, object)[rng.choice(len(names), len(wanted), p=share / share.sum())]
    for place, needed in enumerate(wanted):
        if needed:
            chosen[place] = needed[place % len(needed)]
    return chosen


def make_members(rng: np.random.Generator, families: npt.NDArray[np.object_], sharing: Ints) -> Members:
    """The members of every household.

    Args:
        rng: source of chance.
        families: kind of family by household.
        sharing: households, in pairs, that both name the first one's child (R20).
    """
    parts = [_of_family(rng, np.flatnonzero(families == name), family) for name, family in FAMILIES.items()]
    joined = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    order = np.lexsort((joined["number"], joined["household"]))
    joined = {key: column[order] for key, column in joined.items()}
    return _shared_children(joined, len(families), sharing)


def _of_family(rng: np.random.Generator, households: Ints, family: Family) -> dict[str, np.ndarray]:
    n = len(households)
    ages = [rng.integers(family.age[0], family.age[1] + 1, n)]
    for relation, low, high in family.others:
        drawn = rng.integers(low, high + 1, n)
        ages.append(drawn + ages[0] if relation in (SPOUSE, PARENT) else drawn)
    relations = [APPLICANT, *(relation for relation, _, _ in family.others)]
    male = [rng.random(n) < 0.55 for _ in relations]
    for place, relation in enumerate(relations):
        if relation == SPOUSE:
            male[place] = ~male[0]
        elif relation == PARENT and relations[place - 1] == PARENT:
            male[place] = ~male[place - 1]
    pairs = {APPLICANT} if SPOUSE in relations else set()
    pairs |= {PARENT} if relations.count(PARENT) == 2 else set()
    return {
        "household": np.concatenate([households for _ in relations]),
        "number": np.repeat(np.arange(1, len(relations) + 1), n),
        "relation": np.repeat(np.array(relations), n),
        "birth": REFERENCE - np.concatenate(ages) * 1461 // 4 - rng.integers(30, 330, n * len(relations)),
        "male": np.concatenate(male),
        "married": np.repeat(np.array([r in pairs or r == SPOUSE for r in relations]), n),
        "student": np.repeat(np.array([family.student and r == CHILD for r in relations]), n),
        "capable": np.repeat(np.array([not (family.disabled_child and r == CHILD) for r in relations]), n),
    }


def _shared_children(columns: dict[str, np.ndarray], households: int, sharing: Ints) -> Members:
    """Append to the second household of each pair the child of the first, and put positions to persons."""
    n = len(columns["household"])
    person = np.arange(n)
    if len(sharing):
        child = np.flatnonzero((columns["relation"] == CHILD) & np.isin(columns["household"], sharing[::2]))
        child = child[np.unique(columns["household"][child], return_index=True)[1]]
        child = child[np.argsort(np.argsort(sharing[::2]))]
        added = {key: column[child].copy() for key, column in columns.items()}
        added["household"] = sharing[1::2]
        added["number"] = np.bincount(columns["household"], minlength=households)[sharing[1::2]] + 1
        added["relation"] = np.full(len(child), OTHER)
        columns = {key: np.concatenate([column, added[key]]) for key, column in columns.items()}
        person = np.concatenate([person, child])
        order = np.lexsort((columns["number"], columns["household"]))
        columns, person = {key: column[order] for key, column in columns.items()}, person[order]
    offsets = np.r_[0, np.cumsum(np.bincount(columns["household"], minlength=households))]
    return Members(person=person, counted=np.ones(len(person), bool), offsets=offsets, **columns)
