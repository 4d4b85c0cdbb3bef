"""Pages: templates, the words in them, and the links between them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml
from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from connectors.contract import Contract, load_contracts
from pipelines import texts
from pipelines.console import forms
from pipelines.console.access import Visitor
from pipelines.console.guard import Call
from pipelines.console.site import HERE, site
from pipelines.policy import Pack, load_pack, pack_folder
from pipelines.render import both
from pipelines.texts import Text


@cache
def words() -> dict[str, dict[str, Text]]:
    """The console's own words by kind and code."""
    file = resources.files("pipelines.console").joinpath("words.yaml")
    loaded = yaml.safe_load(file.read_text("utf-8"))
    return {kind: {str(code): Text(**text) for code, text in codes.items()} for kind, codes in loaded.items()}


def word(kind: str, code: str | None) -> Text:
    """A word for a code; a code that Airflow may add later stands for itself."""
    return words()[kind].get(str(code).lower()) or Text(str(code), "")


def show(call: Call, template: str, **told: Any) -> HTMLResponse:
    """A page for whoever calls."""
    return HTMLResponse(_drawn(call.request, template, call.visitor, **told))


def above_report(call: Call, **told: Any) -> str:
    """What the console puts over a report: the way back, printing, and the form of an objection."""
    return _drawn(call.request, "above_report.html.j2", call.visitor, **told)


def problem(request: Request, status: int, zh: str, en: str, todo: str) -> HTMLResponse:
    """A page that says what is wrong; it shows nobody's data and needs no login."""
    return HTMLResponse(_drawn(request, "problem.html.j2", None, zh=zh, en=en, todo=todo, status=status), status)


def to(request: Request, *parts: object, note: str = "") -> RedirectResponse:
    """After a form: to the page that shows what became of it."""
    return RedirectResponse(link(request, *parts) + (f"?note={quote(note)}" if note else ""), 303)


def link(request: Request, *parts: object) -> str:
    """The address of a page; parts are codes, never personal data."""
    return "/".join((str(request.scope.get("root_path", "")), *(quote(str(part), safe="") for part in parts)))


@cache
def contracts() -> dict[str, Contract]:
    """The site's contracts, for the titles of its sources."""
    return load_contracts(site().ws.contracts)


def source_title(dataset: str) -> Text:
    """A source's title; its key if its contract is gone."""
    contract = contracts().get(dataset)
    return Text(contract.title.zh, contract.title.en) if contract else Text(dataset, "")


def programme_title(code: str) -> Text:
    """A programme's title in the site's pack; its code if the pack has it no more."""
    here = site().ws
    programme = _pack(here.settings.policy_pack, here.policies).programmes.get(code)
    return Text(programme.title.zh, programme.title.en) if programme else Text(code, "")


@cache
def _pack(name: str, folder: Path | None) -> Pack:
    """Read once: a page shows titles only, and those of a pack that was changed come with the next start."""
    return load_pack(pack_folder(name, folder))


def _drawn(request: Request, template: str, visitor: Visitor | None, **told: Any) -> str:
    here: Callable[..., str] = partial(link, request)
    token = forms.token(visitor.name, site().now().date()) if visitor else ""
    return _environment().get_template(template).render(
        link=here, visitor=visitor, csrf_field=forms.FIELD, csrf_token=token, path=request.url.path, **told
    )  # fmt: skip


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("pipelines.console"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.globals |= {
        "both": both,
        "word": word,
        "text": texts.text,
        "source_title": source_title,
        "programme_title": programme_title,
        "facts": facts,
    }
    environment.filters |= {"moment": moment}
    return environment


def facts(markdown: str) -> Markup:
    """The gate's facts: Markdown without HTML of its own."""
    from markdown_it import MarkdownIt

    return Markup(MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown))  # noqa: S704


def moment(text: str | None) -> str:
    """A moment in the county's time, to the second."""
    from datetime import datetime

    if not text:
        return "—"
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(HERE).strftime("%Y-%m-%d %H:%M:%S")
