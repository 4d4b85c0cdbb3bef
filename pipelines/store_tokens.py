"""Persons' tokens in the case store: as text, as Arrow, and carried over to a new key epoch (R19)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa
import sqlalchemy as sa

from pipelines import tables
from pipelines.store import Store


def retoken(store: Store, change: Callable[[pa.Array], pa.Array], epoch: int) -> int:
    """Replace every person's token by its token of a new key epoch, all or none (R19).

    Args:
        store: the case store.
        change: tokens of the old epoch (UUID array) to tokens of the new one, in the same order.
        epoch: the new epoch; rows that are in it already are left alone.

    Returns:
        how many rows were changed.
    """
    table = tables.members
    key = (table.c.request_id, table.c.application, table.c.member_no)
    with store.begin() as connection:
        query = sa.select(*key, table.c.person).where(table.c.person.is_not(None), table.c.epoch != epoch)
        rows = connection.execute(query.order_by(*key)).all()
        if not rows:
            return 0
        new = token_texts(change(token_array([row.person for row in rows])))
        values = [
            {"r": row.request_id, "a": row.application, "m": row.member_no, "token": token, "new_epoch": epoch}
            for row, token in zip(rows, new, strict=True)
        ]
        where = sa.and_(*(c == sa.bindparam(p) for c, p in zip(key, "ram", strict=True)))
        update = sa.update(table).where(where)
        connection.execute(update.values(person=sa.bindparam("token"), epoch=sa.bindparam("new_epoch")), values)
        return len(rows)


def token_texts(tokens: pa.Array) -> list[str | None]:
    """Tokens (UUID array) as 32 hexadecimal digits each, as the store keeps them."""
    storage = tokens.storage if isinstance(tokens, pa.ExtensionArray) else tokens
    return [None if value is None else value.hex() for value in storage.to_pylist()]


def token_array(texts: Sequence[str | None]) -> pa.Array:
    """The inverse of ``token_texts``."""
    storage = pa.array([None if text is None else bytes.fromhex(text) for text in texts], pa.binary(16))
    return pa.ExtensionArray.from_storage(pa.uuid(), storage)
