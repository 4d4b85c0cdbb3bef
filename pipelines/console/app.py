"""The console as a FastAPI application: its routes, its headers, and pages for what goes wrong."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Awaitable, Callable
from importlib import resources
from pathlib import Path
from typing import Any

import structlog
from airflow.api_fastapi.app import get_auth_manager
from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException as StarletteHTTPException

from pipelines.console import finding, overseeing, reading, running
from pipelines.console.airflow_api import AirflowRefusedError
from pipelines.console.forms import SAFE, ForeignFormError
from pipelines.console.guard import NoSuchThingError, NotAllowedError
from pipelines.console.pages import problem
from pipelines.errors import ConfigurationError, HeduiError, where

STATIC = Path(__file__).parent / "static"
_UNKNOWN, _FORBIDDEN = 401, 403
_STATUS: tuple[tuple[type[HeduiError], int], ...] = (
    (NotAllowedError, 403),
    (ForeignFormError, 403),
    (NoSuchThingError, 404),
    (AirflowRefusedError, 502),
    (ConfigurationError, 500),
)
_SAID = {
    400: ("请求有误", "bad request"), 401: ("请先登录", "log in first"), 403: ("没有权限", "not allowed"),
    404: ("没有找到", "not found"), 405: ("此页面不能这样打开", "this page cannot be opened this way"),
    422: ("填写的内容不完整或不符合要求", "what was filled in is incomplete or not as it should be"),
}  # fmt: skip
_log = structlog.get_logger()


def create_app() -> FastAPI:
    """The console; Airflow mounts it under /hedui."""
    app = FastAPI(title="核对中心", docs_url=None, redoc_url=None, openapi_url=None)
    for router in (finding.router, reading.router, running.router, overseeing.router):
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.middleware("http")(_with_headers)
    app.exception_handler(HeduiError)(_refused)
    app.exception_handler(StarletteHTTPException)(_failed)
    app.exception_handler(RequestValidationError)(_incomplete)
    return app


def policy() -> str:
    """The content security policy: no script but our own file, no style but our own and the report's."""
    css = resources.files("pipelines").joinpath("templates/report.css").read_text("utf-8")
    # as the template puts it between the tags of <style>: an include drops the last end of line
    digest = base64.b64encode(hashlib.sha256(b"\n" + css.removesuffix("\n").encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'self' 'sha256-{digest}'; script-src 'self'; img-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


HEADERS = {
    "Content-Security-Policy": policy(),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


async def _with_headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    try:
        response = await call_next(request)
    except Exception as error:  # its text could quote a value: class and place only
        _log.error("console.failed", error=where(error))
        response = problem(request, 500, "系统出错", "something went wrong", "请告知系统管理员 / tell an administrator")
    for name, value in HEADERS.items():
        response.headers[name] = value
    return response


async def _refused(request: Request, error: Exception) -> Response:
    """An error of ours: its words, for whoever caused it."""
    if not isinstance(error, HeduiError):
        raise error
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 409)
    _log.warning("console.refused", error=type(error).__name__, status=status)
    told = error.fields()
    return problem(request, status, error.zh.format(**told), error.en.format(**told), error.todo.format(**told))


async def _failed(request: Request, error: Exception) -> Response:
    """Whoever is not logged in goes to Airflow's login and comes back; the rest is told in words."""
    status = error.status_code if isinstance(error, StarletteHTTPException | HTTPException) else 500
    if status == _UNKNOWN and request.method in SAFE:
        return RedirectResponse(get_auth_manager().get_url_login(next_url=request.url.path), 303)
    zh, en = _SAID.get(status, ("出错", "failed"))
    return problem(request, status, zh, en, "")


async def _incomplete(request: Request, error: Any) -> Response:
    """A form that does not hold what it should; what was typed is not repeated."""
    fields = sorted({str(one["loc"][-1]) for one in error.errors()})
    return problem(request, 422, *_SAID[422], "、".join(fields))
