"""The check stage on a batch's folder: gates per dataset, contradictory products stopped, both counts held together."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from expectations.suite import product_suites
from pipelines import asking, check
from pipelines.auditing.site import batch_folder
from pipelines.batch import Batch, write_json
from pipelines.commands.setting_up import init
from pipelines.id_tables import IdProblem
from pipelines.keys import KeyRing
from pipelines.settings import Workspace
from pipelines.texts import texts
from pipelines.warehouse import connect, write_parquet

AS_OF = datetime.fromisoformat("2026-09-16T02:00:00+08:00")
PENSIONS = "social_security/pensions"
GOOD = """SELECT uuid() AS person, 'employee' AS kind, DATE '2026-01-01' + INTERVAL (i) MONTH AS month,
  60000::BIGINT AS amount_fen, DATE '2026-02-01' AS paid_on, false AS arrears, 'social_security/pensions' AS dataset,
  'sha256:a' AS extract_digest, 1 AS extract_seq,
  i AS row_no, 'r' AS row_digest, 'upsert' AS op FROM range(1, 9) t(i)"""
PRODUCTS = {
    "households": """SELECT 'r1' AS request_id, 1 AS policy_id, 'subsistence_allowance' AS programme,
        '370303' AS division, 'urban' AS area_kind, 1 AS counted, DATE '2025-09-01' AS window_from,
        DATE '2026-09-01' AS window_to, DATE '2026-09-15' AS reference_date""",
    "household_members": "SELECT 'r1' AS request_id, 1 AS member_no, true AS counted, 'member' AS why, 'R28' AS rule",
    "member_coverage": """SELECT 'r1' AS request_id, 1 AS member_no, 'a/b' AS dataset, 'required' AS requirement,
        'covered' AS state, DATE '2026-09-15' AS as_of, 'sha256:a' AS extract_digest""",
    "income_items": """SELECT 'r1' AS request_id, 1 AS item_no, 'wage' AS category, 100::BIGINT AS low_fen,
        100::BIGINT AS high_fen, [1] AS facts, 'counted' AS treatment, 'R35' AS rule""",
    "deductions": """SELECT 'r1' AS request_id, 1 AS member_no, 'employment_cost' AS kind, 10::BIGINT AS low_fen,
        10::BIGINT AS high_fen""",
    "asset_items": """SELECT 'r1' AS request_id, 1 AS item_no, 'homes' AS figure, 1::BIGINT AS low, 1::BIGINT AS high,
        10000 AS share_bp, [1] AS facts, 'counted' AS treatment, 'R47' AS rule""",
    "figures": """SELECT 'r1' AS request_id, * FROM (VALUES ('income', 90::BIGINT, 90::BIGINT),
        ('income.wage', 100, 100), ('homes', 1, 1)) t(figure, low, high)""",
    "tests": """SELECT 'r1' AS request_id, 'homes' AS test, 'homes' AS figure, '住房' AS title_zh, '<=' AS op,
        1::BIGINT AS limit_total, 1::BIGINT AS low, 1::BIGINT AS high, 'satisfied' AS result""",
    "declaration": """SELECT 'r1' AS request_id, 'homes' AS item, 1::BIGINT AS low, 1::BIGINT AS high,
        'matches' AS result, false AS material""",
    "conclusions": "SELECT 'r1' AS request_id, 'within_limits' AS limits, 'matches' AS declaration",
    "review": "SELECT 'r1' AS request_id, 'identity_conflict' AS code, 'R12' AS rule",
    "decisive": "SELECT 'r1' AS request_id, 'homes' AS test, 1 AS rank, 'fact' AS kind, 'a/b' AS dataset WHERE false",
    "expense_items": """SELECT 'r1' AS request_id, 1 AS item_no, 5::BIGINT AS amount_fen, 0::BIGINT AS low_fen,
        5::BIGINT AS high_fen, [1] AS facts, 'shown' AS treatment, 'R46a' AS rule""",
    "withheld": "SELECT 'r1' AS request_id, 1 AS items",
    "suitable": "SELECT 'r1' AS request_id, 'p' AS programme, 'within_limits' AS limits",
    "suitable_tests": """SELECT 'r1' AS request_id, 'p' AS programme, 'homes' AS test, 1::BIGINT AS low,
        1::BIGINT AS high, 'satisfied' AS result""",
}  # fmt: skip
PLANNED = {
    "requests": "SELECT 'r1' AS request_id",
    "policy_sources": "SELECT 1 AS policy_id, 'a/b' AS dataset",
    "policy": "SELECT 'subsistence_allowance' AS programme, '最低生活保障' AS programme_zh",
}


class Site:
    """A workspace with one batch, whose tables a test writes."""

    def __init__(self, folder: Path) -> None:
        init(folder)
        self.ws = Workspace.open(folder)
        self.batch = Batch.create(self.ws.batches, "b1", AS_OF)
        self.key = KeyRing.open(self.ws.settings.keys, self.ws.root).data_key(self.batch.folder)

    def write(self, tables: dict[str, str]) -> None:
        with connect(self.key) as con:
            for path, select in tables.items():
                write_parquet(con, select, self.batch.folder / path)

    def admit(self, select: str) -> None:
        path = "admitted/social_security.pensions/a.parquet"
        self.write({path: select})
        extract = {
            "dataset": PENSIONS,
            "path": path,
            "rows_read": 8,
            "rows_admitted": 8,
            "rows_quarantined": 6,
            "quarantined": {"person:missing": 6},
            "unknown_areas": 0,
            "as_of": "2026-09-15",
        }
        missing = {"dataset": "banks/deposits", "path": None, "reason": "timed_out"}
        write_json(self.batch.folder / "extracts.json", [extract, missing])
        self.write({"coverage.parquet": f"SELECT '{PENSIONS}' AS dataset, uuid() AS person, 'covered' AS state"})

    def read(self, rows: int) -> None:
        """Have the extract be of as many rows, most of them of nobody who is asked for."""
        extracts = json.loads((self.batch.folder / "extracts.json").read_text("utf-8"))
        extracts[0]["rows_read"] = rows
        write_json(self.batch.folder / "extracts.json", extracts)

    def assess(self, **changed: str) -> None:
        self.write({f"assessed/0000/{name}.parquet": select for name, select in (PRODUCTS | changed).items()})
        self.write({f"{name}.parquet": select for name, select in PLANNED.items()})


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "ws")


def gates(site: Site) -> dict[str, str]:
    check.admitted(site.batch, site.ws)
    found: dict[str, str] = json.loads((site.batch.folder / "gates.json").read_text())
    return found


@pytest.mark.parametrize(
    ("change", "gate"),
    [
        ("true", "pass"),
        ("amount_fen", "fail"),
        ("kind", "fail"),
        ("row_digest", "fail"),
        ("month", "fail"),
    ],
)
def test_gate_of_a_dataset(site: Site, change: str, gate: str) -> None:
    wrong = {
        "true": "SELECT *",
        "amount_fen": "SELECT * REPLACE (-1::BIGINT AS amount_fen)",
        "kind": "SELECT * REPLACE ('something' AS kind)",
        "row_digest": "SELECT * REPLACE (NULL::VARCHAR AS row_digest)",
        "month": "SELECT * REPLACE (DATE '9999-12-01' AS month)",
    }
    site.admit(f"{wrong[change]} FROM ({GOOD})")
    assert gates(site) == {PENSIONS: gate}


def test_deletions_hold_only_keys_and_are_not_judged(site: Site) -> None:
    site.admit(f"{GOOD} UNION ALL SELECT * REPLACE (NULL AS amount_fen, 'delete' AS op) FROM ({GOOD})")
    assert gates(site) == {PENSIONS: "pass"}


def before(site: Site, **measured: object) -> None:
    """An earlier night measured the dataset."""
    earlier = Batch.create(site.ws.batches, "b0", AS_OF - timedelta(days=1))
    row = {"dataset": PENSIONS, "measure": "delivered", "column": "", "now": 8, "n": 8, "bound": None}
    write_json(earlier.folder / "gates.json", {PENSIONS: "pass"})
    write_json(earlier.folder / "profile.json", [row | {"before": None, "n_before": None} | measured])


@pytest.mark.parametrize(("rows", "gate"), [(8, "pass"), (150, "warn"), (1000, "fail")])
def test_r61_a_dataset_that_is_not_what_it_was_is_told_or_refused(site: Site, rows: int, gate: str) -> None:
    site.admit(GOOD)
    if rows == 150:  # less than half of it came, yet more than a tenth
        site.read(60)
    before(site, now=rows, n=rows)
    assert gates(site) == {PENSIONS: gate}
    checked = {(c.suite, c.name): c.verdict for c in check.read_checked(site.batch)}
    expected = {"pass": "pass", "warn": "pass", "fail": "fail"}[gate]
    assert checked["drift", "extract_is_not_cut"] == expected


def test_a_batch_that_reads_anothers_extracts_has_no_gates_of_its_own(site: Site) -> None:
    site.admit(GOOD)
    one = Batch.create(site.ws.batches, "one", AS_OF, admitted_from="b1")
    check.admitted(one, site.ws)
    assert not (one.folder / "gates.json").exists()


@pytest.mark.parametrize(
    ("table", "change", "expectation"),
    [
        ("figures", "SELECT * REPLACE (low + 1 AS low, high + 1 AS high)", "things_are_the_sum_of_their_items"),
        ("figures", "SELECT * REPLACE (high - 1 AS high)", "low_below_high"),
        ("tests", "SELECT * REPLACE ('exceeded' AS result)", "result_follows_from_bounds"),
        ("conclusions", "SELECT * FROM (VALUES (1), (2)) t(x) CROSS JOIN", "once"),
        ("households", "SELECT * REPLACE (DATE '2026-08-31' AS window_to)", "window_of_whole_months"),
        ("income_items", "SELECT * REPLACE ([]::INTEGER[] AS facts)", "leads_to_facts"),
        ("figures", "SELECT * REPLACE (high + 1 AS high)", "upper_bound_of_things_is_the_sum_of_their_items"),
        ("figures", "SELECT * REPLACE (high + 1 AS high)", "upper_bound_of_a_category_is_the_sum_of_its_items"),
        ("households", "SELECT * REPLACE (2 AS counted)", "head_count_is_its_members"),
        ("households", "SELECT * REPLACE (2 AS policy_id)", "every_source_of_the_programme"),
        ("households", "SELECT * FROM (VALUES (1), (2)) t(x) CROSS JOIN", "request_once"),
        ("household_members", "SELECT * REPLACE (2 AS member_no)", "asked_of_every_source"),
        ("conclusions", "SELECT * REPLACE ('undetermined' AS limits)", "undetermined_has_an_open_test"),
        ("conclusions", "SELECT * REPLACE ('differs' AS declaration)", "declaration_is_the_worst_of_its_items"),
        ("tests", "SELECT * REPLACE (0 AS low)", "bounds_are_the_figure_s"),
        ("tests", "SELECT * REPLACE ('undetermined' AS result)", "result_follows_from_bounds"),
        ("review", "SELECT * REPLACE (NULL AS rule)", "rule_given"),
        ("review", "SELECT * REPLACE ('source_not_covered' AS code)", "missing_source_is_told"),
        ("expense_items", "SELECT * REPLACE (6 AS low_fen)", "low_below_high"),
        ("withheld", "SELECT * REPLACE (-1 AS items)", "items_given"),
        ("suitable_tests", "SELECT * REPLACE (2 AS low)", "bounds_in_order"),
    ],
)
def test_a_contradictory_product_stops_the_batch(site: Site, table: str, change: str, expectation: str) -> None:
    joined = "" if change.endswith("JOIN") else " FROM"
    site.assess(**{table: f"{change}{joined} ({PRODUCTS[table]})"})
    with pytest.raises(check.ExpectationFailedError):
        check.assessed(site.batch, site.ws)
    checked = json.loads((site.batch.folder / "checked_assessed.json").read_text())
    assert (table, expectation) in {(c["suite"], c["name"]) for c in checked if c["verdict"] == "fail"}
    assert not site.batch.done("check_assessed")


def test_r06_not_within_limits_while_a_required_source_is_missing(site: Site) -> None:
    missing = f"SELECT * REPLACE ('unavailable' AS state) FROM ({PRODUCTS['member_coverage']})"
    site.assess(member_coverage=missing)
    with pytest.raises(check.ExpectationFailedError) as raised:
        check.assessed(site.batch, site.ws)
    assert raised.value.expectation == "not_within_limits_while_a_required_source_is_missing"


def test_r06_a_member_who_does_not_count_may_be_missing(site: Site) -> None:
    missing = f"SELECT * REPLACE ('unavailable' AS state) FROM ({PRODUCTS['member_coverage']})"
    apart = f"SELECT * REPLACE (false AS counted) FROM ({PRODUCTS['household_members']})"
    nobody = f"SELECT * REPLACE (0 AS counted) FROM ({PRODUCTS['households']})"
    site.assess(member_coverage=missing, household_members=apart, households=nobody)
    assert check.assessed(site.batch, site.ws)["fail"] == 0


def test_a_request_that_is_not_assessed_stops_the_batch(site: Site) -> None:
    site.assess()
    site.write({"requests.parquet": "SELECT unnest(['r1', 'r2']) AS request_id"})
    with pytest.raises(check.ExpectationFailedError) as raised:
        check.assessed(site.batch, site.ws)
    assert (raised.value.suite, raised.value.expectation) == ("requests", "assessed_once")


def test_every_product_has_a_suite() -> None:
    from pipelines.assess import RESULTS

    assert {suite.table for suite in product_suites()} == {*RESULTS, "requests"}


def test_quality_confirms_both_checks_and_writes_the_page(site: Site) -> None:
    site.admit(GOOD)
    site.assess()
    check.admitted(site.batch, site.ws)
    check.assessed(site.batch, site.ws)
    assert check.quality(site.batch, site.ws)["confirmed"] == len(check.read_checked(site.batch))
    page = (batch_folder(site.ws, site.batch.id) / "index.html").read_text("utf-8")
    assert "养老待遇发放" in page
    assert "timed out" in page
    assert "必填项为空" in page


def test_nothing_is_confirmed_when_the_counts_differ(site: Site) -> None:
    site.admit(GOOD)
    site.assess()
    check.admitted(site.batch, site.ws)
    check.assessed(site.batch, site.ws)
    file = site.batch.folder / "checked_admitted.json"
    counted = json.loads(file.read_text())
    counted[0]["broken"] += 1
    write_json(file, counted)
    with pytest.raises(check.NotConfirmedError) as raised:
        check.quality(site.batch, site.ws)
    assert raised.value.confirmed == raised.value.counted - 1
    assert not site.batch.done("quality")


def test_every_reason_has_words() -> None:
    assert {f"identifier_{p.name}" for p in IdProblem if p is not IdProblem.ok} <= set(texts()["quarantine"])
    assert {reason for _, reason in asking._REASONS} <= set(texts()["failure"])
