"""Run the steps of the Dockerfile without a container engine: in a Debian root file system of one's own, with chroot.

    debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates bookworm /tmp/base
    python docker/by_hand.py /tmp/base /tmp/image        (as root; ends with the image's tree in /tmp/image/final)

The base differs from ``python:3.11-slim-bookworm`` in where Python lies (/usr/bin instead of /usr/local); the rest
is Debian 12's smallest. Each FROM starts from a copy of it. The build sees the context that ``.dockerignore`` leaves,
and the package index.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
PASSED_ON = (
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "UV_INDEX_URL",
    "UV_DEFAULT_INDEX",
    "SSL_CERT_FILE",
)
FROM_HERE = (
    "/etc/resolv.conf",
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pip.conf",
    "/etc/uv",
    "/root/.config/pip",
    "/root/.config/uv",
)


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions, continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", (PROJECT / "docker/Dockerfile").read_text(), flags=re.M).replace("\\\n", " ")
    return [(name, rest) for name, rest in (line.split(None, 1) for line in text.splitlines() if line.strip())]


def context(to: Path) -> None:
    """What the build may see: the commit's files that .dockerignore lets through."""
    allowed = [line[1:] for line in (PROJECT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    to.mkdir(parents=True)
    archive = subprocess.run(["git", "archive", "HEAD", *allowed], cwd=PROJECT, stdout=subprocess.PIPE, check=True)
    subprocess.run(["tar", "x", "-C", to], input=archive.stdout, check=True)


def base(rootfs: Path, to: Path) -> None:
    """A fresh copy of the base, with this machine's way to the package index."""
    subprocess.run(["cp", "-a", rootfs, to], check=True)
    for place in map(Path, FROM_HERE):
        if place.exists():
            target = to / place.relative_to("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["cp", "-rL", place, target], check=True)
    (to / "usr/bin/python").exists() or (to / "usr/bin/python").symlink_to("python3")


def main(rootfs: Path, out: Path) -> None:
    """Every step in order; stops at the first that fails."""
    shutil.rmtree(out, ignore_errors=True)
    context(out / "context")
    stages: dict[str, Path] = {}
    stage, work, environment = out, "/", {}
    for name, rest in instructions():
        print(f"--- {name} {rest[:110]}", flush=True)
        if name == "FROM":
            stage, work, environment = out / (rest.split(" AS ")[1] if " AS " in rest else "final"), "/", {}
            base(rootfs, stage)
            stages[stage.name] = stage
        elif name == "WORKDIR":
            work = rest
            (stage / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
        elif name == "ENV":
            environment |= {
                k: v.replace("$PATH", os.environ["PATH"]) for k, _, v in (p.partition("=") for p in shlex.split(rest))
            }
        elif name == "COPY":
            *sources, target = rest.split()
            origin = out / "context"
            if sources[0].startswith("--from="):
                origin = stages[sources.pop(0)[7:]]
            to = stage / (target if target.startswith("/") else f"{work}/{target}").lstrip("/")
            for source in sources:
                found = origin / source.lstrip("/")
                to.parent.mkdir(parents=True, exist_ok=True)
                subprocess.run(["cp", "-a", found, to], check=True)
        elif name == "RUN":
            passed = {k: os.environ[k] for k in PASSED_ON if k in os.environ}
            subprocess.run(
                ["chroot", stage, "sh", "-ec", f"cd {work}; {rest}"],
                env={"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/root"} | environment | passed,
                check=True,
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
