"""A proposal beside the price of now: what approving it would do."""

from typing import NamedTuple

from portfolios.domain.amounts import PPM
from portfolios.models import Position
from portfolios.selectors import effective_rules
from trading.domain.choices import Side
from trading.domain.costs import fee_of, notional_of
from trading.domain.explanation import stock_share
from trading.market.selectors import newest_quote
from trading.models import Order


class Weighed(NamedTuple):
    """Prices and amounts in micros, shares of stock and distance in ppm. amount: what a buy costs, a sale brings."""

    price: int
    moved: int
    too_far: bool
    amount: int
    fee: int
    share_before: int
    share_after: int


def weighed(order: Order) -> Weighed | None:
    """None while no price is known."""
    related = ("portfolio__settings_version", "settings_version")
    position = Position.objects.select_related(*related).get(pk=order.position_id)
    quote = newest_quote(position.symbol, position.source)
    if quote is None:
        return None
    rules = effective_rules(position).rules
    decided = order.decision_price or quote.last
    notional = notional_of(order.side_asked, order.quantity, quote.last)
    fee = fee_of(rules._replace(commission_rate=order.commission_rate, commission_min=order.commission_min), notional)
    buys = order.side_asked == Side.BUY
    before = position.holding
    after = before._replace(
        shares=before.shares + (order.quantity if buys else -order.quantity),
        cash=before.cash + (-notional if buys else notional) - fee,
    )
    return Weighed(
        quote.last,
        (quote.last - decided) * PPM // decided,
        abs(quote.last - decided) * PPM > rules.drift * decided,
        notional + fee if buys else notional - fee,
        fee,
        stock_share(before, quote.last),
        stock_share(after, quote.last),
    )
