"""Reports issued from golden households, for the tests that read them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from connectors.contract import load_contracts
from pipelines import constants, report
from pipelines.batch import Batch
from pipelines.settings import Limits
from pipelines.store import Store
from pipelines.warehouse import connect
from tests.assessed import DATA_KEY, STORIES, PlainOpener, write

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ID_KEY = b"a key of report ids"


def issue(batch: Batch, store: Store, limits: Limits | None = None) -> dict[str, object]:
    """The report stage without keys and settings of a workspace."""
    with connect(DATA_KEY, limits) as con:
        constants.prepare(con, batch, load_contracts())
        return report.Issue(con, batch, store, ID_KEY, PlainOpener(), report.Box.of(DATA_KEY)).run(KEY)


def contents(batch: Batch) -> dict[str, bytes]:
    """Reports as delivered, by request."""
    return {document.request_id: document.content for document in report.documents(batch, DATA_KEY)}


def issue_new(folder: Path, chosen: Sequence[str] = STORIES, limits: Limits | None = None) -> dict[str, bytes]:
    """Reports of stories in a workspace of their own."""
    batch = write(folder / "batches", chosen)
    store = Store.open(f"sqlite:///{folder}/store.sqlite")
    issue(batch, store, limits)
    store.close()
    return contents(batch)


@cache
def all_issued() -> dict[str, bytes]:
    """Reports of all stories, issued once in a run of the tests."""
    with tempfile.TemporaryDirectory() as folder:
        return issue_new(Path(folder))


def issued() -> dict[str, dict[str, Any]]:
    """Every report of the stories, parsed anew, by request."""
    return {request: json.loads(text) for request, text in all_issued().items()}
