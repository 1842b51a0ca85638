"""Recorded history as a source: it knows no price but those the feed has released."""

from collections.abc import Collection

from trading.market.base import Price
from trading.market.selectors import newest_quotes


class ReplaySource:
    name = "replay"

    def newest(self, symbols: Collection[str]) -> list[Price]:
        quotes = newest_quotes(symbols, self.name)
        return [Price(quote.symbol, quote.at, quote.last, quote.bid or 0, quote.ask or 0) for quote in quotes.values()]
