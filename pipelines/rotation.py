"""Rotation of the token keys: the next epoch begins and the case store's tokens follow it (R19).

The epoch is named first, in ``keys/epochs.json``, where every process takes it from; then the tokens change and the
ledger notes it, in one transaction. Killed in between, both disagree: nothing is taken in or planned until the same
command has been run again. Batches stay as they are, each under the epoch it was made with, whose keys can still be
derived.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from pipelines.keys import KeyRing
from pipelines.pseudonyms import Tokeniser
from pipelines.settings import Workspace
from pipelines.store import Store
from pipelines.store_tokens import retoken, token_epoch

_log = structlog.get_logger()


@dataclass(frozen=True)
class Rotation:
    """What a rotation did: the epoch that holds now, and how many of the case store's tokens were carried over."""

    epoch: int
    tokens: int


def rotate(ws: Workspace) -> Rotation:
    """Begin the next epoch, or finish a rotation that was cut short.

    Args:
        ws: its keys and its case store.

    Raises:
        TokenUnreadableError: the store's tokens are not of its epoch (another root key, or another cipher); nothing
            in the store was changed.
    """
    keyring = KeyRing.open(ws.settings.keys, ws.root)
    store = Store.open(ws.store_url)
    try:
        with store.read() as connection:
            old = token_epoch(connection)
        # From the store, not from the keys' own count: a rotation that was cut short is finished, not doubled.
        epoch = old + 1
        keyring.begin(epoch)
        tokeniser = Tokeniser(keyring, epoch, ws.settings.token_cipher)
        changed = retoken(store, lambda tokens: tokeniser.retoken(tokens, old), epoch)
    finally:
        store.close()
    _log.info("keys.rotated", epoch=epoch, tokens=changed)
    return Rotation(epoch, changed)
