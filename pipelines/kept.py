"""What a batch was planned with, kept beside it: an edited pack changes nothing of an earlier report (R66).

The policy pack is kept by its digest in the case store, with every pack that it extends, as the files that they are.
The contracts lie in the batch's folder. Neither holds personal data.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from connectors.contract import CONTRACTS
from pipelines.batch import Batch, write_json
from pipelines.errors import HeduiError
from pipelines.policy import Pack, pack_folder
from pipelines.store import Store, insert_new
from pipelines.tables import policy_packs

PACK, FOLDER = "pack.json", "contracts"


@dataclass(eq=False)
class PackNotKeptError(HeduiError):
    """The pack that a batch was planned with was not kept."""

    batch: str

    zh = "批次 {batch} 所用的政策包未保存"
    en = "the policy pack of batch {batch} was not kept"
    todo = "batches keep their pack since schema 0002; verify the request anew"
    exit_code = 2


def keep(store: Store, batch: Batch, pack: Pack, contracts: Path | None) -> None:
    """Keep what a batch is planned with; what is there already stays.

    Args:
        store: takes the pack's files.
        batch: its folder takes the name and digest of the pack, and the contracts.
        pack: as loaded.
        contracts: folder of the contracts, None for the shipped ones.
    """
    row = {"digest": pack.digest, "pack": pack.id, "version": pack.version, "kept_at": store.now()}
    with store.read() as connection:
        known = connection.scalar(sa.select(policy_packs.c.digest).where(policy_packs.c.digest == pack.digest))
    if known is None:
        with store.begin() as connection:
            insert_new(connection, policy_packs, [row | {"files": json.dumps(_files(pack), ensure_ascii=False)}])
    write_json(batch.folder / PACK, {key: row[key] for key in ("digest", "pack", "version")})
    target = batch.folder / FOLDER
    if not target.exists():
        temporary = target.with_name(f".{FOLDER}.part")
        shutil.rmtree(temporary, ignore_errors=True)
        ignored = shutil.ignore_patterns("__pycache__", "*.py")
        shutil.copytree(contracts or CONTRACTS, temporary, ignore=ignored)
        temporary.rename(target)


def _files(pack: Pack) -> dict[str, str]:
    """Path → text of a pack's files and of those that it extends."""
    found = {}
    folder = pack.folder
    for name in pack.lineage:
        folder = pack.folder if name == pack.id else pack_folder(name, folder.parent)
        for file in sorted(folder.rglob("*.yaml")):
            found[f"{name}/{file.relative_to(folder)}"] = file.read_text("utf-8")
    return found


def put_back(store: Store, batch: Batch, folder: Path) -> str:
    """Write the pack that a batch was planned with, and those that it extends, as folders.

    Args:
        store: has it.
        batch: names it.
        folder: takes them, each under its id; use it as ``policies`` of a workspace.

    Returns:
        the id of the pack.

    Raises:
        PackNotKeptError: the batch is of a time before packs were kept.
    """
    named = batch.folder / PACK
    document = json.loads(named.read_text("utf-8")) if named.exists() else {"digest": ""}
    with store.read() as connection:
        text = connection.scalar(sa.select(policy_packs.c.files).where(policy_packs.c.digest == document["digest"]))
    if text is None:
        raise PackNotKeptError(batch.id)
    for path, content in json.loads(text).items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, "utf-8")
    return str(document["pack"])
