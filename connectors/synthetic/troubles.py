"""Troubles of a source, asked for by name, such as ``source_down:securities/holdings``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from connectors.contract import Contract, HttpDelivery
from connectors.synthetic.rows import Ints
from connectors.synthetic.scene import Scene, chance
from pipelines.errors import HeduiError

WAYS = {
    "source_down": ("files", "database", "http"),
    "renamed_column": ("files", "database", "http"),
    "cut_short": ("files",),
    "wrong_digest": ("files",),
    "stale": ("files",),
    "partial": ("http",),
}
UNANSWERED_SHARE = 0.1


@dataclass(eq=False)
class UnknownTrouble(HeduiError):
    """A trouble that the made-up county cannot make."""

    trouble: str
    known: str

    zh = "无法模拟的故障：{trouble}；可用：{known}"
    en = "no such trouble: {trouble}; there are: {known}"
    todo = "write it as NAME:department/dataset"
    exit_code = 2


def read_troubles(troubles: Sequence[str], contracts: Mapping[str, Contract]) -> dict[str, str]:
    """The trouble of each dataset.

    Raises:
        UnknownTrouble: the name, the dataset, or that trouble for that dataset's way does not exist.
    """
    found = {}
    for trouble in troubles:
        name, _, dataset = trouble.partition(":")
        if dataset not in contracts or not _possible(name, contracts[dataset]):
            known = ", ".join(f"{name} ({'/'.join(ways)})" for name, ways in WAYS.items())
            raise UnknownTrouble(trouble, known)
        found[dataset] = name
    return found


def _possible(name: str, contract: Contract) -> bool:
    """Pages are whole or refused: only a ticket, and who is asked about each person, can leave somebody out."""
    paged = isinstance(contract.delivery, HttpDelivery) and contract.delivery.style == "paged"
    return contract.way in WAYS.get(name, ()) and not (name == "partial" and paged)


def silent_members(scene: Scene, troubles: Mapping[str, str]) -> dict[str, Ints]:
    """By dataset, the members about whom its trouble leaves nothing to be used."""
    members = np.arange(len(scene.members))
    silent = {}
    for dataset, name in troubles.items():
        person = scene.members.person
        draw = chance(scene.seed, f"partial {dataset}").random(int(person.max()) + 1)
        silent[dataset] = members[draw[person] < UNANSWERED_SHARE] if name == "partial" else members
    return silent
