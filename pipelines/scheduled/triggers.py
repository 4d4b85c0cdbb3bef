"""Triggers of Airflow's triggerer: nobody's worker is held while a run waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from airflow.sdk.timezone import utcnow
from airflow.triggers.base import BaseEventTrigger, BaseTrigger, TriggerEvent

from pipelines.errors import HeduiError
from pipelines.scheduled import steps


class SourcesThere(BaseTrigger):  # type: ignore[misc]
    """Fires when no source is late any more, or at the cut-off time.

    Args:
        at: the run's moment, ISO 8601: what freshness is judged by.
        cut_off: when waiting ends, ISO 8601.
        look_seconds: between two looks.
    """

    def __init__(self, at: str, cut_off: str, look_seconds: float) -> None:
        super().__init__()
        self.at, self.cut_off, self.look_seconds = at, cut_off, look_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """As Airflow keeps it."""
        kept = {"at": self.at, "cut_off": self.cut_off, "look_seconds": self.look_seconds}
        return f"{type(self).__module__}.{type(self).__qualname__}", kept

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look, wait, look again; tells which are still late."""
        end = datetime.fromisoformat(self.cut_off)
        while True:
            late = await asyncio.to_thread(steps.late_sources, self.at)
            left = (end - utcnow()).total_seconds()
            if not late or left <= 0:
                yield TriggerEvent({"late": late})
                return
            await asyncio.sleep(min(self.look_seconds, left))


class RequestsArrived(BaseEventTrigger):  # type: ignore[misc]
    """Fires for every new set of files, rows or pages that the case system has and no intake has read.

    Events may be lost or come together: the run they wake reads what is there.

    Args:
        look_seconds: between two looks.
    """

    def __init__(self, look_seconds: float) -> None:
        super().__init__()
        self.look_seconds = look_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """As Airflow keeps it."""
        return f"{type(self).__module__}.{type(self).__qualname__}", {"look_seconds": self.look_seconds}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look for ever; a case system that is out of reach is looked for again."""
        told: list[str] = []
        while True:
            try:
                new = await asyncio.to_thread(steps.arrived)
            except HeduiError as error:
                self.log.warning("%s", error)
                new = told
            if set(new) - set(told):
                yield TriggerEvent({"arrived": len(new)})
            told = new
            await asyncio.sleep(self.look_seconds)
