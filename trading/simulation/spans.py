"""Whether the bars that a run or a sweep is asked about are there, and how many. Files are only peeped into."""

from datetime import date
from typing import NamedTuple

from portfolios.errors import Refused
from trading.bars.catalogue import BarsGone, bars_between, first_closes, series_of
from trading.bars.resolutions import DAILY, RESOLUTIONS
from trading.simulation.stage import CLOSE, LOOKS

MOST_LOOKS = 10_000_000  # at a price: minutes of 25 years along a path


class Span(NamedTuple):
    """The days asked for, and the first close (micros)."""

    first: date
    last: date
    close: int


def asked_span(symbol: str, resolution: str, first: date | None, last: date | None, path: str = CLOSE) -> Span:
    """No day: as far as bars reach. Raises Refused, naming the field: see `create_run`."""
    if resolution not in RESOLUTIONS:
        raise Refused("invalid_resolution", f"must be one of {', '.join(RESOLUTIONS)}", field="resolution")
    series = series_of(symbol, resolution)
    if series is None:
        raise missing(symbol, resolution)
    for field, day in (("first_day", first), ("last_day", last)):
        if day is not None and not series.first_day <= day <= series.last_day:
            known = f"bars are recorded from {series.first_day} to {series.last_day}"
            raise Refused("invalid_day", known, field=field)
    first, last = first or series.first_day, last or series.last_day
    if looks_over(symbol, resolution, first, last, path) > MOST_LOOKS:
        raise Refused("too_many_bars", too_many(path), field="first_day")
    closes = closes_of(symbol, resolution, first, last)
    if len(closes) < 2:
        least = "two recorded days" if resolution == DAILY else "two recorded bars"
        raise Refused("invalid_day", f"must leave at least {least}", field="last_day")
    return Span(first, last, closes[0])


def looks_over(symbol: str, resolution: str, first: date, last: date, path: str = CLOSE) -> int:
    """How often a run looks at a price, at most: a file counts as a whole."""
    return bars_between(symbol, resolution, first, last) * looks_at(path)


def looks_at(path: str) -> int:
    """At one bar."""
    return 1 if path == CLOSE else LOOKS


def too_many(path: str) -> str:
    return f"at most {MOST_LOOKS // looks_at(path):,} bars can be looked at in one run; ask for fewer days"


def missing(symbol: str, resolution: str) -> Refused:
    """Says which bars there are instead."""
    others = [name for name in RESOLUTIONS if series_of(symbol, name)]
    if not others:
        return Refused("unknown_symbol", "has no recorded bars here", field="symbol")
    return Refused(
        "no_such_bars", f"no such bars of it are recorded here, only {', '.join(others)}", field="resolution"
    )


def closes_of(symbol: str, resolution: str, first: date, last: date) -> list[int]:
    try:
        return first_closes(symbol, resolution, first, last)
    except BarsGone as error:
        raise Refused("bars_gone", str(error), status=503) from error
