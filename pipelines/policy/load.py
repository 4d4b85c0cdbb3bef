"""Reading a policy pack: checked rows, a locality's laid over those of the pack that it extends."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from pipelines.policy.errors import PolicyError
from pipelines.policy.formula import FormulaError, names
from pipelines.policy.model import Law, PackFile, Parameter, ParameterFile, Programme, Row, Text
from pipelines.policy.programmes import read_programmes
from pipelines.policy.read import read_model
from pipelines.policy.rows import RowReader, define

SHIPPED = Path(__file__).resolve().parent.parent / "policies"


@dataclass(frozen=True)
class Pack:
    """A pack with everything that it extends.

    Attributes:
        division: codes that it serves begin with this.
        lineage: ids from this pack to its baseline.
        rows: every value, by parameter.
        folder: where its own files are; not part of the digest.
    """

    id: str
    title: Text
    version: str
    division: str
    lineage: tuple[str, ...]
    laws: dict[str, Law]
    parameters: dict[str, Parameter]
    rows: dict[str, tuple[Row, ...]]
    programmes: dict[str, Programme]
    folder: Path

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the canonical JSON of the content: order of lines, files and comments do not matter."""
        rows = [_plain(row) for rows in self.rows.values() for row in rows]
        content = {
            "pack": self.id,
            "version": self.version,
            "division": self.division,
            "lineage": self.lineage,
            "title": self.title.model_dump(),
            "laws": {key: law.model_dump(mode="json", by_alias=True) for key, law in self.laws.items()},
            "parameters": {
                key: [p.title.model_dump(), p.unit, _texts(p.choices), _texts(p.items), p.set_locally]
                for key, p in self.parameters.items()
            },
            "values": sorted(rows, key=lambda row: json.dumps(row, sort_keys=True)),
            "programmes": {key: programme.model_dump(mode="json") for key, programme in self.programmes.items()},
        }
        text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @cached_property
    def days_of_change(self) -> frozenset[date]:
        """Every day on which a value begins, or a law; and every day after which one no longer holds."""
        values = ((row.start, row.end) for rows in self.rows.values() for row in rows)
        laws = ((law.from_, law.to) for law in self.laws.values())
        spans = [*values, *laws]
        begins = {start for start, _ in spans if start is not None}
        return frozenset(begins | {end + timedelta(days=1) for _, end in spans if end is not None})

    def in_force(self, cite: str, on: date) -> bool:
        """Whether the law that is cited was in force on a day, as far as the pack gives its dates."""
        law = self.laws[cite.partition(" ")[0]]
        return (law.from_ is None or law.from_ <= on) and (law.to is None or on <= law.to)

    def cite(self, cites: tuple[str, ...]) -> tuple[str, ...]:
        """Citations in full: 《title》(document)article."""
        return tuple(_cite_in_full(self.laws, cite) for cite in cites)


def _texts(texts: dict[str, Text]) -> dict[str, object]:
    return {code: text.model_dump() for code, text in texts.items()}


def _plain(row: Row) -> dict[str, object]:
    """A row as JSON takes it, without where it stands in which file."""
    plain = {key: value for key, value in asdict(row).items() if key not in ("file", "field")}
    return {key: str(value) if isinstance(value, date | Fraction) else value for key, value in plain.items()}


def _cite_in_full(laws: dict[str, Law], cite: str) -> str:
    key, _, article = cite.partition(" ")
    law = laws[key]
    title = f"《{law.title}》" if law.title else ""
    document = f"({law.document})" if law.title and law.document else law.document or ""
    return f"{title}{document}{article}" or key


def pack_folder(name: str, own: Path | None = None) -> Path:
    """The folder of a pack by its id: the site's own ``policies`` folder first, then the shipped ones."""
    if own is not None and (own / name / "pack.yaml").is_file():
        return own / name
    return SHIPPED / name


def load_pack(folder: Path) -> Pack:
    """Read a pack and all that it extends (looked for next to it, then among the shipped packs).

    Raises:
        PolicyError: the first thing that is wrong, by file and field.
    """
    return _load(folder, ())


def _load(folder: Path, above: tuple[str, ...]) -> Pack:
    file = f"{folder.name}/pack.yaml"
    head = read_model(PackFile, folder / "pack.yaml", file)
    if head.pack in above:
        raise PolicyError(file, "extends", "the packs extend each other in a circle")
    base = _load(pack_folder(head.extends, folder.parent), (*above, head.pack)) if head.extends else None
    if base and not head.division.startswith(base.division):
        raise PolicyError(file, "division", f"lies outside {base.id}, which it extends")
    laws = {**(base.laws if base else {}), **head.laws}
    programmes = read_programmes(_files(folder, "programmes"), dict(base.programmes) if base else {}, laws)
    parameters, rows = _parameters(folder, head, base, laws, programmes)
    pack = Pack(
        id=head.pack,
        title=head.title,
        version=head.version,
        division=head.division,
        lineage=(head.pack, *(base.lineage if base else ())),
        laws=laws,
        parameters=parameters,
        rows=rows,
        programmes=programmes,
        folder=folder,
    )
    _refuse_overlaps(pack)
    _refuse_unknown_names(pack)
    return pack


def _files(folder: Path, part: str) -> list[tuple[Path, str]]:
    return [(path, f"{folder.name}/{part}/{path.name}") for path in sorted((folder / part).glob("*.yaml"))]


def _parameters(
    folder: Path, head: PackFile, base: Pack | None, laws: dict[str, Law], programmes: dict[str, Programme]
) -> tuple[dict[str, Parameter], dict[str, tuple[Row, ...]]]:
    parameters = dict(base.parameters) if base else {}
    rows = dict(base.rows) if base else {}
    depth = len(base.lineage) if base else 0
    for path, file in _files(folder, "parameters"):
        parsed = read_model(ParameterFile, path, file)
        for name, part in parsed.parameters.items():
            parameters[name] = define(parameters.get(name), name, part, file)
            reader = RowReader(head, depth, parameters[name], laws, programmes, file, parsed.last_checked_on)
            rows[name] = (*rows.get(name, ()), *reader.rows(part))
    return parameters, rows


def _refuse_overlaps(pack: Pack) -> None:
    """Two values for one place and kind on one day: nobody could say which holds."""
    by_axes: dict[tuple[object, ...], list[Row]] = {}
    for row in (row for rows in pack.rows.values() for row in rows):
        by_axes.setdefault(row.axes, []).append(row)
    for found in by_axes.values():
        for earlier, later in pairwise(sorted(found, key=lambda row: row.start)):
            if earlier.end is None or earlier.end >= later.start:
                reason = f"overlaps the value from {earlier.start}: give that an end"
                raise PolicyError(later.file, later.field, reason)


def _refuse_unknown_names(pack: Pack) -> None:
    formulas = [
        (f"programmes/{programme.name}.yaml", f"tests.{name}.{part}", getattr(test, part))
        for programme in pack.programmes.values()
        for name, test in programme.tests.items()
        for part in ("limit", "operator")
    ]
    rows = (row for rows in pack.rows.values() for row in rows if row.formula)
    formulas += [(row.file, f"{row.field}.formula", row.formula) for row in rows]
    for file, field, formula in formulas:
        try:
            unknown = [name for name in names(formula) if name not in pack.parameters]
        except FormulaError as error:
            raise PolicyError(file, field, str(error)) from None
        if unknown:
            raise PolicyError(file, field, f"{unknown[0]} is not a parameter")
