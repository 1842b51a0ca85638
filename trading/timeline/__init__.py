"""Every evaluation of one cell in a range of market time: those that were stored, and the quiet ones, computed.

Quotes plus the state between events give each quiet evaluation back exactly, so nobody has to store it.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TypeVar

from portfolios.events import EventType
from portfolios.models import Event, Position
from trading.market.models import Quote
from trading.quotes.reading import quotes_between
from trading.timeline.gaps import tells_gap
from trading.timeline.rows import EvaluationRow, computed_row, quote_at_of, stored_row, waiting_row
from trading.timeline.walk import Walk

T = TypeVar("T")
BY_PEOPLE = ("user:", "token:")


def evaluations(
    position: Position, since: datetime | None = None, until: datetime | None = None
) -> Iterator[EvaluationRow]:
    """By market time of their quotes, since <= at < until; in constant memory. Position with RELATED.

    A quote has one row, computed or stored; more where people asked again. Where the log cannot tell whether an act at
    the very instant of a quote came before it, the market's own doings come before, people's after.
    """
    walk, log = Walk.up_to(position, since)
    events = Waiting(log)
    begins = since if walk.exists or not events.head else max(events.head.market_at, since or events.head.market_at)
    for quote, following in with_next(quotes_of(position, begins)):
        if until and quote.at >= until:
            return
        for row in around(walk, quote, events.before(following.at if following else None)):
            if not (since and row.at < since):
                yield row


def trades(position: Position, since: datetime | None = None, until: datetime | None = None) -> Iterator[EvaluationRow]:
    """Those that led to an order: all of them are stored, so no quote is read."""
    walk, log = Walk.up_to(position, since)
    for row in told(walk, with_next(log)):
        if until and row.at >= until:
            return
        if row.order_id and not (since and row.at < since):
            yield row


def around(walk: Walk, quote: Quote, events: list[Event]) -> Iterator[EvaluationRow]:
    """The evaluations of one quote, among the events up to the next."""
    if any(quote_at_of(event) == quote.at for event in events):
        yield from told(walk, with_next(events))
        return
    before = next((place for place, event in enumerate(events) if comes_after(event, quote)), len(events))
    yield from told(walk, with_next(events[:before]))
    if walk.evaluates(quote):
        yield computed_row(walk, quote)
    yield from told(walk, with_next(events[before:]))


def told(walk: Walk, pairs: Iterator[tuple[Event, Event | None]]) -> Iterator[EvaluationRow]:
    """What the events themselves tell, each then added to the state."""
    for event, following in pairs:
        if tells_gap(event):
            row = waiting_row(walk, event) if quote_at_of(event) else None
            if row:
                yield row
        elif quote_at_of(event):
            yield stored_row(walk, event, following)
        walk.add(event)


def comes_after(event: Event, quote: Quote) -> bool:
    if event.market_at != quote.at:
        return event.market_at > quote.at
    if event.type == EventType.POSITION_CREATED or event.recorded_at <= quote.received_at:
        return False
    if event.type == EventType.LOT_CHANGED:
        return event.actor == "market"  # else it was opened with it
    return event.actor.startswith(BY_PEOPLE)


def quotes_of(position: Position, since: datetime | None) -> Iterator[Quote]:
    """From there on without end: whoever reads stops."""
    return quotes_between(position.symbol, position.source, since)


def with_next(rows: Iterable[T]) -> Iterator[tuple[T, T | None]]:
    """Each with the one after it; None after the last."""
    waiting = iter(rows)
    row = next(waiting, None)
    while row is not None:
        following = next(waiting, None)
        yield row, following
        row = following


class Waiting:
    """Events read ahead by one, handed out up to an instant."""

    def __init__(self, events: Iterator[Event]) -> None:
        self.events = events
        self.head = next(events, None)

    def before(self, at: datetime | None) -> list[Event]:
        """All that are older (None: all there are), each once."""
        taken: list[Event] = []
        while self.head and (at is None or self.head.market_at < at):
            taken.append(self.head)
            self.head = next(self.events, None)
        return taken
