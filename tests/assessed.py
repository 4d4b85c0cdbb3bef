"""Assessed tables for the tests of reports: golden households (tests/rules/golden), written as a batch would."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path

import pyarrow as pa

from connectors.contract import load_contracts
from pipelines import warehouse
from pipelines.assess import RESULTS, WITH_FACTS
from pipelines.batch import Batch, write_json
from pipelines.warehouse import sql_text
from tests.rules.household import Household
from tests.rules.together import household, stories

DATA_KEY = bytes(range(32))
AS_OF = datetime.fromisoformat("2026-09-16T02:00:00+08:00")
STORIES = (
    "r36_r41_r42_r44_r52_r56_r57_worked_example",
    "r62_one_fen_below_the_limit_is_satisfied",
    "r01_over_limit_whatever_the_missing_source_would_have_said",
    "r21_r22_pension_dated_after_death_is_disputed_and_goes_to_review",
    "r26_newborn_without_a_number_counts_and_is_shown_as_not_queryable",
    "r30_authorisation_that_ended_takes_the_items_out",
    "r47_unknown_share_is_disputed",
    "r53_vehicle_for_the_disabled_is_exempt",
    "r58_other_currency_without_a_rate_is_open_upwards",
    "r64_difference_that_changes_a_test_is_material",
)
# The second name holds what a page must escape, a rare character, and what JSON must escape; never-issued area codes.
NAMES = ("王丽萍", '欧阳·𠮷<b>&"\\', "赵小满", "孙兰英")
SHOWN = {"dwelling": "山东省淄博市张店区共青团西路{}号3号楼2单元501室", "vehicle": "鲁C·8A6{}3"}
PROTECTED = "r47_unknown_share_is_disputed"  # of this household, a member's address is protected
# Every digest that the stories leave open becomes the dataset's own, as if each had sent one extract.
DIGEST = "'sha256:' || sha256({})"
FACTS = f"list_transform(facts, lambda f: struct_update(f, extract_digest := {DIGEST.format('f.dataset')}))"


def request_of(story: str) -> str:
    """The request id under which a story is written."""
    return f"HS-{story.split('_')[0]}-{list(stories()).index(story):04d}"


def id_number(household: int, member: int) -> str:
    """A made-up number from an area code that was never issued; not checked by anything here."""
    return f"3803101980010{household:03d}{member}X"


@cache
def tables(story: str, number: int) -> dict[str, pa.Table]:
    """The assessed tables of one story; ``members`` and the policy's tables of its plan."""
    told = household(story)
    con, policy = told.con, f"policy_id = {number}" if told.own != "TRUE" else "TRUE"
    request = request_of(story)
    found: dict[str, pa.Table] = {}
    for table in (*RESULTS, "policy", "policy_sources", "policy_suitable"):
        own = f"SELECT * FROM {table} WHERE {policy if table.startswith('policy') else told.own}"
        con.execute(f"CREATE OR REPLACE VIEW result AS {own}")
        select = sql_text("assess/with_evidence.sql") if table in WITH_FACTS else own
        columns = {name for name, *_ in con.execute(f"DESCRIBE {select}").fetchall()}
        changed = {
            "request_id": f"'{request}'",
            "policy_id": f"{number}::INTEGER",
            "facts": FACTS,
            "extract_digest": f"CASE WHEN state IN ('covered', 'stale') THEN {DIGEST.format('dataset')} END",
            "display": f"encode(CASE class {_shown(number)} END)",
        }
        replaced = ", ".join(f"{sql} AS {name}" for name, sql in changed.items() if name in columns)
        ordered = f"SELECT * REPLACE ({replaced}) FROM ({select}) ORDER BY ALL"
        found[table] = _compact(con.execute(ordered if replaced else select).to_arrow_table())
    found["members"] = _members(told, request, number, protected=story == PROTECTED)
    return found


def _compact(table: pa.Table) -> pa.Table:
    """The same in buffers of its own size: DuckDB's are far bigger, and hundreds of those leave no room to fork."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return pa.ipc.open_stream(sink.getvalue()).read_all()


def _shown(number: int) -> str:
    return " ".join(f"WHEN '{kind}' THEN '{text.format(number)}'" for kind, text in SHOWN.items())


def _members(told: Household, request: str, number: int, *, protected: bool) -> pa.Table:
    rows = told.rows("household_members", "member_no, person IS NULL")
    shown = [
        json.dumps({"name": NAMES[no - 1], "id_number": None if newborn else id_number(number, no)}, ensure_ascii=False)
        for no, newborn in rows
    ]
    return pa.table(
        {
            "request_id": [request] * len(rows),
            "member_no": pa.array([no for no, _ in rows], pa.int32()),
            "address_protected": [protected and place == 0 for place in range(len(rows))],
            "display": pa.array([text.encode() for text in shown], pa.binary()),
        }
    )


class PlainOpener:
    """Stands for the unsealing: the display fields here are not sealed."""

    def members(self, sealed: pa.Array) -> pa.Array:
        return sealed.cast(pa.string())

    def assets(self, classes: pa.Array, sealed: pa.Array) -> pa.Array:
        return sealed.cast(pa.string())


def write(batches: Path, chosen: Sequence[str] = STORIES, name: str = "b1", copies: int = 1) -> Batch:
    """Write stories as an assessed batch.

    Args:
        batches: folder of batches.
        chosen: ids of stories, in the order in which they are written.
        name: of the batch.
        copies: repeats the households under more request ids, for measurements.
    """
    batch = Batch.create(batches, name, AS_OF)
    parts = [tables(story, list(stories()).index(story)) for story in chosen]
    with warehouse.connect(DATA_KEY) as con:
        for table in parts[0]:
            con.register("_parts", pa.concat_tables([part[table] for part in parts], promote_options="permissive"))
            repeated = copies > 1 and "request_id" in parts[0][table].column_names
            select = (
                "SELECT request_id || '-' || lpad(i::VARCHAR, 6, '0') AS request_id, _parts.* EXCLUDE (request_id) "
                f"FROM _parts, range({copies}) AS r(i) ORDER BY ALL"
                if repeated
                else "SELECT * FROM _parts"
            )
            folder = batch.folder / "assessed" / "0000" if table in RESULTS else batch.folder
            warehouse.write_parquet(con, select, folder / f"{table}.parquet")
            con.unregister("_parts")
        datasets = sorted(load_contracts())
        digests = con.execute(f"SELECT {DIGEST.format('unnest(?)')}", [datasets]).fetchall()
    extracts = [
        {"dataset": dataset, "digest": digest, "as_of": "2026-09-10", "path": f"admitted/{dataset}"}
        for dataset, (digest,) in zip(datasets, digests, strict=True)
    ]
    write_json(batch.folder / "extracts.json", extracts)
    return batch
