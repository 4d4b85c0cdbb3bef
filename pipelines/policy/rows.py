"""Values as an officer writes them, as rows: one for each place, kind of area and programme."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from pipelines.policy.errors import PolicyError
from pipelines.policy.formula import ROUNDINGS
from pipelines.policy.model import AREA_KINDS, Law, PackFile, Parameter, ParameterPart, Programme, Row, ValueLine
from pipelines.policy.values import is_code, parse_value


def define(known: Parameter | None, name: str, part: ParameterPart, file: str) -> Parameter:
    """What the parameter is, after one more file has spoken of it.

    Raises:
        PolicyError: nobody has given it a title and a unit, or the units differ.
    """
    field = f"parameters.{name}"
    if not is_code(name):
        raise PolicyError(file, field, "names are small letters, digits and _")
    if known is None:
        if part.title is None or part.unit is None:
            raise PolicyError(file, field, "is not known: give it a title and a unit, or correct the name")
        return Parameter(name, part.title, part.unit, part.choices, part.items, part.set_locally, file)
    if part.unit not in (None, known.unit):
        raise PolicyError(file, f"{field}.unit", f"is {known.unit} in {known.file}")
    choices = {**known.choices, **part.choices}
    items = {**known.items, **part.items}
    title = part.title or known.title
    return Parameter(name, title, known.unit, choices, items, known.set_locally, known.file)


@dataclass(frozen=True)
class RowReader:
    """Turns the values of one parameter in one file into rows."""

    head: PackFile
    depth: int
    parameter: Parameter
    laws: dict[str, Law]
    programmes: dict[str, Programme]
    file: str
    checked_on: date

    def rows(self, part: ParameterPart) -> Iterator[Row]:
        """The rows of every value line, each refused by its field if it cannot be used."""
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
        refuse_cites(self.laws, line.cites, self.file, f"{field}.cites")


def refuse_cites(laws: dict[str, Law], cites: tuple[str, ...], file: str, field: str) -> None:
    """Refuse a citation of a law that no pack.yaml names."""
    for cite in cites:
        if cite.partition(" ")[0] not in laws:
            raise PolicyError(file, field, f"{cite}: no such law in pack.yaml")
