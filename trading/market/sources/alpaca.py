"""Alpaca's newest trades and quotes over REST, and how its words become a price."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.conf import settings

from trading.market.base import Price, PriceUnavailable, Unreadable
from trading.market.sources.reading import ask_json, instant_in, micros_in

AT_ONCE = 100  # symbols in one question


class Keys(NamedTuple):
    """Of the house's own account for market data. Printed or in a traceback it names the address alone."""

    url: str
    key: str
    secret: str

    def __repr__(self) -> str:
        return f"Keys({self.url})"

    @property
    def headers(self) -> dict[str, str]:
        return {"APCA-API-KEY-ID": self.key, "APCA-API-SECRET-KEY": self.secret, "Accept": "application/json"}


def keys_of_the_house() -> Keys:
    if not (settings.ALPACA_DATA_KEY and settings.ALPACA_DATA_SECRET):
        raise PriceUnavailable("VBALANCE_ALPACA_DATA_KEY and VBALANCE_ALPACA_DATA_SECRET are not set")
    return Keys(settings.ALPACA_DATA_URL, settings.ALPACA_DATA_KEY, settings.ALPACA_DATA_SECRET)


class AlpacaSource:
    name = "alpaca"

    def __init__(self, keys: Keys | None = None) -> None:
        self.keys = keys

    def newest(self, symbols: Collection[str]) -> list[Price | Unreadable]:
        """Two questions for each hundred symbols. A symbol it does not name is left out. Raises PriceUnavailable."""
        ordered = sorted(symbols)
        found: list[Price | Unreadable] = []
        for begin in range(0, len(ordered), AT_ONCE):
            part = ordered[begin : begin + AT_ONCE]
            trades, quotes = self.told("trades", part), self.told("quotes", part)
            prices = (joined(symbol, trades.get(symbol), quotes.get(symbol)) for symbol in part)
            found += [price for price in prices if price]
        return found

    def told(self, kind: str, symbols: list[str]) -> dict[str, Any]:
        keys = self.keys or keys_of_the_house()
        params = {"symbols": ",".join(symbols), "feed": settings.ALPACA_DATA_FEED}
        answer = ask_json(f"{keys.url}/v2/stocks/{kind}/latest", params, keys.headers)
        found = answer.get(kind) if isinstance(answer, dict) else None
        if not isinstance(found, dict):
            raise PriceUnavailable(f"the answer holds no {kind}")
        return found


def joined(symbol: str, trade: Any, quote: Any) -> Price | Unreadable | None:
    """One price of the newest trade and the newest quote, at the later of their times: each may be alone."""
    trade, quote = (row if isinstance(row, Mapping) else {} for row in (trade, quote))
    if not trade:
        return None
    traded_at, quoted_at = instant_in(trade.get("t")), instant_in(quote.get("t"))
    if traded_at is None:
        return Unreadable(symbol, quoted_at or datetime.now(UTC), str(trade.get("t"))[:40], AlpacaSource.name)
    return price_of(symbol, trade.get("p"), traded_at, (quote.get("bp"), quote.get("ap")), quoted_at)


def price_of(
    symbol: str, last: Any, traded_at: datetime, sides: tuple[Any, Any], quoted_at: datetime | None
) -> Price | Unreadable:
    """At the later of both times; the trade keeps its own where it is the older one."""
    at = max(traded_at, quoted_at or traded_at)
    values = [micros_in(last), 0, 0]
    if quoted_at is not None:
        values[1:] = [micros_in(side) for side in sides]
    if None in values:
        text = " ".join(map(str, (last, *sides)))
        return Unreadable(symbol, at, text[:40], AlpacaSource.name)
    price, bid, ask = (value or 0 for value in values)
    return Price(symbol, at, price, bid, ask, traded_at if traded_at < at else None, AlpacaSource.name)
