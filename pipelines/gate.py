"""The gate before delivery: what a person has to see before a batch's reports leave.

A batch waits if the check of a dataset warns or fails, or if the share of households over a limit has moved far from
what it was in the batches before. The gate only gives facts; a person answers, and the ledger keeps who, what and why.
Numbers of households and names of datasets, nothing of a person.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median

import duckdb
import sqlalchemy as sa

from pipelines import ledger
from pipelines.approvals import APPROVAL, APPROVED, REJECTED, answered
from pipelines.batch import Batch
from pipelines.console import access
from pipelines.errors import HeduiError
from pipelines.plan_tables import SELECTION
from pipelines.settings import Workspace
from pipelines.store import Store, find
from pipelines.summary import opened
from pipelines.tables import batches, requests
from pipelines.warehouse import scan

STAGE = "gate"


@dataclass(eq=False)
class AnswerRefusedError(HeduiError):
    """Somebody answered who may not; the question stands."""

    by: str
    batch: str

    zh = "用户 {by} 无权答复批次 {batch}，需由复核人员重新答复"
    en = "user {by} may not answer for batch {batch}: the question stands"
    todo = "a reviewer of all its divisions answers (access.yaml)"


@dataclass(frozen=True)
class Jump:
    """A programme whose share of households over a limit has moved: per mille now, and in the median before."""

    programme: str
    households: int
    now: int
    before: int


@dataclass(frozen=True)
class Facts:
    """What the gate found.

    Attributes:
        warned: datasets whose check warns.
        failed: datasets whose check fails; their persons are ``unavailable``.
        jumps: programmes whose share over a limit has moved.
        limits: programme → conclusion on limits → households; the history of later batches.
    """

    warned: list[str]
    failed: list[str]
    jumps: list[Jump]
    limits: dict[str, dict[str, int]]

    @property
    def waits(self) -> bool:
        """Whether a person has to answer."""
        return bool(self.warned or self.failed or self.jumps)

    def text(self, batch: Batch) -> str:
        """For the person who answers, as Markdown."""
        lines = [f"批次 {batch.id}，核对时点 {batch.as_of:%Y-%m-%d %H:%M} · batch as of that moment", ""]
        for programme, counts in self.limits.items():
            told = "，".join(f"{name} {households}" for name, households in sorted(counts.items()))
            lines.append(f"- {programme}：{told}")
        if self.failed:
            lines.append(f"- 质量核验不合格，相关人员记为未能核实 failed, not used: {'、'.join(self.failed)}")
        if self.warned:
            lines.append(f"- 质量核验有提示 the check warns: {'、'.join(self.warned)}")
        lines += [
            f"- {jump.programme}：超过限定标准的占比 {_percent(jump.now)}，以往中位数 {_percent(jump.before)}"
            f"（本批 {jump.households} 户） · share over a limit, now and before"
            for jump in self.jumps
        ]
        lines += [
            "",
            "同意后报告送达；不同意则本批报告不送达，理由记入台账。 · Approve to deliver; a rejection stops delivery.",
        ]
        return "\n".join(lines)


def run(batch: Batch, ws: Workspace) -> Facts:
    """Look at a batch whose reports are issued, once; later calls give what was found.

    A batch that reads another's extracts has the gates of that one: it waits while that one is not approved.
    """
    if batch.done(STAGE):
        return _read(batch)
    store = Store.open(ws.store_url)
    try:
        with opened(batch, ws) as con:
            limits = _limits(con, batch)
        gates = _gates(batch, store)
        warned, failed = ([name for name, gate in gates.items() if gate == word] for word in ("warn", "fail"))
        facts = Facts(warned, failed, _jumps(batch, ws, store, limits), limits)
    finally:
        store.close()
    batch.mark(STAGE, asdict(facts) | {"waits": facts.waits})
    return facts


def answer(batch: Batch, ws: Workspace, *, approved: bool, by: str, reason: str, at: str) -> None:
    """Keep a person's answer in the ledger; the newest one holds.

    Args:
        batch: that waits.
        ws: its case store.
        approved: whether the reports may be delivered.
        by: who answered, as the auth manager knows them.
        reason: as typed.
        at: when it was answered, ISO 8601.

    Raises:
        AnswerRefusedError: ``access.yaml`` does not let them answer.
    """
    if not may_answer(batch, ws, by):
        raise AnswerRefusedError(by, batch.id)
    store = Store.open(ws.store_url)
    try:
        detail = {"by": by, "answer": APPROVED if approved else REJECTED, "reason": reason}
        ledger.append(store, APPROVAL, batch.id, f"{STAGE}/{at}", detail)
    finally:
        store.close()


def may_answer(batch: Batch, ws: Workspace, by: str) -> bool:
    """Whether ``access.yaml`` lets a user answer for every division of a batch; a site without it has not said."""
    if not (ws.root / access.FILE).is_file():
        return True
    user = access.visitor(ws.root, by)
    asked = [request_id for request_id, _ in json.loads((batch.folder / SELECTION).read_text("utf-8"))]
    store = Store.open(ws.store_url)
    try:
        with store.read() as connection:
            rows = find(connection, requests, "request_id", asked, columns=("division",))
            return user.may(access.Permission.approve) and user.sees_all({row.division for row in rows})
    finally:
        store.close()


def may_leave(batch: Batch, ws: Workspace, store: Store) -> bool:
    """Whether a batch's reports may be delivered: nothing to answer, or answered with yes."""
    return not run(batch, ws).waits or answered(store, batch.id) == APPROVED


def _percent(per_mille: int) -> str:
    return f"{per_mille / 10:.1f}%"


def _gates(batch: Batch, store: Store) -> dict[str, str]:
    """Gate by dataset; of a batch that reads another's extracts, those of that one until they were approved."""
    file = batch.source_folder / "gates.json"
    if not file.exists() or (batch.admitted_from and answered(store, batch.admitted_from) == APPROVED):
        return {}
    return dict(sorted(json.loads(file.read_text("utf-8")).items()))


def _limits(con: duckdb.DuckDBPyConnection, batch: Batch) -> dict[str, dict[str, int]]:
    files = sorted((batch.folder / "assessed").glob("*/conclusions.parquet"))
    if not files:
        return {}
    rows = con.execute(
        f"SELECT programme, limits, count(*) FROM {scan(*files)} "
        f"JOIN {scan(batch.folder / 'requests.parquet')} USING (request_id) GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    found: dict[str, dict[str, int]] = {}
    for programme, limits, households in rows:
        found.setdefault(programme, {})[limits] = households
    return found


def _jumps(batch: Batch, ws: Workspace, store: Store, limits: dict[str, dict[str, int]]) -> list[Jump]:
    """Programmes with enough households, and batches before, to tell a jump from chance."""
    rule, found = ws.settings.gate, []
    history = [_read(earlier).limits for earlier in _earlier(batch, ws, store)]
    for programme, counts in sorted(limits.items()):
        before = [_share(one[programme]) for one in history if _households(one.get(programme, {})) >= rule.households]
        if _households(counts) < rule.households or len(before) < rule.batches:
            continue
        now, was = _share(counts), int(median(before[: rule.history]))
        if abs(now - was) >= rule.jump_per_mille:
            found.append(Jump(programme, _households(counts), now, was))
    return found


def _earlier(batch: Batch, ws: Workspace, store: Store) -> Sequence[Batch]:
    """Batches of an earlier moment that have been through the gate, the newest first."""
    with store.read() as connection:
        names = list(connection.scalars(sa.select(batches.c.batch_id).where(batches.c.batch_id != batch.id)))
    known = [Batch.open(ws.batches, name) for name in names if (ws.batches / name / "batch.json").exists()]
    past = [one for one in known if one.as_of < batch.as_of and one.done(STAGE)]
    return sorted(past, key=lambda one: (one.as_of, one.id), reverse=True)


def _households(counts: dict[str, int]) -> int:
    return sum(counts.values())


def _share(counts: dict[str, int]) -> int:
    """Households over a limit, per mille."""
    return counts.get("over_limit", 0) * 1000 // _households(counts)


def _read(batch: Batch) -> Facts:
    document = dict(batch.summary(STAGE))
    document.pop("waits")
    jumps = [Jump(**jump) for jump in document.pop("jumps")]  # type: ignore[attr-defined]
    return Facts(jumps=jumps, **document)  # type: ignore[arg-type]
