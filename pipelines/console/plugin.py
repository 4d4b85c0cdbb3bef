"""What Airflow loads: the console's app under /hedui, and its entry in the menu.

Every process of Airflow imports this module (scheduler, tasks, API server alike), so the app itself is imported with
the first call of a page.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from typing import Any, ClassVar

from airflow.plugins_manager import AirflowPlugin

PREFIX = "/hedui"
AIRFLOW = "hedui.airflow"  # where a call's scope keeps Airflow's own app, whose REST API the console uses
Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]


async def console(
    scope: Scope, receive: Callable[[], Awaitable[Event]], send: Callable[[Event], Awaitable[None]]
) -> None:
    """The console as an ASGI application."""
    scope[AIRFLOW] = scope.get("app")
    await _app()(scope, receive, send)


@cache
def _app() -> Any:
    from pipelines.console.app import create_app

    return create_app()


class HeduiConsole(AirflowPlugin):  # type: ignore[misc]
    """核对中心."""

    name = "hedui_console"
    fastapi_apps: ClassVar[list[Any]] = [{"app": console, "url_prefix": PREFIX, "name": "核对中心"}]
    # An external view would stand in a frame that forbids printing, or, without a route, as a button that does nothing
    # (Airflow 3.3); so the entry is a component of three lines that goes to the console.
    react_apps: ClassVar[list[Any]] = [
        {
            "name": "核对中心",
            "bundle_url": f"{PREFIX.lstrip('/')}/static/menu.js",
            "url_route": "hedui",
            "destination": "nav",
            "nav_top_level": True,
        }
    ]
