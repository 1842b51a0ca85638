"""Opens a cell at market time, where its worth can be known."""

from collections.abc import Mapping
from typing import Any

from portfolios.domain.amounts import MAX_AMOUNT, MICROS
from portfolios.domain.exact import muldiv_floor
from portfolios.errors import Refused
from portfolios.models import Portfolio, Position, User
from portfolios.services.positions import create_position
from trading.market.selectors import market_day, market_now, newest_quote
from trading.services.lots import lot_for


def open_position(
    *,
    portfolio: Portfolio,
    symbol: str,
    shares: int,
    cash: int,
    anchor: int,
    given_settings: Mapping[str, Any] | None,
    author: User,
    actor: str,
) -> Position:
    """A new cell as of now. Raises Refused as create_position, and out_of_range for one worth more than the limit."""
    quote = newest_quote(symbol, portfolio.source)
    if quote and muldiv_floor(shares, quote.last, MICROS) + cash > MAX_AMOUNT:
        raise Refused("out_of_range", "the cell may be worth at most 1000000000000", field="qty")
    return create_position(
        portfolio_id=portfolio.pk,
        symbol=symbol,
        shares=shares,
        cash=cash,
        anchor=anchor,
        given_settings=given_settings,
        market_at=market_now(portfolio.source),
        opened_on=market_day(portfolio.source),
        actor=actor,
        author=author,
        lot=lot_for(symbol, portfolio.account),
    )
