"""The trees of a report's figures: what was found, item by item, and what could not be checked."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from pipelines import texts
from pipelines.explain.node import Factor, Json, Node, recomputed
from pipelines.texts import Text, text

CATEGORIES = ("wage", "business", "property", "transfer")
# Figures of property: name → key in the report.
PROPERTY = {"financial_assets": "financial_fen", "homes": "homes", "vehicles": "vehicles", "businesses": "businesses"}
NEVER_MISSING = ("covered", "not_asked")
HEADS, MONTHS = Text("计入人口", "members counted"), Text("核对期月数", "months of the window")


class Report:
    """A report's JSON with what its trees look up."""

    def __init__(self, document: Json) -> None:
        self.document = document
        self.people = {m["member"]: m["name"] for m in document["members"]}
        self.counted = {m["member"] for m in document["members"] if m["counted"]}
        self.sources = {s["dataset"]: s for s in document["sources"]}
        self.extracts = {e["id"]: s["dataset"] for s in document["sources"] for e in s["extracts"]}
        self.months = int(document["window"]["months"])

    def figures(self) -> list[str]:
        """The names of all figures that this report has."""
        property_ = [name for name, key in PROPERTY.items() if self.document["assets"].get(key) is not None]
        return ["income", *(f"income.{c}" for c in CATEGORIES), "income.per_capita", *property_, "counted"]

    def figure(self, name: str) -> Node:
        """The tree of a figure."""
        if name == "income.per_capita":
            return self._per_capita()
        if name == "counted":
            return self._members()
        if name == "income" or name.startswith("income."):
            return self._income(name)
        return self._property(name)

    def _per_capita(self) -> Node:
        value = self.document["income"]["per_capita_monthly_fen"]
        heads = len(self.counted)
        if not heads:
            return _node("income.per_capita", Text("人均月收入", "income per head and month"), "given", value)
        factors = (Factor(HEADS, heads), Factor(MONTHS, self.months))
        below = (self._income("income"), self._members())
        title = Text("人均月收入", "income per head and month")
        return _node("income.per_capita", title, "divided", value, factors=factors, rule="R28", children=below)

    def _income(self, name: str) -> Node:
        income = self.document["income"]
        if name != "income":
            value = income["categories_fen"][name.removeprefix("income.")]
            below = [*self._items(name), *self._missing(name)]
            return _node(name, text("item", name), "sum_from_zero", value, children=tuple(below))
        parts = [self._part(f"income.{category}") for category in CATEGORIES]
        below = [part for part in parts if part.children] + self._deductions() + self._missing(name)
        below += [self.expense_item(item) for item in self.document.get("expenses", [])]
        below += self._open_expenses(below, income["total_fen"])
        return _node(name, text("item", name), "sum_from_zero", income["total_fen"], rule="R35", children=tuple(below))

    def _part(self, name: str) -> Node:
        """What a category adds to the total: its items as they are, a loss that is offset included (R43)."""
        items = tuple(self._items(name))
        bounds = {bound: [getattr(item, bound) for item in items] for bound in ("low", "high")}
        value = {bound: None if None in found else sum(found) for bound, found in bounds.items()}
        return _node(name, text("item", name), "sum", value, children=items)

    def _items(self, name: str) -> Iterator[Node]:
        for item in self.document["income"]["items"]:
            if f"income.{item['category']}" == name:
                yield self.income_item(item)

    def income_item(self, item: Json) -> Node:
        """One item of income with its rows."""
        kind, whose = text("income_kind", item["kind"]), self.people.get(item["member"], "")
        payer = f" · {_words('payer', item['payer'])}" if item["payer"] else ""
        last = date.fromisoformat(item["period"]["to"]) - timedelta(days=1)
        period = f"{item['period']['from']}–{last}"
        title = Text(f"{whose} {kind.zh}{payer} {period}", f"{kind.en}, item {item['no']}")
        return self._item(f"item.income.{item['no']}", title, item["counted_fen"], "fen", item)

    def asset_item(self, item: Json) -> Node:
        """One thing with its rows."""
        kind, whose = text("class", item["class"]), self.people.get(item["member"], "")
        shown = " · ".join(_words("use", part) for part in (item["label"], item["display"]) if part)
        title = Text(f"{whose} {kind.zh} {shown}".strip(), f"{kind.en}, item {item['no']}")
        unit = "fen" if item["figure"] in (None, "financial_assets") else "count"
        return self._item(f"item.asset.{item['no']}", title, item["counted"], unit, item)

    def _item(self, key: str, title: Text, value: Json, unit: str, item: Json) -> Node:
        notes = [text("treatment", item["treatment"])]
        if item["reason"]:
            notes.append(texts.reason(item["reason"]))
        amount = item["amount_fen"] if "amount_fen" in item else item["value_fen"]
        if amount is not None and value != {"low": amount, "high": amount}:
            fen = f"{amount // 100}.{abs(amount) % 100:02d}"
            notes.append(Text(f"来源所载 {fen}", f"{fen} in the source"))
        return _node(
            key, title, "given", value, unit=unit, rule=item["rule"], cites=item["cites"], notes=tuple(notes),
            children=tuple(self._row(fact) for fact in item["facts"]),
        )  # fmt: skip

    def _row(self, fact: Json) -> Node:
        dataset = self.extracts.get(fact["extract"], "")
        row = (
            ("dataset", dataset), ("extract", fact["extract"]), ("row", fact["row"]), ("row_digest", fact["row_digest"])
        )  # fmt: skip
        title = self.sources[dataset]["title"] if dataset else {"zh": "", "en": ""}
        return Node("row", Text(title["zh"], title["en"]), "row", row=row)

    def expense_item(self, item: Json) -> Node:
        """Rigid expenditure with its rows: what of it comes off the income (R46a)."""
        kind, whose = text("expense_kind", item["kind"]), self.people.get(item["member"], "")
        title = Text(f"{whose} 刚性支出：{kind.zh}", f"rigid expenditure: {kind.en}, item {item['no']}")
        node = self._item(f"item.expense.{item['no']}", title, item["deducted_fen"], "fen", item)
        return replace(node, sign=-1, uncertain=True)

    def _open_expenses(self, below: list[Node], total: Json) -> list[Node]:
        """Required sources of expenses that did not answer: what they may take off, as the total has it (R46a)."""
        lines = [line for line in self.gaps() if any(f.startswith("expense.") for f in self._feeds(line))]
        summed = recomputed(Node("", HEADS, "sum", children=tuple(below)))
        known = summed[0] if isinstance(summed, tuple) else None
        if not lines or known is None or known <= total["low"]:
            return []
        # the caps stand in the pack, not in the report; where nothing is left of the total, it could be any amount
        left = known - total["low"] if total["low"] else None
        nodes = [self._gap(line) for line in lines]
        first = replace(nodes[0], how="open_expense", sign=-1, uncertain=True, low=0, high=left, rule="R46a")
        return [first, *(replace(node, how="open_expense", sign=-1, low=0, high=0, rule="R46a") for node in nodes[1:])]

    def _feeds(self, line: Json) -> list[str]:
        return list(self.sources[line["dataset"]]["feeds"])

    def _deductions(self) -> list[Node]:
        return [self.deduction(number) for number in range(1, len(self.document["income"]["deductions"]) + 1)]

    def deduction(self, number: int) -> Node:
        """What is taken off the income of a member, with the wages it is a part of."""
        line = self.document["income"]["deductions"][number - 1]
        kind, whose = text("deduction", line["kind"]), self.people.get(line["member"], "")
        title = Text(f"{whose} 扣除：{kind.zh}", f"deducted: {kind.en}")
        months = Text(f"{line['months']} 个月", f"{line['months']} months")
        return _node(
            f"deduction.{number}", title, "deducted", line["amount_fen"], sign=-1, rule=line["rule"],
            cites=line.get("cites"), notes=(months,),
        )  # fmt: skip

    def _property(self, name: str) -> Node:
        unit = "fen" if name == "financial_assets" else "count"
        items = [self.asset_item(item) for item in self.document["assets"]["items"] if item["figure"] == name]
        value = self.document["assets"][PROPERTY[name]]
        below = (*items, *self._missing(name))
        return _node(name, text("item", name), "sum_from_zero", value, unit=unit, children=below)

    def _members(self) -> Node:
        below = tuple(
            Node(
                f"member.{m['member']}", Text(m["name"], f"member {m['member']}"), "given", unit="answer",
                result="counted" if m["counted"] else "not_counted", rule=m["rule"], notes=(text("why", m["why"]),),
            )
            for m in self.document["members"]
        )  # fmt: skip
        heads = len(self.counted)
        return _node(
            "counted", HEADS, "head_count", {"low": heads, "high": heads}, unit="count", rule="R28", children=below
        )

    def _missing(self, name: str) -> list[Node]:
        """Required sources of a figure that did not answer about a counted member, and none at all (R6)."""
        found = [self._gap(line) for line in self.gaps() if _feeds(self.sources[line["dataset"]], name)]
        if not any(s["requirement"] == "required" and _feeds(s, name, down=True) for s in self.sources.values()):
            found.append(
                _open("source.none", Text("没有必需的来源提供该数据", "no required source feeds it"), "R6", ())
            )
        return found + self._supporters(name)

    def _supporters(self, name: str) -> list[Node]:
        """Required sources of income that did not answer about a person with a duty of support (R27)."""
        income = self.document["income"]
        figures = {"income": income["total_fen"], "income.transfer": income["categories_fen"]["transfer"]}
        if name not in figures or figures[name]["high"] is not None:
            return []  # the pack does not count support, or the limit of what is due is known
        supporters = {m["member"] for m in self.document["members"] if m["why"] == "supporter"}
        lines = [
            line | {"members": sorted(supporters & set(line["members"]))}
            for line in self.document["coverage"]
            if supporters & set(line["members"])
            and self.sources[line["dataset"]]["requirement"] == "required"
            and _feeds(self.sources[line["dataset"]], "income")
            and (line["state"] not in NEVER_MISSING or line["quarantined"])
        ]
        return [self._gap(line, supporters) for line in lines]

    def gaps(self) -> Iterator[Json]:
        """Lines of the coverage by which a required source leaves something open for a counted member."""
        for line in self.document["coverage"]:
            source = self.sources[line["dataset"]]
            unread = line["state"] == "covered" and line["quarantined"] > 0
            if source["requirement"] != "required" or not (set(line["members"]) & self.counted):
                continue
            if line["state"] != "covered" or unread:
                yield line

    def _gap(self, line: Json, of: Set[int] | None = None) -> Node:
        title = self.sources[line["dataset"]]["title"]
        whose = "、".join(self.people.get(member, "") for member in line["members"] if member in (of or self.counted))
        state = (
            text("coverage", line["state"]) if line["state"] != "covered" else text("review", "unresolved_quarantine")
        )
        name = Text(f"{title['zh']}（{whose}）", title["en"])
        return _open(f"source.{line['dataset']}", name, "R9" if line["state"] == "covered" else "R6", (state,))

    def missing(self) -> list[Node]:
        """Every gap, each once: what keeps a conclusion open (R6)."""
        return [self._gap(line) for line in self.gaps()]


def _open(key: str, title: Text, rule: str, notes: tuple[Text, ...]) -> Node:
    """What could be anything: [0, ∞)."""
    return Node(key, title, "missing", low=0, high=None, rule=rule, notes=notes)


def _feeds(source: Json, name: str, *, down: bool = False) -> bool:
    """Whether a source feeds a figure; the total of income is fed by whatever feeds a category."""
    below = f"{name}."
    return any(f == name or ((down or name == "income") and f.startswith(below)) for f in source["feeds"])


def _words(kind: str, code: str) -> str:
    """A code's text, or the text itself where it is none."""
    words = texts.texts().get(kind, {}).get(code)
    return words.zh if words else code


def _node(key: str, title: Text, how: str, value: Json, **other: Any) -> Node:
    return Node(key, title, how, low=value["low"], high=value["high"], **other)
