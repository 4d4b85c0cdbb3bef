"""Assessed tables for the tests of reports: golden households (tests/rules/golden), written as a batch would."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from connectors.contract import load_contracts
from pipelines import warehouse
from pipelines.assess import RESULTS, WITH_FACTS
from pipelines.batch import Batch, write_json
from pipelines.warehouse import sql_text
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
def tables(chosen: tuple[str, ...]) -> dict[str, pa.Table]:
    """The assessed tables of stories, in this order; ``members`` and the policy's tables of their plan."""
    by_connection: dict[int, list[str]] = {}
    for story in chosen:
        by_connection.setdefault(id(household(story).con), []).append(story)
    parts = [_assessed(own, chosen) for own in by_connection.values()]
    found = {}
    for table in parts[0]:
        together = pa.concat_tables([part[table] for part in parts], promote_options="permissive")
        found[table] = together.take(pc.sort_indices(together["_place"])).drop_columns("_place")
    return found | {"members": _members(chosen)}


def _assessed(own: Sequence[str], chosen: tuple[str, ...]) -> dict[str, pa.Table]:
    """Of stories that are on one connection; ``_place`` is a story's place among those chosen."""
    con = household(own[0]).con
    numbers = {name: number for number, name in enumerate(stories())}
    con.execute("CREATE OR REPLACE TEMP TABLE _own (name VARCHAR, request VARCHAR, number INTEGER, place INTEGER)")
    con.executemany(
        "INSERT INTO _own VALUES (?, ?, ?, ?)",
        [(name, request_of(name), numbers[name], chosen.index(name)) for name in own],
    )
    found = {}
    for table in (*RESULTS, "policy", "policy_sources", "policy_suitable"):
        same = "policy_id = number" if table.startswith("policy") else "request_id = name"
        con.execute(f"CREATE OR REPLACE TEMP VIEW result AS SELECT t.* FROM {table} t JOIN _own ON {same}")
        select = sql_text("assess/with_evidence.sql") if table in WITH_FACTS else "SELECT * FROM result"
        columns = {name for name, *_ in con.execute(f"DESCRIBE {select}").fetchall()}
        changed = {
            "request_id": "request",
            "facts": FACTS,
            "extract_digest": f"CASE WHEN state IN ('covered', 'stale') THEN {DIGEST.format('dataset')} END",
            "display": f"encode(replace(CASE class {_shown()} END, '{{}}', number::VARCHAR))",
        }
        replaced = ", ".join(f"{sql} AS {name}" for name, sql in changed.items() if name in columns)
        replaced = f"REPLACE ({replaced})" if replaced else ""
        con.execute(f"CREATE OR REPLACE TEMP VIEW shown AS SELECT place AS _place, t.* {replaced} "
                    f"FROM ({select}) t JOIN _own ON {same}")  # fmt: skip
        found[table] = con.execute("SELECT * FROM shown ORDER BY ALL").to_arrow_table()
    return found


def _shown() -> str:
    return " ".join(f"WHEN '{kind}' THEN '{text}'" for kind, text in SHOWN.items())


def _members(chosen: Sequence[str]) -> pa.Table:
    rows: list[dict[str, object]] = []
    for story in chosen:
        number = list(stories()).index(story)
        members = household(story).rows("household_members", "member_no, person IS NULL")
        for place, (no, newborn) in enumerate(members):
            shown = {"name": NAMES[no - 1], "id_number": None if newborn else id_number(number, no)}
            rows.append(
                {
                    "request_id": request_of(story),
                    "member_no": no,
                    "address_protected": story == PROTECTED and place == 0,
                    "display": json.dumps(shown, ensure_ascii=False).encode(),
                }
            )
    kinds = {
        "request_id": pa.string(),
        "member_no": pa.int32(),
        "address_protected": pa.bool_(),
        "display": pa.binary(),
    }
    return pa.Table.from_pylist(rows, pa.schema(kinds))


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
    with warehouse.connect(DATA_KEY) as con:
        for table, rows in tables(tuple(chosen)).items():
            con.register("_parts", rows)
            repeated = copies > 1 and "request_id" in rows.column_names
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
