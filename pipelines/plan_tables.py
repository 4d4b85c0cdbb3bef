"""The plan's tables: documents of the case store, opened a chunk at a time, as what sql/plan/ makes of them.

Tokens are made anew under the batch's own key epoch, so that they never meet those of another (R19).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from connectors.contract import load_contracts
from pipelines import exchange_rates, policy, tables
from pipelines.batch import Batch
from pipelines.identifiers import WITH_BIRTH, IdKind, classify
from pipelines.kept import keep
from pipelines.keys import KeyRing
from pipelines.opening import DOCUMENTS, DOCUMENTS_KEY, MEMBERS
from pipelines.pseudonyms import Tokeniser
from pipelines.sealing import seal, unseal
from pipelines.settings import Workspace
from pipelines.store import Store, find
from pipelines.warehouse import scan, sql_text

SELECTION = "selection.json"
CHUNK = 20_000
_FROM_DOCUMENTS = ("member_statuses", "authorisations", "declarations")
_AUTHORISATION = {
    "authorisation_id": "VARCHAR",
    "signed_on": "DATE",
    "valid_until": "DATE",
    "scope": ["VARCHAR"],
}
_MEMBER = {
    "member_no": "INTEGER",
    "name": "VARCHAR",
    "id_kind": "VARCHAR",
    "id_number": "VARCHAR",
    "birth_date": "DATE",
    "relation": "VARCHAR",
    "role": "VARCHAR",
    "married": "BOOLEAN",
    "student": {"stage": "VARCHAR", "full_time": "BOOLEAN"},
    "support": {"own_household": "INTEGER", "supports": "INTEGER"},
    "legal_capacity": "BOOLEAN",
    "address_protected": "BOOLEAN",
    "statuses": [{"kind": "VARCHAR", "from": "DATE", "to": "DATE"}],
    "authorisation": _AUTHORISATION,
}
_DECLARATION = {
    **dict.fromkeys(("income.wage", "income.business", "income.property", "income.transfer"), "VARCHAR"),
    "financial_assets": "VARCHAR",
    **dict.fromkeys(("homes", "vehicles", "businesses"), "BIGINT"),
}
_DOCUMENT = {
    **dict.fromkeys(("request_id", "programme", "division", "area_kind", "requester", "purpose"), "VARCHAR"),
    "application_date": "DATE",
    "reference_date": "DATE",
    "members": [_MEMBER],
    "declaration": _DECLARATION,
}


def open_applications(
    connection: sa.Connection, request_ids: Sequence[str] | None, *columns: str, states: Sequence[str] = ("open",)
) -> Iterator[tuple]:
    """Columns of the open applications, of all or of the requests given; or of those in other states."""
    table = tables.requests
    if request_ids is None:
        query = sa.select(*(table.c[name] for name in columns)).where(table.c.state.in_(states))
        rows: Iterator[sa.Row] = iter(connection.execute(query))
    else:
        rows = find(connection, table, "request_id", request_ids, table.c.state.in_(states), columns=columns)
    return (tuple(row) for row in rows)


@dataclass
class PlanTables:
    """Fills a connection with the batch's tables."""

    con: duckdb.DuckDBPyConnection
    batch: Batch
    ws: Workspace
    keyring: KeyRing
    store: Store
    states: Sequence[str] = ("open",)  # of the applications that may be planned

    def fill(self, progress: Callable[[int], None]) -> None:
        """Everything that sql/plan/ makes of the selected requests that are still open."""
        wanted: dict[str, int] = dict(json.loads((self.batch.folder / SELECTION).read_text("utf-8")))
        self._policies(sorted(wanted))
        self.con.execute("CREATE TABLE batch AS SELECT ?::DATE AS as_of_day", [self.batch.as_of.date()])
        self._rates()
        self._withdrawn()
        ids = sorted(wanted)
        for start in range(0, len(ids), CHUNK):
            self._chunk(ids[start : start + CHUNK], wanted, first=start == 0)
            progress(min(start + CHUNK, len(ids)))
        self._shared()
        for name in ("other_requests", "consents"):
            self.con.execute(f"CREATE TABLE {name} AS {sql_text(f'plan/{name}.sql')}")
        # Millions of rows of a whole county are streamed into their file and never kept; a few are worked out once.
        kept = "TABLE" if len(ids) <= CHUNK else "VIEW"
        self.con.execute(f"CREATE {kept} queries AS {sql_text('plan/queries.sql')}")

    def _policies(self, ids: Sequence[str]) -> None:
        """The policy of every programme, place, kind of area and date that there is, numbered."""
        columns = ("programme", "division", "area_kind", "application_date")
        with self.store.read() as connection:
            keys: list[tuple[str, str, str, date]] = sorted(
                set(open_applications(connection, ids, *columns, states=self.states))
            )
        pack = policy.load_pack(policy.pack_folder(self.ws.settings.policy_pack, self.ws.policies))
        keep(self.store, self.batch, pack, self.ws.contracts)
        for name, table in policy.tables(pack, keys).items():
            self._put(name, table)
        # Nobody can be asked for what no contract describes: a required one stays and is never answered (R6).
        self.con.execute(
            "DELETE FROM policy_sources WHERE requirement = 'optional' AND NOT list_contains(?, dataset)",
            [sorted(load_contracts(self.ws.contracts))],
        )
        places = {name: pa.array([key[i] for key in keys]) for i, name in enumerate(columns)}
        self._put("policy_keys", pa.table({"policy_id": pa.array(range(len(keys)), pa.int32()), **places}))

    def _rates(self) -> None:
        """Exchange rates (R58): the site's, or those of the batch whose extracts are read."""
        earlier = self.batch.source_folder / "exchange_rates.parquet"
        if self.batch.admitted_from is not None and earlier.exists():
            self.con.execute(f"CREATE TABLE exchange_rates AS SELECT * FROM {scan(earlier)}")
        else:
            exchange_rates.load(self.con, self.ws.exchange_rates)

    def _withdrawn(self) -> None:
        table = tables.authorisations
        query = sa.select(table.c.authorisation_id, table.c.withdrawn_on).where(table.c.withdrawn_on.is_not(None))
        with self.store.read() as connection:
            rows = connection.execute(query).all()
        columns = {
            "authorisation_id": pa.array([row[0] for row in rows], pa.string()),
            "withdrawn_on": pa.array([row[1] for row in rows], pa.date32()),
        }
        self._put("withdrawn", pa.table(columns))

    def _chunk(self, ids: Sequence[str], wanted: dict[str, int], *, first: bool) -> None:
        with self.store.read() as connection:
            rows = open_applications(connection, ids, "request_id", "application", "document", states=self.states)
            sealed = pa.array([row[2] for row in rows if wanted[row[0]] == row[1]], pa.binary())
        texts = unseal(self.keyring.seal_key(DOCUMENTS_KEY), sealed, DOCUMENTS)
        self.con.register("_texts", pa.table({"document": texts}))
        structure = json.dumps(_DOCUMENT)
        self.con.execute(
            "CREATE OR REPLACE TEMP TABLE documents AS SELECT unnest(d) FROM "
            f"(SELECT from_json(document, '{structure}') AS d FROM _texts)"
        )
        self.con.unregister("_texts")
        self._add("requests", sql_text("plan/requests.sql"), first)
        self._put("listed", self._members(self.con.execute(sql_text("plan/members.sql")).to_arrow_table()))
        self._add("members", "SELECT * FROM listed", first)
        for name in _FROM_DOCUMENTS:
            self._add(name, sql_text(f"plan/{name}.sql"), first)
        self.con.execute("DROP TABLE documents")

    def _members(self, listed: pa.Table) -> pa.Table:
        """Tokens in place of numbers and names, dates of birth out of numbers, the rest sealed for the report."""
        tokeniser = Tokeniser(self.keyring, self.batch.epoch, self.ws.settings.token_cipher, self.batch.as_of.date())
        numbers, kinds = listed["id_number"].combine_chunks(), listed["id_kind"]
        passport = pc.equal(kinds, "passport").combine_chunks()
        plain = pc.if_else(passport, None, numbers)
        read = tokeniser.persons(plain)
        passports = tokeniser.persons(pc.if_else(passport, numbers, None), IdKind.passport)
        person = pc.coalesce(read.values.storage, passports.values.storage)
        key = self.keyring.seal_key("display", self.batch.source_folder)
        columns = {
            "request_id": listed["request_id"],
            "member_no": listed["member_no"],
            "person": pa.ExtensionArray.from_storage(pa.uuid(), person),
            "name_token": tokeniser.names(listed["name"].combine_chunks()),
            "relation": listed["relation"],
            "role": listed["role"],
            "birth_date": _births(plain, read.kind, listed["birth_date"].combine_chunks()),
        }
        declared = (
            "married", "student_stage", "student_full_time", "support_household", "support_number", "legal_capacity",
            "address_protected",
        )  # fmt: skip
        columns |= {name: listed[name] for name in declared}
        return pa.table(columns | {"display": seal(key, listed["shown"].combine_chunks(), MEMBERS)})

    def _shared(self) -> None:
        """Members whom the store has in more than one open request, under the store's tokens (R20)."""
        m, r = tables.members, tables.requests
        live = sa.and_(m.c.request_id == r.c.request_id, m.c.application == r.c.application, r.c.state == "open")
        listed = sa.select(m.c.person, m.c.request_id, m.c.member_no).join(r, live)
        own = listed.where(m.c.role == "member", m.c.person.is_not(None)).cte("own")
        twice = sa.select(own.c.person).group_by(own.c.person).having(sa.func.count() > 1)
        with self.store.read() as connection:
            rows = connection.execute(sa.select(own).where(own.c.person.in_(twice))).all()
        columns = {
            "token": pa.array([row.person for row in rows], pa.string()),
            "request_id": pa.array([row.request_id for row in rows], pa.string()),
            "member_no": pa.array([row.member_no for row in rows], pa.int32()),
        }
        self._put("shared", pa.table(columns))

    def _put(self, name: str, table: pa.Table) -> None:
        self.con.register("_given", table)
        self.con.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM _given")
        self.con.unregister("_given")

    def _add(self, name: str, select: str, first: bool) -> None:
        self.con.execute(f"CREATE TABLE {name} AS {select}" if first else f"INSERT INTO {name} {select}")


def _births(numbers: pa.Array, kinds: np.ndarray, given: pa.Array) -> pa.Array:
    """Date of birth out of each number that has one, else as given."""
    canonical = pc.if_else(pa.array(np.isin(kinds, WITH_BIRTH)), classify(numbers).canonical, None)
    days = pc.strptime(pc.utf8_slice_codeunits(canonical, 6, 14), "%Y%m%d", "s").cast(pa.date32())
    return pc.coalesce(days, given)
