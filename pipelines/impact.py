"""Which issued reports would come out differently under another policy pack.

Where only limits or operators change, the tests are made again on the figures of the sealed reports. Where more
changes, the households are assessed again from the sealed rows of their batch, while these are retained. Nothing is
issued, nobody is asked, and the batch stays as it is.
"""

from __future__ import annotations

import json
import tempfile
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pipelines.batch import Batch
from pipelines.errors import HeduiError
from pipelines.keys import KeyRing
from pipelines.policy import Pack, ResolvedPolicy, resolve, tables
from pipelines.policy.diff import Json, Tried, beyond_limits, key_of, tried, try_on
from pipelines.settings import Workspace
from pipelines.store import ReportRow, Store

CHUNK = 2_000


@dataclass(frozen=True)
class Impact:
    """What another pack makes of one issued report.

    Attributes:
        state: ``same``; ``differs``; ``no_rule``: one of the packs says nothing for its place and day;
            ``ask_anew``: the other pack asks sources, or looks at persons, that were not asked about;
            ``other_pack``: it was not made under the old pack; ``not_retained``: its batch's key was destroyed.
        how: on the ``figures`` of the report, or ``assessed`` again from the rows; empty where neither was possible.
        why: what changes beyond limits, by name.
    """

    report_id: str
    version: int
    request_id: str
    state: Literal["same", "differs", "no_rule", "ask_anew", "other_pack", "not_retained"]
    how: Literal["figures", "assessed", ""] = ""
    limits: tuple[str, str] = ("", "")
    tests: tuple[tuple[str, str, str], ...] = ()
    why: tuple[str, ...] = ()


def impact(ws: Workspace, old: Pack, new: Pack, since: date | None = None) -> Iterator[Impact]:
    """Every request's newest report under another pack, in the order of request ids.

    Args:
        ws: the workspace that issued them.
        old: the pack that they were made under.
        new: the other.
        since: only reports whose as-of day is not before this one.
    """
    store = Store.open(ws.store_url)
    try:
        latest = sorted(store.latest_reports().values(), key=lambda row: row.request_id)
    finally:
        store.close()
    judge = _Judge(ws, KeyRing.open(ws.settings.keys, ws.root), old, new, {})
    for start in range(0, len(latest), CHUNK):
        found = judge.chunk(latest[start : start + CHUNK], since)
        yield from sorted(found, key=lambda one: one.request_id)


@dataclass(frozen=True)
class _Judge:
    ws: Workspace
    ring: KeyRing
    old: Pack
    new: Pack
    known: dict[tuple[object, ...], Any]

    def chunk(self, rows: Sequence[ReportRow], since: date | None) -> Iterator[Impact]:
        from pipelines.issued import stored_documents

        stored = stored_documents(self.ws, self.ring, rows)
        again: dict[str, list[tuple[ReportRow, Json, tuple[str, ...]]]] = {}
        for row in rows:
            if row.request_id not in stored:
                yield _of(row, "not_retained")
                continue
            document = json.loads(stored[row.request_id])
            if since is not None and date.fromisoformat(document["as_of"][:10]) < since:
                continue
            if document["policy"]["digest"] != self.old.digest:
                yield _of(row, "other_pack")
                continue
            answer = self._policies(document)
            if answer is None:
                yield _of(row, "no_rule")
            elif not answer[1]:
                yield _told(row, document, try_on(document, answer[0]), "figures", ())
            elif not answer[2]:
                yield _of(row, "ask_anew", answer[1])
            else:
                again.setdefault(row.batch_id, []).append((row, document, answer[1]))
        for batch_id, listed in sorted(again.items()):
            yield from self._assessed(batch_id, listed)

    def _policies(self, document: Json) -> tuple[ResolvedPolicy, tuple[str, ...], bool] | None:
        """The new policy, what differs beyond limits, and whether all that it asks was asked; None if one has no rule.

        Between two days of change all application dates have one answer.
        """
        programme, division, kind, on = key_of(document)
        eras = [bisect_right(sorted(pack.days_of_change), on) for pack in (self.old, self.new)]
        key = (programme, division, kind, *eras)
        if key not in self.known:
            try:
                before, after = (resolve(pack, programme, division, kind, on) for pack in (self.old, self.new))
                self.known[key] = (after, beyond_limits(before, after), _was_asked(before, after))
            except HeduiError:
                self.known[key] = None
        known: tuple[ResolvedPolicy, tuple[str, ...], bool] | None = self.known[key]
        return known

    def _assessed(self, batch_id: str, listed: Sequence[tuple[ReportRow, Json, tuple[str, ...]]]) -> Iterator[Impact]:
        """The households of a batch assessed again, from its sealed rows, under the new pack's tables."""
        wanted = [row.request_id for row, _, _ in listed]
        results, limits = assessed_under(self.ws, self.ring, Batch.open(self.ws.batches, batch_id), self.new, wanted)
        for row, document, why in listed:
            told = tried(document, results.get(row.request_id, {}), limits[row.request_id])
            yield _told(row, document, told, "assessed", why)


def _was_asked(before: ResolvedPolicy, after: ResolvedPolicy) -> bool:
    """Whether everything that the new policy looks at was asked under the old one: sources, persons, months."""
    months = [policy.value("window_months") for policy in (after, before)]
    return (
        set(after.sources) <= set(before.sources)
        and after.programme.authorisation.of == before.programme.authorisation.of
        and isinstance(months[0], int)
        and isinstance(months[1], int)
        and months[0] <= months[1]
    )


def assessed_under(
    ws: Workspace, ring: KeyRing, batch: Batch, pack: Pack, requests: Sequence[str]
) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """Some households of a batch assessed again under a pack, in a folder that goes afterwards.

    Returns:
        By request: each test's result; and the answer on limits.

    Raises:
        DataKeyDestroyedError: the rows are not retained any more.
    """
    from pipelines import assess
    from pipelines.replay import linked, with_contracts
    from pipelines.warehouse import connect, scan, write_parquet, write_table

    with tempfile.TemporaryDirectory(prefix="hedui-impact-") as folder:
        copy = linked(batch, Path(folder))
        with connect(ring.data_key(batch.source_folder), ws.settings.limits) as con:
            planned = f"SELECT * FROM {scan(batch.folder / 'requests.parquet')} WHERE request_id IN (SELECT unnest(?))"
            con.execute(f"CREATE TABLE planned AS {planned}", [list(requests)])
            columns = "policy_id, programme, division, area_kind, application_date"
            keys = con.execute(f"SELECT DISTINCT {columns} FROM planned ORDER BY ALL").fetchall()
            numbered = {key[0]: place for place, key in enumerate(keys)}
            con.execute("CREATE TABLE numbers AS SELECT unnest(?) AS policy_id, unnest(?) AS place",
                        [list(numbered), list(numbered.values())])  # fmt: skip
            renumbered = (
                "SELECT p.* REPLACE (n.place::INTEGER AS policy_id) FROM planned p JOIN numbers n USING (policy_id)"
            )
            write_parquet(con, f"{renumbered} ORDER BY request_id", copy.folder / "requests.parquet")
            for name, table in tables(pack, [key[1:] for key in keys]).items():
                (copy.folder / f"{name}.parquet").unlink(missing_ok=True)
                write_table(con, table, copy.folder / f"{name}.parquet")
        assess.run(copy, with_contracts(ws, copy))
        with connect(ring.data_key(batch.source_folder), ws.settings.limits) as con:
            parts = {
                name: scan(*(part / f"{name}.parquet" for part in assess.shards(copy)))
                for name in ("tests", "conclusions")
            }
            results: dict[str, dict[str, str]] = {}
            for request, test, result in con.execute(
                f"SELECT request_id, test, result FROM {parts['tests']}"
            ).fetchall():
                results.setdefault(request, {})[test] = result
            return results, dict(con.execute(f"SELECT request_id, limits FROM {parts['conclusions']}").fetchall())


def _of(row: ReportRow, state: Any, why: tuple[str, ...] = ()) -> Impact:
    return Impact(row.report_id, row.version, row.request_id, state, why=why)


def _told(row: ReportRow, document: Json, told: Tried, how: Any, why: tuple[str, ...]) -> Impact:
    issued = document["conclusion"]["limits"]
    state: Any = "differs" if told.tests or told.limits != issued else "same"
    limits = (issued, told.limits)
    return Impact(row.report_id, row.version, row.request_id, state, how, limits, told.tests, why)
