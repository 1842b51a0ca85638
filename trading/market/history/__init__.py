"""The recorded market the project ships: daily bars, dividends and splits of four shares (see README.md)."""

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

from portfolios.domain.amounts import micros

FOLDER = Path(__file__).resolve().parent


class ShippedSymbol(NamedTuple):
    symbol: str
    name: str
    exchange: str


class ShippedBar(NamedTuple):
    """One session as it was traded, unadjusted; prices in micros."""

    session: date
    open: int
    high: int
    low: int
    close: int
    volume: int


class ShippedDividend(NamedTuple):
    """Cash per share in micros as paid at the time, not adjusted for later splits; the pay dates are not known."""

    symbol: str
    ex_date: date
    dps: int


class ShippedSplit(NamedTuple):
    """`numerator` new shares for each `denominator` old ones, from the first price of `ex_date` on."""

    symbol: str
    ex_date: date
    numerator: int
    denominator: int


SYMBOLS = (
    ShippedSymbol("AAPL", "Apple Inc.", "XNAS"),
    ShippedSymbol("GOOG", "Google Inc.", "XNAS"),
    ShippedSymbol("IBM", "International Business Machines Corp.", "XNYS"),
    ShippedSymbol("MSFT", "Microsoft Corp.", "XNAS"),
)


def read_bars(symbol: str) -> list[ShippedBar]:
    """All bars of one shipped symbol, oldest first; raises KeyError for any other."""
    if symbol not in {shipped.symbol for shipped in SYMBOLS}:
        raise KeyError(symbol)
    return [
        ShippedBar(date.fromisoformat(session), micros(open_), micros(high), micros(low), micros(close), int(volume))
        for session, open_, high, low, close, volume in _rows(f"{symbol}.csv")
    ]


def read_dividends() -> list[ShippedDividend]:
    """By symbol, then ex-date."""
    return [
        ShippedDividend(symbol, date.fromisoformat(ex_date), micros(amount))
        for symbol, ex_date, amount, _pay_date in _rows("dividends.csv")
    ]


def read_splits() -> list[ShippedSplit]:
    """By symbol, then ex-date."""
    return [
        ShippedSplit(symbol, date.fromisoformat(ex_date), int(numerator), int(denominator))
        for symbol, ex_date, numerator, denominator in _rows("splits.csv")
    ]


def _rows(name: str) -> Iterator[list[str]]:
    with (FOLDER / name).open(encoding="ascii", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        yield from rows
