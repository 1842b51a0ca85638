"""Reads of trading: what is waiting for a bell."""

from collections.abc import Collection

from django.db.models import Q

from portfolios.models import Position
from trading.market.models import Quote
from trading.market.selectors import newest_quotes
from trading.models import Order

UNDECIDED = ("new", "sending", "unknown")
RESTING = ("accepted", "partially_filled")


def waiting_cells(quotes: Collection[Quote]) -> list[int]:
    """Cells that these quotes woke and that have not been evaluated at them yet."""
    waiting: list[int] = []
    for quote in quotes:
        awake = Position.objects.awake_at(symbol=quote.symbol, source=quote.source, price=quote.last)
        unseen = awake.filter(Q(quote_at__lt=quote.at) | Q(quote_at=None)).exclude(state=Position.Status.CLOSED)
        waiting += unseen.order_by("pk").values_list("pk", flat=True)
    return waiting


def waiting_orders(quotes: Collection[Quote]) -> list[int]:
    """Orders to be carried on at these quotes: those not decided yet, and resting ones that have not seen the quote."""
    waiting: list[int] = []
    for quote in quotes:
        orders = Order.objects.filter(position__symbol=quote.symbol, position__source=quote.source)
        unseen = Q(status__in=RESTING) & (Q(quote_at__lt=quote.at) | Q(quote_at=None))
        due = orders.filter(Q(status__in=UNDECIDED) | unseen)
        waiting += due.order_by("pk").values_list("pk", flat=True)
    return waiting


def traded_symbols(source: str) -> list[str]:
    return list(Position.objects.filter(source=source).order_by("symbol").values_list("symbol", flat=True).distinct())


def newest_traded_quotes(source: str) -> list[Quote]:
    return list(newest_quotes(traded_symbols(source), source).values())
