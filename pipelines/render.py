"""A report as one HTML page for a township office, drawn from the JSON alone: Chinese first, English beside it.

The page needs no network, no script and no font of its own. It prints to A4 with every fold open.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from itertools import groupby
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from pipelines import explain, texts

Json = dict[str, Any]
BAR_WIDTH = 300
DASH = "—"
NEVER_UNCOVERED = ("covered", "not_asked")


def html(document: Json, above: Markup | None = None) -> str:
    """Draw a report.

    Args:
        document: a report as issued (report.schema.json).
        above: what a program that shows the page puts over it; it is not printed.

    Returns:
        A self-contained page. ID numbers are masked; the JSON has them in full.
    """
    return str(_template().render(r=document, v=View(document), above=above))


@cache
def _template() -> Any:
    environment = Environment(
        loader=PackageLoader("pipelines"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {
        "yuan": yuan, "masked": masked, "month": _month, "short": lambda digest: digest[:8] if digest else DASH,
        "both": both, "interval": interval, "last_day": last_day, "share": share,
    }  # fmt: skip
    environment.globals |= {"text": texts.text, "reason_text": texts.reason, "both": both, "DASH": DASH}
    return environment.get_template("report.html.j2")


def yuan(fen: int | None) -> str:
    """Fen as yuan with thousands separators; unbounded is 不限.

    >>> yuan(-123456789)
    '-1,234,567.89'
    """
    if fen is None:
        return "不能确定"
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100:,}.{abs(fen) % 100:02d}"


def share(basis_points: int) -> str:
    """A share in basis points as a percentage.

    >>> share(5000), share(3333)
    ('50%', '33.33%')
    """
    whole, rest = divmod(basis_points, 100)
    return f"{whole}%" if not rest else f"{whole}.{rest:02d}%"


def masked(number: str | None) -> str:
    """An ID number with its middle hidden.

    >>> masked("38031019800101001X")
    '3803**********001X'
    """
    if not number:
        return "尚无"
    if len(number) < 10:
        return "*" * len(number)
    return number[:4] + "*" * (len(number) - 8) + number[-4:]


def both(text: texts.Text | Json) -> Markup:
    """A text in Chinese with its English small beside it."""
    zh, en = (text["zh"], text["en"]) if isinstance(text, dict) else text
    return Markup('{} <span class="en" lang="en">{}</span>').format(zh, en) if en else escape(zh)


def last_day(after: str) -> str:
    """The last day of a period whose end is given as the day after it."""
    return (date.fromisoformat(after) - timedelta(days=1)).isoformat()


def _month(period: Json) -> str:
    """A period as months where it is whole months, else as days."""
    first, last = period["from"], last_day(period["to"])
    if first.endswith("-01") and period["to"].endswith("-01"):
        return first[:7] if first[:7] == last[:7] else f"{first[:7]} 至 {last[:7]}"
    return f"{first} 至 {last}"


def interval(value: Json | None, unit: str = "fen", measure: str = "") -> str:
    """An interval in words: one value, from–to, or 至少 when nothing bounds it."""
    if value is None or value["low"] is None:
        return DASH

    def one(amount: int) -> str:
        if unit == "bp":
            return f"{amount // 100}.{amount % 100:02d} %"
        return yuan(amount) if unit == "fen" else f"{amount:,}"

    name = " 元" if unit == "fen" else f" {measure}" if measure else ""
    if value["high"] is None:
        return f"至少 {one(value['low'])}{name}，上限不能确定"
    if value["low"] == value["high"]:
        return one(value["low"]) + name
    return f"{one(value['low'])} 至 {one(value['high'])}{name}"


@dataclass(frozen=True)
class Bar:
    """A figure against its limit, in pixels: sure up to ``sure``, uncertain up to ``open_to``, limit at ``limit``."""

    sure: int
    open_to: int
    unbounded: bool
    limit: int

    @classmethod
    def of(cls, test: Json) -> Bar:
        """Scale a test so that limit and interval are both in view."""
        low, high, limit = int(test["value"]["low"]), test["value"]["high"], int(test["limit"])
        full = max(limit * 14 // 10 + 1, low * 11 // 10, (high or 0) * 11 // 10, 1)
        if test["unit"] == "count":
            full = max(full, limit + 1, low + 1)

        def at(amount: int) -> int:
            return amount * BAR_WIDTH // full

        return cls(at(low), BAR_WIDTH if high is None else at(high), high is None, at(limit))


class View:
    """What the template asks of a report beyond its fields: names for numbers, and lines that belong together."""

    def __init__(self, document: Json) -> None:
        self._document = document
        self._names = {m["member"]: m["name"] for m in document["members"]}
        self._sources = {s["dataset"]: s for s in document["sources"]}
        self._drawn: set[str] = set()
        self.counted = sum(1 for m in document["members"] if m["counted"])

    def name(self, member: int | None) -> str:
        """A member's name; the household if none."""
        return "全户" if member is None else self._names.get(member, f"成员 {member}")

    def names(self, members: Iterable[int]) -> str:
        """Several members' names."""
        return "、".join(self.name(member) for member in members)

    def label(self, item: Json) -> str:
        """What a thing is; the use of real estate is a code with words."""
        words = texts.texts()["use"].get(item["label"] or "")
        return words.zh if words else item["label"] or ""

    def title(self, dataset: str | None) -> Markup:
        """A source's title in both languages."""
        source = self._sources.get(dataset or "")
        return both(source["title"]) if source else escape(dataset or "")

    def reasons(self) -> list[Json]:
        """Review reasons; what is the same of several members, or of several sources, is told once."""
        lines: dict[tuple[Any, ...], Json] = {}
        for reason in self._document["conclusion"]["review"]:
            key = (reason["code"], reason["dataset"], reason["item"], reason["rule"])
            line = lines.setdefault(key, reason | {"members": [], "facts": []})
            line["members"].append(self.name(reason["member"]))
            line["facts"] = line["facts"] + reason["facts"]
        told: dict[tuple[Any, ...], Json] = {}
        for line in lines.values():
            names = "、".join(dict.fromkeys(line["members"]))
            # evidence belongs to its source, so lines with evidence stay apart
            alike = (line["code"], line["item"], names, line["dataset"] if line["facts"] else None)
            told.setdefault(alike, line | {"names": names, "datasets": []})["datasets"].append(line["dataset"])
        return list(told.values())

    def uncovered(self) -> list[Json]:
        """Sources that were not answered, with the members and the state, as the clerk reads them."""
        rows = [c for c in self._document["coverage"] if c["state"] not in NEVER_UNCOVERED]
        order = sorted(rows, key=lambda c: (self._required(c["dataset"]), c["dataset"], c["state"], c["members"]))
        return [
            {"dataset": dataset, "state": state, "required": not self._required(dataset),
             "names": self.names(member for c in listed for member in c["members"])}
            for (dataset, state), listed in groupby(order, key=lambda c: (c["dataset"], c["state"]))
        ]  # fmt: skip

    def _required(self, dataset: str) -> bool:
        """False sorts first: required sources before optional ones."""
        return bool(self._sources.get(dataset, {}).get("requirement") != "required")

    def quarantined(self) -> list[Json]:
        """Sources in which rows about a member could not be used."""
        return [c for c in self._document["coverage"] if c["quarantined"]]

    def bar(self, test: Json) -> Bar:
        """The drawing of a test."""
        return Bar.of(test)

    def per(self, test: Json) -> Json | None:
        """The figure at the scale of the published limit, rounded down; None where that is the household itself."""
        heads = self.counted if test["scale"] != "household" else 1
        months = self._document["window"]["months"] if test["scale"] == "per_head_month" else 1
        if test["scale"] == "household" or not heads:
            return None
        low, high = test["value"]["low"], test["value"]["high"]
        return {"low": low // (heads * months), "high": None if high is None else high // (heads * months)}

    def measure(self, figure: str) -> str:
        """The measure word of a count."""
        words = texts.texts()["item_unit"].get(figure)
        return words.zh if words else ""

    def unit(self, item: str) -> str:
        """Whether a declared item is money or a count."""
        return "count" if item in texts.texts()["item_unit"] else "fen"

    def why(self, name: str) -> explain.Node:
        """How a figure was worked out; what the page has drawn already is only named."""
        return self._once(explain.tree(self._document, name))

    def _once(self, node: explain.Node) -> explain.Node:
        if node.row:
            return node
        if node.key in self._drawn and node.children:
            return replace(node, children=(), notes=(texts.text("working", "above"),))
        self._drawn.add(node.key)
        return replace(node, children=tuple(self._once(child) for child in node.children))

    def decisive(self) -> list[tuple[Json, list[Json]]]:
        """Decisive facts by test, with the item that each names."""
        by_test: dict[str, list[Json]] = {}
        for line in self._document["decisive"]:
            by_test.setdefault(line["test"], []).append(line | {"entry": self._item(line)})
        return [(test, by_test[test["test"]]) for test in self._document["tests"] if test["test"] in by_test]

    def _item(self, line: Json) -> Json | None:
        r = self._document
        lists = {"income": r["income"]["items"], "expense": r["expenses"], "asset": r["assets"]["items"]}
        listed: Iterable[Json] = lists.get(line["item_kind"], ())
        return next((item for item in listed if item["no"] == line["item"]), None) if line["item"] else None

    def matrix(self) -> list[tuple[Json, list[Json | None]]]:
        """Sources by members: what each answered."""
        found = {(c["dataset"], member): c for c in self._document["coverage"] for member in c["members"]}
        members = [m["member"] for m in self._document["members"]]
        return [(s, [found.get((s["dataset"], m)) for m in members]) for s in self._document["sources"]]
