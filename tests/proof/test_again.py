"""R19, R66: reports made again from the sealed rows of their batch, and what was known at a moment that is past."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines import cli, intake
from pipelines.batch import Batch
from pipelines.demo import AS_OF
from pipelines.explain import names, recomputed, tree
from pipelines.keys import DataKeyDestroyedError, destroy_data_key
from pipelines.replay import NotIssuedHereError, again, as_issued, issued
from pipelines.rotation import rotate
from pipelines.settings import Workspace
from pipelines.store import Store
from pipelines.verify import NotCollectedError, newest_collected, open_batch, run_batch
from tests.proof import county


@pytest.fixture
def site(verified: tuple[Workspace, Batch], tmp_path: Path) -> Workspace:
    """The verified county, to be changed."""
    return county.own(verified[0], tmp_path / "site")


def edit_pack(ws: Workspace) -> None:
    """The officer changes the window of income, without a new version."""
    file = ws.root / "policies" / "3703" / "parameters" / "income.yaml"
    document = yaml.safe_load(file.read_text("utf-8"))
    document["parameters"]["window_months"]["values"] = [{"value": 6, "from": "2022-05-01", "sure": "example"}]
    for value in document["parameters"]["window_months"]["values"]:
        value["note"] = "a trial"
    text = yaml.safe_dump(document, allow_unicode=True).replace("'2022-05-01'", "2022-05-01")
    file.write_text(text, "utf-8")


def rows_of(ws: Workspace) -> dict[str, Any]:
    store = Store.open(ws.store_url)
    found = store.latest_reports()
    store.close()
    return found


def verify_one(ws: Workspace, request: str, hours: int) -> Batch:
    batch = open_batch(ws, AS_OF + timedelta(hours=hours), request)
    run_batch(batch, ws, confirm=False)
    return batch


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = cli.run([*arguments, "--json"])
    told = capsys.readouterr()
    return code, json.loads(told.out or told.err)


def test_r66_a_report_is_replayed_byte_for_byte_though_pack_and_data_are_newer(
    site: Workspace, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    requests = sorted(rows_of(site))[:3]
    old = {request: (row, as_issued(site, row)) for request, row in rows_of(site).items() if request in requests}
    edit_pack(site)
    later = verify_one(site, requests[0], 5)
    new = rows_of(site)[requests[0]]
    assert (new.version, new.batch_id) == (2, later.id)
    assert json.loads(as_issued(site, new))["window"]["months"] == 6
    for row, content in old.values():
        assert again(site, row) == content
    assert again(site, new) == as_issued(site, new)
    row, content = old[requests[0]]
    file = tmp_path / "replayed.json"
    code, told = said(capsys, "verify", "--replay", f"{row.report_id}-1", "--out", str(file), "-w", str(site.root))
    assert (code, told["same_bytes"], told["version"]) == (0, True, 1)
    assert file.read_bytes() == content
    with pytest.raises(NotIssuedHereError):
        issued(site, f"{row.report_id}-9")


def test_r66_what_would_we_have_known_then(site: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    batch = Batch.open(site.batches, rows_of(site)[min(rows_of(site))].batch_id)
    request = min(rows_of(site))
    before = json.loads(as_issued(site, rows_of(site)[request]))
    edit_pack(site)
    verify_one(site, request, 5)
    then = (AS_OF + timedelta(hours=1)).isoformat()
    code, told = said(capsys, "verify", "--request", request, "--as-of", then, "-w", str(site.root))
    assert (code, told["batch"], told["issued"]) == (0, batch.id, False)
    answer = told["report"]
    moments = ("as_of", "digest", "signature", "report_id", "version", "supersedes")
    assert {k: v for k, v in answer.items() if k not in moments} == {
        k: v for k, v in before.items() if k not in moments
    }
    assert answer["as_of"] == then
    assert answer["policy"] == before["policy"]
    assert answer["window"]["months"] == 12
    assert rows_of(site)[request].version == 2
    with pytest.raises(NotCollectedError):
        newest_collected(site, request, AS_OF - timedelta(days=1))


def test_r31_what_was_withdrawn_since_is_not_looked_back_at(
    site: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    request = next(
        r for r, row in sorted(rows_of(site).items()) if len(json.loads(as_issued(site, row))["members"]) > 1
    )
    other = max(rows_of(site))
    verify_one(site, request, 5)
    lines = [{"withdrawal": {"request_id": request, "member_no": 2, "on": "2026-09-16"}},
             {"withdrawal": {"request_id": other, "on": "2026-09-16"}}]  # fmt: skip
    (site.root / "inbox" / "w.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert intake.run(site, AS_OF).withdrawn == 2
    then = (AS_OF + timedelta(hours=1)).isoformat()
    _, told = said(capsys, "verify", "--request", request, "--as-of", then, "-w", str(site.root))
    items = told["report"]["income"]["items"] + told["report"]["assets"]["items"]
    assert {item["member"] for item in items} <= {m["member"] for m in told["report"]["members"]} - {2}
    earlier = (AS_OF - timedelta(days=1)).isoformat()
    code, told = said(capsys, "verify", "--request", other, "--as-of", earlier, "-w", str(site.root))
    assert (code, told["error"]) == (2, "NotCollectedError")


def test_r65_an_auditor_recomputes_a_report_and_is_told_what_was_touched(
    site: Workspace, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    batch = Batch.open(site.batches, rows_of(site)[min(rows_of(site))].batch_id)
    row = rows_of(site)[min(rows_of(site))]
    file = tmp_path / "report.json"
    file.write_bytes(as_issued(site, row))
    command = ("report", "recompute", str(file), "-w", str(site.root))
    code, told = said(capsys, *command)
    assert (code, told["same_bytes"], told["differences"]) == (0, True, [])
    assert told["figures"] > 20

    touched = json.loads(file.read_bytes())
    expected = touched["income"]["total_fen"]["low"]
    touched["income"]["total_fen"]["low"] = expected + 1
    file.write_text(json.dumps(touched, ensure_ascii=False), "utf-8")
    code, told = said(capsys, *command)
    assert (code, told["same_bytes"]) == (1, False)
    assert told["differences"] == [{"field": "income.total_fen.low", "found": expected + 1, "expected": expected}]

    destroy_data_key(batch.folder)
    with pytest.raises(DataKeyDestroyedError):
        again(site, row)
    code, told = said(capsys, *command)
    assert (code, told["error"], told["batch"]) == (3, "DataKeyDestroyedError", batch.id)


def test_r65_every_figure_of_every_issued_report_works_out_again(verified: tuple[Workspace, Batch]) -> None:
    for line in county.delivered(*verified).values():
        document = json.loads(line)
        for name in names(document):
            for node in tree(document, name).walk():
                said = node.result if node.unit == "answer" else (node.low, node.high)
                assert node.row or recomputed(node) == said, (document["request_id"], name, node.key)


def test_r19_one_household_is_verified_on_extracts_of_the_key_epoch_before(site: Workspace) -> None:
    request = min(rows_of(site))
    before = json.loads(as_issued(site, rows_of(site)[request]))
    rotate(site)
    later = verify_one(site, request, 5)
    assert later.epoch == 1
    after = json.loads(as_issued(site, rows_of(site)[request]))
    for part in ("income", "assets", "conclusion", "tests", "declaration", "coverage"):
        assert after[part] == before[part]
