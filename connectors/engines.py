"""SQLAlchemy engines whose errors never quote a value: a driver's own message may show the whole row it refused."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa


def discreet_engine(url: str | sa.URL, **options: Any) -> sa.Engine:
    """An engine as ``sqlalchemy.create_engine`` makes it, of whose errors only class, SQLSTATE and places are left.

    PostgreSQL says "Failing row contains (…)" and "Key (…)=(…) already exists": no log and no traceback may have that.

    Args:
        url: of the database.
        options: of ``create_engine``.
    """
    engine = sa.create_engine(url, hide_parameters=True, **options)
    sa.event.listen(engine, "handle_error", _without_values)
    return engine


def _without_values(context: Any) -> None:
    original, wrapped = context.original_exception, context.sqlalchemy_exception
    told = _places(original)
    original.args = (told,)
    if wrapped is not None:
        wrapped.args = (f"({type(original).__name__}) {told}",)


def _places(error: BaseException) -> str:
    """SQLSTATE, table, column and constraint of a driver's error, as far as it names them."""
    diagnosis = getattr(error, "diag", None)
    parts = [("sqlstate", getattr(error, "sqlstate", None) or getattr(error, "sqlite_errorname", None))]
    parts += [(name, getattr(diagnosis, f"{name}_name", None)) for name in ("table", "column", "constraint")]
    return " ".join(f"{name}={value}" for name, value in parts if value) or type(error).__name__
