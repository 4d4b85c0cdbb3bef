"""The site that the console works on: its workspace and its case store, opened once in a process."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pipelines.batch import Batch
from pipelines.errors import ConfigurationError
from pipelines.keys import KeyRing
from pipelines.ledger import append
from pipelines.settings import Workspace
from pipelines.store import Store

VARIABLE = "HEDUI_WORKSPACE"
HERE = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class Site:
    """A workspace with its opened store."""

    ws: Workspace
    store: Store

    def ring(self) -> KeyRing:
        """The site's keys."""
        return KeyRing.open(self.ws.settings.keys, self.ws.root)

    def now(self) -> datetime:
        """The moment of a person's action, in the county's time; a made-up county's calendar may stand days back."""
        back = timedelta(days=int(os.environ.get("HEDUI_DAYS_BACK", "0")))
        return (self.store.clock() - back).astimezone(HERE).replace(microsecond=0)

    def batch(self, batch_id: str) -> Batch:
        """One of the site's batches."""
        return Batch.open(self.ws.batches, batch_id)

    def remember(self, kind: str, subject: str, detail: dict[str, Any]) -> None:
        """One entry in the ledger."""
        append(self.store, kind, None, subject, detail)


def site() -> Site:
    """The site that HEDUI_WORKSPACE names.

    Raises:
        ConfigurationError: the variable is not set.
    """
    folder = os.environ.get(VARIABLE)
    if not folder:
        raise ConfigurationError(VARIABLE, "-", "is not set in the environment of Airflow's API server")
    root = Path(folder)
    return _opened(root, (root / "hedui.yaml").stat().st_mtime_ns if (root / "hedui.yaml").exists() else 0)


@cache
def _opened(root: Path, _changed: int) -> Site:
    """The workspace as its hedui.yaml was last changed."""
    ws = Workspace.open(root)
    return Site(ws, _store(ws.store_url))


@cache
def _store(url: str) -> Store:
    return Store.open(url)
