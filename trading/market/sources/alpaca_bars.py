"""Alpaca's recorded bars over REST, as they were traded, page by page."""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.conf import settings

from trading.market.base import PriceUnavailable
from trading.market.sources.alpaca import Keys, keys_of_the_house
from trading.market.sources.reading import ask_json, instant_in

TIMEFRAMES = {"1min": "1Min", "5min": "5Min", "1hour": "1Hour", "1day": "1Day"}
PAGE = 10_000
TRIES, FIRST_PAUSE = 6, 1.0  # seconds, doubled each time: the limit on requests is told by the minute


class ToldBar(NamedTuple):
    """begins: the instant; amounts as the vendor writes them."""

    begins: datetime
    open: str
    high: str
    low: str
    close: str
    volume: str


class AlpacaBars:
    def __init__(self, keys: Keys | None = None, sleep: Callable[[float], None] = time.sleep) -> None:
        self.keys, self.sleep = keys, sleep

    def between(self, symbol: str, resolution: str, first: datetime, last: datetime) -> Iterator[ToldBar]:
        """Both ends included, oldest first. Raises PriceUnavailable, also in the middle."""
        params = {
            "timeframe": TIMEFRAMES[resolution],
            "start": first.astimezone(UTC).isoformat(),
            "end": last.astimezone(UTC).isoformat(),
            "limit": str(PAGE),
            "adjustment": "raw",
            "feed": settings.ALPACA_DATA_FEED,
        }
        before = first - timedelta(days=1)
        while True:
            answer = self.page(symbol, params)
            for row in answer.get("bars") or []:
                bar = bar_in(row)
                if bar.begins <= before:
                    raise PriceUnavailable("the bars are not in order")
                before = bar.begins
                yield bar
            token = answer.get("next_page_token")
            if not token:
                return
            if token == params.get("page_token"):
                raise PriceUnavailable("the same page is told again")
            params["page_token"] = str(token)[:500]

    def page(self, symbol: str, params: Mapping[str, str]) -> Mapping[str, Any]:
        keys = self.keys or keys_of_the_house()
        for attempt in range(TRIES):
            try:
                answer = ask_json(f"{keys.url}/v2/stocks/{symbol}/bars", params, keys.headers)
            except PriceUnavailable:
                if attempt + 1 == TRIES:
                    raise
                self.sleep(FIRST_PAUSE * 2**attempt)
            else:
                if isinstance(answer, dict) and isinstance(answer.get("bars") or [], list):
                    return answer
                raise PriceUnavailable("the answer holds no bars")
        raise AssertionError  # the last try returns or raises


def bar_in(row: Any) -> ToldBar:
    begins = instant_in(row.get("t")) if isinstance(row, dict) else None
    values = [row.get(name) for name in "ohlcv"] if begins else []
    if begins is None or not all(isinstance(value, (int, Decimal)) for value in values):
        raise PriceUnavailable("a bar cannot be read")
    return ToldBar(begins, *(format(Decimal(value), "f") for value in values))
