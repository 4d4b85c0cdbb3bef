"""A page that a lawyer can read: what holds for a programme, a place and a day, each value with its ground."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from html import escape
from importlib import resources

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
_WHO = {
    "members": "每位家庭成员 every member of the household",
    "applicant": "申请人本人 the person applied for",
    "supporters": "赡养、抚养、扶养义务人，仅在本人同意时查询 persons with a duty of support, each only by own consent",
}
_GUARDIAN = (
    "未满{age}周岁或无完全民事行为能力的，由具名监护人签署 "
    "a named guardian signs for who is under {age} or lacks legal capacity"
)
_UNKNOWN = (
    "身份不明的可以受理，无从查询，报告如实列示 "
    "an unidentified person is accepted; nobody can be asked, and the report says so"
)
_CHECK_ONLY = (
    "本项目不设限额比较：报告只列示查到的数据和核实情况。"
    "This programme compares with no limit: figures and coverage only."
)
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
    parts = (_head, _tests, _authorisation, _settings, _lists, _sources)
    return "\n".join(line for part in parts for line in part(policy)) + "\n"


def explain_html(pack: Pack, programme: str, division: str, area_kind: str, on: date) -> str:
    """The same page as HTML that stands alone and prints to A4.

    Raises:
        As ``resolve``.
    """
    from markdown_it import MarkdownIt

    text = explain(pack, programme, division, area_kind, on)
    drawn = MarkdownIt("commonmark", {"html": False}).enable("table").render(text).replace("&lt;br&gt;", "<br>")
    style = resources.files("pipelines").joinpath("templates/policy.css").read_text("utf-8")
    title = text.partition("\n")[0].removeprefix("# ")
    return (
        f'<!DOCTYPE html>\n<html lang="zh-CN">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        f"<style>\n{style}</style>\n</head>\n<body>\n<main>\n{drawn}</main>\n</body>\n</html>\n"
    )


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


def _authorisation(policy: ResolvedPolicy) -> Iterator[str]:
    asked = policy.programme.authorisation
    yield from ("", "## 授权 Who must authorise", "")
    yield from (f"- {_WHO[who]}" for who in asked.of)
    yield f"- {_GUARDIAN.format(age=policy.value('minor_age'))}"
    if policy.programme.unknown_persons:
        yield f"- {_UNKNOWN}"
    grounds = tuple(cite for cite in asked.cites if policy.pack.in_force(cite, policy.on))
    if grounds:
        yield f"- 依据 ground: {'；'.join(policy.pack.cite(grounds))}"
    if policy.programme.note:
        yield from ("", f"> {_SURE[policy.programme.sure]}: {policy.programme.note}")


def _tests(policy: ResolvedPolicy) -> Iterator[str]:
    yield from ("", "## 检验 Tests")
    if policy.programme.check_only:
        yield from ("", _CHECK_ONLY)
    for test in policy.tests.values():
        yield from _test(policy, test)
    for name in policy.skipped:
        title = policy.programme.tests[name].title
        yield from ("", f"*{title.zh}：本地未设此项检验。{title.en}: no such test here.*")


def _test(policy: ResolvedPolicy, test: ResolvedTest) -> Iterator[str]:
    money = test.test.unit == "fen"
    # a share stands in basis points: 4000 is 40 %
    amount = show(test.limit_value, {"fen": "yuan", "bp": "percent"}.get(test.test.unit, "count"))
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
