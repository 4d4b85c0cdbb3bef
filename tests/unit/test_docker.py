"""docker/: what can be checked without a container engine, at every run of the tests."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "docker"
COMPOSE: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
BIN = Path(sys.executable).parent


def test_the_dockerfile_passes_its_linter() -> None:
    done = subprocess.run([BIN / "hadolint", DOCKER / "Dockerfile"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_compose_file_fits_the_compose_specification() -> None:
    command = [BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", DOCKER / "compose.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_no_service_is_root_or_writes_into_its_image() -> None:
    for name, service in SERVICES.items():
        assert not service["user"].startswith("0"), name
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert name == "migrate" or service["healthcheck"]["test"], name


def test_images_are_pinned_by_digest_and_packages_by_hash() -> None:
    images = [service["image"] for service in SERVICES.values() if "build" not in service]
    images += re.findall(r"^ARG BASE=(\S+)", (DOCKER / "Dockerfile").read_text("utf-8"), re.M)
    assert len(images) == 3
    for image in images:
        assert re.search(r"@sha256:[0-9a-f]{64}$", image), image
    for step in re.findall(r"pip install.*", (DOCKER / "Dockerfile").read_text("utf-8")):
        assert "--require-hashes" in step or "--no-deps" in step, step


def test_what_the_image_installs_is_what_was_tested() -> None:
    def pins(name: str) -> dict[str, str]:
        text = (ROOT / "requirements" / name).read_text("utf-8")
        return dict(re.findall(r"^([a-zA-Z0-9._-]+)(?:\[[a-z0-9,-]+\])?==(\S+)", text, re.M))

    run, image = pins("run.txt"), pins("image.txt")
    assert run.items() <= image.items()


def test_secrets_come_by_file_and_every_one_is_made(tmp_path: Path) -> None:
    text = (DOCKER / "compose.yaml").read_text("utf-8")
    for line in re.findall(r"^\s+(\w*(?:PASSWORD|SECRET|FERNET_KEY|BROKER)\w*): (.*)$", text, re.M):
        assert "/run/secrets/" in line[1] or line[0].endswith("PASSWORDS_FILE"), line
    (tmp_path / "make-secrets.sh").write_bytes((DOCKER / "make-secrets.sh").read_bytes())
    for _ in range(2):  # the second time keeps everything
        subprocess.run(["sh", tmp_path / "make-secrets.sh"], check=True, capture_output=True)
        made = {file.name: file.read_bytes() for file in (tmp_path / "secrets").iterdir()}
    wanted = {Path(secret["file"]).name for secret in COMPOSE["secrets"].values()}
    assert wanted == set(made)
    assert {(tmp_path / "secrets" / name).stat().st_mode & 0o077 for name in made} == {0}
    assert re.fullmatch(rb"[0-9a-f]{64}", made["root.key"])
    users = set(json.loads(made["passwords.json"]))
    told = SERVICES["api-server"]["environment"]["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"]
    assert users == {user.split(":")[0] for user in told.split(",")}
    mounted = {secret for service in SERVICES.values() for secret in service.get("secrets", [])}
    assert mounted == set(COMPOSE["secrets"])


def test_only_the_web_address_is_published_and_only_to_the_machine_itself() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert published == ["127.0.0.1:8080:8080"]


def test_more_machines_and_the_sample_are_profiles() -> None:
    profiles = {name: service.get("profiles") for name, service in SERVICES.items() if service.get("profiles")}
    assert profiles == {"worker": ["celery"], "redis": ["celery"], "departments": ["sample"]}
