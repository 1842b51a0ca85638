"""Pages through a list, newest first: a signed cursor in the address, so that nobody steers our queries."""

from collections.abc import Collection, Sequence
from typing import Generic, NamedTuple, TypeVar

from django.contrib.postgres.expressions import ArraySubquery
from django.core import signing
from django.db.models import Func, Model, OuterRef, QuerySet

from portfolios.models import Event, Portfolio

PAGE = 50
AS_WRITTEN, BY_MARKET = ("-pk",), ("-market_at", "-pk")
Row = TypeVar("Row", bound=Model)


class Slice(NamedTuple, Generic[Row]):
    """older: the cursor of the next page, empty at the end; newest: whether this is the first page."""

    rows: list[Row]
    older: str
    newest: bool


def slice_of(rows: QuerySet[Row], cursor: str, salt: str, *, key: str = "pk", most: int = PAGE) -> Slice[Row]:
    """One page by a key that only grows, downwards. A cursor that is not ours counts as none."""
    before = read_cursor(cursor, salt)
    below = rows if before is None else rows.filter(**{f"{key}__lt": before})
    return page_of(list(below.order_by(f"-{key}")[: most + 1]), salt, before is None, key, most)


def page_of(found: list[Row], salt: str, newest: bool, key: str = "pk", most: int = PAGE) -> Slice[Row]:
    """A page from one row more than it shows."""
    shown = found[:most]
    older = signing.dumps(getattr(shown[-1], key), salt=salt) if len(found) > most else ""
    return Slice(shown, older, newest)


def read_cursor(text: str, salt: str) -> int | None:
    try:
        return int(signing.loads(text, salt=salt)) if text else None
    except signing.BadSignature:
        return None


def newest_of(
    events: QuerySet[Event],
    portfolios: QuerySet[Portfolio],
    most: int,
    kinds: Collection[str] = (),
    order: Sequence[str] = AS_WRITTEN,
) -> list[Event]:
    """Steps down an index for each portfolio and kind: those of several at once have no index in their order."""
    each = events.filter(portfolio=OuterRef("pk")).order_by(*order).values("pk")
    walks = [ArraySubquery(each.filter(type=kind)[:most]) for kind in kinds] or [ArraySubquery(each[:most])]
    wanted = portfolios.values(event=Func(*walks, template="unnest(%(expressions)s)", arg_joiner=" || "))
    return list(Event.objects.filter(pk__in=wanted).order_by(*order)[:most])


def older_than(events: QuerySet[Event], number: int, order: Sequence[str]) -> QuerySet[Event]:
    """What comes after the event with this number in that order."""
    if order == AS_WRITTEN:
        return events.filter(pk__lt=number)
    at = Event.objects.values_list("market_at", flat=True).get(pk=number)
    return events.filter(market_at__lte=at).exclude(market_at=at, pk__gte=number)
