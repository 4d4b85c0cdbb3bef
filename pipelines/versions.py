"""Versions of a report: when two say the same, and what a later one says otherwise, why, and by whose answer (R5, R69).

Two versions say the same if they differ in nothing but moments and the files that were read: the same households' data
delivered anew the next night is no news to anybody.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipelines import explain
from pipelines.texts import Text, text

Json = dict[str, Any]
# What tells when and out of which file, and nothing of the household.
MOMENTS = {
    "as_of",
    "digest",
    "extract",
    "extracts",
    "facts",
    "objection",
    "signature",
    "supersedes",
    "valid_until",
    "version",
}
ITEM_KEYS = {
    "income": ("member", "category", "kind", "payer", "dataset", "granularity", "period"),
    "expense": ("member", "kind", "dataset", "period"),
    "asset": ("member", "class", "label", "display", "currency"),
}


def substance(document: object) -> object:
    """A report without its moments: what it says of the household."""
    if isinstance(document, dict):
        said = {key: value for key, value in document.items() if key not in MOMENTS}
        # a policy's version and digest are not moments: another policy is something else
        return {key: value if key == "policy" else substance(value) for key, value in said.items()}
    if isinstance(document, list):
        return [substance(value) for value in document]
    return document


def holds_on(earlier: bytes, draft: bytes, on: date) -> bool:
    """Whether an issued report still says, and may still say on a day, what a new draft says.

    Args:
        earlier: the issued document.
        draft: the new one.
        on: the new one's day; a report that is no longer valid then is issued anew.
    """
    before = json.loads(earlier)
    return str(before["valid_until"]) >= on.isoformat() and substance(before) == substance(json.loads(draft))


@dataclass(frozen=True)
class Change:
    """One thing that a later version says otherwise.

    Attributes:
        kind: figure, item, source or member.
        name: what it is, in both languages.
        before: what the earlier version said; None if it said nothing.
        after: what the later version says; None if it says nothing any more.
        by: whose answer it is.
    """

    kind: str
    name: Text
    before: Any
    after: Any
    by: str = ""


@dataclass(frozen=True)
class Difference:
    """What a later version says otherwise, and why."""

    before: Json
    after: Json
    because: tuple[Text, ...]
    changes: tuple[Change, ...]

    def of(self, kind: str) -> list[Change]:
        """The changes of one kind."""
        return [change for change in self.changes if change.kind == kind]

    def document(self) -> Json:
        """As JSON."""
        heads = {
            name: {key: version[key] for key in ("report_id", "version", "as_of", "digest")}
            for name, version in (("before", self.before), ("after", self.after))
        }
        changes = [vars(change) | {"name": change.name._asdict()} for change in self.changes]
        return heads | {"because": [reason._asdict() for reason in self.because], "changes": changes}


def compare(before: Json, after: Json, events: Sequence[Json] = ()) -> Difference:
    """What ``after`` says otherwise than ``before``.

    Args:
        before: an earlier version as issued.
        after: a later one.
        events: what was objected, answered and closed between the two: kind, outcome, dataset, actor, at.
    """
    changes = (*_figures(before, after), *_items(before, after), *_sources(before, after), *_members(before, after))
    return Difference(before, after, tuple(_because(before, after, events)), changes)


def _figures(before: Json, after: Json) -> Iterator[Change]:
    """Figures, tests, declared items and conclusions; items have their own list."""
    names = [name for name in explain.names(after) if not name.startswith(("item.", "deduction."))]
    earlier = set(explain.names(before))
    for name in names:
        node = explain.tree(after, name)
        old, new = _value(explain.tree(before, name)) if name in earlier else None, _value(node)
        if old != new:
            yield Change("figure", Text(f"{node.title.zh}（{name}）", node.title.en), old, new)


def _value(node: explain.Node) -> Any:
    return node.result if node.unit == "answer" else {"low": node.low, "high": node.high, "unit": node.unit}


def _items(before: Json, after: Json) -> Iterator[Change]:
    titles = {s["dataset"]: s for s in after["sources"]}
    for kind, names in ITEM_KEYS.items():
        old, new = (_keyed(_listed(document, kind), names) for document in (before, after))
        for key in sorted(old.keys() | new.keys()):
            found = [[_said(item) for item in side.get(key, [])] for side in (old, new)]
            if found[0] == found[1]:
                continue
            item = (new.get(key) or old[key])[0]
            code = text("class", item["class"]) if kind == "asset" else text(f"{kind}_kind", item["kind"])
            whose = next((m["name"] for m in after["members"] if m["member"] == item["member"]), "")
            by = titles.get(_dataset(item, after) or _dataset(item, before), {}).get("provider", {}).get("zh", "")
            detail = item.get("payer") or item.get("label") or item.get("display") or ""
            name = Text(f"{whose} {code.zh} {detail}".strip(), code.en)
            yield Change("item", name, found[0] or None, found[1] or None, by)


def _listed(document: Json, kind: str) -> list[Json]:
    if kind == "expense":
        return list(document.get("expenses", []))
    return list(document["income" if kind == "income" else "assets"]["items"])


def _keyed(items: Sequence[Json], names: Sequence[str]) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    for item in items:
        found.setdefault(json.dumps([item.get(name) for name in names], sort_keys=True), []).append(item)
    return found


def _said(item: Json) -> Json:
    counted = next(item[key] for key in ("counted_fen", "deducted_fen", "counted") if key in item)
    amount = item["amount_fen"] if "amount_fen" in item else item["value_fen"]
    return {"amount": amount, "counted": counted, "treatment": item["treatment"], "reason": item["reason"]}


def _dataset(item: Json, document: Json) -> str:
    named = {extract["id"]: s["dataset"] for s in document["sources"] for extract in s["extracts"]}
    return str(item.get("dataset") or next((named.get(fact["extract"], "") for fact in item["facts"]), ""))


def _sources(before: Json, after: Json) -> Iterator[Change]:
    """What each source said of each member: its state, and how many rows could not be read."""
    old, new = _states(before), _states(after)
    for source in after["sources"]:
        found = [side.get(source["dataset"]) for side in (old, new)]
        if found[0] != found[1]:
            title = Text(source["title"]["zh"], source["title"]["en"])
            yield Change("source", title, found[0], found[1], source["provider"]["zh"])


def _states(document: Json) -> dict[str, list[Any]]:
    names = {m["member"]: m["name"] for m in document["members"]}
    found: dict[str, list[Any]] = {}
    for line in document["coverage"]:
        for member in line["members"]:
            told = {"member": names.get(member, ""), "state": line["state"], "quarantined": line["quarantined"]}
            found.setdefault(line["dataset"], []).append(told)
    return found


def _members(before: Json, after: Json) -> Iterator[Change]:
    old, new = ({m["member"]: m for m in document["members"]} for document in (before, after))
    for number in sorted(old.keys() | new.keys()):
        found = [
            {"counted": m["counted"], "why": m["why"], "name": m["name"]} if m else None
            for m in (old.get(number), new.get(number))
        ]
        if found[0] != found[1]:
            name = (found[1] or found[0] or {})["name"]
            yield Change("member", Text(str(name), f"member {number}"), found[0], found[1])


def _because(before: Json, after: Json, events: Sequence[Json]) -> Iterator[Text]:
    """Why there is a later version: whose answer, which event, which rule."""
    for event in events:
        what = text("objection_event", event["outcome"] or event["kind"])
        source = next((s for s in after["sources"] if s["dataset"] == event["dataset"]), None)
        title = source["title"] if source else {"zh": event["dataset"], "en": event["dataset"]}
        yield Text(
            f"{event['at'][:10]} {title['zh']}：{what.zh}（{event['actor']}）",
            f"{title['en']}: {what.en} ({event['actor']})",
        )
    old = {s["dataset"]: {e["digest"] for e in s["extracts"]} for s in before["sources"]}
    for source in after["sources"]:
        fresh = [e for e in source["extracts"] if e["digest"] not in old.get(source["dataset"], set())]
        if fresh:
            days = "、".join(sorted({e["as_of"] for e in fresh}))
            zh = f"{source['provider']['zh']}提供了新的{source['title']['zh']}数据（数据日期 {days}）"
            yield Text(zh, f"{source['provider']['en']} has sent new data: {source['title']['en']}, as of {days}")
    for field, words in (("policy", "policy"), ("application_date", "application"), ("withheld", "withheld")):
        if before[field] != after[field]:
            yield text("new_version", words)
    if before["as_of"] != after["as_of"]:
        moments = f"{before['as_of'][:16]} → {after['as_of'][:16]}"
        yield Text(f"核对时点 {moments}", f"verified as of another moment: {moments}")
