"""Recorded bars and corporate actions as arrays the engine reads, out of files in the columns of common data sets.

A bad line is refused with the file, the line and the column; nothing is guessed, dropped or filled.
"""

import csv
import gzip
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from portfolios.domain.amounts import MAX_PRICE, MIN_PRICE, as_text, micros

ASSUMED_DELAY = timedelta(days=30)
SESSIONS = {"regular": 0, "pre": 1, "post": 1}  # engine.REGULAR, engine.EXTENDED
PRICES = ("open", "high", "low", "close")
EPOCH = date(1970, 1, 1)


class BadFile(ValueError):
    """One line: which file, which line, which column, and what would be right."""


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


def day_number(day: date) -> int:
    return (day - EPOCH).days


def read_bars(path: Path) -> Bars:
    """`date` or `timestamp` (ISO 8601 with offset, where the bar begins), open, high, low, close; `session` if given.

    Raises BadFile.
    """
    at, days, prices, market = [], [], [], []
    before = None
    is_daily = True
    for line in lines_of(path):
        is_daily = "date" in line.values
        moment, day = moment_of(line, is_daily)
        if before is not None and moment <= before:
            raise line.bad("date" if is_daily else "timestamp", "must be later than the line before")
        before = moment
        bar = [line.price(name) for name in PRICES]
        if not bar[2] <= min(bar[0], bar[3]) or not bar[1] >= max(bar[0], bar[3]):
            raise line.bad("high", "high and low must enclose open and close")
        at.append(moment)
        days.append(day)
        prices.append(bar)
        session = line.values.get("session", "regular")
        if session not in SESSIONS:
            raise line.bad("session", f"must be one of {', '.join(SESSIONS)}")
        market.append(SESSIONS[session])
    if len(at) < 2:
        raise BadFile(f"{path.name}: needs two bars at least, the first sets the anchor")
    return Bars(
        np.array(at, np.int64),
        np.array(days, np.int32),
        np.array(prices, np.int64),
        np.array(market, np.uint8),
        is_daily,
    )


class Line(NamedTuple):
    path: Path
    number: int
    values: Mapping[str, str]

    def bad(self, column: str, message: str) -> BadFile:
        return BadFile(f"{self.path.name} line {self.number}, {column}: {message}")

    def text(self, column: str) -> str:
        value = self.values.get(column)
        if value is None:
            raise self.bad(column, "is missing")
        return value.strip()

    def price(self, column: str) -> int:
        price = self.amount(column)
        if not MIN_PRICE <= price <= MAX_PRICE:
            raise self.bad(column, f"must be from {as_text(MIN_PRICE)} to {as_text(MAX_PRICE)}")
        return price

    def amount(self, column: str) -> int:
        try:
            return micros(self.text(column))
        except ValueError as error:
            raise self.bad(column, str(error)) from None

    def date(self, column: str) -> date:
        try:
            return date.fromisoformat(self.text(column))
        except ValueError:
            raise self.bad(column, "must be a date such as 2020-08-31") from None


def lines_of(path: Path) -> Iterator[Line]:
    try:
        with opened(path) as file:
            reader = csv.DictReader(file)
            for number, values in enumerate(reader, start=2):
                yield Line(path, number, values)
    except FileNotFoundError:
        raise BadFile(f"{path}: there is no such file") from None
    except (UnicodeDecodeError, gzip.BadGzipFile, csv.Error, IsADirectoryError):
        raise BadFile(f"{path.name}: must be CSV in UTF-8, plain or gzipped") from None


def opened(path: Path) -> IO[Any]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def moment_of(line: Line, is_daily: bool) -> tuple[int, int]:
    """Seconds of the epoch, and the exchange date as written."""
    if is_daily:
        day = day_number(line.date("date"))
        return day * 86_400, day
    text = line.text("timestamp")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise line.bad("timestamp", "must be ISO 8601 with an offset") from None
    if moment.tzinfo is None:
        raise line.bad("timestamp", "must name its offset from UTC")
    return int(moment.timestamp()), day_number(moment.date())


def read_dividends(path: Path, symbol: str) -> list[Dividend]:
    """symbol, ex_date, pay_date (may be empty: 30 days later is assumed), amount a share, type. Raises BadFile."""
    found = []
    for line in lines_of(path):
        if line.values.get("symbol", symbol) != symbol or line.values.get("type", "").startswith("noncash"):
            continue
        ex_date = line.date("ex_date")
        paid = line.date("pay_date") if line.values.get("pay_date") else ex_date + ASSUMED_DELAY
        dps = line.amount("amount")
        if dps <= 0 or paid < ex_date:
            raise line.bad("amount", "must be above 0 and paid on the ex-date or later")
        found.append(Dividend(ex_date, paid, dps))
    return sorted(found)


def read_splits(path: Path, symbol: str) -> list[Split]:
    """symbol, ex_date, ratio (new shares for an old one). Raises BadFile."""
    found = []
    for line in lines_of(path):
        if line.values.get("symbol", symbol) != symbol:
            continue
        try:
            ratio = Fraction(line.text("ratio"))
        except (ValueError, ZeroDivisionError):
            raise line.bad("ratio", "must be a number such as 7 or 0.05") from None
        if not Fraction(1, 1_000) <= ratio <= 1_000 or ratio.denominator > 1_000:
            raise line.bad("ratio", "must be from 0.001 to 1000")
        found.append(Split(line.date("ex_date"), ratio.numerator, ratio.denominator))
    return sorted(found)
