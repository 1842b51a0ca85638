"""The timeline page by page, forwards and back: a place in it is a quote's market time and a row among that quote's."""

from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice, takewhile
from typing import Any, NamedTuple

from django.db.models import QuerySet

from portfolios.events import EventType
from portfolios.models import Event, Position
from trading.quotes.reading import moment_before as quote_before
from trading.timeline import evaluations, trades
from trading.timeline.rows import EvaluationRow


class Place(NamedTuple):
    """Of one row: the market time of its quote, and how many rows of that quote come before it."""

    at: datetime
    given: int


class Span(NamedTuple):
    """Of which cell, since <= at < until; all evaluations, or those that led to an order."""

    position: Position
    since: datetime | None
    until: datetime | None
    trades_only: bool


Placed = tuple[Place, EvaluationRow]


def rows_from(span: Span, place: Place | None, limit: int) -> list[Placed]:
    """At most so many, that of the place first; None: from the beginning of the span."""
    rows = placed(span, place.at if place else span.since)
    skipped = place.given if place else 0
    return list(islice(rows, skipped, skipped + limit))


def rows_before(span: Span, place: Place, limit: int) -> list[Placed]:
    """The last so many before that place, oldest first. The walk only goes forwards: it begins farther and farther back
    until it meets enough of them."""
    reach = limit
    while True:
        begin = latest(span.since, moment_before(span, place.at, reach))
        found = deque(takewhile(lambda pair: pair[0] < place, placed(span, begin)), maxlen=limit)
        if len(found) == limit or begin == span.since:
            return list(found)
        reach *= 4


def placed(span: Span, since: datetime | None) -> Iterator[Placed]:
    read = trades if span.trades_only else evaluations
    return numbered(read(span.position, since, span.until))


def numbered(rows: Iterable[EvaluationRow]) -> Iterator[Placed]:
    place = None
    for row in rows:
        place = Place(row.at, place.given + 1 if place and place.at == row.at else 0)
        yield place, row


def moment_before(span: Span, at: datetime, reach: int) -> datetime | None:
    """When so many quotes, or robot's intents, before `at` began; None when there are not so many."""
    if span.trades_only:
        intents = Event.objects.of(span.position).filter(type=EventType.ORDER_INTENT, market_at__lt=at)
        moments: QuerySet[Any, datetime] = intents.order_by("-seq").values_list("market_at", flat=True)
        return next(iter(moments[reach - 1 : reach]), None)
    return quote_before(span.position.symbol, span.position.source, at, reach)


def latest(since: datetime | None, moment: datetime | None) -> datetime | None:
    return max(since, moment) if since and moment else since if moment is None else moment
