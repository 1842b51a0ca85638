"""Recorded bars and corporate actions as arrays the engine reads, out of files in the columns of common data sets.

A bad line is refused with the file, the line and the column; nothing is guessed, dropped or filled.
"""

from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np

from portfolios.domain.amounts import MAX_PRICE
from trading.bars.lines import BadFile, Line, lines_of
from trading.bars.rows import COLUMNS, is_of_days, moment_of, prices_of, session_of
from trading.bars.rows import EPOCH as EPOCH  # whoever reads bars finds here what their days are
from trading.bars.rows import day_number as day_number

ASSUMED_DELAY = timedelta(days=30)


class Bars(NamedTuple):
    """n bars in order. `at`: seconds of the epoch at which a bar begins, for daily bars midnight of the date (UTC).

    days: exchange dates as days of the epoch. prices: n x 4 (open, high, low, close) in micros, raw as traded.
    market: 0 in the regular session, 1 before and after it.
    """

    at: np.ndarray
    days: np.ndarray
    prices: np.ndarray
    market: np.ndarray
    is_daily: bool

    def between(self, first: date | None, last: date | None) -> "Bars":
        begin = 0 if first is None else int(np.searchsorted(self.days, day_number(first)))
        end = len(self.days) if last is None else int(np.searchsorted(self.days, day_number(last), side="right"))
        cut = slice(begin, end)
        return Bars(self.at[cut], self.days[cut], self.prices[cut], self.market[cut], self.is_daily)


class Dividend(NamedTuple):
    """dps in micros a share, before tax."""

    ex_date: date
    pay_date: date
    dps: int


class Split(NamedTuple):
    ex_date: date
    numerator: int
    denominator: int


def read_bars(path: Path) -> Bars:
    """`date` or `timestamp` (ISO 8601 with offset, where the bar begins), open, high, low, close; `session` if given.

    Raises BadFile.
    """
    at: list[int] = []
    days: list[int] = []
    prices, market = [], []
    is_daily = True
    for line in lines_of(path, *COLUMNS):
        is_daily = is_of_days(line)
        moment, day = moment_of(line)
        if at and (moment <= at[-1] or day < days[-1]):
            raise line.bad("date" if is_daily else "timestamp", "must be later than in the line before")
        at.append(moment)
        days.append(day)
        prices.append(prices_of(line))
        market.append(session_of(line) or 0)
    if len(at) < 2:
        raise BadFile(f"{path.name}: needs two bars at least, the first sets the anchor")
    return Bars(
        np.array(at, np.int64),
        np.array(days, np.int32),
        np.array(prices, np.int64),
        np.array(market, np.uint8),
        is_daily,
    )


def read_dividends(path: Path, symbol: str) -> list[Dividend]:
    """symbol, ex_date, pay_date (may be empty: 30 days later is assumed), amount a share, type. Raises BadFile."""
    found, seen = [], set()
    for line in lines_of(path, ("ex_date",), ("amount",)):
        kind = line.given("type") or ""
        if not is_of(line, symbol) or kind.startswith("noncash"):
            continue
        ex_date = line.date("ex_date")
        paid = line.date("pay_date") if line.given("pay_date") else ex_date + ASSUMED_DELAY
        dps = line.amount("amount")
        if not 0 < dps <= MAX_PRICE:
            raise line.bad("amount", "must be above 0 and at most 1000000")
        if paid < ex_date:
            raise line.bad("pay_date", "must be the ex-date or later")
        if (ex_date, kind) in seen:
            raise line.bad("ex_date", "this dividend is given twice")
        seen.add((ex_date, kind))
        found.append(Dividend(ex_date, paid, dps))
    return sorted(found)


def read_splits(path: Path, symbol: str) -> list[Split]:
    """symbol, ex_date, ratio (new shares for an old one). Raises BadFile."""
    found: dict[date, Split] = {}
    for line in lines_of(path, ("ex_date",), ("ratio",)):
        if not is_of(line, symbol):
            continue
        ex_date, ratio = line.date("ex_date"), ratio_of(line)
        if ex_date in found:
            raise line.bad("ex_date", "this split is given twice")
        found[ex_date] = Split(ex_date, ratio.numerator, ratio.denominator)
    return sorted(found.values())


def is_of(line: Line, symbol: str) -> bool:
    """A file without the column is of one symbol."""
    return "symbol" not in line.values or (line.given("symbol") or "").upper() == symbol.upper()


def ratio_of(line: Line) -> Fraction:
    """Written as 7, 0.05 or 3/2, exactly."""
    text = line.text("ratio")
    try:
        ratio = Fraction(text) if len(text) < 20 and "e" not in text.lower() else None
    except (ValueError, ZeroDivisionError):
        ratio = None
    if ratio is None:
        raise line.bad("ratio", "must be a number such as 7, 0.05 or 3/2")
    if not Fraction(1, 1_000) <= ratio <= 1_000 or ratio.denominator > 1_000:
        raise line.bad("ratio", "must be from 0.001 to 1000, with at most 3 digits after the point")
    return ratio
