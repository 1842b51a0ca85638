"""Executions made of running totals, for brokers that say "filled so far" and no more.

An order is booked from totals or from execution ids, never from both: its first execution decides. That is what keeps
a share from being counted twice, whatever comes in whatever order.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet

from portfolios.domain.amounts import MAX_PRICE, MICROS, MIN_PRICE
from trading.brokers.base import Fill
from trading.domain.costs import OURS
from trading.models import Execution, Order

CLEAR = 1_000  # below one part in so many the average is too coarse to tell the part's own price


def prefix_of(order: Order) -> str:
    return f"{order.client_order_id}-cum-"


def is_summed(order: Order) -> bool:
    """Whether its executions are made of totals."""
    return bool(order.filled_quantity) and made_of_totals(order).exists()


def may_be_summed(order: Order) -> bool:
    """Whether they all are, or there are none yet."""
    return order.executions.count() == made_of_totals(order).count()


def made_of_totals(order: Order) -> QuerySet[Execution]:
    return order.executions.filter(broker_execution_id__startswith=prefix_of(order))


def whole(order: Order, total: int, average: int, at: datetime) -> Fill:
    """All that was filled so far as one fill, the way totals tell it."""
    return Fill(f"{prefix_of(order)}{total}", total, average, OURS, at)


def in_its_own_terms(order: Order, fills: Sequence[Fill]) -> Sequence[Fill]:
    """All fills a broker knows of an order. One that is booked from totals takes what is more in them than booked."""
    if not fills or not is_summed(order):
        return fills
    held = standing(fills)
    total = sum(fill.quantity for fill in held)
    part = missing_part(order, total, sum(fill.quantity * fill.price for fill in held), fills[-1].at)
    return (part,) if part else ()


def standing(fills: Sequence[Fill]) -> list[Fill]:
    """Without what was taken back, and without the word that took it back: a corrected fill counts once."""
    gone = {fill.replaces for fill in fills}
    return list({fill.execution_id: fill for fill in fills if fill.execution_id not in gone}.values())


def missing_part(order: Order, total: int, value: int, at: datetime) -> Fill | None:
    """What a total adds to what is booked, under an id that follows from it. None where that makes no sense.

    Its price makes the booked value the one told again, so rounding does not add up over the parts.
    """
    quantity = total - order.filled_quantity
    if quantity <= 0:
        return None
    worth, parts = value - (order.gross * MICROS + order.rest), quantity
    if quantity * CLEAR < total:
        worth, parts = value, total
    price = (2 * worth + parts) // (2 * parts)
    if not MIN_PRICE <= price <= MAX_PRICE:
        return None
    return Fill(f"{prefix_of(order)}{total}", quantity, price, OURS, at)
