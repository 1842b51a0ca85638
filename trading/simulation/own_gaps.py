"""Where a cell's own past waited at a gap overnight, as marks for the engine."""

from datetime import date

import numpy as np

from portfolios.events import EventType
from portfolios.models import Event, Position
from trading.market.calendars import Calendar
from trading.market.models import Quote
from trading.market.phases import instant, number
from trading.overnight import is_guarded
from trading.simulation.engine import ORDER_OPEN, STALE
from trading.simulation.own_quotes import Quotes
from trading.timeline.gaps import Gaps, tells_gap
from trading.timeline.rows import quote_at_of
from trading.waits import UNEXPLAINED


def waiting(position: Position, quotes: Quotes, calendar: Calendar) -> np.ndarray:
    """Marks by quote: nothing could be decided, from the price at which the log says so."""
    bits = np.zeros(len(quotes.at), np.uint8)
    if not is_guarded(position.source):
        return bits
    gaps = Gaps(position, calendar)
    begins: dict[date, int] = {}
    told = Event.objects.of(position).filter(type=EventType.EVALUATED, text__contains=f'"{UNEXPLAINED}"')
    for event in filter(tells_gap, told.order_by("seq")):
        if at := quote_at_of(event):
            gaps.add(event)
            begins.setdefault(calendar.market_day(at), int(np.searchsorted(quotes.at, number(at))))
    for day, place in begins.items():
        while place < len(bits) and calendar.market_day(instant(int(quotes.at[place]))) == day:
            if gaps.waits(quote_in(quotes, place)):
                bits[place] = STALE | ORDER_OPEN
            place += 1
    return bits


def quote_in(quotes: Quotes, place: int) -> Quote:
    at, received, last = (int(column[place]) for column in (quotes.at, quotes.received, quotes.last))
    return Quote(at=instant(at), received_at=instant(received), last=last)
