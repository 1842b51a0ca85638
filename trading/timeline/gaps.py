"""Where a cell waited at a gap overnight, in hindsight: from what its log says of the day and what was announced when.

The log tells once a day that it waits; that it went on waiting at the prices after that follows from when the gap was
announced, or answered. Announcements that were corrected since count with the terms they have now.
"""

from datetime import date, datetime

from dividends.selectors import answered_at
from portfolios.domain.amounts import micros
from portfolios.events import EventType
from portfolios.models import Event, Position
from trading.market.calendars import Calendar
from trading.market.models import Quote
from trading.market.phases import MICROSECOND as INSTANT
from trading.overnight import Night, actions_since, midnight_of
from trading.quotes.reading import newest_until, quotes_between
from trading.waits import UNEXPLAINED


def tells_gap(event: Event) -> bool:
    return event.type == EventType.EVALUATED and event.content["outputs"].get("reason") == UNEXPLAINED


class Gaps:
    """Days that began with one. What is asked of a day is read once, and of no other day anything."""

    def __init__(self, position: Position, calendar: Calendar) -> None:
        self.position = position
        self.calendar = calendar
        self.closes: dict[date, int] = {}
        self.nights: dict[date, tuple[Night | None, datetime | None]] = {}

    def add(self, event: Event) -> None:
        told = event.content["inputs"]
        self.closes[date.fromisoformat(told["day"])] = micros(told["close_before"])

    def waits(self, quote: Quote) -> bool:
        """Whether nothing could be decided at this price when it came, once the log had said so for its day."""
        if not self.closes:
            return False
        day = self.calendar.market_day(quote.at)
        if day not in self.closes:
            return False
        night, answered = self.night(day)
        if answered and answered <= quote.received_at:
            return False
        return night is None or night.gap(quote.last, quote.received_at) is not None

    def night(self, day: date) -> tuple[Night | None, datetime | None]:
        """With when somebody had said all; the night None where its prices are not recorded any more."""
        if day not in self.nights:
            symbol, source = self.position.symbol, self.position.source
            self.nights[day] = self.night_before(day), answered_at(source=source, symbol=symbol, day=day)
        return self.nights[day]

    def night_before(self, day: date) -> Night | None:
        symbol, source = listing = self.position.symbol, self.position.source
        midnight = midnight_of(self.calendar, day)
        closed = newest_until(symbol, source, midnight - INSTANT)
        opened = next(quotes_between(symbol, source, midnight), None)
        if closed is None or opened is None:
            return None
        closed_on = self.calendar.market_day(closed.at)
        actions = actions_since({listing: (closed_on, day)})[listing]
        return Night(day, self.closes[day], closed_on, opened.last, *actions)
