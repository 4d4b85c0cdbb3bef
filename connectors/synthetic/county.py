"""A made-up county that answers as the departments would, with known truth: the same bytes for the same seed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from connectors.contract import Contract, load_contracts
from connectors.synthetic import truth as truths
from connectors.synthetic.base import draw_targets, write_base, write_register
from connectors.synthetic.dirt import DIRT
from connectors.synthetic.documents import write_documents
from connectors.synthetic.plants import Kind, catalogue
from connectors.synthetic.population import DIVISIONS, PACK, make_scene
from connectors.synthetic.rows import Columns, Ints, concat
from connectors.synthetic.scene import AS_OF, Scene
from connectors.synthetic.troubles import read_troubles, silent_members
from connectors.synthetic.write import write_dataset


@dataclass(frozen=True)
class CountySummary:
    """What was made; also ``county.json``.

    Attributes:
        rows: by dataset, without and with outsiders' alike.
        kinds: households by planted problem.
        troubles: by dataset.
    """

    as_of: str
    division: str
    policy_pack: str
    seed: int
    dirt: str
    households: int
    members: int
    persons: int
    clean_households: int
    rows: dict[str, int]
    kinds: dict[str, int]
    troubles: dict[str, str]


def generate(
    out: Path,
    households: int,
    seed: int,
    dirt: Literal["none", "normal", "heavy"] = "normal",
    trouble: Sequence[str] = (),
    outsiders_per_person: int = 10,
) -> CountySummary:
    """Make a county in ``out``: requests, departments, truth.jsonl, county.json.

    Args:
        out: a folder, new or empty.
        households: how many apply; a quarter of them carry a planted problem.
        seed: the same seed gives the same bytes.
        dirt: how badly the departments write.
        trouble: ``NAME:department/dataset`` (troubles.WAYS).
        outsiders_per_person: persons in no request for each one who is in one.

    Raises:
        UnknownTrouble: a trouble that there is not.
        PolicyError: the policy pack cannot be used.
    """
    contracts = load_contracts()
    troubles = read_troubles(trouble, contracts)
    kinds = catalogue()
    scene, rows, truth, silent = imagine(households, seed, contracts, troubles, outsiders_per_person)
    out.mkdir(parents=True, exist_ok=True)
    write_documents(out, scene, truth, kinds)
    write_catalogue(out / "departments" / "data_bureau.catalogue", contracts, seed)
    written = _write_departments(out, scene, contracts, rows, dirt, troubles, silent)
    summary = CountySummary(
        as_of=AS_OF,
        division=DIVISIONS[0],
        policy_pack=PACK,
        seed=seed,
        dirt=dirt,
        households=households,
        members=len(scene.members),
        persons=len(scene.people),
        clean_households=int((scene.kind < 0).sum()),
        rows=written,
        kinds={kind.name: int((scene.kind == place).sum()) for place, kind in enumerate(kinds)},
        troubles=troubles,
    )
    text = json.dumps(asdict(summary), ensure_ascii=False, indent=1) + "\n"
    (out / "county.json").write_text(text, "utf-8")
    return summary


def imagine(
    households: int,
    seed: int,
    contracts: Mapping[str, Contract],
    troubles: Mapping[str, str],
    outsiders_per_person: int = 10,
) -> tuple[Scene, dict[str, Columns], truths.Truth, dict[str, Ints]]:
    """The county before anything is written: scene, rows of its households by dataset, truth, silent members."""
    kinds = catalogue()
    scene = make_scene(seed, households, kinds, outsiders_per_person)
    _live(scene, kinds)
    silent = silent_members(scene, troubles)
    _count_unknown(scene, kinds, silent)
    rows = {dataset: concat(scene.book.parts.pop(dataset, [])) for dataset in contracts}
    truth = truths.find(scene, contracts, rows, truths.uncovered(scene, contracts, silent))
    return scene, rows, truth, silent


def _count_unknown(scene: Scene, kinds: tuple[Kind, ...], silent: Mapping[str, Ints]) -> None:
    """Who is apart by one dataset alone counts where that dataset says nothing."""
    for place, kind in enumerate(kinds):
        households = np.flatnonzero(scene.kind == place)
        unknown = silent.get(kind.apart_by or "")
        if kind.apart is not None and unknown is not None and len(households):
            member = scene.members.first(households, kind.apart)
            scene.members.counted[member[np.isin(member, unknown)]] = True


def _live(scene: Scene, kinds: tuple[Kind, ...]) -> None:
    """Ordinary lives first, then what is planted, then the register, which both of them change."""
    have = [
        np.array([getattr(kind, part) for kind in kinds] + [True])[scene.kind] for part in ("income", "assets", "home")
    ]
    quiet = ~scene.members.counted
    write_base(scene, draw_targets(scene, ~have[0], ~have[1], ~have[2], quiet))
    for place, kind in enumerate(kinds):
        chosen = np.flatnonzero(scene.kind == place)
        if not len(chosen):
            continue
        kind.plant(scene, chosen)
        for code in set(kind.review) - truths.DERIVED:
            scene.review.append((chosen, code, kind.shown_by))
    write_register(scene)


def write_catalogue(folder: Path, contracts: Mapping[str, Contract], seed: int) -> None:
    """What the data bureau lists: every dataset, with a ticket that lasts until the end of a quarter of 2027."""
    quarters = ("2027-03-31", "2027-06-30", "2027-09-30", "2027-12-31")
    entries = [
        {
            "dataset": dataset,
            "provider": contract.provider.zh,
            "form": getattr(contract.delivery, "format", contract.way),
            "purpose": "社会救助家庭经济状况核对",
            "ticket": f"SJ{seed:06d}-{place + 1:03d}",
            "valid_to": quarters[place % len(quarters)],
        }
        for place, (dataset, contract) in enumerate(sorted(contracts.items()))
    ]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "catalogue.json").write_text(
        json.dumps({"entries": entries}, ensure_ascii=False, indent=1) + "\n", "utf-8"
    )


def _write_departments(
    out: Path,
    scene: Scene,
    contracts: Mapping[str, Contract],
    rows: dict[str, Columns],
    dirt: str,
    troubles: Mapping[str, str],
    silent: Mapping[str, Ints],
) -> dict[str, int]:
    """Write every dataset, two at a time: each has its own chance, so the order does not matter."""

    def write(dataset: str) -> list[dict[str, Any]]:
        folder = out / "departments" / contracts[dataset].folder
        nobody = np.zeros(0, np.int64)
        trouble, mute = troubles.get(dataset), silent.get(dataset, nobody)
        return write_dataset(scene, contracts[dataset], rows.pop(dataset), folder, DIRT[dirt], trouble, mute)

    with ThreadPoolExecutor(2) as pool:
        manifests = dict(zip(contracts, pool.map(write, contracts), strict=True))
    return {dataset: sum(int(m["rows"]) for m in files) for dataset, files in manifests.items()}
