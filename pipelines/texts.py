"""What codes mean, in Chinese and English: read once from data/texts.yaml, the same for JSON, HTML and commands."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import NamedTuple

import pyarrow as pa
import yaml

from pipelines.errors import HeduiError


class Text(NamedTuple):
    """One text in both languages."""

    zh: str
    en: str


@dataclass(eq=False)
class CodeWithoutTextError(HeduiError):
    """A code would reach a reader without words for it."""

    kind: str
    code: str

    zh = "代码 {kind}/{code} 没有中文和英文说明"
    en = "code {code} of kind {kind} has no text"
    todo = "add it to pipelines/data/texts.yaml"


@cache
def texts() -> dict[str, dict[str, Text]]:
    """Every text by kind and code."""
    file = resources.files("pipelines").joinpath("data/texts.yaml")
    loaded = yaml.load(file.read_text("utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both safe
    return {kind: {str(code): Text(**words) for code, words in codes.items()} for kind, codes in loaded.items()}


def text(kind: str, code: str) -> Text:
    """The text of a code.

    Raises:
        CodeWithoutTextError: there is none.
    """
    found = texts().get(kind, {}).get(code)
    if found is None:
        raise CodeWithoutTextError(kind, code)
    return found


def reason(code: str) -> Text:
    """Why an item has its treatment: a reason of its own, or one of the review reasons."""
    return texts()["reason"].get(code) or text("review", code)


def table(kind: str) -> pa.Table:
    """The texts of one kind as (code, zh, en), for SQL to join."""
    codes = texts()[kind]
    return pa.table({"code": list(codes), "zh": [t.zh for t in codes.values()], "en": [t.en for t in codes.values()]})
