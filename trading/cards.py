"""A cell as its card shows it: the price it sees, its worth, its wake-up band and what it would do next both ways."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from portfolios.domain.holding import Rules, total_value
from portfolios.models import Position
from portfolios.selectors import effective_rules
from trading.domain.band import Band, wake_band
from trading.domain.choices import Side
from trading.domain.explanation import stock_share
from trading.domain.ladder import Rung, next_rung
from trading.market.models import Quote
from trading.market.selectors import market_now, newest_quotes
from trading.sight import Sight, see

RELATED = ("portfolio__settings_version", "settings_version")


class Card(NamedTuple):
    """Amounts in micros, shares of something in ppm; what needs a price is None while none is known."""

    position: Position
    rules: Rules
    sight: Sight | None
    value: int | None
    stock_share: int | None
    band: Band
    next_buy: Rung | None
    next_sell: Rung | None


def position_card(position: Position) -> Card:
    return position_cards([position])[0]


def position_cards(positions: Sequence[Position]) -> list[Card]:
    """In the order given; the number of queries depends on the number of sources only. Positions with RELATED."""
    symbols: dict[str, set[str]] = defaultdict(set)
    for position in positions:
        symbols[position.source].add(position.symbol)
    quotes = {source: newest_quotes(wanted, source) for source, wanted in symbols.items()}
    clocks = {source: market_now(source) for source in symbols}
    return [
        card_at(position, quotes[position.source].get(position.symbol), clocks[position.source])
        for position in positions
    ]


def card_at(position: Position, quote: Quote | None, market_at: datetime) -> Card:
    rules, holding = effective_rules(position).rules, position.holding
    sight = see(quote, market_at, rules) if quote else None
    price = sight.price if sight else None
    return Card(
        position,
        rules,
        sight,
        value=None if price is None else total_value(holding, price),
        stock_share=None if price is None else stock_share(holding, price),
        band=wake_band(holding, rules),
        next_buy=next_rung(holding, rules, Side.BUY, price),
        next_sell=next_rung(holding, rules, Side.SELL, price),
    )
