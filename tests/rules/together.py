"""All golden stories assessed in one run: what takes half a second for one story takes little more for all of them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import duckdb
import yaml

from tests.rules.household import Household, Story, Told, assessed

GOLDEN = Path(__file__).parent / "golden"
# What holds for everybody on a connection: a story that tells it its own way is assessed alone.
FOR_ALL = ("failed_gates", "exchange_rates")


@cache
def stories() -> dict[str, Story]:
    """Every golden story by its id."""
    files = sorted(GOLDEN.glob("*.yaml"))
    loaded = (yaml.load(file.read_text("utf-8"), Loader=yaml.CSafeLoader) for file in files)
    return {story["id"]: story for told in loaded for story in told}


def household(name: str) -> Household:
    """A golden story, assessed under its id as its request; its policy's number is its place among all stories."""
    story = stories()[name]
    if set(FOR_ALL) & story.keys():
        return Household(_assessed((name,)), story)
    return Household(_assessed(_together()), story, f"request_id = '{name}'")


@cache
def _together() -> tuple[str, ...]:
    return tuple(name for name, story in stories().items() if not set(FOR_ALL) & story.keys())


@cache
def _assessed(names: tuple[str, ...]) -> duckdb.DuckDBPyConnection:
    numbers = {name: number for number, name in enumerate(stories())}
    return assessed([Told(stories()[name], name, numbers[name]) for name in names])
