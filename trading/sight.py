"""What a cell sees of the market: the price to decide at, where it comes from and how old it is."""

from datetime import datetime, timedelta
from typing import NamedTuple

from portfolios.domain.holding import Rules
from portfolios.domain.settings import merge_settings, rules_from
from trading.domain.prices import PriceKind, choose_price
from trading.market.calendars import DEFAULT_EXCHANGE
from trading.market.feeds import FEEDS
from trading.market.models import Quote
from trading.market.selectors import exchange_of, latest_quote, market_now


class Sight(NamedTuple):
    """Prices in micros, age in milliseconds on the source's clock; stale is 1 when too old to act on."""

    symbol: str
    source: str
    at: datetime
    price: int
    kind: PriceKind
    last: int
    mid: int
    age: int
    stale: int

    @property
    def moment(self) -> datetime:
        """When it is acted on: at its own time, but a session's close whenever it is looked at afterwards."""
        is_close = self.source in FEEDS and FEEDS[self.source].closes
        return self.at + timedelta(milliseconds=self.age) if is_close else self.at


def see(quote: Quote, market_at: datetime, rules: Rules) -> Sight:
    age = max(int((market_at - quote.at).total_seconds() * 1000), 0)
    bid, ask = quote.bid or 0, quote.ask or 0
    most = age_limit(quote.symbol, quote.source, quote.at, rules)
    chosen = choose_price(quote.last, bid, ask, age, most, rules.max_last_to_mid)
    mid = (bid + ask) // 2
    if mid and quote.last_at and (market_at - quote.last_at).total_seconds() * 1000 > most:
        chosen = chosen._replace(price=mid, kind=PriceKind.MID)  # what was traded long ago says nothing of now
    return Sight(quote.symbol, quote.source, quote.at, chosen.price, chosen.kind, quote.last, mid, age, chosen.stale)


def age_limit(symbol: str, source: str, at: datetime, rules: Rules) -> int:
    """Milliseconds: as the rules say, but for a feed that is asked now and then as long as its prices hold."""
    return max(rules.max_quote_age, holds_for(symbol, source, at))


def holds_for(symbol: str, source: str, at: datetime) -> int:
    """Milliseconds a price of this time holds whatever the rules say; 0 where prices come each second."""
    feed = FEEDS.get(source)
    if feed is None or feed.cadence <= 1:
        return 0
    exchange = exchange_of(symbol) if feed.closes else DEFAULT_EXCHANGE
    return int(feed.fresh_for(at, exchange).total_seconds() * 1000)


def glance(symbol: str, source: str) -> Sight | None:
    """What a cell with default rules would see now; None while no price is known."""
    quote = latest_quote(symbol, source)
    if quote is None:
        return None
    return see(quote, market_now(source), rules_from(merge_settings(), default_buffer=0))
