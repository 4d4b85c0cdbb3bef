"""A department's HTTP service over a folder of Parquet: tickets and pages, and misbehaviour on command."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import StreamingResponse

from connectors.contract import Contract, HttpDelivery

_NORMAL = "translate(upper(translate({column}, '０１２３４５６７８９Ｘｘ　', '0123456789XX ')), ' \t', '')"
Trouble = Literal["slow", "status", "cut", "wrong_count", "wrong_digest", "partial", "never_ready", "not_json"]


@dataclass
class Misbehaviour:
    """What a dataset's service does wrong, and how often before it behaves again (always, if ``times`` is None)."""

    trouble: Trouble
    times: int | None = None
    status: int = 503
    seconds: float = 0.0


@dataclass(frozen=True)
class _Reply:
    pages: list[bytes]
    rows: int
    digest: str
    answered: list[str] | None


@dataclass
class DepartmentService:
    """The state of the service: one folder of departments, tickets, and what it was told to do wrong."""

    departments: Path
    contracts: dict[str, Contract]
    as_of: date
    wrong: dict[str, Misbehaviour] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    _tickets: dict[str, tuple[str, _Reply]] = field(default_factory=dict)
    _registers: dict[str, tuple[dict[str, list[str]], set[str]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def takes(self, dataset: str, *troubles: Trouble) -> Misbehaviour | None:
        """The misbehaviour that is due now, counted down."""
        with self._lock:
            due = self.wrong.get(dataset)
            if due is None or due.trouble not in troubles or due.times == 0:
                return None
            if due.times is not None:
                due.times -= 1
            return due

    def reply(self, contract: Contract, persons: list[str], page_rows: int) -> _Reply:
        """The rows of the persons asked for, as pages of JSON Lines; 503 when the department has sent nothing."""
        folder = self.departments / contract.folder
        if not list(folder.glob("*.parquet")):
            raise HTTPException(503)
        silent = set(_unanswered(folder))
        if self.takes(contract.dataset, "partial"):
            silent |= set(persons[::3])
        answered = [person for person in persons if person not in silent]
        lines = _rows_of(contract, folder, answered)
        pages = [
            ("\n".join(lines[at : at + page_rows].to_pylist()) + "\n").encode()
            for at in range(0, len(lines), page_rows)
        ]
        digest = hashlib.sha256(b"".join(pages)).hexdigest()
        if self.takes(contract.dataset, "wrong_digest"):
            digest = "0" * 64
        rows = len(lines) + bool(self.takes(contract.dataset, "wrong_count"))
        return _Reply(pages, rows, f"sha256:{digest}", answered if silent & set(persons) else None)

    def about(self, contract: Contract, person: str) -> _Reply:
        """One person's rows; 503 when the department has sent nothing, 409 for a person it does not answer about."""
        folder = self.departments / contract.folder
        if not list(folder.glob("*.parquet")):
            raise HTTPException(503)
        with self._lock:
            if contract.dataset not in self._registers:
                self._registers[contract.dataset] = _register(contract, folder), set(_unanswered(folder))
            register, silent = self._registers[contract.dataset]
        if person in silent:
            raise HTTPException(409)
        lines = register.get(person, [])
        page = "".join(f"{line}\n" for line in lines).encode()
        digest = "0" * 64 if self.takes(contract.dataset, "wrong_digest") else hashlib.sha256(page).hexdigest()
        return _Reply([page], len(lines), f"sha256:{digest}", None)

    def leave(self, dataset: str, reply: _Reply) -> str:
        """Keep an answer under a ticket."""
        with self._lock:
            ticket = f"t{len(self._tickets) + 1}"
            self._tickets[ticket] = dataset, reply
        return ticket

    def left(self, ticket: str) -> _Reply:
        """The answer of a ticket."""
        if ticket not in self._tickets:
            raise HTTPException(404)
        return self._tickets[ticket][1]


def _unanswered(folder: Path) -> list[str]:
    """Persons whom the made-up county's banks leave out of their answers."""
    file = folder / "unanswered.json"
    return list(json.loads(file.read_text("utf-8"))) if file.exists() else []


def _register(contract: Contract, folder: Path) -> dict[str, list[str]]:
    """Everybody's rows by ID number, as a department keeps them that answers about one person at a time."""
    subject = column_names(folder)[contract.columns.index(contract.subjects[0])]
    found: dict[str, list[str]] = {}
    for row in pq.read_table(sorted(folder.glob("*.parquet"))).to_pylist():
        found.setdefault(row[subject], []).append(json.dumps(row, ensure_ascii=False))
    return found


def _rows_of(contract: Contract, folder: Path, persons: list[str]) -> pa.ChunkedArray:
    """One JSON text per row, in the file's order, under the file's names, which a department may have changed.

    Registers hold numbers in 18 and in 15 digits.
    """
    forms = persons + [p[:6] + p[8:17] for p in persons if len(p) == 18 and p[6:8] == "19"]
    names = column_names(folder)
    fields = ", ".join(f'"{name}" := "{name}"::VARCHAR' for name in names)
    subjects = [f'"{name}"' for name, column in zip(names, contract.columns, strict=False) if column.subject]
    wanted = " OR ".join(f"{_NORMAL.format(column=subject)} IN (SELECT form FROM asked)" for subject in subjects)
    connection = duckdb.connect(config={"threads": 1})
    try:
        connection.register("asked", pa.table({"form": pa.array(forms, pa.string())}))
        query = (
            f"SELECT to_json(struct_pack({fields}))::VARCHAR AS line FROM read_parquet('{folder}/*.parquet', "
            f"file_row_number = true) WHERE {wanted} ORDER BY file_row_number"
        )
        return connection.execute(query).to_arrow_table().column("line")
    finally:
        connection.close()


def column_names(folder: Path) -> list[str]:
    """The columns of a folder's Parquet, as the department named them."""
    names: list[str] = pq.read_schema(next(folder.glob("*.parquet"))).names
    return names


def _declared(service: DepartmentService, reply: _Reply) -> dict[str, Any]:
    return {
        "rows": reply.rows,
        "pages": len(reply.pages),
        "digest": reply.digest,
        "as_of": service.as_of.isoformat(),
    }


def application(service: DepartmentService) -> FastAPI:
    """The service's routes; see docs/department-http.md."""
    app = FastAPI(openapi_url=None)

    async def misbehave(dataset: str, request: Request) -> None:
        service.requests.append((request.method, dataset))
        if slow := service.takes(dataset, "slow"):
            await asyncio.sleep(slow.seconds)
        if failing := service.takes(dataset, "status"):
            raise HTTPException(failing.status)

    def contract_of(dataset: str) -> Contract:
        contract = service.contracts.get(dataset)
        if contract is None or not isinstance(contract.delivery, HttpDelivery):
            raise HTTPException(404)
        return contract

    @app.post("/{department}/{name}/tickets", status_code=202)
    async def submit(department: str, name: str, request: Request) -> Any:
        dataset = f"{department}/{name}"
        await misbehave(dataset, request)
        contract, asked = contract_of(dataset), await request.json()
        if service.takes(dataset, "not_json"):
            return Response("<html>", media_type="text/html")
        rows = contract.delivery.page_rows if isinstance(contract.delivery, HttpDelivery) else 1
        reply = await asyncio.to_thread(service.reply, contract, asked["persons"], rows)
        return {"ticket": service.leave(dataset, reply)}

    @app.get("/{department}/{name}/tickets/{ticket}")
    async def look(department: str, name: str, ticket: str, request: Request) -> dict[str, Any]:
        await misbehave(f"{department}/{name}", request)
        if service.takes(f"{department}/{name}", "never_ready"):
            return {"state": "working"}
        reply = service.left(ticket)
        return {"state": "ready", **_declared(service, reply), "answered": reply.answered}

    @app.get("/{department}/{name}/tickets/{ticket}/pages/{number}")
    async def fetch(department: str, name: str, ticket: str, number: int, request: Request) -> Response:
        dataset = f"{department}/{name}"
        await misbehave(dataset, request)
        return _page(service, dataset, service.left(ticket), number)

    @app.get("/data_bureau/catalogue")
    async def catalogue(request: Request) -> Response:
        await misbehave("data_bureau/catalogue", request)
        file = service.departments / "data_bureau.catalogue" / "catalogue.json"
        if not file.exists():
            raise HTTPException(503)
        return Response(file.read_bytes(), media_type="application/json")

    @app.post("/{department}/{name}")
    async def paged(department: str, name: str, request: Request, page: int = 1, rows: int = 1) -> Response:
        dataset = f"{department}/{name}"
        await misbehave(dataset, request)
        asked = await request.json()
        if "person" in asked:
            return _page(service, dataset, service.about(contract_of(dataset), asked["person"]), page)
        reply = await asyncio.to_thread(service.reply, contract_of(dataset), asked["persons"], rows)
        return _page(service, dataset, reply, page)

    return app


def _page(service: DepartmentService, dataset: str, reply: _Reply, number: int) -> Response:
    content = reply.pages[number - 1] if 1 <= number <= len(reply.pages) else b""
    declared = {f"answer-{name.replace('_', '-')}": str(value) for name, value in _declared(service, reply).items()}
    headers = {**declared, "content-type": "application/x-ndjson"}
    if not service.takes(dataset, "cut"):
        return Response(content, headers=headers)

    async def half() -> AsyncIterator[bytes]:
        yield content[: len(content) // 2]
        raise ConnectionAbortedError

    return StreamingResponse(half(), headers={**headers, "content-length": str(len(content))})
