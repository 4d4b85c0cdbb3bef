"""The trees of a report's answers: tests with their limits, declared items, the two conclusions."""

from __future__ import annotations

from pipelines.explain.figures import HEADS, MONTHS, Report
from pipelines.explain.node import Factor, Json, Node
from pipelines.texts import Text, text

CONCLUSIONS = {
    "conclusion.limits": Text("与限定标准比较", "against the limits"),
    "conclusion.declaration": Text("与申报比较", "against the declaration"),
}


class Answers(Report):
    """A report's JSON with the trees of its figures and of what follows from them."""

    def names(self) -> list[str]:
        """Everything that can be asked about, in the order of the report."""
        document = self.document
        tests = [test["test"] for test in document["tests"]]
        return [
            *self.figures(),
            *(f"test.{name}" for name in tests),
            *(f"limit.{name}" for name in tests),
            *(f"declared.{line['item']}" for line in document["declaration"]),
            *(
                f"suitable.{s['programme']['id']}.{test['test']}"
                for s in document.get("suitable", [])
                for test in s["tests"]
            ),
            *CONCLUSIONS,
            *(f"deduction.{number}" for number in range(1, len(document["income"]["deductions"]) + 1)),
            *(f"item.income.{item['no']}" for item in document["income"]["items"]),
            *(f"item.expense.{item['no']}" for item in document.get("expenses", [])),
            *(f"item.asset.{item['no']}" for item in document["assets"]["items"]),
        ]

    def tree(self, name: str) -> Node:
        """The tree of one of ``names``."""
        kind, _, rest = name.partition(".")
        if kind in ("test", "limit"):
            test = next(test for test in self.document["tests"] if test["test"] == rest)
            return self._test(test) if kind == "test" else self._limit(test)
        if kind == "suitable":
            programme, _, name = rest.partition(".")
            tests = next(s["tests"] for s in self.document["suitable"] if s["programme"]["id"] == programme)
            return self._test(next(test for test in tests if test["test"] == name), f"suitable.{programme}.")
        if kind == "declared":
            return self._declared(next(line for line in self.document["declaration"] if line["item"] == rest))
        if kind == "conclusion":
            return self._conclusion(name)
        if kind == "deduction":
            return self.deduction(int(rest))
        if kind == "item":
            listed, _, number = rest.partition(".")
            items, draw = {
                "income": (self.document["income"]["items"], self.income_item),
                "expense": (self.document.get("expenses", []), self.expense_item),
                "asset": (self.document["assets"]["items"], self.asset_item),
            }[listed]
            return draw(next(item for item in items if str(item["no"]) == number))
        return self.figure(name)

    def _test(self, test: Json, of: str = "") -> Node:
        """A test of the programme applied for, or (``of``) of another that it is told of for referral."""
        title = Text(test["title"]["zh"], test["title"]["en"])
        below = (self._value(test), self._limit(test, of))
        return Node(
            f"{of or 'test.'}{test['test']}", title, "compared", unit="answer", result=test["result"],
            compare=(("op", test["op"]), ("heads", len(self.counted))), rule="R62", cites=test["cites"],
            notes=(text("result", test["result"]),), children=below,
        )  # fmt: skip

    def _value(self, test: Json) -> Node:
        """The figure of a test; one that the report shows nowhere else stands as the test has it."""
        if test["figure"] in self.figures():
            return self.figure(test["figure"])
        value = test["value"]
        title = text("item", test["figure"])
        return Node(test["figure"], title, "given", unit=test["unit"], low=value["low"], high=value["high"])

    def _limit(self, test: Json, of: str = "") -> Node:
        published = Node(
            f"{of}limit_value.{test['test']}", text("scale", test["scale"]), "given", unit=test["unit"],
            low=test["limit_value"], high=test["limit_value"], rule="R63", cites=test["cites"], notes=_formula(test),
        )  # fmt: skip
        factors = []
        if test["scale"] in ("per_head", "per_head_month"):
            factors.append(Factor(HEADS, len(self.counted)))
        if test["scale"] == "per_head_month":
            factors.append(Factor(MONTHS, self.months))
        return Node(
            f"{of}limit.{test['test']}", Text("本户标准", "limit of this household"), "multiplied", unit=test["unit"],
            low=test["limit"], high=test["limit"], factors=tuple(factors), rule="R63", children=(published,),
        )  # fmt: skip

    def _declared(self, line: Json) -> Node:
        given = (("declared", line["declared"]), ("tolerance", line["tolerance"]))
        notes = [text("declaration", line["result"])]
        if not line["declared_at_all"]:
            notes.append(Text("未申报，按申报为零比对", "not declared: compared as declared 0"))
        if line["material"]:
            notes.append(Text("影响标准比较的结果（R64）", "moves the result of a test (R64)"))
        return Node(
            f"declared.{line['item']}", text("item", line["item"]), "declared", unit="answer", result=line["result"],
            compare=given, rule="R64", notes=tuple(notes), children=(self.figure(line["item"]),),
        )  # fmt: skip

    def _conclusion(self, name: str) -> Node:
        answer = self.document["conclusion"][name.partition(".")[2]]
        if name == "conclusion.limits":
            children = (*(self._test(test) for test in self.document["tests"]), *self.missing())
            how = "all_within"
        else:
            children = tuple(self._declared(line) for line in self.document["declaration"])
            how = "worst"
        words = text("limits" if name == "conclusion.limits" else "declaration", answer)
        return Node(
            name, CONCLUSIONS[name], how, unit="answer", result=answer, rule="R6" if how == "all_within" else "R64",
            notes=(words,), children=children,
        )  # fmt: skip


def _formula(test: Json) -> tuple[Text, ...]:
    notes = [Text(f"计算 {test['formula']}", f"worked out: {test['formula']}")] if test["formula"] else []
    if test["example"]:
        notes.append(Text("示例数值，未经核实", "example value"))
    return tuple(notes)
