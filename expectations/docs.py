"""Great Expectations' pages without a network: their styles and scripts come from the internet, and ours may not."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

STYLE = "docs.css"
_OUTSIDE = re.compile(
    r'<link\b[^>]*href="(?:https?:)?//[^>]*>|<script\b[^>]*src="(?:https?:)?//[^>]*>\s*</script>|<img\b[^>]*>', re.S
)
_SCRIPT = re.compile(r"<script\b.*?</script>", re.S)
_HEAD = re.compile(r"</head>", re.I)


def offline(pages: Path) -> None:
    """Take out of every page what would be fetched from elsewhere, and the scripts that need it; give it our style."""
    shutil.rmtree(pages / "static", ignore_errors=True)
    style = Path(__file__).with_name(STYLE)
    shutil.copyfile(style, pages / STYLE)
    for page in pages.rglob("*.html"):
        up = "../" * (len(page.relative_to(pages).parts) - 1)
        link = f'<link rel="stylesheet" href="{up}{STYLE}"></head>'
        text = _SCRIPT.sub("", _OUTSIDE.sub("", page.read_text("utf-8")))
        page.write_text(_HEAD.sub(lambda _, link=link: link, text, count=1), "utf-8")  # type: ignore[misc]
