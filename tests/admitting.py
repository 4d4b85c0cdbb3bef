"""A small site for tests of admission and collect: real keys, real contracts, rows as departments deliver them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from connectors.contract import Contract
from connectors.extract import Extract
from pipelines import keys, warehouse
from pipelines.admission import AdmissionKeys, AdmittedExtract, admit, current_view_sql
from pipelines.batch import Batch
from pipelines.keys import KeyRing
from pipelines.pseudonyms import Tokeniser
from pipelines.scoping import Scope, fetch_tokens
from pipelines.settings import Workspace

AS_OF = date(2026, 8, 31)
ON = datetime.fromisoformat("2026-09-16T02:00:00+08:00")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def person(n: int, area: str = "370303") -> str:
    """A valid ID number, different for every ``n`` below 800,000."""
    head = f"{area}{1950 + n // 11_000 % 70:04d}{n // 999 % 11 + 1:02d}01{n % 999 + 1:03d}"
    return head + "10X98765432"[sum(int(d) * w for d, w in zip(head, _WEIGHTS, strict=True)) % 11]


def contract(dataset: str, columns: Sequence[dict[str, Any]], key: Sequence[str], **more: Any) -> Contract:
    """A contract for files of CSV with what a test does not care about filled in."""
    given = {
        "dataset": dataset,
        "provider": {"zh": "部门", "en": "department"},
        "title": {"zh": "数据", "en": "data"},
        "data_class": "财产信息",
        "delivery": {"way": "files", "format": "csv"},
        "mode": "full",
        "manifest": "required",
        "freshness_days": 45,
        "feeds": ["financial_assets"],
        "key": list(key),
        "columns": list(columns),
    }
    return Contract.model_validate(given | more)


ID = {"source": "ZJHM", "name": "person", "type": "id", "kind": "person", "subject": True}
NAME = {"source": "XM", "name": "person_name", "type": "name"}
REF = {"source": "BH", "name": "record_ref"}
AMOUNT = {"source": "JE", "name": "amount_fen", "type": "money", "unit": "元"}


def accounts(**more: Any) -> Contract:
    """Number, person, name, amount."""
    return contract("banks/accounts", [REF, ID, NAME, AMOUNT], ["record_ref"], **more)


def account(ref: object, who: str | None, amount: str | None = "100.00", name: str | None = "张三") -> dict[str, Any]:
    """A row of ``accounts``."""
    return {"BH": str(ref), "ZJHM": who, "XM": name, "JE": amount}


def extract(
    of: Contract, rows: Sequence[dict[str, Any]], *, name: str = "one", batch_rows: int = 1000, **more: Any
) -> Extract:
    """An extract that delivers these rows; its digest follows from ``name``."""
    table = pa.Table.from_pylist(list(rows), of.schema)

    def read(_: Extract) -> Iterator[pa.RecordBatch]:
        yield from table.to_batches(batch_rows)

    digest = "sha256:" + hashlib.sha256(name.encode()).hexdigest()
    given = {"as_of": AS_OF, "sequence": 1, "mode": "full", "digest": digest, "declared_rows": None}
    return Extract(dataset=of.dataset, read=read, name=name, **(given | more))


@dataclass
class Lab:
    """Admission without a department around it."""

    folder: Path
    epoch: int = 1

    def __post_init__(self) -> None:
        self.keyring = KeyRing(b"\x07" * 32, self.folder / "epochs.json")
        self.tokeniser = Tokeniser(self.keyring, self.epoch)
        self.keys = AdmissionKeys(b"s" * 64, b"r" * 32)
        self.data_key = b"d" * 32

    def tokens(self, *persons: str) -> pa.Array:
        """The tokens of ID numbers."""
        return self.tokeniser.persons(pa.array(persons, pa.string())).values

    def admit(self, of: Contract, what: Extract, persons: Sequence[str], seq: int = 1, **more: Any) -> AdmittedExtract:
        """Admit an extract for these persons."""
        scope = Scope(self.tokens(*persons))
        with warehouse.connect(self.data_key) as con:
            return admit(con, of, what, self.tokeniser, scope, self.keys, self.folder, seq, **more)

    def query(self, sql: str, **tables: Path) -> list[dict[str, Any]]:
        """Rows of a query over Parquet files, given by name."""
        with warehouse.connect(self.data_key) as con:
            for name, path in tables.items():
                con.execute(f"CREATE VIEW {name} AS SELECT * FROM {warehouse.scan(path)}")
            return fetch_tokens(con, sql).to_pylist()

    def rows(self, admitted: AdmittedExtract) -> list[dict[str, Any]]:
        """The admitted rows."""
        return self.query("SELECT * FROM t ORDER BY row_no", t=admitted.path)

    def quarantine(self, admitted: AdmittedExtract) -> list[tuple[Any, ...]]:
        """Row number, column, reason, person."""
        found = self.query("SELECT * FROM t ORDER BY ALL", t=admitted.quarantine)
        return [(row["row_no"], row["column"], row["reason"], row["person"]) for row in found]

    def current(self, of: Contract, *admitted: AdmittedExtract) -> list[dict[str, Any]]:
        """The rows that hold after these extracts."""
        return self.query(f"SELECT * FROM ({current_view_sql(of, [a.path for a in admitted])}) ORDER BY ALL")

    def uuid(self, who: str) -> Any:
        """One person's token as Arrow gives it back."""
        return self.tokens(who).to_pylist()[0]


class Site:
    """A workspace whose departments deliver into a folder."""

    def __init__(self, root: Path, contracts: Sequence[Contract], configured: Sequence[str] | None = None) -> None:
        self.contracts = {c.dataset: c for c in contracts}
        for one in contracts:
            file = root / "contracts" / f"{one.dataset}.yaml"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(yaml.safe_dump(one.model_dump(mode="json"), allow_unicode=True), "utf-8")
        keys.init(root / "keys" / "root.key")
        (root / "state").mkdir()
        known = self.contracts if configured is None else configured
        settings = {
            "division": "370303",
            "policy_pack": "3703",
            "contracts": str(root / "contracts"),
            "connections": {"local": {"kind": "folder", "path": "extracts", "attempts": 1}},
            "sources": {dataset: {"connection": "local"} for dataset in known},
        }
        (root / "hedui.yaml").write_text(yaml.safe_dump(settings), "utf-8")
        self.ws = Workspace.open(root)
        self.keyring = KeyRing.open(self.ws.settings.keys, self.ws.root)

    def deliver(
        self, dataset: str, delivered: Sequence[dict[str, Any]], name: str = "20260831", **manifest: Any
    ) -> Path:
        """Write rows as the department's CSV, with its manifest."""
        of = self.contracts[dataset]
        encoding, separator = getattr(of.delivery, "encoding", "utf-8"), getattr(of.delivery, "separator", ",")
        names = [c.source for c in of.columns]
        lines = [separator.join(names)]
        lines += [separator.join(str(row.get(n) if row.get(n) is not None else "") for n in names) for row in delivered]
        data = ("\n".join(lines) + "\n").encode(encoding)
        return self.deliver_bytes(dataset, data, name, **({"rows": len(delivered)} | manifest))

    def deliver_bytes(self, dataset: str, data: bytes, name: str = "20260831", **manifest: Any) -> Path:
        """Put a file and its manifest into the department's folder."""
        folder = self.ws.root / "extracts" / dataset.replace("/", ".")
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.csv"
        path.write_bytes(data)
        of = self.contracts[dataset]
        document = {
            "dataset": dataset,
            "file": path.name,
            "rows": None,
            "digest_algorithm": of.digest,
            "digest": hashlib.new(of.digest, data).hexdigest(),
            "as_of": AS_OF.isoformat(),
            "sequence": 1,
            "mode": "full",
        }
        path.with_name(path.name + ".manifest.json").write_text(json.dumps(document | manifest), "utf-8")
        return path

    def batch(self, queries: Sequence[tuple[str, str | None, str]], name: str = "b1", **more: Any) -> Batch:
        """A planned batch: (dataset, ID number, state) for each query."""
        batch = Batch.create(self.ws.batches, name, ON, **more)
        persons = self.tokeniser(batch).persons(pa.array([q[1] for q in queries], pa.string())).values
        n = len(queries)
        table = pa.table(
            {
                "query_id": [f"q{i}" for i in range(n)],
                "dataset": pa.array([q[0] for q in queries], pa.string()),
                "request_id": [f"r{i}" for i in range(n)],
                "member_no": pa.array([1] * n, pa.int32()),
                "person": persons,
                "authorisation_id": ["a"] * n,
                "state": pa.array([q[2] for q in queries], pa.string()),
                "window_from": pa.array([date(2025, 9, 1)] * n),
                "window_to": pa.array([date(2026, 9, 1)] * n),
                "purpose": ["最低生活保障"] * n,
                "requester": ["张店区民政局"] * n,
            }
        )
        with warehouse.connect(self.keyring.data_key(batch.source_folder)) as con:
            warehouse.write_table(con, table, batch.folder / "queries.parquet")
        return batch

    def tokeniser(self, batch: Batch) -> Tokeniser:
        """Of the batch's epoch."""
        return Tokeniser(self.keyring, batch.epoch, self.ws.settings.token_cipher, ON.date())

    def uuid(self, batch: Batch, who: str) -> Any:
        """One person's token."""
        return self.tokeniser(batch).persons(pa.array([who])).values.to_pylist()[0]

    def read(self, batch: Batch, name: str) -> list[dict[str, Any]]:
        """A table of the batch."""
        with warehouse.connect(self.keyring.data_key(batch.folder)) as con:
            path = batch.folder / name
            return fetch_tokens(con, f"SELECT * FROM {warehouse.scan(path)} ORDER BY ALL").to_pylist()

    def coverage(self, batch: Batch) -> dict[tuple[str, Any], dict[str, Any]]:
        """The row of each dataset and person."""
        return {(row["dataset"], row["person"]): row for row in self.read(batch, "coverage.parquet")}

    def extracts(self, batch: Batch) -> list[dict[str, Any]]:
        """extracts.json."""
        found: list[dict[str, Any]] = json.loads((batch.folder / "extracts.json").read_text("utf-8"))
        return found

    def current(self, batch: Batch, dataset: str) -> list[dict[str, Any]]:
        """The rows of a dataset that hold."""
        paths = [batch.folder / e["path"] for e in self.extracts(batch) if e["dataset"] == dataset and e["path"]]
        with warehouse.connect(self.keyring.data_key(batch.folder)) as con:
            sql = current_view_sql(self.contracts[dataset], paths)
            return fetch_tokens(con, f"SELECT * FROM ({sql}) ORDER BY ALL").to_pylist()
