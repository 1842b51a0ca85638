"""The events of one cell in order, with the settings its portfolio got in between."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from heapq import merge

from django.db.models import Min

from portfolios.domain.amounts import micros
from portfolios.events import EventType
from portfolios.models import Event, Portfolio, Position

CHUNK = 2_000
DAY = timedelta(days=1)


def first_seq(position: Position, since: datetime) -> int:
    """Where to begin so that the order open at `since` and the robot's orders of that day are met on the way."""
    log = Event.objects.of(position)
    recent = log.filter(market_at__gte=since - DAY).aggregate(first=Min("seq"))["first"] or position.event_seq + 1
    intent = log.filter(type=EventType.ORDER_INTENT, seq__lt=recent).values_list("seq", flat=True).last()
    return min(recent, intent or recent)


def settings_changes(position: Position) -> list[Event]:
    """Of the cell and of its portfolio, oldest first by primary key, which orders the two streams; there are few."""
    streams = (position.public_id, position.portfolio.public_id)
    changes = Event.objects.filter(stream_id__in=streams, type=EventType.SETTINGS_CHANGED)
    return list(changes.order_by("pk"))


def ruling_changes(position: Position) -> list[Event]:
    """Those, and the changes of the cell's lot."""
    streams = (position.public_id, position.portfolio.public_id)
    kinds = (EventType.SETTINGS_CHANGED, EventType.LOT_CHANGED)
    return list(Event.objects.filter(stream_id__in=streams, type__in=kinds).order_by("pk"))


def events_from(position: Position, first: int, start: int, changes: Sequence[Event]) -> Iterator[Event]:
    """From this seq on, whose primary key is `start`."""
    own = Event.objects.of(position).filter(seq__gte=first).iterator(chunk_size=CHUNK)
    upper = [event for event in changes if event.stream == Event.Stream.PORTFOLIO and event.pk > start]
    return merge(own, upper, key=lambda event: event.pk)


def version_before(row: Portfolio | Position, start: int, changes: Sequence[Event]) -> int:
    """The version in force before the event of that primary key; 0 for none. Versions are numbered one by one."""
    own = [event for event in changes if event.stream_id == row.public_id and event.type == EventType.SETTINGS_CHANGED]
    earlier = [version_in(event) for event in own if event.pk < start]
    if earlier:
        return earlier[-1]
    if own:
        return version_in(own[0]) - 1
    return row.settings_version.number if row.settings_version else 0


def version_in(event: Event) -> int:
    return int(event.content["inputs"]["version"])


def lot_before(position: Position, start: int, changes: Sequence[Event]) -> int:
    """The lot prescribed before the event of that primary key, in micros."""
    own = [event for event in changes if event.type == EventType.LOT_CHANGED]
    earlier = [lot_in(event) for event in own if event.pk < start]
    if earlier:
        return earlier[-1]
    return micros(own[0].content["inputs"]["lot"]) if own else position.lot


def lot_in(event: Event) -> int:
    return micros(event.content["outputs"]["lot"])
