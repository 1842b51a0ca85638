"""Walks recorded history as a market would: one step per open and close, the next only when the last one is done."""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db import transaction

from trading.market.base import Price
from trading.market.calendars import DEFAULT_EXCHANGE, calendar_for
from trading.market.models import Bar, MarketClock, Quote
from trading.market.selectors import bars_of_day
from trading.market.services import move_clock, take_prices
from trading.selectors import waiting_cells, waiting_orders
from trading.services.corporate_actions import apply_due, clear_the_way
from trading.services.proposals import expire_proposals

SOURCE = "replay"


class Step(NamedTuple):
    """One instant of replayed history: every symbol's price at the open or the close of a session."""

    day: date
    phase: str
    at: datetime


def next_step(clock: MarketClock) -> Step | None:
    """The step after the clock's; None at the end of recorded history."""
    calendar = calendar_for(DEFAULT_EXCHANGE)
    if clock.day and clock.phase == MarketClock.Phase.OPEN:
        session = calendar.session_on(clock.day)
        if session:
            return Step(session.day, MarketClock.Phase.CLOSE, session.close)
    first = clock.day + timedelta(days=1) if clock.day else clock.begins_on
    recorded = Bar.objects.filter(day__gte=first).order_by("day").values_list("day", flat=True).first()
    session = calendar.session_on(recorded) if recorded else None
    return Step(session.day, MarketClock.Phase.OPEN, session.open) if session else None


def clear_step(step: Step) -> list[int]:
    """Orders that must end before the step may be released: a split meets no order. Proposals end by its time."""
    expire_proposals(source=SOURCE, market_at=step.at)
    if step.phase != MarketClock.Phase.OPEN:
        return []
    return clear_the_way(source=SOURCE, day=step.day, market_at=step.at)


@transaction.atomic
def release_step(step: Step) -> list[Quote]:
    """Corporate actions of the day before its first quote, then the quotes of the step, then the clock.

    Nothing where another feed was faster: the clock never goes back.
    """
    clock = MarketClock.objects.select_for_update().get(source=SOURCE)
    if clock.at and clock.at >= step.at:
        return []
    if step.phase == MarketClock.Phase.OPEN:
        apply_due(source=SOURCE, day=step.day, market_at=step.at)
    prices = [price_of(bar, step) for bar in bars_of_day(step.day)]
    quotes, _ = take_prices(source=SOURCE, prices=prices)
    move_clock(source=SOURCE, at=step.at, day=step.day, phase=step.phase)
    return quotes


def price_of(bar: Bar, step: Step) -> Price:
    last = bar.open if step.phase == MarketClock.Phase.OPEN else bar.close
    return Price(bar.symbol, step.at, last, 0, 0)


def end_of_history() -> None:
    MarketClock.objects.filter(source=SOURCE).update(ended=True)


def step_is_done(quotes: list[Quote]) -> bool:
    """No cell of this step waits, and no order of it is undecided: so that speed never changes results."""
    return not waiting_cells(quotes) and not waiting_orders(quotes)
