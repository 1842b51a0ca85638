"""Where prices of a market come from: which sources are asked, in which order, and how often."""

from datetime import timedelta
from typing import NamedTuple

STREAMED = 3.0  # seconds a price that is pushed, or asked for each second, stays fresh


class Feed(NamedTuple):
    """sources: asked in this order until one answers. cadence: seconds between two prices of a symbol."""

    sources: tuple[str, ...]
    cadence: int

    @property
    def fresh_for(self) -> timedelta:
        """By the source's clock: three seconds where prices come each second, else twice the cadence."""
        return timedelta(seconds=STREAMED if self.cadence <= 1 else 2 * self.cadence)


CADENCES = {"": 1, "-1min": 60, "-5min": 300, "-hourly": 3_600, "-daily": 86_400}
FEEDS = {
    **{f"alpaca{word}": Feed(("alpaca", "yahoo"), seconds) for word, seconds in CADENCES.items()},
    **{f"yahoo{word}": Feed(("yahoo", "alpaca"), seconds) for word, seconds in CADENCES.items() if seconds > 1},
}


def feed_of(name: str) -> Feed:
    """A source that is no feed stands for itself, each second."""
    return FEEDS.get(name, Feed((name,), 1))
