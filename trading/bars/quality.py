"""How good a recorded series is: what its exchange's calendar misses in it, what stands out, how old it is."""

from datetime import date, datetime
from typing import NamedTuple

import numpy as np

from trading.bars.catalogue import StoredBars, stored_bars
from trading.bars.checks import session_columns
from trading.bars.known import Actions, day_of
from trading.bars.resolutions import DAILY, seconds_of
from trading.market.selectors import exchange_of

STRANGE = 0.4  # from a close to the next open, or from the middle of a bar to its ends


class Gap(NamedTuple):
    """A session of which bars are missing: how many of how many. daily: 1 of 1."""

    day: date
    missing: int
    expected: int


class Outlier(NamedTuple):
    """begins: seconds of the epoch. change: as a part of the close before, or of the range of a bar."""

    begins: int
    what: str
    price: int
    change: float


class Quality(NamedTuple):
    """sessions: of the calendar from the first bar to the last; behind: sessions that are over and after the last bar.

    gaps and outliers: oldest first.
    """

    rows: int
    first: int
    last: int
    sessions: int
    complete: int
    missing_bars: int
    behind: int
    extended: int
    without_volume: int
    gaps: tuple[Gap, ...]
    outliers: tuple[Outlier, ...]


def quality_of(symbol: str, resolution: str, now: datetime, actions: Actions) -> Quality | None:
    """None where nothing is recorded. Raises BarsGone."""
    bars = stored_bars(symbol, resolution)
    if not len(bars.begins):
        return None
    sessions = session_columns(exchange_of(symbol))
    within = (sessions["day"] >= bars.days[0]) & (sessions["day"] <= bars.days[-1])
    expected = expected_of(sessions, resolution)[within]
    days = sessions["day"][within]
    regular = bars.days[bars.market == 0]
    there = np.searchsorted(regular, days, side="right") - np.searchsorted(regular, days)
    missing = np.maximum(expected - there, 0)
    over = (sessions["closes"] <= int(now.timestamp())) & (sessions["day"] > bars.days[-1])
    return Quality(
        rows=len(bars.begins),
        first=int(bars.begins[0]),
        last=int(bars.begins[-1]),
        sessions=len(days),
        complete=int((missing == 0).sum()),
        missing_bars=int(missing.sum()),
        behind=int(over.sum()),
        extended=int((bars.market == 1).sum()),
        without_volume=int((bars.volumes == 0).sum()),
        gaps=tuple(Gap(day_of(int(days[n])), int(missing[n]), int(expected[n])) for n in np.flatnonzero(missing)),
        outliers=tuple(outliers_of(bars, actions)),
    )


def expected_of(sessions: dict[str, np.ndarray], resolution: str) -> np.ndarray:
    """Bars that overlap each regular session; an hour's first begins before the opening."""
    if resolution == DAILY:
        return np.ones(len(sessions["day"]), np.int64)
    step = seconds_of(resolution)
    return -(-sessions["closes"] // step) - sessions["opens"] // step


def outliers_of(bars: StoredBars, actions: Actions) -> list[Outlier]:
    opened, high, low, close = (column.astype(np.float64) for column in bars.prices.T)
    before = close[:-1].copy()
    for at in {int(np.searchsorted(bars.days, day)) for day in actions.days}:
        if 0 < at < len(bars.days):
            between = actions.between(int(bars.days[at - 1]), int(bars.days[at]))
            before[at - 1] = between.expected(int(bars.prices[at - 1, 3]))
    moved = opened[1:] / before - 1
    found = [
        Outlier(int(bars.begins[n + 1]), "opens far from the close before", int(bars.prices[n + 1, 0]), float(moved[n]))
        for n in np.flatnonzero((moved > 1 / (1 - STRANGE) - 1) | (moved < -STRANGE))
    ]
    for column, what, ends in ((1, "high far above open and close", high), (2, "low far below open and close", low)):
        body = np.maximum(opened, close) if column == 1 else np.minimum(opened, close)
        reach = ends / body - 1
        found += [
            Outlier(int(bars.begins[n]), what, int(bars.prices[n, column]), float(reach[n]))
            for n in np.flatnonzero(np.abs(reach) > STRANGE)
        ]
    return sorted(found)
