"""The audit: every event somebody may see, newest first, by filter."""

import json
from collections.abc import Collection, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet

from portfolios.models import Event, Portfolio, Position
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
KINDS = {name: types for name, types in FILTERS.items() if types}


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
    return page_of(newest_of(below, portfolios, PAGE + 1, kinds, order), SALT, before is None)


def matching(events: QuerySet[Event], sought: Sought) -> QuerySet[Event]:
    if sought.actor:
        events = events.filter(ACTORS[sought.actor])
    if sought.since:
        events = events.filter(market_at__gte=datetime.combine(sought.since, time(), NEW_YORK))
    if sought.until:
        events = events.filter(market_at__lt=datetime.combine(sought.until + timedelta(days=1), time(), NEW_YORK))
    return events


def entries_of(events: Sequence[Event]) -> list[Entry]:
    """Each event named by its cell or portfolio."""
    names = names_of({event.stream_id for event in events})
    return [entry_of(event, names.get(event.stream_id, "")) for event in events]


def entry_of(event: Event, about: str) -> Entry:
    content = event.content
    return Entry(Happening(event, content, about), json.dumps(content, indent=2, ensure_ascii=False))


def names_of(streams: Collection[UUID]) -> dict[UUID, str]:
    cells = Position.objects.filter(public_id__in=streams).values_list("public_id", "symbol")
    portfolios = Portfolio.objects.filter(public_id__in=streams).values_list("public_id", "name")
    return dict(portfolios) | dict(cells)
