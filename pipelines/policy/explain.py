"""A page that a lawyer can read: what holds for a programme, a place and a day, each value with its ground."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from pipelines.policy.check import division_names
from pipelines.policy.load import Pack
from pipelines.policy.model import Row
from pipelines.policy.resolve import LISTS, SETTINGS, ResolvedPolicy, ResolvedTest, resolve
from pipelines.policy.settle import show

_SURE = {
    "official": "政府网站原文 official",
    "mirror": "镜像页面 mirror",
    "repost": "转载 repost",
    "example": "**示例 example**",
}
_SCALE = {
    "per_head_month": "元/人·月 yuan per head and month",
    "per_head": "元/人 yuan per head",
    "household": "元/户 yuan for the household",
}
_OPERATOR = {"<": "低于 below", "<=": "不高于 not above"}
_KIND = {"urban": "城镇 urban", "rural": "农村 rural"}
_NEED = {"required": "必查 required", "optional": "可查 optional"}
_UNIT = {
    "yuan": "元",
    "ratio": "倍",
    "percent": "",
    "months": "个月 months",
    "years": "年/周岁 years",
    "working_days": "个工作日 working days",
}
_HEADER = (
    "| 参数 parameter | 取值 value | 期间 from – to | 依据 ground | 核实 how sure |",
    "|---|---|---|---|---|",
)


def explain(pack: Pack, programme: str, division: str, area_kind: str, on: date) -> str:
    """The page, in Markdown, Chinese before English.

    Raises:
        As ``resolve``.
    """
    policy = resolve(pack, programme, division, area_kind, on)
    return "\n".join([*_head(policy), *_tests(policy), *_settings(policy), *_lists(policy), *_sources(policy)]) + "\n"


def _head(policy: ResolvedPolicy) -> Iterator[str]:
    pack = policy.pack
    yield f"# {policy.programme.title.zh} · {policy.programme.title.en}"
    yield ""
    place = f"{division_names().get(policy.division, '')} {policy.division}".strip()
    yield f"- 区划 division: {place}, {_KIND[policy.area_kind]}"
    yield f"- 申请日期 application date: {policy.on}"
    yield f"- 政策包 pack: {pack.title.zh} {pack.title.en} ({' → '.join(pack.lineage)}), {pack.version}"
    yield f"- 摘要 digest: {pack.digest}"
    grounds = tuple(cite for cite in policy.programme.cites if pack.in_force(cite, policy.on))
    if grounds:
        yield f"- 依据 ground: {'；'.join(pack.cite(grounds))}"
    examples = _examples(policy)
    if examples:
        yield ""
        yield f"> 本页 {examples} 项取值为示例，不得用于实际认定。"
        yield f"> {examples} values rest on examples: not for real use."


def _examples(policy: ResolvedPolicy) -> int:
    """How many values of the page are examples or rest on one."""
    listed = (settled for items in policy.lists.values() for settled in items.values())
    found = [value.example for value in (*policy.settings.values(), *listed)]
    return sum(found) + sum(test.example for test in policy.tests.values())


def _tests(policy: ResolvedPolicy) -> Iterator[str]:
    yield from ("", "## 检验 Tests")
    for test in policy.tests.values():
        yield from _test(policy, test)
    for name in policy.skipped:
        title = policy.programme.tests[name].title
        yield from ("", f"*{title.zh}：本地未设此项检验。{title.en}: no such test here.*")


def _test(policy: ResolvedPolicy, test: ResolvedTest) -> Iterator[str]:
    money = test.test.unit == "fen"
    amount = show(test.limit_value, "yuan" if money else "count")
    scale = f" {_SCALE[test.test.scale]}" if money else ""
    yield from ("", f"### {test.test.title.zh} · {test.test.title.en}", "")
    yield f"**{_OPERATOR[str(test.operator.value)]} {amount}**{scale}"
    if "=" in test.limit.working:
        yield from ("", f"计算 worked out: {test.limit.working}")
    own = tuple(cite for cite in test.test.cites if policy.pack.in_force(cite, policy.on))
    if own:
        yield from ("", f"依据 ground: {'；'.join(policy.pack.cite(own))}")
    rows = dict.fromkeys((*test.limit.rows, *test.operator.rows))
    yield from ("", *_HEADER, *(_line(policy.pack, row) for row in rows))


def _line(pack: Pack, row: Row, ended: bool = False) -> str:
    """One value as a line of a table."""
    parameter = pack.parameters[row.parameter]
    title = parameter.items[row.item] if row.item else parameter.title
    value = f"`{row.formula}`" if row.formula else _shown(pack, row)
    span = f"{row.start} – {row.end or '…'}" + (" **已终止 ended**" if ended else "")
    ground = "<br>".join(part for part in (*pack.cite(row.cites), row.note) if part)
    sure = f"{_SURE[row.sure]}, {row.checked_on}"
    return f"| {title.zh} {title.en} | {value} | {span} | {ground} | {sure} |"


def _shown(pack: Pack, row: Row) -> str:
    """A value as a reader says it: with its unit, codes by their names."""
    parameter = pack.parameters[row.parameter]
    if row.value is None:
        return "不设 none"
    if parameter.unit == "flag":
        return "是 yes" if row.value else "否 no"
    if parameter.unit == "operator":
        return _OPERATOR[str(row.value)]
    if parameter.choices:
        codes = row.value if isinstance(row.value, tuple) else (str(row.value),)
        return "、".join(parameter.choices[code].zh for code in codes)
    return f"{show(row.value, parameter.unit)} {_UNIT.get(parameter.unit, '')}".rstrip()


def _settings(policy: ResolvedPolicy) -> Iterator[str]:
    yield from ("", "## 其他参数 Other parameters", "", *_HEADER)
    for name in SETTINGS:
        rows = dict.fromkeys(policy.settings[name].rows)
        yield from (_line(policy.pack, row) for row in rows)


def _lists(policy: ResolvedPolicy) -> Iterator[str]:
    for name in LISTS:
        title = policy.pack.parameters[name].title
        yield from ("", f"## {title.zh} · {title.en}", "", *_HEADER)
        yield from (_line(policy.pack, settled.row) for settled in policy.lists[name].values())
        yield from (_line(policy.pack, row, ended=True) for row in policy.ended if row.parameter == name)


def _sources(policy: ResolvedPolicy) -> Iterator[str]:
    yield from ("", "## 数据来源 Sources", "", "| 数据集 dataset | 要求 need |", "|---|---|")
    yield from (f"| {dataset} | {_NEED[need]} |" for dataset, need in policy.sources.items())
