"""A cell's log and its quotes as one film: each look of the robot at the market, each fact in between, in order."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple

from portfolios.domain.holding import Rules
from portfolios.events import EventType
from portfolios.models import Event, Position
from trading.market.models import Quote
from trading.models import Order
from trading.quotes.reading import quote_at
from trading.sight import Sight, see
from trading.timeline import Waiting, comes_after, quotes_of, with_next
from trading.timeline.gaps import tells_gap
from trading.timeline.rows import quote_at_of
from trading.timeline.walk import Walk

ROBOT, PAPER = "robot", "broker:paper"
AT_ONCE = [EventType.ORDER_INTENT, EventType.ORDER_SUBMITTED, EventType.ORDER_FILLED, EventType.ANCHOR_UPDATED]


class Look(NamedTuple):
    """One evaluation. event: what it left in the log, None where it was quiet. led_to: its order filled at once by the
    paper broker, or the anchor it moved. is_shown: not for a person's question that led to nothing of this kind, and
    not where nothing could be decided because of a gap overnight.

    quote is None where the log names one that is not recorded.
    """

    quote: Quote | None
    event: Event | None
    led_to: tuple[Event, ...]
    is_shown: bool

    @property
    def events(self) -> tuple[Event, ...]:
        return (self.event, *self.led_to) if self.event else ()


class Fact(NamedTuple):
    """Anything else that is written: money in and out, what people and the market did, the life of other orders."""

    event: Event

    @property
    def events(self) -> tuple[Event, ...]:
        return (self.event,)


Frame = Look | Fact


def film_of(walk: Walk, log: Iterator[Event]) -> Iterator[Frame]:
    """All frames. While one is out, `walk` stands before it; then the frame's events are added to it."""
    events = Waiting(log)
    if events.head is None:
        return
    begins = events.head.market_at
    for quote, following in with_next(quotes_of(walk.position, begins)):
        yield from around(walk, quote, events.before(following.at if following else None))
    yield from told(walk, events.before(None))


def around(walk: Walk, quote: Quote, events: list[Event]) -> Iterator[Frame]:
    """The frames of one quote up to the next: its looks, and the events among which they stand."""
    if is_quiet(events, quote):
        place = next((number for number, event in enumerate(events) if comes_after(event, quote)), len(events))
        yield from told(walk, events[:place])
        if walk.evaluates(quote) and walk.state.state != Position.Status.QUARANTINED:
            waited = walk.gaps.waits(quote) or any(tells_gap(event) and is_of(event, quote) for event in events)
            yield Look(quote, None, (), is_shown=not waited)
        yield from told(walk, events[place:], quote)
    else:
        yield from told(walk, events, quote)


def is_quiet(events: Sequence[Event], quote: Quote) -> bool:
    """Whether the robot's own look at the quote left nothing: people who only asked do not count."""
    return not any(
        is_of(event, quote) and not tells_gap(event) and (event.actor == ROBOT or acted(events, number))
        for number, event in enumerate(events)
    )


def is_of(event: Event, quote: Quote) -> bool:
    return quote_at_of(event) == quote.at


def told(walk: Walk, events: Sequence[Event], quote: Quote | None = None) -> Iterator[Frame]:
    """What the events tell by themselves, each then added to the walk."""
    number = 0
    while number < len(events):
        frame = frame_of(walk.position, events, number, quote)
        yield frame
        for event in frame.events:
            walk.add(event)
        number += len(frame.events)


def frame_of(position: Position, events: Sequence[Event], number: int, quote: Quote | None) -> Frame:
    event = events[number]
    at = quote_at_of(event)
    if at is None or tells_gap(event):
        return Fact(event)
    if quote is None or quote.at != at:
        quote = quote_at(position.symbol, position.source, at)
    is_shown = event.actor == ROBOT or acted(events, number)
    return Look(quote, event, led_to(events, number), is_shown)


def acted(events: Sequence[Event], number: int) -> bool:
    return events[number].type == EventType.ANCHOR_SET or bool(led_to(events, number))


def led_to(events: Sequence[Event], number: int) -> tuple[Event, ...]:
    """What followed from a decision at once, with nothing in between."""
    following = events[number + 1 : number + 1 + len(AT_ONCE)]
    if following and is_after_skip(following[0]):
        return (following[0],)
    if [event.type for event in following] != AT_ONCE or len({event.subject for event in following}) > 1:
        return ()
    intent, _, filled, _ = following
    wanted, done = intent.content, filled.content
    at_once = done["inputs"]["at"] == events[number].content["inputs"]["quote_at"]
    whole = done["outputs"]["quantity"] == wanted["outputs"]["quantity"]
    robots = wanted["inputs"]["origin"] == Order.Origin.ROBOT and filled.actor == PAPER
    return tuple(following) if at_once and whole and robots else ()


def is_after_skip(event: Event) -> bool:
    """A person's new anchor says why; the robot's, after a skip for its size, has no inputs."""
    return event.type == EventType.ANCHOR_RESET and not event.content["inputs"]


def seen(walk: Walk, look: Look, rules: Rules) -> Sight | None:
    """The price as it was chosen: at the age the event names, or at which the quote arrived."""
    if look.quote is None:
        return None
    quote = look.quote
    if look.event is None:
        return see(quote, quote.at if walk.is_replayed else max(quote.received_at, quote.at), rules)
    age = int(look.event.content["inputs"]["age_ms"])
    return see(quote, quote.at + timedelta(milliseconds=age), rules)
