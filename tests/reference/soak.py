"""``make soak``: a million random households, reading against sql/, until the first difference.

    python -m tests.reference.soak --households 1000000 --seed 1000
    python -m tests.reference.soak --story a_story.yaml

The first goes through seeds, and prints the smallest household that differs as a story; what is compared is kept in
``build/soak.jsonl``, and started again it goes on from there, unless sql/ or tests/reference has changed. The second
tells a story again.
"""  # fmt: skip

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from multiprocessing import get_context
from pathlib import Path

from pipelines.warehouse import SQL
from tests.reference.against import against, draw
from tests.reference.retell import retell
from tests.reference.shrink import smallest
from tests.reference.story import story

PART = 5_000  # worlds of one seed, one run of sql/
WORKERS = 2


def of_seed(seed: int) -> tuple[int, int, str | None]:
    """How many households a seed has, and the smallest that differs, as a story."""
    worlds, policies = draw(seed, PART)
    households = sum(len(world.households) for world in worlds)
    different = against(worlds, policies, threads=1)
    if not different:
        return seed, households, None
    heading = f"seed {seed}, {len(different)} of {households} households differ"
    return seed, households, story(smallest(different[0], worlds), heading)


def edition() -> str:
    """Which sql/ and which reading are compared."""
    files = sorted([*SQL.rglob("*.sql"), *Path(__file__).parent.glob("*.py")])
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:16]


def compared(kept: Path) -> dict[int, int]:
    """Seeds that this edition has compared already, and how many households each had."""
    lines = kept.read_text("utf-8").splitlines() if kept.exists() else []
    told = [json.loads(line) for line in lines]
    return {one["seed"]: one["households"] for one in told if one["edition"] == edition()}


def soak(households: int, first: int, kept: Path) -> int:
    """Go through seeds until so many households are compared or one differs; returns the exit code."""
    before, begun, now = compared(kept), time.monotonic(), 0
    seeds = [seed for seed in range(first, first + -(-households // PART)) if seed not in before]
    done = sum(before.values())
    kept.parent.mkdir(parents=True, exist_ok=True)
    with get_context("spawn").Pool(WORKERS) as pool:
        for seed, count, difference in pool.imap_unordered(of_seed, seeds):
            done, now = done + count, now + count
            pace = now / (time.monotonic() - begun)
            print(f"seed {seed}: {done:,} households, {pace:,.0f} a second", file=sys.stderr, flush=True)
            if difference is not None:
                print(difference)
                return 1
            with kept.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"edition": edition(), "seed": seed, "households": count}) + "\n")
    print(f"{done:,} households: reading and sql/ find the same")
    return 0


def tell_again(path: Path) -> int:
    """Compare on the household of a story; returns the exit code."""
    world, policies = retell(path.read_text("utf-8"))
    for difference in against([world], policies):
        print(story(difference, "differs"))
        return 1
    print("reading and sql/ find the same")
    return 0


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--households", type=int, default=1_000_000, help="how many, about")
    parser.add_argument("--seed", type=int, default=1_000, help="the first seed; make test takes 0 to 3")
    parser.add_argument("--kept", type=Path, default=Path("build/soak.jsonl"), help="what is compared already")
    parser.add_argument("--story", type=Path, help="compare on this story alone")
    given = parser.parse_args()
    return tell_again(given.story) if given.story else soak(given.households, given.seed, given.kept)


if __name__ == "__main__":
    sys.exit(main())
