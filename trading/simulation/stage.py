"""Bars and corporate actions as the engine is shown them: one point per look at the market."""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

import numpy as np

from portfolios.domain.amounts import MAX_AMOUNT, MICROS, PPM
from portfolios.domain.exact import muldiv_floor
from portfolios.domain.holding import Holding
from trading.domain.choices import Side
from trading.domain.costs import notional_of
from trading.simulation.bars import Bars, Dividend, Split, day_number
from trading.simulation.engine import EX, PAY, SPLIT, Happenings, Points
from trading.simulation.search import COARSE, MOST

PATHS = CLOSE, PATH, LOW_FIRST, HIGH_FIRST = "close", "path", "low-first", "high-first"
LOOKS = 4  # at a bar, inside it


class Stage(NamedTuple):
    """bar: of each point, the bar it is a look at."""

    points: Points
    happenings: Happenings
    bar: np.ndarray


def stage_of(bars: Bars, dividends: Iterable[Dividend], splits: Iterable[Split], path: str = CLOSE) -> Stage:
    """path: looks at each close, or inside each bar along open, one extreme, the other, close."""
    prices, bar = looks(bars, path)
    if path != CLOSE:  # of the first bar only the close is seen: it sets the anchor
        prices, bar = prices[LOOKS - 1 :], bar[LOOKS - 1 :]
    days = bars.days[bar]
    return Stage(points_of(prices, days, bars.market[bar]), happenings_of(days, dividends, splits), bar)


def points_of(prices: np.ndarray, days: np.ndarray, market: np.ndarray) -> Points:
    coarse = np.empty(0, np.int32)
    if not (prices % COARSE).any() and prices.max(initial=0) < MOST * COARSE:
        coarse = (prices // COARSE).astype(np.int32)
    return Points(np.ascontiguousarray(prices), coarse, np.ascontiguousarray(days), np.ascontiguousarray(market))


def looks(bars: Bars, path: str) -> tuple[np.ndarray, np.ndarray]:
    """Prices in the order in which they are looked at, and the bar of each."""
    number = np.arange(len(bars.at), dtype=np.int32)
    opened, high, low, close = bars.prices.T
    if path == CLOSE:
        return close, number
    low_first = opened - low <= high - opened  # the extreme nearer to the open comes first; of equals the low
    if path == LOW_FIRST:
        low_first = np.ones_like(low_first)
    elif path == HIGH_FIRST:
        low_first = np.zeros_like(low_first)
    prices = np.empty((len(number), LOOKS), np.int64)
    prices[:, 0], prices[:, 3] = opened, close
    prices[:, 1], prices[:, 2] = np.where(low_first, low, high), np.where(low_first, high, low)
    return prices.ravel(), np.repeat(number, LOOKS)


def happenings_of(days: np.ndarray, dividends: Iterable[Dividend], splits: Iterable[Split]) -> Happenings:
    """Before the first look of its day or the next one, by day; on one day split, ex-date, payment. What is due at the
    first look is past.

    A payment names the happening of its ex-date; without that it pays nothing and is left out.
    """
    rows = [(row.ex_date, SPLIT, row.numerator, row.denominator) for row in splits]
    for number, dividend in enumerate(dividends):
        if 0 < before(days, dividend.ex_date) < len(days):
            rows.append((dividend.ex_date, EX, dividend.dps, number))
            rows.append((dividend.pay_date, PAY, number, 0))
    placed = [(before(days, row[0]), *row[1:]) for row in sorted(rows, key=lambda row: row[:2])]
    kept = [row for row in placed if 0 < row[0] < len(days)]
    ex_rows = {row[3]: index for index, row in enumerate(kept) if row[1] == EX}
    table = np.array(
        [(point, kind, ex_rows[a] if kind == PAY else a, 0 if kind == EX else b) for point, kind, a, b in kept],
        np.int64,
    ).reshape(-1, 4)
    return Happenings(*(np.ascontiguousarray(column) for column in table.T))


def before(days: np.ndarray, day: date) -> int:
    return int(np.searchsorted(days, day_number(day)))


def starting(cash: int, in_stock: int, price: int, lot: int) -> Holding:
    """Bought at the first close without commission, down to the lot; that close is the anchor. in_stock in ppm."""
    shares = min(muldiv_floor(muldiv_floor(cash, in_stock, PPM), MICROS, price), MAX_AMOUNT)
    shares -= shares % lot
    return Holding(shares, cash - notional_of(Side.BUY, shares, price), 0, 0, 0, price)
