"""Refused prices, newest first, a page at a time: of one cell's symbol, or of all that somebody's cells follow."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.db.models import Count, Exists, OuterRef, QuerySet

from portfolios.models import Position
from reporting.paging import Slice, slice_of
from trading.market.models import PriceRefusal
from trading.market.selectors import refusals_of

PAGE = 20
SALT = "refused"
FILTERS = ("symbol", "source", "reason")


class RefusedPage(NamedTuple):
    """older: the cursor of the next page, or None; newest: whether this is the first one."""

    rows: list[PriceRefusal]
    older: int | None
    newest: bool


class Counted(NamedTuple):
    source: str
    reason: str
    prices: int


class Refusals(NamedTuple):
    """counts: of all that was refused for what he follows, by source and reason, the most first; total: their sum."""

    page: Slice[PriceRefusal]
    counts: list[Counted]
    total: int


def was_refused() -> Exists:
    """For a query of cells: whether there is any, which mostly there is not, so that nothing more need be asked."""
    return Exists(PriceRefusal.objects.filter(symbol=OuterRef("symbol"), source=OuterRef("source")))


def refused_page(position: Position, before: int | None) -> RefusedPage:
    found = refusals_of(position).order_by("-pk")
    rows = list((found.filter(pk__lt=before) if before is not None else found)[: PAGE + 1])
    return RefusedPage(rows[:PAGE], rows[PAGE - 1].pk if len(rows) > PAGE else None, before is None)


def refused_for(user: Any, chosen: Mapping[str, str], cursor: str) -> Refusals:
    """chosen: of FILTERS, each exact. Two queries, however many cells and prices."""
    all_of_his = followed_by(user)
    counts = counted(all_of_his)
    page = slice_of(all_of_his.filter(**chosen), cursor, SALT)
    return Refusals(page, counts, sum(row.prices for row in counts))


def followed_by(user: Any) -> QuerySet[PriceRefusal]:
    cells = Position.objects.visible_to(user).filter(symbol=OuterRef("symbol"), source=OuterRef("source"))
    return PriceRefusal.objects.filter(Exists(cells))


def counted(rows: QuerySet[PriceRefusal]) -> list[Counted]:
    found: Iterable[tuple[str, str, int]] = rows.order_by().values_list("source", "reason").annotate(Count("pk"))
    return sorted((Counted(*row) for row in found), key=lambda row: (-row.prices, row.source, row.reason))
