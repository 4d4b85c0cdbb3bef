"""A household told as a story and told again is the same household."""

from __future__ import annotations

from dataclasses import replace

from tests.reference.against import Difference, draw
from tests.reference.reading import read
from tests.reference.retell import retell
from tests.reference.story import story
from tests.reference.told import Household


def test_a_story_told_again_is_the_same_household() -> None:
    worlds, _ = draw(99, 60)
    for world in worlds:
        told = world.households[0]
        again = retell(story(Difference(0, told, {}), "again"))[0].households[0]
        assert read(again) == read(plain(told))
        assert again.income == told.income
        assert again.declared == told.declared


def plain(told: Household) -> Household:
    """The household without the names of other requests, which a story does not tell."""
    return replace(told, elsewhere=dict.fromkeys(told.elsewhere, "elsewhere"))
