"""The two ends of the case system, as hedui.yaml names them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.case_folder import FolderEnd
from connectors.case_model import ReportsEnd, RequestsEnd
from pipelines.errors import ConfigurationError
from pipelines.settings import CaseSystem, Workspace

if TYPE_CHECKING:
    from connectors.case_database import DatabaseEnd
    from connectors.case_http import HttpEnd


def requests_end(ws: Workspace) -> RequestsEnd:
    """The end that hedui.yaml names under case_systems.requests."""
    return _open(ws.settings.case_systems.requests, ws, "requests")


def reports_end(ws: Workspace) -> ReportsEnd:
    """The end that hedui.yaml names under case_systems.reports."""
    return _open(ws.settings.case_systems.reports, ws, "reports")


def _open(settings: CaseSystem, ws: Workspace, field: str) -> FolderEnd | DatabaseEnd | HttpEnd:
    # The ways that this site does not go are not imported: staff wait for one household's report.
    token = ws.path(settings.token_file).read_text("utf-8").strip() if settings.token_file else None
    if settings.kind == "folder" and settings.path is not None:
        return FolderEnd(ws.path(settings.path))
    if settings.kind == "database" and settings.url:
        from connectors.case_database import DatabaseEnd

        return DatabaseEnd(settings.url, settings.table or field)
    if settings.kind == "http" and settings.url:
        from connectors.case_http import HttpEnd

        return HttpEnd(settings.url, token)
    missing = "path" if settings.kind == "folder" else "url"
    raise ConfigurationError("hedui.yaml", f"case_systems.{field}.{missing}", "is needed")
