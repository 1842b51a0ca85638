"""How long a bar lasts, and over which time one file of such bars reaches."""

from typing import NamedTuple

DAY = 86_400


class Resolution(NamedTuple):
    """seconds: of one bar, which begins at a multiple of them. period: of a file's name, as strftime writes it."""

    name: str
    seconds: int
    period: str


DAILY = "1day"
INTRADAY = {
    "1min": Resolution("1min", 60, "%Y-%m"),
    "5min": Resolution("5min", 300, "%Y"),
    "1hour": Resolution("1hour", 3_600, "%Y"),
}
RESOLUTIONS = (*INTRADAY, DAILY)
WORDS = {"1min": "1 minute", "5min": "5 minutes", "1hour": "1 hour", DAILY: "1 day"}


def seconds_of(resolution: str) -> int:
    return INTRADAY[resolution].seconds if resolution in INTRADAY else DAY
