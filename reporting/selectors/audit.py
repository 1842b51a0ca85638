"""The audit: every event somebody may see, newest first, by filter."""

import json
from collections.abc import Collection, Sequence
from datetime import date, datetime, time, timedelta
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Func, OuterRef, Q, QuerySet

from portfolios.events import EventType
from portfolios.models import Account, Event, House, Portfolio, Position
from reporting.happening import Happening
from reporting.paging import (
    AS_WRITTEN,
    BY_MARKET,
    PAGE,
    Slice,
    newest_of,
    older_than,
    page_of,
    read_cursor,
    slice_of,
)
from reporting.reading import NEW_YORK
from reporting.selectors.timeline import FILTERS

SALT, CELL_SALT = "audit", "audit-cell"
ACTORS: dict[str, Q] = {
    "robot": Q(actor="robot"),
    "person": Q(actor__startswith="user:"),
    "token": Q(actor__startswith="token:"),
    "broker": Q(actor__startswith="broker:"),
    "market": Q(actor="market"),
}
ACCOUNTS: tuple[str, ...] = (
    EventType.ACCOUNT_CREATED,
    EventType.ACCOUNT_CHANGED,
    EventType.ARMED,
    EventType.DISARMED,
    EventType.RECONCILED,
    EventType.REPAIRED,
    EventType.FROZEN,
)
KINDS: dict[str, tuple[str, ...]] = {name: types for name, types in FILTERS.items() if types} | {"accounts": ACCOUNTS}


class Sought(NamedTuple):
    """The filters; empty where not asked for. Cell and portfolio are among those he may see; days are market days."""

    kind: str
    actor: str
    portfolio: Portfolio | None
    cell: Position | None
    since: date | None
    until: date | None


class Entry(NamedTuple):
    """One event with its whole text, laid out to be read."""

    happening: Happening
    text: str


def audit_of(user: Any, sought: Sought, cursor: str) -> Slice[Event]:
    found, kinds = matching(Event.objects.all(), sought), KINDS.get(sought.kind, ())
    if sought.cell:
        told = found.filter(type__in=kinds) if kinds else found
        return slice_of(told.filter(stream_id=sought.cell.public_id), cursor, CELL_SALT, key="seq")
    portfolios = Portfolio.objects.visible_to(user)
    if sought.portfolio:
        portfolios = portfolios.filter(pk=sought.portfolio.pk)
    order = BY_MARKET if sought.since or sought.until else AS_WRITTEN  # days are found by index in their own order
    before = read_cursor(cursor, SALT)
    below = found if before is None else older_than(found, before, order)
    newest = list(newest_of(below, portfolios, PAGE + 1, kinds, order))
    if not sought.portfolio:
        newest += newest_beyond(user, below.filter(type__in=kinds) if kinds else below, order)
    newest.sort(key=attrgetter(*(name.lstrip("-") for name in order)), reverse=True)
    return page_of(newest[: PAGE + 1], SALT, before is None)


def newest_beyond(user: Any, events: QuerySet[Event], order: Sequence[str]) -> list[Event]:
    """Of no portfolio: what happened to his own accounts, and to the house, which concerns everybody."""
    own = events.filter(stream_id=OuterRef("public_id")).order_by(*order).values("pk")[: PAGE + 1]
    streams = [Account.objects.filter(owner=user), House.objects.all()]
    walks = [rows.order_by().values(event=Func(ArraySubquery(own), function="unnest")) for rows in streams]
    return list(Event.objects.filter(pk__in=walks[0].union(walks[1], all=True)).order_by(*order)[: PAGE + 1])


def matching(events: QuerySet[Event], sought: Sought) -> QuerySet[Event]:
    if sought.actor:
        events = events.filter(ACTORS[sought.actor])
    if sought.since:
        events = events.filter(market_at__gte=datetime.combine(sought.since, time(), NEW_YORK))
    if sought.until:
        events = events.filter(market_at__lt=datetime.combine(sought.until + timedelta(days=1), time(), NEW_YORK))
    return events


def entries_of(events: Sequence[Event]) -> list[Entry]:
    """Each event named by its cell, portfolio or account."""
    names = names_of({event.stream_id for event in events})
    return [entry_of(event, names.get(event.stream_id, "")) for event in events]


def entry_of(event: Event, about: str) -> Entry:
    content = event.content
    return Entry(Happening(event, content, about), json.dumps(content, indent=2, ensure_ascii=False))


def names_of(streams: Collection[UUID]) -> dict[UUID, str]:
    """In one query, whatever the streams are of."""
    cells = Position.objects.filter(public_id__in=streams).values_list("public_id", "symbol")
    portfolios = Portfolio.objects.filter(public_id__in=streams).values_list("public_id", "name")
    accounts = Account.objects.filter(public_id__in=streams).values_list("public_id", "name")
    return dict(cells.union(portfolios, accounts, all=True))
