"""The difference between two versions of a report in words: a page without a script, and lines for a terminal."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from pipelines import texts
from pipelines.render import both, interval
from pipelines.versions import Difference

KINDS = (
    ("figure", "数字与结论", "Figures and conclusions"),
    ("item", "收入和财产项目", "Items of income and property"),
    ("source", "数据来源", "Sources"),
    ("member", "核对人员", "Persons"),
)
ANSWERS = ("result", "declaration", "limits")
NOTHING = "无"


def html(difference: Difference) -> str:
    """Draw the page."""
    return str(_template().render(d=difference, kinds=KINDS))


@cache
def _template() -> Any:
    environment = Environment(
        loader=PackageLoader("pipelines"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"said": said}
    environment.globals |= {"both": both}
    return environment.get_template("difference.html.j2")


def said(value: Any, kind: str) -> str:
    """What one version said of something, in words."""
    if value is None:
        return NOTHING
    if kind == "figure":
        return _answer(value) if isinstance(value, str) else interval(value, value["unit"])
    if kind == "item":
        return "；".join(_item(item) for item in value)
    if kind == "source":
        return "；".join(_state(line) for line in value)
    return texts.text("why", value["why"]).zh


def _answer(code: str) -> str:
    found = (texts.texts()[kind].get(code) for kind in ANSWERS)
    return next((f"{words.zh} {words.en}" for words in found if words), code)


def _item(item: dict[str, Any]) -> str:
    counted, amount = item["counted"], item["amount"]
    count = amount is None
    told = interval(counted, "count" if count else "fen")
    words = [texts.text("treatment", item["treatment"]).zh]
    if item["reason"]:
        words.append(texts.reason(item["reason"]).zh)
    stated = "" if count else f"，来源所载 {interval({'low': amount, 'high': amount})}"
    return f"计入 {told}{stated}（{'：'.join(words)}）"


def _state(line: dict[str, Any]) -> str:
    state = texts.text("coverage", line["state"]).zh
    unread = f"，{line['quarantined']} 条未采用" if line["quarantined"] else ""
    return f"{line['member']} {state}{unread}"
