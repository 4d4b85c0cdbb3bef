"""A site's workspace: the folder, its hedui.yaml, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connectors.connections import Connection
from pipelines.errors import ConfigurationError, NotAWorkspaceError

CONFIGURATION = "hedui.yaml"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class KeySettings(_Part):
    """Where the root key comes from; the file has mode 0600."""

    provider: Literal["file", "environment", "command"] = "file"
    path: Path = Path("keys/root.key")
    variable: str = "HEDUI_ROOT_KEY"
    command: list[str] = []


class SourceSettings(_Part):
    """One dataset of this site: how it is reached, and what here differs from the contract's delivery."""

    connection: str
    delivery: dict[str, object] = {}


class Department(_Part):
    """How much of a department may be asked at once, and what is done when it does not answer."""

    at_once: int = Field(2, ge=1, description="how many of its datasets are asked at the same time")
    tries: int = Field(3, ge=1, le=10, description="of a task that asks it, for a fault that may pass")
    pause_minutes: float = Field(5.0, ge=0, description="between two tries")
    minutes: float = Field(60.0, gt=0, description="longest time of one try")


class CatalogueSettings(_Part):
    """Where the data bureau lists what may be exchanged: an HTTP connection, and the path below it."""

    connection: str
    endpoint: str = "data_bureau/catalogue"


class CaseSystem(_Part):
    """One end of the case system: a folder, a database table or an HTTP address."""

    kind: Literal["folder", "database", "http"]
    path: Path | None = None
    url: str | None = None
    table: str | None = None
    token_file: Path | None = None


class CaseSystems(_Part):
    """Where requests come from and reports go to."""

    requests: CaseSystem = CaseSystem(kind="folder", path=Path("inbox"))
    reports: CaseSystem = CaseSystem(kind="folder", path=Path("reports"))


class Limits(_Part):
    """What one run may use of the machine."""

    memory: str = "1000MB"
    threads: int = Field(2, ge=1)
    shard_households: int = Field(20_000, ge=100, description="households assessed at once")


class Gate(_Part):
    """When a batch's reports wait for a person, besides a warning of a dataset's check."""

    jump_per_mille: int = Field(100, ge=1, description="of the share of households over a limit, against the median")
    history: int = Field(12, ge=1, description="how many batches before are looked at")
    batches: int = Field(3, ge=1, description="fewest batches before that a jump can be told from")
    households: int = Field(50, ge=1, description="fewest households of a programme in a batch")


class Notify(_Part):
    """Who is told of a failure: an address that takes JSON, or mail; neither if left out."""

    webhook: str | None = None
    token_file: Path | None = None
    mail_host: str | None = None
    mail_port: int = 25
    mail_from: str = "hedui@localhost"
    mail_to: list[str] = []


class Nightly(_Part):
    """When the nightly run begins, and how long it waits for sources that are late."""

    starts: str = Field("0 2 * * *", description="cron, in the county's time")
    cut_off_minutes: float = Field(120.0, ge=0, description="after the start; then it goes on with what is there")
    look_minutes: float = Field(10.0, gt=0, description="between two looks at late sources")


class Retention(_Part):
    """How long data of persons is kept; records of what was asked and destroyed are not touched."""

    data_months: int = Field(18, ge=1, description="months after a batch's moment until its key is destroyed")


class Settings(_Part):
    """hedui.yaml."""

    division: str = Field(pattern=r"^\d{6}$")
    policy_pack: str
    keys: KeySettings = KeySettings()
    token_cipher: Literal["aes256", "sm4"] = "aes256"
    store: str = "sqlite:///state/store.sqlite"
    connections: dict[str, Connection] = {}
    sources: dict[str, SourceSettings] = {}
    departments: dict[str, Department] = {}
    catalogue: CatalogueSettings | None = None
    contracts: Path | None = None
    policies: Path | None = None
    exchange_rates: Path | None = Field(None, description="CSV of official rates; `example` for the made-up county's")
    case_systems: CaseSystems = CaseSystems()
    limits: Limits = Limits()
    retention: Retention = Retention()
    gate: Gate = Gate()
    notify: Notify = Notify()
    quality_url: str | None = Field(None, description="where the auditors' pages are served, for links to them")
    nightly: Nightly = Nightly()
    arrival_minutes: float | None = Field(
        None, gt=0, description="between two looks for requests that have arrived; none if left out"
    )

    def department(self, name: str) -> Department:
        """What holds for a department, by the first part of its datasets' names."""
        return self.departments.get(name, Department())


class Workspace:
    """An opened workspace: ``root`` and ``settings``; relative paths in hedui.yaml start at ``root``."""

    def __init__(self, root: Path, settings: Settings) -> None:
        self.root = root
        self.settings = settings

    @classmethod
    def open(cls, folder: Path) -> Workspace:
        """Read ``folder``/hedui.yaml.

        Raises:
            NotAWorkspaceError: there is no hedui.yaml.
            ConfigurationError: it does not validate; the first wrong field is named.
        """
        file = folder / CONFIGURATION
        if not file.is_file():
            raise NotAWorkspaceError(str(folder))
        try:
            settings = Settings.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")) or {})
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            raise ConfigurationError(str(file), field, first["msg"]) from None
        except yaml.YAMLError as error:
            raise ConfigurationError(str(file), "-", str(getattr(error, "problem", "not YAML"))) from None
        return cls(folder.resolve(), settings)

    def path(self, relative: Path | str) -> Path:
        """A path of the configuration, from the workspace's root."""
        return self.root / relative

    @property
    def exchange_rates(self) -> Path | None:
        """The file of official exchange rates (R58), None where the site has none."""
        named = self.settings.exchange_rates
        if named == Path("example"):
            from pipelines.exchange_rates import EXAMPLE

            return EXAMPLE
        return self.path(named) if named else None

    @property
    def store_url(self) -> str:
        """The case store's SQLAlchemy URL; a relative SQLite file is taken from the workspace."""
        prefix = "sqlite:///"
        url = self.settings.store
        if url.startswith(prefix) and not url.startswith(prefix + "/"):
            return prefix + str(self.path(url[len(prefix) :]))
        return url

    @property
    def contracts(self) -> Path | None:
        """The site's own contracts; None for the shipped ones."""
        return self.path(self.settings.contracts) if self.settings.contracts else None

    @property
    def policies(self) -> Path | None:
        """The site's own policy packs; None if there are none."""
        return self.path(self.settings.policies) if self.settings.policies else None

    @property
    def batches(self) -> Path:
        """The folder of all batches."""
        return self.root / "batches"
