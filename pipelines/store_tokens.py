"""Persons' tokens in the case store: as text, as Arrow, and carried over to a new key epoch (R19)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa
import sqlalchemy as sa

from pipelines import tables
from pipelines.errors import EpochMixedError, HeduiError
from pipelines.ledger import Entry, append_within
from pipelines.store import Store

ROTATION, CIPHER = "key_rotation", "token_cipher"


@dataclass(eq=False)
class RotationUnfinishedError(HeduiError):
    """The keys and the case store are not at the same epoch: new tokens would not meet the store's (R19)."""

    keys: str
    store: str

    zh = "密钥为第 {keys} 期，案件库的令牌为第 {store} 期"
    en = "the keys are at epoch {keys}, the case store's tokens at epoch {store}"
    todo = "finish the rotation with: hedui keys rotate, then run the same command again"


@dataclass(eq=False)
class TokenCipherChangedError(HeduiError):
    """hedui.yaml names another cipher than the one that the store's tokens were made with: nobody would be found."""

    cipher: str
    before: str

    zh = "配置的令牌算法为 {cipher}，案件库的令牌由 {before} 生成"
    en = "token_cipher is {cipher}, the case store's tokens were made with {before}"
    todo = "set token_cipher back to {before} in hedui.yaml; another cipher begins with a new case store"
    exit_code = 2


def require_cipher(store: Store, cipher: str) -> None:
    """Make sure that the store's tokens are all made with one cipher; its first is noted in the ledger.

    Raises:
        TokenCipherChangedError: the store began with another.
    """
    table = tables.ledger
    with store.begin() as connection:
        before = connection.scalars(sa.select(table.c.subject).where(table.c.kind == CIPHER)).first()
        if before is None:
            append_within(connection, [Entry(CIPHER, "", cipher, {})], store.now())
        elif before != cipher:
            raise TokenCipherChangedError(cipher, before)


def token_epoch(connection: sa.Connection) -> int:
    """The key epoch of the store's tokens; 1 until the first rotation."""
    table = tables.ledger
    query = sa.select(table.c.subject).where(table.c.kind == ROTATION, table.c.batch_id == "")
    return max(map(int, connection.scalars(query)), default=1)


def require_epoch(connection: sa.Connection, epoch: int) -> None:
    """Make sure that tokens of ``epoch`` may be kept beside the store's.

    Whoever writes tokens asks this at the end of the same transaction: a rotation waits for it, or has been seen.

    Raises:
        RotationUnfinishedError: the store's tokens are of another epoch.
    """
    found = token_epoch(connection)
    if found != epoch:
        raise RotationUnfinishedError(str(epoch), str(found))


def retoken(store: Store, change: Callable[[pa.Array], pa.Array], epoch: int) -> int:
    """Replace every person's token by its token of a new key epoch, all or none, with an entry in the ledger (R19).

    Args:
        store: the case store.
        change: tokens of the store's epoch (UUID array) to tokens of the new one, in the same order.
        epoch: the new epoch; a store that is at it already is left alone.

    Returns:
        how many rows were changed.

    Raises:
        EpochMixedError: the store holds tokens of another epoch than its own.
    """
    table = tables.members
    key = (table.c.request_id, table.c.application, table.c.member_no)
    with store.begin() as connection:
        if connection.dialect.name == "postgresql":
            # No writer between reading and noting it; SQLite has its one write lock already.
            connection.exec_driver_sql("LOCK TABLE members IN SHARE ROW EXCLUSIVE MODE")
        old = token_epoch(connection)
        if old >= epoch:
            return 0
        query = sa.select(*key, table.c.person, table.c.epoch).where(table.c.person.is_not(None))
        rows = connection.execute(query.order_by(*key)).all()
        if strange := {row.epoch for row in rows} - {old}:
            raise EpochMixedError(", ".join(map(str, sorted(strange))), str(old))
        new = token_texts(change(token_array([row.person for row in rows])))
        values = [
            {"r": row.request_id, "a": row.application, "m": row.member_no, "token": token, "new_epoch": epoch}
            for row, token in zip(rows, new, strict=True)
        ]
        where = sa.and_(*(c == sa.bindparam(p) for c, p in zip(key, "ram", strict=True)))
        update = sa.update(table).where(where).values(person=sa.bindparam("token"), epoch=sa.bindparam("new_epoch"))
        if values:
            connection.execute(update, values)
        entry = Entry(ROTATION, "", str(epoch), {"from": old, "to": epoch, "tokens": len(rows)})
        append_within(connection, [entry], store.now())
        return len(rows)


def token_texts(tokens: pa.Array) -> list[str | None]:
    """Tokens (UUID array) as 32 hexadecimal digits each, as the store keeps them."""
    storage = tokens.storage if isinstance(tokens, pa.ExtensionArray) else tokens
    return [None if value is None else value.hex() for value in storage.to_pylist()]


def token_array(texts: Sequence[str | None]) -> pa.Array:
    """The inverse of ``token_texts``."""
    storage = pa.array([None if text is None else bytes.fromhex(text) for text in texts], pa.binary(16))
    return pa.ExtensionArray.from_storage(pa.uuid(), storage)
