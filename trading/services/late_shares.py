"""Fills that are told after an ex-date they came before."""

from datetime import datetime

from dividends.services.corrections import count_late_shares
from dividends.services.splits import Late, split_late_shares
from portfolios.domain.amounts import as_text
from portfolios.models import Position
from portfolios.services.journal import Journal
from trading.domain.choices import Side
from trading.market.calendars import calendar_for
from trading.market.selectors import exchange_of
from trading.models import Order
from trading.services import paper_books


def is_late(journal: Journal, at: datetime) -> bool:
    """What was traded on a day before today's was held on the evening before each ex-date since."""
    return at.date() < journal.market_at.date()


def as_of_today(journal: Journal, position: Position, order: Order, filled: int, at: datetime) -> Late:
    """What was filled then, signed, after the splits since, which are booked as had it been there.

    filled: micro-shares, below zero where a fill was taken back.
    """
    traded = filled if order.side_asked == Side.BUY else -filled
    if not traded or not is_late(journal, at):
        return Late(traded, 0, ())
    late, changed = split_late_shares(position, traded, calendar_for(exchange_of(position.symbol)).market_day(at))
    paper_books.were_split_otherwise(position, changed)
    return late


def hold_at_ex_dates(journal: Journal, position: Position, order: Order, filled: int, at: datetime, late: Late) -> None:
    """late: of the same fill."""
    if is_late(journal, at):
        traded_on = calendar_for(exchange_of(position.symbol)).market_day(at)
        traded = filled if order.side_asked == Side.BUY else -filled
        changed = count_late_shares(journal, position, lambda day: late.on(day, traded), traded_on)
        paper_books.owe_otherwise(changed)


def since(late: Late) -> str:
    """For the sentence of a fill that was told after a split."""
    if not late.since:
        return ""
    in_lieu = f" and {as_text(late.cash)} in lieu" if late.cash else ""
    return f" Since the split that is {as_text(abs(late.shares))} shares{in_lieu}."


def told_of(late: Late) -> dict[str, str]:
    """For the event of it."""
    return {"shares_now": as_text(abs(late.shares)), "cash_in_lieu": as_text(late.cash)} if late.since else {}
