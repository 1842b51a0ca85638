"""A cell as its card shows it: price, worth, wake-up band, next actions, ladder; and what an order would do to it."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from portfolios.domain.amounts import PPM
from portfolios.domain.exact import muldiv_ceil, muldiv_floor
from portfolios.domain.holding import Holding, Rules, total_value
from portfolios.models import Portfolio, Position
from portfolios.selectors import effective_rules
from trading.domain.band import Band, wake_band
from trading.domain.choices import Side
from trading.domain.costs import fee_of, notional_of
from trading.domain.explanation import stock_share
from trading.domain.ladder import Ladder, Rung, ladder, next_rung
from trading.market.calendars import calendar_for
from trading.market.models import Quote
from trading.market.selectors import exchange_of, market_now, newest_quote, newest_quotes
from trading.models import Order
from trading.risk.selectors import halt_over, untraded_for
from trading.services.ordering import reservation_for
from trading.sight import Sight, see
from trading.waits import Wait, listing_of, no_price, waits_of

RELATED = ("portfolio__settings_version", "settings_version")


class Card(NamedTuple):
    """Amounts in micros, shares of something in ppm; what needs a price is None while none is known.

    wait: what keeps it from deciding anything, whatever the next actions say.
    """

    position: Position
    rules: Rules
    sight: Sight | None
    value: int | None
    stock_share: int | None
    band: Band
    next_buy: Rung | None
    next_sell: Rung | None
    wait: Wait | None


def position_card(position: Position) -> Card:
    return position_cards([position])[0]


def position_cards(positions: Sequence[Position]) -> list[Card]:
    """In the order given; the number of queries depends on the number of sources only. Positions with RELATED."""
    symbols: dict[str, set[str]] = defaultdict(set)
    for position in positions:
        symbols[position.source].add(position.symbol)
    quotes = {
        (quote.symbol, source): quote
        for source, names in symbols.items()
        for quote in newest_quotes(names, source).values()
    }
    clocks = {source: market_now(source) for source in symbols}
    waits = waits_of(positions, quotes)
    return [
        card_at(position, quotes.get(listing_of(position)), clocks[position.source], waits.get(position.pk))
        for position in positions
    ]


def card_at(position: Position, quote: Quote | None, market_at: datetime, wait: Wait | None) -> Card:
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
        wait=wait if quote else no_price(position.symbol),
    )


class CellLadder(NamedTuple):
    """A cell's ladder, the price it starts from (None: unknown, from the anchor), and what keeps it from deciding."""

    position: Position
    sight: Sight | None
    ladder: Ladder
    wait: Wait | None


def position_ladder(position: Position, rungs: int) -> CellLadder:
    """At most `rungs` orders each way. Position with RELATED."""
    card = position_card(position)
    price = card.sight.price if card.sight else None
    return CellLadder(position, card.sight, ladder(position.holding, card.rules, price, rungs), card.wait)


class OrderPreview(NamedTuple):
    """What a person's order would come to at `price`: that of a fill today on paper, else the limit it waits for.

    stock_share: today's; after it, that of the price it fills at. waits: today's price has not met its limit.
    reserves: cash promised to it. cost: what a buy takes, fee included, or what a sale brings after it (micros).
    """

    side: Side
    quantity: int
    reserves: int
    price: int | None
    fee: int | None
    cost: int | None
    stock_share: int | None
    stock_share_after: int | None
    warnings: tuple[str, ...]
    waits: bool = False


WARNINGS = {
    "above_guardrail": "It leaves more stock than the high guardrail allows; the robot may sell some of it again.",
    "below_guardrail": "It leaves less stock than the low guardrail allows; the robot may buy some of it again.",
    "market_closed": "The market is closed: the order waits until it opens.",
    "no_price": "No price is known: the order waits for one.",
}


def order_preview(position: Position, side: Side, quantity: int, limit: int | None) -> OrderPreview:
    """Refused as placing it would be; writes nothing and takes no lock. Position with RELATED."""
    rules, holding = effective_rules(position).rules, position.holding
    quote = newest_quote(position.symbol, position.source)
    has_open_order = Order.objects.filter(position=position).open().exists()
    last = quote.last if quote else None
    halt = halt_over(position)
    halted = halt.reason if halt else untraded_for(position) or None
    reserves = reservation_for(position, rules, side, quantity, limit, last, has_open_order, halted)
    waits = waits_for(position, quote)
    today = see(quote, market_now(position.source), rules).price if quote else None
    price = fills_at(today, side, limit, position.portfolio)
    if price is None:
        return OrderPreview(side, quantity, reserves, None, None, None, None, None, waits)
    notional = notional_of(side, quantity, price)
    fee = fee_of(rules, notional)
    cost = notional + fee if side == Side.BUY else notional - fee
    before, after = stock_share(holding, today or price), stock_share(exchanged(holding, side, quantity, cost), price)
    warnings = (*beyond_guardrails(rules, after), *waits)
    unmet = today is not None and limit is not None and (limit < today if side == Side.BUY else limit > today)
    return OrderPreview(side, quantity, reserves, price, fee, cost, before, after, warnings, unmet)


def waits_for(position: Position, quote: Quote | None) -> tuple[str, ...]:
    if quote is None:
        return ("no_price",)
    return () if calendar_for(exchange_of(position.symbol)).is_open(quote.at) else ("market_closed",)


def fills_at(today: int | None, side: Side, limit: int | None, portfolio: Portfolio) -> int | None:
    """A limit that today's price has met fills there, another at itself. None: nothing to tell by."""
    if today is None or limit is None:
        return limit if today is None else slipped(today, side, portfolio)
    better = min if side == Side.BUY else max
    return better(slipped(today, side, portfolio), limit)


def slipped(price: int, side: Side, portfolio: Portfolio) -> int:
    if side == Side.BUY:
        return muldiv_ceil(price, PPM + portfolio.paper_slippage, PPM)
    return muldiv_floor(price, PPM - portfolio.paper_slippage, PPM)


def exchanged(holding: Holding, side: Side, quantity: int, cost: int) -> Holding:
    if side == Side.BUY:
        return holding._replace(shares=holding.shares + quantity, cash=holding.cash - cost)
    return holding._replace(shares=holding.shares - quantity, cash=holding.cash + cost)


def beyond_guardrails(rules: Rules, share: int) -> tuple[str, ...]:
    if share > rules.guardrail_high:
        return ("above_guardrail",)
    return ("below_guardrail",) if share < rules.guardrail_low else ()
