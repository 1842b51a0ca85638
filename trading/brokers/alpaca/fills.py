"""Executions, each under one name whoever tells of it: order and what was filled of it once this one was counted.

The stream and the list of activities call the same execution by different ids, and Alpaca does not say how they relate.
What both tell is the running total, and no two executions of an order leave the same one.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from portfolios.domain.amounts import MICROS, as_text
from trading.brokers.alpaca.words import decimal, instant, price, quantity, text
from trading.brokers.base import BrokerSilent, Fill
from trading.domain.choices import Side
from trading.domain.costs import OURS


class Activity(NamedTuple):
    """One line of the list of fills."""

    id: str
    order_id: str
    symbol: str
    side: Side
    total: int
    fill: Fill


def activity(line: Any) -> Activity:
    """Raises BrokerSilent for what is no fill. side: `sell_short` and such are sales."""
    if not isinstance(line, dict):
        raise BrokerSilent("an activity cannot be read")
    order_id, total, part = text(line, "order_id"), decimal(line, "cum_qty"), decimal(line, "qty")
    side = Side.BUY if text(line, "side").startswith("buy") else Side.SELL
    fill = Fill(
        name_of(order_id, quantity(line, "cum_qty")),
        counted(total, part),
        price(line, "price"),
        OURS,
        instant(line, "transaction_time"),
    )
    return Activity(text(line, "id"), order_id, text(line, "symbol"), side, quantity(line, "cum_qty"), fill)


def name_of(order_id: str, total: int) -> str:
    return f"{order_id}@{as_text(total)}"


def counted(total: Decimal, part: Decimal) -> int:
    """Micro-shares by which a part moved the total, each rounded down: so the parts add up to the whole."""
    if not 0 < part <= total:
        raise BrokerSilent("a fill's quantity is not part of its total")
    return int(total * MICROS // 1) - int((total - part) * MICROS // 1)


def without_gaps(activities: Sequence[Activity]) -> list[Activity]:
    """Of one order, by their totals, each once, up to the first that is missing."""
    chain: list[Activity] = []
    total = 0
    for one in sorted({one.total: one for one in activities}.values(), key=lambda one: one.total):
        if one.total - one.fill.quantity != total:
            break
        total = one.total
        chain.append(one)
    return chain
