"""The local Airflow itself: who may log in, what answers, and that it leaves nothing behind."""

from __future__ import annotations

import httpx
import pytest

from pipelines.local_airflow.people import PEOPLE
from pipelines.local_airflow.standing import Standing


def test_everything_is_up_on_postgresql(standing: Standing) -> None:
    health = httpx.get(f"{standing.url}/api/v2/monitor/health").json()
    assert {name: state["status"] for name, state in health.items()} == dict.fromkeys(
        ("metadatabase", "scheduler", "triggerer", "dag_processor"), "healthy"
    )
    assert standing.environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].startswith("postgresql+psycopg://")
    administrator = standing.rest("administrator")
    assert administrator.get("/importErrors")["total_entries"] == 0
    assert "verify_requests" in {dag["dag_id"] for dag in administrator.get("/dags")["dags"]}


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.name)
def test_each_role_logs_in_and_may_what_its_role_may(standing: Standing, person: object) -> None:
    name = person.name  # type: ignore[attr-defined]
    rest = standing.rest(name)
    assert rest.http.get("/dags").status_code == 200
    may = rest.http.patch("/dags/verify_requests", json={"is_paused": False}).status_code
    assert may == (403 if name == "auditor" else 200)
    pools = rest.http.post("/pools", json={"name": f"of_{name}", "slots": 1, "include_deferred": False}).status_code
    assert pools == (201 if name == "administrator" else 403)


def test_a_wrong_password_and_no_password_are_refused(standing: Standing) -> None:
    wrong = httpx.post(f"{standing.url}/auth/token", json={"username": "staff", "password": "x"})
    assert wrong.status_code == 401
    assert httpx.get(f"{standing.url}/api/v2/dags").status_code == 401


def test_secrets_are_in_files_for_the_owner_alone(standing: Standing) -> None:
    files = [standing.home / "passwords.json", *(standing.home / "secrets").iterdir()]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    logs = "".join(file.read_text("utf-8", "replace") for file in (standing.home / "logs").glob("*.log"))
    for secret in [*standing.passwords.values(), *(file.read_text() for file in files[1:])]:
        assert secret not in logs
