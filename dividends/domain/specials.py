"""Which dividends of a stock were special: paid once, beside those that come again and again. By a stated rule."""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from statistics import median
from typing import NamedTuple

FEWEST = 3  # known ones, below which nothing stands out
TIMES = 2  # as much as its neighbours, above which one is special
RHYTHM = 3  # parts of the usual distance between two, below the first of which one of them came out of turn


class Paid(NamedTuple):
    """dps in micros for one share of one and the same day, so that no split plays in."""

    ex_date: date
    dps: int


def specials_in(paid: Sequence[Paid]) -> set[int]:
    """Their places in `paid`, which is by ex-date.

    One that is more than twice the regular one before it and more than twice the one after it; the newest or oldest:
    than each of the nearest two, so that a raise to more than double counts once it is repeated. Of two that are less
    than a third of the usual distance apart, the one that is less like the median.
    """
    if len(paid) < FEWEST:
        return set()
    found: set[int] = set()
    for place in sorted(range(len(paid)), key=lambda place: (-paid[place].dps, place)):
        beside = neighbours(place, len(paid), found)
        if beside and all(paid[place].dps > TIMES * paid[other].dps for other in beside):
            found.add(place)
    return found | out_of_turn(paid, [place for place in range(len(paid)) if place not in found])


def neighbours(place: int, count: int, special: set[int]) -> list[int]:
    """The nearest on both sides that are not special; at an end the nearest two."""
    before = [other for other in range(place - 1, -1, -1) if other not in special]
    after = [other for other in range(place + 1, count) if other not in special]
    if before and after:
        return [before[0], after[0]]
    return (before or after)[:2]


def out_of_turn(paid: Sequence[Paid], regular: Sequence[int]) -> set[int]:
    """Of the regular ones."""
    pairs = list(pairwise(regular))
    if len(pairs) < FEWEST:
        return set()
    distances = [(paid[after].ex_date - paid[before].ex_date).days for before, after in pairs]
    usual, middle = median(distances), median(paid[place].dps for place in regular)
    found: set[int] = set()
    for pair, distance in zip(pairs, distances, strict=True):
        if RHYTHM * distance < usual and not found & set(pair):
            found.add(max(pair, key=lambda place: (abs(paid[place].dps - middle), place)))
    return found
