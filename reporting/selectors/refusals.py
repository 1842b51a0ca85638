"""Prices refused for a cell's symbol, newest first, a page at a time."""

from typing import NamedTuple

from django.db.models import Exists, OuterRef

from portfolios.models import Position
from trading.market.models import PriceRefusal
from trading.market.selectors import refusals_of

PAGE = 20


class RefusedPage(NamedTuple):
    """older: the cursor of the next page, or None; newest: whether this is the first one."""

    rows: list[PriceRefusal]
    older: int | None
    newest: bool


def was_refused() -> Exists:
    """For a query of cells: whether there is any, which mostly there is not, so that nothing more need be asked."""
    return Exists(PriceRefusal.objects.filter(symbol=OuterRef("symbol"), source=OuterRef("source")))


def refused_page(position: Position, before: int | None) -> RefusedPage:
    found = refusals_of(position).order_by("-pk")
    rows = list((found.filter(pk__lt=before) if before is not None else found)[: PAGE + 1])
    return RefusedPage(rows[:PAGE], rows[PAGE - 1].pk if len(rows) > PAGE else None, before is None)
