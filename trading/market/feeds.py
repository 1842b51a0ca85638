"""Where prices of a market come from: which sources are asked, in which order, how often, and how long each holds."""

from datetime import datetime, timedelta
from importlib.util import find_spec
from typing import NamedTuple

from django.conf import settings

from trading.market.calendars import DEFAULT_EXCHANGE, calendar_for

STREAMED = 3.0  # seconds a price that is pushed, or asked for each second, stays fresh


class Feed(NamedTuple):
    """sources: asked in this order until one answers. cadence: seconds between two prices of a symbol.

    turn: seconds between two questions, 0 for the cadence. closes: its prices are those at which sessions closed.
    """

    sources: tuple[str, ...]
    cadence: int
    turn: int = 0
    closes: bool = False

    @property
    def asked_every(self) -> int:
        return self.turn or self.cadence

    def fresh_for(self, at: datetime, exchange: str = DEFAULT_EXCHANGE) -> timedelta:
        """How long a price of this market time may be used: three seconds where prices come each second, else twice the
        cadence; a session's close until the next session has closed, however long the holidays are.
        """
        if self.closes:
            return calendar_for(exchange).next_close(at) - at
        return timedelta(seconds=STREAMED if self.cadence <= 1 else 2 * self.cadence)


CADENCES = {"": 1, "-1min": 60, "-5min": 300, "-hourly": 3_600, "-daily": 86_400}
# Nobody knows when a file will come in: looking costs nothing.
DELIVERED = {
    "files-1min": Feed(("files-1min",), 60),
    "files-hourly": Feed(("files-hourly",), 3_600, turn=60),
    "files-daily": Feed(("files-daily",), 86_400, turn=60, closes=True),
}
FEEDS = {
    **{f"alpaca{word}": Feed(("alpaca", "yahoo"), seconds) for word, seconds in CADENCES.items()},
    **{f"yahoo{word}": Feed(("yahoo", "alpaca"), seconds) for word, seconds in CADENCES.items() if seconds > 1},
    **DELIVERED,
}


def feed_of(name: str) -> Feed:
    """A source that is no feed stands for itself, each second."""
    return FEEDS.get(name, Feed((name,), 1))


VENDORS = {"alpaca": "Alpaca", "yahoo": "Yahoo"}
IMPORTED = {
    "files-1min": "Files you import, minute by minute",
    "files-hourly": "Files you import, hour by hour",
    "files-daily": "Files you import, by each day's close",
}
HOW_OFTEN = {1: "each second", 60: "each minute", 300: "every five minutes", 3_600: "each hour", 86_400: "once a day"}


def in_words(name: str) -> str:
    feed = FEEDS.get(name)
    if name in IMPORTED:
        return IMPORTED[name]
    return f"{VENDORS[feed.sources[0]]}, {HOW_OFTEN[feed.cadence]}" if feed else "Recorded history, replayed"


def missing_for(name: str) -> str:
    """What has to be done before any of a feed's sources can be asked; empty where nothing is missing."""
    feed = FEEDS.get(name)
    lacks = {
        "alpaca": "" if settings.ALPACA_DATA_KEY and settings.ALPACA_DATA_SECRET else "keys for Alpaca's market data",
        "yahoo": "" if find_spec("yfinance") else "the library yfinance",
    }
    wanted = [lacks.get(source, "") for source in feed.sources] if feed else [""]
    return " or ".join(wanted) if all(wanted) else ""
