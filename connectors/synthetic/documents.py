"""The two documents of the county by household, as JSON Lines: what is asked, and what is true."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from connectors.synthetic.dirt import write_numbers
from connectors.synthetic.households import RELATIONS
from connectors.synthetic.limits import AREAS, PROGRAMMES, TESTS
from connectors.synthetic.plants import Kind
from connectors.synthetic.rows import Ints
from connectors.synthetic.scene import COUNTS, FIGURES, SCOPES, STATUSES, Scene
from connectors.synthetic.truth import DECLARATION_RESULTS, TEST_RESULTS, Truth

_REQUESTS = """
WITH family AS (
  SELECT household, list({
    'member_no': member_no, 'name': name, 'id_number': id_number, 'birth_date': birth_date,
    'relation': relation, 'role': role, 'married': married,
    'student': CASE WHEN student THEN {'stage': 'undergraduate', 'full_time': true} END,
    'legal_capacity': legal_capacity,
    'statuses': CASE WHEN status IS NULL THEN [] ELSE [{'kind': status, 'from': '2024-03-01'}] END,
    'authorisation': CASE WHEN role = 'member' THEN {
      'authorisation_id': printf('A%s-%d', request_id, member_no),
      'signed_on': signed_on, 'valid_until': valid_until,
      'scope': scope, 'signed_by': CASE WHEN guarded THEN 'guardian' ELSE 'self' END,
      'guardian_name': CASE WHEN guarded THEN head_name END} END
  } ORDER BY member_no) AS members
  FROM members JOIN households USING (household)
  GROUP BY household
)
SELECT to_json({
  'request_id': request_id, 'programme': programme, 'division': division, 'area_kind': area_kind,
  'application_date': applied, 'requester': '张店区民政局', 'purpose': '社会救助家庭经济状况核对',
  'members': members,
  'declaration': {DECLARED}
})
FROM households JOIN family USING (household)
ORDER BY household
"""
_TRUTH = """
WITH family AS (
  SELECT household, list({'member_no': member_no, 'counted': counted} ORDER BY member_no) AS members
  FROM members GROUP BY household
)
SELECT to_json({
  'request_id': request_id, 'planted': CASE WHEN kind IS NULL THEN [] ELSE [{'kind': kind, 'rule': rule}] END,
  'counted': size, 'members': members,
  'figures': {'income': {'low': income_low, 'high': income_high}, FIGURES},
  'tests': {TESTS},
  'limits': limits,
  'declaration': {'overall': declaration, 'items': {ITEMS}, 'material': [MATERIAL]},
  'review': review
})
FROM households JOIN family USING (household)
ORDER BY household
"""


def _members(scene: Scene) -> pa.Table:
    members, papers = scene.members, scene.papers
    names = pa.concat_arrays(scene.names)
    numbers = write_numbers(scene.people, np.where(papers.numbered, members.person, -1), papers.form)
    guarded = (members.age < 18) | ~members.capable
    return pa.table(
        {
            "household": members.household,
            "member_no": members.number,
            "name": names.take(pa.array(papers.name)),
            "id_number": numbers,
            "birth_date": pa.array(_days(members.birth), mask=papers.numbered).cast(pa.string()),
            "relation": pa.array(RELATIONS).take(pa.array(members.relation)),
            "role": pa.array(["member", "supporter"]).take(pa.array(papers.supporter.astype(np.int8))),
            "married": papers.married,
            "student": members.student,
            "legal_capacity": members.capable,
            "status": pa.array(STATUSES, pa.string()).take(pa.array(papers.status)),
            "signed_on": pa.array(_days(papers.signed_on)).cast(pa.string()),
            "valid_until": pa.array(_days(papers.valid_until)).cast(pa.string()),
            "scope": pa.array(SCOPES, pa.list_(pa.string())).take(pa.array(papers.scope)),
            "guarded": guarded,
            "counted": members.counted,
            "head_name": names.take(pa.array(papers.name[members.head(members.household)])),
        }
    )


def _days(days: Ints) -> np.ndarray:
    return days.astype("datetime64[D]")


def _households(scene: Scene, truth: Truth, kinds: tuple[Kind, ...]) -> pa.Table:
    n = scene.households
    planted = pa.array(scene.kind, mask=scene.kind < 0)
    columns: dict[str, object] = {
        "household": np.arange(n),
        "request_id": [f"R{scene.divisions[d]}-2026-{i + 1:06d}" for i, d in enumerate(scene.division.tolist())],
        "programme": pa.array(PROGRAMMES).take(pa.array(scene.programmes)),
        "division": pa.array(scene.divisions).take(pa.array(scene.division)),
        "area_kind": pa.array(AREAS).take(pa.array(scene.areas)),
        "applied": pa.array(_days(scene.applied)).cast(pa.string()),
        "kind": pa.array([kind.name for kind in kinds], pa.string()).take(planted),
        "rule": pa.array([kind.rule for kind in kinds], pa.string()).take(planted),
        "size": truth.size,
        "income_low": truth.income_low,
        "income_high": _bounded(truth.income_high, truth.unbounded[:, :4].any(axis=1)),
        "limits": truth.limits,
        "declaration": truth.declaration,
        "review": _review(truth, n),
    }
    for place in range(len(FIGURES)):
        columns[f"low{place}"] = truth.low[:, place]
        columns[f"high{place}"] = _bounded(truth.high[:, place], truth.unbounded[:, place])
        columns[f"said{place}"] = truth.said[:, place]
        columns[f"item{place}"] = pa.array(DECLARATION_RESULTS).take(pa.array(truth.items[:, place]))
        columns[f"material{place}"] = truth.material[:, place]
    for place in range(len(TESTS)):
        columns[f"test{place}"] = pa.array(TEST_RESULTS).take(pa.array(truth.tests[:, place]))
    return pa.table(columns)


def _bounded(high: Ints, unbounded: np.ndarray | np.bool_) -> pa.Array:
    return pa.array(high, mask=np.asarray(unbounded))


def _review(truth: Truth, n: int) -> pa.Array:
    """Review codes by household, each once, in order of the alphabet."""
    codes = sorted({code for _, code in truth.review})
    raised = np.zeros((n, len(codes)), bool)
    for households, code in truth.review:
        raised[households, codes.index(code)] = True
    household, place = np.nonzero(raised)
    offsets = np.r_[0, np.cumsum(np.bincount(household, minlength=n))].astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(codes, pa.string()).take(pa.array(place)))


def _statements() -> tuple[str, str]:
    money = "printf('%d.%02d', said{0} // 100, said{0} % 100)"
    said = [f"'{f}': " + (f"said{i}" if i in COUNTS else money.format(i)) for i, f in enumerate(FIGURES)]
    figures = [f"'{f}': {{'low': low{i}, 'high': high{i}}}" for i, f in enumerate(FIGURES)]
    tests = [f"'{test}': test{i}" for i, test in enumerate(TESTS)]
    items = [f"'{f}': item{i}" for i, f in enumerate(FIGURES)]
    material = [f"CASE WHEN material{i} THEN '{f}' END" for i, f in enumerate(FIGURES)]
    listed = f"list_filter([{', '.join(material)}], lambda item: item IS NOT NULL)"
    truth = _TRUTH.replace("{TESTS}", "{" + ", ".join(tests) + "}").replace("{ITEMS}", "{" + ", ".join(items) + "}")
    truth = truth.replace("FIGURES}", ", ".join(figures) + "}").replace("[MATERIAL]", listed)
    return _REQUESTS.replace("DECLARED", ", ".join(said)), truth


def write_documents(out: Path, scene: Scene, truth: Truth, kinds: tuple[Kind, ...]) -> None:
    """Write ``requests/requests-0001.jsonl`` and ``truth.jsonl``."""
    asked, true = _statements()
    (out / "requests").mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(config={"threads": 2})
    try:
        connection.register("members", _members(scene))
        connection.register("households", _households(scene, truth, kinds))
        for file, statement in (("requests/requests-0001.jsonl", asked), ("truth.jsonl", true)):
            with (out / file).open("w", encoding="utf-8", newline="\n") as handle:
                for lines in _lines(connection, statement):
                    handle.write(lines)
    finally:
        connection.close()


def _lines(connection: duckdb.DuckDBPyConnection, statement: str) -> Iterator[str]:
    for batch in connection.execute(statement).to_arrow_reader(10_000):
        yield "\n".join(batch.column(0).to_pylist()) + "\n"


def read_truth(county: Path) -> Iterator[dict[str, object]]:
    """The truth about each household of a county that was written, in order of request."""
    with (county / "truth.jsonl").open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)
