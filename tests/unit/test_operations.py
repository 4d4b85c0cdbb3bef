"""docs/operations.md is held against the code: log events, metrics, lines to type."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/operations.md").read_text("utf-8")
LEVELS = {"debug", "info", "warning", "error", "critical", "exception"}


def table(heading: str) -> list[list[str]]:
    """The rows of the first table below a heading, without its head."""
    section = PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def events() -> dict[str, tuple[str, set[str]]]:
    """Every event that the code logs: its level and the fields that are named there."""
    found = {}
    for folder in ("connectors", "pipelines", "expectations", "dags"):
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                    continue
                logger, level = node.func.value, node.func.attr
                if isinstance(logger, ast.Name) and logger.id.strip("_") in {"log", "logger"} and level in LEVELS:
                    assert isinstance(node.args[0], ast.Constant), f"{file}: an event has a fixed name"
                    fields = {keyword.arg for keyword in node.keywords if keyword.arg}
                    found[str(node.args[0].value)] = (level, fields)
    return found


def test_the_table_of_log_events_is_the_codes() -> None:
    told = {row[0].strip("`"): (row[1], set(re.findall(r"`(\w+)`", row[2]))) for row in table("Log events")}
    code = events()
    assert sorted(told) == sorted(code), "docs/operations.md, Log events"
    for event, (level, fields) in code.items():
        assert told[event][0] == level, event
        assert fields <= told[event][1], event


def test_every_metric_is_one_of_airflow_that_is_installed() -> None:
    import airflow._shared.observability.metrics as metrics

    file = Path(metrics.__file__).parent / "metrics_template.yaml"
    known = {metric["name"] for metric in yaml.safe_load(file.read_text("utf-8"))["metrics"]}
    told = {row[0].strip("`") for row in table("Metrics")}
    assert told
    assert told <= known


def test_every_command_and_path_exists() -> None:
    from pipelines import cli

    for line in re.findall(r"hedui ((?:[a-z]+ ?)+)", PAGE):
        words = line.split()
        names = {command.name or command.callback.__name__ for command in cli.app.registered_commands}  # type: ignore[union-attr]
        groups = {group.name for group in cli.app.registered_groups}
        assert words[0] in names | groups, line
    for link in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (ROOT / "docs" / link).exists(), link
    for error in re.findall(r"`(\w+Error)`", PAGE):
        assert any(f"class {error}(" in file.read_text("utf-8") for file in (ROOT / "pipelines").rglob("*.py")), error
