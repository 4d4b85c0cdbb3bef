"""Reading a policy pack: YAML files to checked rows, a locality's laid over those of the pack it extends."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from pipelines.formula import ROUNDINGS, FormulaError, names
from pipelines.policy_model import (
    AREA_KINDS,
    Law,
    PackFile,
    Parameter,
    ParameterFile,
    ParameterPart,
    PolicyError,
    Programme,
    ProgrammeFile,
    Row,
    Text,
    ValueLine,
    is_code,
    parse_value,
)

SHIPPED = Path(__file__).resolve().parent / "policies"
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Pack:
    """A pack with everything that it extends.

    Attributes:
        lineage: ids from this pack to its baseline.
        rows: every value, by parameter.
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

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the canonical JSON of the content: order of lines, files and comments do not matter."""
        rows = [_plain_row(row) for rows in self.rows.values() for row in rows]
        content = {
            "pack": self.id,
            "version": self.version,
            "division": self.division,
            "lineage": self.lineage,
            "title": self.title.model_dump(),
            "laws": {key: law.model_dump(mode="json", by_alias=True) for key, law in self.laws.items()},
            "parameters": {
                key: [p.title.model_dump(), p.unit, sorted(p.choices), sorted(p.items), p.set_locally]
                for key, p in self.parameters.items()
            },
            "values": sorted(rows, key=lambda row: json.dumps(row, sort_keys=True)),
            "programmes": {key: programme.model_dump(mode="json") for key, programme in self.programmes.items()},
        }
        text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def in_force(self, cite: str, on: date) -> bool:
        """Whether the law that is cited was in force on a day, as far as the pack gives its dates."""
        law = self.laws[cite.partition(" ")[0]]
        return (law.from_ is None or law.from_ <= on) and (law.to is None or on <= law.to)

    def cite(self, cites: tuple[str, ...]) -> tuple[str, ...]:
        """Citations in full: 《title》(document)article."""
        return tuple(_cite_in_full(self.laws, cite) for cite in cites)


def _plain_row(row: Row) -> dict[str, object]:
    plain = {key: value for key, value in asdict(row).items() if key not in ("file", "field")}
    return {
        key: str(value)
        if isinstance(value, date | Fraction)
        else list(value)
        if isinstance(value, tuple)
        else value
        for key, value in plain.items()
    }


def _cite_in_full(laws: dict[str, Law], cite: str) -> str:
    key, _, article = cite.partition(" ")
    law = laws[key]
    title = f"《{law.title}》" if law.title else ""
    document = f"({law.document})" if law.title and law.document else law.document or ""
    return f"{title}{document}{article}" or key


class _Loader(yaml.SafeLoader):
    """YAML that refuses a key written twice, which otherwise would silently win."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[object, object]:
    seen: set[object] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"{key!r} is written twice", key_node.start_mark)
        seen.add(key)
    return dict(loader.construct_pairs(node, deep=True))


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_yaml(path: Path, name: str) -> object:
    """The content of a YAML file.

    Raises:
        PolicyError: not there, not YAML, or a key twice.
    """
    try:
        return yaml.load(path.read_text("utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader
    except FileNotFoundError:
        raise PolicyError(name, "-", "there is no such file") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}" if mark else "-"
        raise PolicyError(name, where, str(getattr(error, "problem", "not YAML"))) from None


def _read(model: type[Model], path: Path, pack_folder: Path) -> Model:
    name = path.relative_to(pack_folder.parent).as_posix()
    try:
        return model.model_validate(read_yaml(path, name) or {})
    except ValidationError as error:
        first = error.errors()[0]
        raise PolicyError(name, ".".join(str(part) for part in first["loc"]) or "-", first["msg"]) from None


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
    head = _read(PackFile, folder / "pack.yaml", folder)
    file = f"{folder.name}/pack.yaml"
    if head.pack in above:
        raise PolicyError(file, "extends", "the packs extend each other in a circle")
    base = None
    if head.extends is not None:
        base = _load(pack_folder(head.extends, folder.parent), (*above, head.pack))
        if not head.division.startswith(base.division):
            raise PolicyError(file, "division", f"lies outside {base.id}, which it extends")
    laws = {**(base.laws if base else {}), **head.laws}
    parameters = dict(base.parameters) if base else {}
    rows = {name: list(found) for name, found in base.rows.items()} if base else {}
    programmes = _programmes(folder, base, laws)
    depth = len(base.lineage) if base else 0
    for path in sorted((folder / "parameters").glob("*.yaml")):
        parsed = _read(ParameterFile, path, folder)
        name = path.relative_to(folder.parent).as_posix()
        for key, part in parsed.parameters.items():
            parameters[key] = _define(parameters.get(key), key, part, name)
            reader = _Reader(head, depth, parameters[key], laws, programmes, name, parsed.last_checked_on)
            rows.setdefault(key, []).extend(reader.rows(part))
    pack = Pack(
        id=head.pack,
        title=head.title,
        version=head.version,
        division=head.division,
        lineage=(head.pack, *(base.lineage if base else ())),
        laws=laws,
        parameters=parameters,
        rows={name: tuple(found) for name, found in rows.items()},
        programmes=programmes,
    )
    _refuse_overlaps(pack)
    _refuse_unknown_names(pack)
    return pack


def _define(known: Parameter | None, name: str, part: ParameterPart, file: str) -> Parameter:
    field = f"parameters.{name}"
    if not is_code(name):
        raise PolicyError(file, field, "names are small letters, digits and _")
    if known is None:
        if part.title is None or part.unit is None:
            raise PolicyError(file, field, "is not known: give it a title and a unit, or correct the name")
        return Parameter(name, part.title, part.unit, part.choices, part.items, part.set_locally, file)
    if part.unit not in (None, known.unit):
        raise PolicyError(file, f"{field}.unit", f"is {known.unit} in {known.file}")
    choices = tuple(dict.fromkeys((*known.choices, *part.choices)))
    items = tuple(dict.fromkeys((*known.items, *part.items)))
    title = part.title or known.title
    return Parameter(name, title, known.unit, choices, items, known.set_locally, known.file)


@dataclass(frozen=True)
class _Reader:
    """Turns the values of one parameter in one file into rows."""

    head: PackFile
    depth: int
    parameter: Parameter
    laws: dict[str, Law]
    programmes: dict[str, Programme]
    file: str
    checked_on: date

    def rows(self, part: ParameterPart) -> Iterator[Row]:
        for number, line in enumerate(part.values):
            field = f"parameters.{self.parameter.name}.values.{number}"
            self._refuse(line, field)
            by_kind = line.value if isinstance(line.value, dict) else {None: line.value}
            for kind, raw in by_kind.items():
                value = None if line.formula else self._value(raw, kind, field)
                for division in line.divisions or (self.head.division,):
                    for programme in line.programmes or (None,):
                        yield self._row(line, field, kind, value, division, programme)

    def _row(
        self, line: ValueLine, field: str, kind: str | None, value: object, division: str, programme: str | None
    ) -> Row:
        return Row(
            parameter=self.parameter.name,
            item=line.item,
            division=division,
            programme=programme,
            area_kind=kind,
            start=line.from_,
            end=line.to,
            value=value,  # type: ignore[arg-type]
            formula=line.formula,
            rounding=line.rounding,
            cites=line.cites,
            sure=line.sure,
            checked_on=line.last_checked_on or self.checked_on,
            note=line.note,
            pack=self.head.pack,
            depth=self.depth,
            file=self.file,
            field=field,
        )

    def _value(self, raw: object, kind: str | None, field: str) -> object:
        if kind is not None and kind not in AREA_KINDS:
            raise PolicyError(self.file, f"{field}.value", f"{kind} is not one of {', '.join(AREA_KINDS)}")
        try:
            return parse_value(self.parameter.unit, raw, self.parameter.choices)
        except ValueError as error:
            raise PolicyError(self.file, f"{field}.value", str(error)) from None

    def _refuse(self, line: ValueLine, field: str) -> None:
        """Whatever is wrong with a line apart from its value."""
        items = self.parameter.items
        unknown_programme = next((name for name in line.programmes if name not in self.programmes), None)
        outside = next((code for code in line.divisions if not code.startswith(self.head.division)), None)
        wrong = {
            "value": (line.value is None) == (line.formula is None) and "give a value or a formula, one of them",
            "to": line.to is not None and line.to < line.from_ and "ends before it begins",
            "item": (line.item not in items if items else line.item is not None)
            and (f"must be one of {', '.join(items)}" if items else "this parameter has no items"),
            "programmes": unknown_programme is not None and f"{unknown_programme} is not a programme",
            "divisions": outside is not None and f"{outside} lies outside the pack's {self.head.division}",
            "rounding": line.rounding not in ROUNDINGS and f"must be one of {', '.join(ROUNDINGS)}",
            "cites": line.sure != "example" and not line.cites and "only an example may stand without a citation",
            "note": line.sure == "example" and not line.note and "an example needs a note that says why",
        }
        for part, reason in wrong.items():
            if reason:
                raise PolicyError(self.file, f"{field}.{part}", str(reason))
        _refuse_cites(self.laws, line.cites, self.file, f"{field}.cites")


def _refuse_cites(laws: dict[str, Law], cites: tuple[str, ...], file: str, field: str) -> None:
    for cite in cites:
        if cite.partition(" ")[0] not in laws:
            raise PolicyError(file, field, f"{cite}: no such law in pack.yaml")


def _programmes(folder: Path, base: Pack | None, laws: dict[str, Law]) -> dict[str, Programme]:
    programmes = dict(base.programmes) if base else {}
    for path in sorted((folder / "programmes").glob("*.yaml")):
        part = _read(ProgrammeFile, path, folder)
        file, name = path.relative_to(folder.parent).as_posix(), path.stem
        known = programmes.get(name)
        title = part.title or (known.title if known else None)
        if title is None or not is_code(name):
            raise PolicyError(file, "title", "a new programme needs a title, and a file name in small letters")
        _refuse_cites(laws, part.cites, file, "cites")
        for test_name, test in part.tests.items():
            _refuse_cites(laws, test.cites, file, f"tests.{test_name}.cites")
        programmes[name] = Programme(
            name=name,
            title=title,
            cites=part.cites or (known.cites if known else ()),
            tests={**(known.tests if known else {}), **part.tests},
            sources={**(known.sources if known else {}), **part.sources},
        )
    return programmes


def _refuse_overlaps(pack: Pack) -> None:
    by_axes: dict[tuple[object, ...], list[Row]] = {}
    for rows in pack.rows.values():
        for row in rows:
            by_axes.setdefault(row.axes, []).append(row)
    for found in by_axes.values():
        found.sort(key=lambda row: row.start)
        for earlier, later in zip(found, found[1:], strict=False):
            if earlier.end is None or earlier.end >= later.start:
                raise PolicyError(
                    later.file, later.field, f"overlaps the value from {earlier.start}: give that an end"
                )


def _refuse_unknown_names(pack: Pack) -> None:
    used = [
        (f"programmes/{programme.name}.yaml", f"tests.{name}.{part}", getattr(test, part))
        for programme in pack.programmes.values()
        for name, test in programme.tests.items()
        for part in ("limit", "operator")
    ]
    used += [
        (row.file, f"{row.field}.formula", row.formula)
        for rows in pack.rows.values()
        for row in rows
        if row.formula
    ]
    for file, field, formula in used:
        try:
            unknown = [name for name in names(formula) if name not in pack.parameters]
        except FormulaError as error:
            raise PolicyError(file, field, str(error)) from None
        if unknown:
            raise PolicyError(file, field, f"{unknown[0]} is not a parameter")
