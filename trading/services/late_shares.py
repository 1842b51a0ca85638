"""Fills that are told after an ex-date they came before."""

from datetime import datetime

from dividends.services.corrections import count_late_shares
from portfolios.models import Position
from portfolios.services.journal import Journal
from trading.domain.choices import Side
from trading.market.calendars import calendar_for
from trading.market.selectors import exchange_of
from trading.models import Order


def hold_at_ex_dates(journal: Journal, position: Position, order: Order, filled: int, at: datetime) -> None:
    """What was traded on a day before today's was held on the evening before each ex-date since.

    filled: micro-shares, below zero where a fill was taken back.
    """
    if at.date() < journal.market_at.date():
        traded_on = calendar_for(exchange_of(position.symbol)).market_day(at)
        count_late_shares(journal, position, filled if order.side_asked == Side.BUY else -filled, traded_on)
