"""Great Expectations' pages without a network: their styles and scripts come from the internet, and ours may not.

Without its scripts their front page is empty, so it is written here; the pages of results are readable without.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from html import escape
from pathlib import Path

PAGES = "great_expectations"
STYLE = "docs.css"
_OUTSIDE = re.compile(r'<link\b[^>]*href="(?:https?:)?//[^>]*>|<img\b[^>]*>|<script\b.*?</script>', re.S)
_SUITE_LINK = re.compile(r'<a href="[^"]*/expectations/[^"]*"[^>]*>(.*?)</a>', re.S)
_HEAD = re.compile(r"</head>", re.I)
_INDEX = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>Great Expectations · Data Docs</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="{style}"></head>
<body><h1>Great Expectations 复核明细 · Data Docs</h1><p><a href="../index.html">返回批次 back to the batch</a></p>
<table><thead><tr><th>内容<th>Suite</tr></thead><tbody>
{rows}
</tbody></table></body></html>
"""


def offline(pages: Path, titles: Mapping[str, str]) -> None:
    """Take out of every page what would be fetched from elsewhere, give it our style, and write the front page.

    Args:
        pages: the folder of Data Docs.
        titles: suite → title.
    """
    shutil.rmtree(pages / "static", ignore_errors=True)
    shutil.copyfile(Path(__file__).with_name(STYLE), pages / STYLE)
    for page in pages.rglob("*.html"):
        link = f'<link rel="stylesheet" href="{_up(page, pages)}{STYLE}"></head>'
        text = _SUITE_LINK.sub(r"\1", _OUTSIDE.sub("", page.read_text("utf-8")))
        before, head, after = text.partition(found.group() if (found := _HEAD.search(text)) else "</head>")
        page.write_text(before + link + after if head else text, "utf-8")
    rows = [
        f'<tr><td><a href="{result}">{escape(titles[suite])}</a><td>{escape(suite)}</tr>'
        for suite in titles
        if (result := result_page(pages, suite))
    ]
    (pages / "index.html").write_text(_INDEX.format(style=STYLE, rows="\n".join(rows)), "utf-8")


def result_page(pages: Path, suite: str) -> str | None:
    """The page of a suite's result, from the folder of Data Docs; None if there is none."""
    folder = pages / "validations" / suite.replace(".", "/")
    found = sorted(folder.glob("*/*/*.html"))
    return found[0].relative_to(pages).as_posix() if found else None


def _up(page: Path, pages: Path) -> str:
    return "../" * (len(page.relative_to(pages).parts) - 1)
