"""The page on the made-up county, written from the catalogue: ``python -m connectors.synthetic.page > docs/…``."""

from __future__ import annotations

from connectors.synthetic.people import DATA
from connectors.synthetic.plants import catalogue
from connectors.synthetic.troubles import WAYS

_TROUBLES = {
    "source_down": "there is no folder; the department does not answer",
    "renamed_column": "the last column has another name than the contract's",
    "cut_short": "the file ends after two thirds of its bytes",
    "wrong_digest": "the manifest's digest is not the file's",
    "stale": "the manifest's day is older than the contract allows",
    "partial": "a tenth of the persons is left out of the answer (`unanswered.json`)",
}


def page() -> str:
    """The page, in Markdown: data/page.md with the tables of troubles and of planted problems."""
    troubles = "".join(f"| `{name}` | {', '.join(ways)} | {_TROUBLES[name]} |\n" for name, ways in WAYS.items())
    kinds = "".join(
        f"| {kind.rule} | `{kind.name}` | {kind.zh} · {kind.en} | {kind.limits} | {kind.declaration} "
        f"| {', '.join(f'`{code}`' for code in kind.review) or '–'} |\n"
        for kind in catalogue()
    )
    return (DATA / "page.md").read_text("utf-8").replace("{TROUBLES}", troubles).replace("{KINDS}", kinds)


if __name__ == "__main__":
    print(page(), end="")
