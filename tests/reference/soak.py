"""``make soak``: a million random households, reading against sql/, until the first difference.

    python -m tests.reference.soak --households 1000000 --seed 1000
    python -m tests.reference.soak --story a_story.yaml

The first goes through seeds, and prints the smallest household that differs as a story; the second tells a story again.
"""  # fmt: skip

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable
from multiprocessing import get_context
from pathlib import Path

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
    return seed, households, story(smallest(different[0], worlds, policies), heading)


def soak(households: int, first: int) -> int:
    """Go through seeds until so many households are compared or one differs; returns the exit code."""
    done, begun = 0, time.monotonic()
    seeds: Iterable[int] = range(first, first + -(-households // PART))
    with get_context("spawn").Pool(WORKERS) as pool:
        for seed, count, difference in pool.imap_unordered(of_seed, seeds):
            done += count
            pace = done / (time.monotonic() - begun)
            print(f"seed {seed}: {done:,} households, {pace:,.0f} a second", file=sys.stderr, flush=True)
            if difference is not None:
                print(difference)
                return 1
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
    parser.add_argument("--story", type=Path, help="compare on this story alone")
    given = parser.parse_args()
    return tell_again(given.story) if given.story else soak(given.households, given.seed)


if __name__ == "__main__":
    sys.exit(main())
