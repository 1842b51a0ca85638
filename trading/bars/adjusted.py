"""Bars as if dividends had been reinvested and splits had always been: computed when read, never kept.

All before an ex-date is scaled. A split of n new shares for m old ones: prices by m/n, volume by n/m. A dividend:
prices by close / (close + dividend), with the raw close of the ex-date: that is what reinvesting at this close makes
of one share, and it is above 0 whatever is paid. On one day the split comes first, the dividend is per new share.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from trading.bars.catalogue import StoredBars
from trading.bars.rows import day_number


class Step(NamedTuple):
    """Bars before the exchange day (days of the epoch) have their prices and volumes multiplied by these."""

    day: int
    price: Fraction
    volume: Fraction


def adjusted(
    bars: StoredBars,
    splits: Iterable[tuple[date, int, int]],
    dividends: Iterable[tuple[date, int]] = (),
) -> StoredBars:
    """As seen from the last of these bars. splits: ex-date, new shares, old shares; dividends: ex-date, micros a share.

    Exact until each value is rounded once, half up.
    """
    steps = steps_of(bars, splits, dividends)
    prices, volumes = bars.prices.copy(), bars.volumes.copy()
    for begin, end, price, volume in stretches(bars.days, steps):
        prices[begin:end] = scaled(prices[begin:end], price)
        volumes[begin:end] = scaled(volumes[begin:end], volume)
    return bars._replace(prices=prices, volumes=volumes)


def steps_of(
    bars: StoredBars, splits: Iterable[tuple[date, int, int]], dividends: Iterable[tuple[date, int]]
) -> list[Step]:
    """By day; what is not within the bars leaves them as they are."""
    if not len(bars.days):
        return []
    found = [Step(day_number(day), Fraction(old, new), Fraction(new, old)) for day, new, old in splits]
    within = [step for step in found if bars.days[0] < step.day <= bars.days[-1]]
    for ex_date, dps in dividends:
        day = day_number(ex_date)
        if bars.days[0] < day <= bars.days[-1]:
            close = close_of(bars, day, found)
            within.append(Step(day, close / (close + dps), Fraction(1)))
    return sorted(within)


def close_of(bars: StoredBars, day: int, splits: Sequence[Step]) -> Fraction:
    """The last price of the regular session of a day (micros), or of the first one after it that has bars: then for one
    share of that day.
    """
    begin = int(np.searchsorted(bars.days, day))
    end = int(np.searchsorted(bars.days, bars.days[begin], side="right"))
    regular = np.flatnonzero(bars.market[begin:end] == 0)
    last = begin + int(regular[-1]) if len(regular) else end - 1
    close = Fraction(int(bars.prices[last, 3]))
    for split in splits:
        close *= split.volume if day < split.day <= bars.days[begin] else 1
    return close


def stretches(days: np.ndarray, steps: Sequence[Step]) -> Iterable[tuple[int, int, Fraction, Fraction]]:
    """Begin, end and what all later steps multiply prices and volumes by; the newest stretch stays as it is."""
    price = volume = Fraction(1)
    end = None
    for step in reversed(steps):
        begin = int(np.searchsorted(days, step.day))
        if end is not None and begin < end:
            yield begin, end, price, volume
        price, volume, end = price * step.price, volume * step.volume, begin
    if end:
        yield 0, end, price, volume


def scaled(amounts: np.ndarray, factor: Fraction) -> np.ndarray:
    """Each value once in whole numbers of any size: a series has few different ones."""
    if factor == 1:
        return amounts
    values, places = np.unique(amounts, return_inverse=True)
    rounded = half_up(factor)
    exact = np.array([rounded(int(value)) for value in values], np.int64)
    return exact[places].reshape(amounts.shape)


def half_up(factor: Fraction) -> Callable[[int], int]:
    twice, whole = 2 * factor.numerator, factor.denominator
    return lambda amount: (amount * twice + whole) // (2 * whole)
