"""The model of a contract: what one department promises to send, and how it is read.

A contract is data (``contracts/<department>/<dataset>.yaml``) and is frozen once loaded. A bad one is refused with
its file, its field and the reason, before anything is asked of anybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import pyarrow as pa
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pipelines.errors import HeduiError

CONTRACTS = Path(__file__).resolve().parent / "contracts"
FEN = {"元": 100, "万元": 1_000_000, "分": 1}
_SENSITIVITY = {"id": "identifier", "name": "identifier", "display": "display"}
_DECIMAL = pa.decimal128(18, 2)


@dataclass(eq=False)
class ContractError(HeduiError):
    """A contract file cannot be used."""

    file: str
    field: str
    reason: str

    zh = "数据合同有误：{file} 的 {field}：{reason}"
    en = "contract {file}, {field}: {reason}"
    todo = "correct the file; then: hedui contracts check"
    exit_code = 2


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(_Part):
    """One text in both languages."""

    zh: str
    en: str


class Column(_Part):
    """One column: the department's name and form, our name and type.

    ``type``: id → token of ``kind``; name → token of the normalised name; display → sealed; money → fen; int →
    the delivered decimal times ``factor``, which must be whole; month → its first day; code → ``codes``
    (theirs → ours).
    """

    source: str
    name: str | None = Field(None, description="our name; none for a column that is dropped")
    type: Literal["id", "name", "display", "money", "int", "date", "month", "code", "flag", "text"] = "text"
    kind: Literal["person", "unit", "account", "plate", "policy", "hukou"] | None = None
    subject: bool = Field(False, description="a person whom the row is about: decides whether the row is kept")
    nullable: bool = False
    multiple: str | None = Field(None, description="separator, when one cell holds several identifiers")
    unit: Literal["元", "万元", "分"] | None = None
    years_ahead: int = Field(1, ge=0, description="how far after the batch a day may lie (an expiry)")
    factor: int = Field(1, ge=1, description="our integer is the delivered number times this")
    codes: dict[str, str] | None = None
    sensitivity: Literal["identifier", "display", "value", "drop"] = "value"
    note: str = ""

    @model_validator(mode="before")
    @classmethod
    def _derive(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Sensitivity follows from the type and the factor of money from its unit, unless a column is dropped."""
        derived = dict(given)
        derived.setdefault("sensitivity", _SENSITIVITY.get(str(given.get("type")), "value"))
        if given.get("unit") in FEN:
            derived["factor"] = FEN[given["unit"]]
        return derived

    @model_validator(mode="after")
    def _whole(self) -> Self:
        wrong = {
            "name: every column that is not dropped has one": (self.name is None) != (self.sensitivity == "drop"),
            "kind: id columns have one, others none": (self.kind is None) == (self.type == "id"),
            "unit: money has one, others none": (self.unit is None) == (self.type == "money"),
            "codes: code columns have them, others do not": (self.codes is None) == (self.type == "code"),
            "subject: only a person can be one": self.subject and self.kind != "person",
            "multiple: only identifiers come in lists": self.multiple is not None and self.type != "id",
            "name: money ends in _fen": self.type == "money" and not (self.name or "").endswith("_fen"),
            "sensitivity: follows from the type": self.sensitivity != "drop"
            and self.sensitivity != _SENSITIVITY.get(self.type, "value"),
        }
        for reason, is_wrong in wrong.items():
            if is_wrong:
                raise ValueError(f"{self.source}: {reason}")
        return self

    @property
    def wire(self) -> pa.DataType:
        """The Arrow type in typed deliveries (Parquet, databases); CSV, JSON and Excel are read as text."""
        by_type = {"date": pa.date32(), "money": _DECIMAL}
        if self.type == "int":
            return pa.int64() if self.factor == 1 else _DECIMAL
        return by_type.get(self.type, pa.string())


class FilesDelivery(_Part):
    """Files in ``<base>/<department>.<dataset>/``, each with a manifest beside it."""

    way: Literal["files"]
    format: Literal["csv", "parquet", "xlsx"]
    encoding: Literal["utf-8", "gb18030"] = "utf-8"
    separator: str = Field(",", min_length=1, max_length=1)
    sheet: str = Field("", description="of a workbook; its first sheet if empty")
    header_row: int = Field(1, ge=1, description="the row of a sheet that holds the names; titles may stand above")
    pattern: str = ""

    @property
    def glob(self) -> str:
        """File names that are extracts; by default those that end in the format."""
        return self.pattern or f"*.{self.format}"


class Window(_Part):
    """The source columns by which a database limits rows to the window asked for (dates, or years)."""

    first: str
    last: str


class DatabaseDelivery(_Part):
    """A table or view of a department's database."""

    way: Literal["database"]
    table: str = Field(description="table or schema.table")
    order_by: list[str] = Field(min_length=1, description="source columns that give every row its place")
    window: Window | None = None
    as_of_query: str | None = Field(None, description="one row, one date; the day of asking without it")
    list_limit: int = Field(1000, ge=0, description="up to this many persons are asked for by name")


class HttpDelivery(_Part):
    """A department's service; docs/department-http.md has its requests and answers."""

    way: Literal["http"]
    style: Literal["ticket", "paged", "person"]
    endpoint: str
    page_rows: int = Field(20_000, ge=1)
    list_limit: int = Field(1_000_000, ge=1, description="most persons in one request")


Delivery = Annotated[FilesDelivery | DatabaseDelivery | HttpDelivery, Field(discriminator="way")]


class Period(_Part):
    """Which of our columns say what time a row is about, and whether its last day belongs to it."""

    first: str
    last: str
    last_included: bool = True


class Contract(_Part):
    """One dataset of one department."""

    dataset: str = Field(pattern=r"^[a-z_]+/[a-z_]+$")
    provider: Words
    title: Words
    data_class: str = Field(description="class of MZ/T 073-2024 that the data belong to")
    delivery: Delivery
    mode: Literal["full", "increment"] = Field(description="increment: full bases, and changes between them")
    manifest: Literal["required", "none"] = "none"
    digest: Literal["sha256", "sm3"] = "sha256"
    freshness_days: int = Field(ge=1)
    max_quarantine_share: float = Field(0.05, ge=0, le=1)
    identity: bool = Field(False, description="collected first: it says who is who")
    feeds: list[str] = Field(min_length=1)
    period: Period | None = None
    key: list[str] = Field(min_length=1, description="our names of the business key")
    columns: list[Column] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        ours = [c.name for c in self.columns if c.name]
        theirs = [c.source for c in self.columns]
        period = [self.period.first, self.period.last] if self.period else []
        used = list(self.delivery.order_by) if isinstance(self.delivery, DatabaseDelivery) else []
        if isinstance(self.delivery, DatabaseDelivery) and self.delivery.window:
            used += [self.delivery.window.first, self.delivery.window.last]
        for field, names, known in (("key", self.key, ours), ("period", period, ours), ("delivery", used, theirs)):
            for name in names:
                if name not in known:
                    raise ValueError(f"{field}: no column {name}")
        for label, names in (("name", ours), ("source", theirs)):
            if len(set(names)) != len(names):
                raise ValueError(f"columns: a {label} occurs twice")
        if not self.subjects:
            raise ValueError("columns: none is the subject")
        return self

    @property
    def way(self) -> str:
        """How it is delivered: files, database or http."""
        return self.delivery.way

    @property
    def subjects(self) -> list[Column]:
        """The columns whose persons decide whether a row is kept."""
        return [c for c in self.columns if c.subject]

    @property
    def folder(self) -> str:
        """The dataset's file-system safe form, ``department.dataset``."""
        return self.dataset.replace("/", ".")

    @property
    def table(self) -> str:
        """The dataset's name as a table, ``department__dataset``."""
        return self.dataset.replace("/", "__")

    @property
    def typed(self) -> bool:
        """Whether the delivery carries types; CSV and JSON carry text, and so does what is read of Excel."""
        return isinstance(self.delivery, DatabaseDelivery) or getattr(self.delivery, "format", "") == "parquet"

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of an extract's batches: source names in this order."""
        return pa.schema([(c.source, c.wire if self.typed else pa.string()) for c in self.columns])

    def delivered(self, override: dict[str, Any]) -> Contract:
        """The contract with a site's own delivery; another way replaces it, the same way amends it.

        Raises:
            ContractError: the override does not validate.
        """
        if not override:
            return self
        same_way = override.get("way", self.way) == self.way
        delivery = {**self.delivery.model_dump(), **override} if same_way else override
        return _validated({**self.model_dump(), "delivery": delivery}, f"sources.{self.dataset}.delivery")


def _validated(given: object, file: str) -> Contract:
    try:
        return Contract.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "-"
        raise ContractError(file, field, first["msg"]) from None


def load_contract(file: Path) -> Contract:
    """Read one contract.

    Raises:
        ContractError: it is not YAML, does not validate, or its path is not that of its dataset.
    """
    name = f"{file.parent.name}/{file.name}"
    try:
        contract = _read(file.read_text(encoding="utf-8"), name)
    except UnicodeDecodeError:
        raise ContractError(name, "-", "not YAML: not UTF-8") from None
    if contract.dataset != f"{file.parent.name}/{file.stem}":
        raise ContractError(name, "dataset", "differs from the file's place")
    return contract


@lru_cache(maxsize=512)  # every stage reads the contracts; to parse them takes longer than some stages do
def _read(text: str, name: str) -> Contract:
    try:
        given = yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise ContractError(name, "-", f"not YAML: {getattr(error, 'problem', None)}") from None
    return _validated(given, name)


def load_contracts(folder: Path | None = None) -> dict[str, Contract]:
    """Every contract of a folder (the project's own if None), by dataset, in order of dataset.

    Raises:
        ContractError: the first one that cannot be used, or the folder holds none.
    """
    folder = folder or CONTRACTS
    contracts = [load_contract(file) for file in sorted(folder.glob("*/*.yaml"))]
    if not contracts:
        raise ContractError(folder.name, "-", "the folder holds no <department>/<dataset>.yaml")
    return {contract.dataset: contract for contract in contracts}
