"""Which of the persons in no request have something: by age, and by a trait that is the same in every dataset."""

from __future__ import annotations

import numpy as np

from connectors.synthetic.households import REFERENCE
from connectors.synthetic.people import People
from connectors.synthetic.rows import Ints


def age(people: People, persons: Ints) -> Ints:
    """Whole years on the reference date, near enough."""
    return (REFERENCE - people.birth[persons]) * 4 // 1461


def some(people: People, persons: Ints, shift: float, share: float, low: int = 18, high: int = 200) -> Ints:
    """Persons of an age whose trait, shifted, falls into a share."""
    years = age(people, persons)
    trait = (people.trait[persons] + np.float32(shift)) % 1
    return persons[(trait < share) & (years >= low) & (years < high)]


def each(values: Ints, times: int) -> Ints:
    """Every value as many times, its repetitions together."""
    return np.repeat(values, times)
