"""What a cell sees of the market: the price to decide at, where it comes from and how old it is."""

from datetime import datetime
from typing import NamedTuple

from portfolios.domain.holding import Rules
from portfolios.domain.settings import merge_settings, rules_from
from trading.domain.prices import PriceKind, choose_price
from trading.market.models import Quote
from trading.market.selectors import latest_quote, market_now


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


def see(quote: Quote, market_at: datetime, rules: Rules) -> Sight:
    age = max(int((market_at - quote.at).total_seconds() * 1000), 0)
    bid, ask = quote.bid or 0, quote.ask or 0
    chosen = choose_price(quote.last, bid, ask, age, rules.max_quote_age, rules.max_last_to_mid)
    mid = (bid + ask) // 2
    return Sight(quote.symbol, quote.source, quote.at, chosen.price, chosen.kind, quote.last, mid, age, chosen.stale)


def glance(symbol: str, source: str) -> Sight | None:
    """What a cell with default rules would see now; None while no price is known."""
    quote = latest_quote(symbol, source)
    if quote is None:
        return None
    return see(quote, market_now(source), rules_from(merge_settings(), default_buffer=0))
