"""What a message of Alpaca's stream says of an order of ours, in the words that the inbox understands."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from portfolios.strict_json import parse_json, reason
from trading.brokers.alpaca.fills import counted, name_of
from trading.brokers.alpaca.words import decimal, instant, placed, price, quantity, text
from trading.brokers.base import PREFIX, BadMessage, BrokerSilent, Fill, News, UnknownType
from trading.domain.costs import OURS

FILLS = ("fill", "partial_fill")
BUST, CORRECT = "trade_bust", "trade_correct"
EVENTS = (
    *FILLS, "new", "accepted", "pending_new", "canceled", "expired", "done_for_day", "replaced", "rejected",
    "pending_cancel", "pending_replace", "suspended", "stopped", "calculated", "held", "order_cancel_rejected",
    "order_replace_rejected", "restated", BUST, CORRECT,
)  # fmt: skip


def told(body: str) -> News | None:
    """None for what is not about an order of ours. Raises BadMessage, UnknownType."""
    try:
        message = parse_json(body.encode())
    except (ValueError, RecursionError) as error:
        raise BadMessage(f"not acceptable JSON: {reason(error)}") from error
    if not isinstance(message, dict) or message.get("stream") != "trade_updates":
        raise BadMessage("no message of trade_updates")
    data = message.get("data")
    if not isinstance(data, dict):
        raise BadMessage("data is no object")
    try:
        return news_of(data)
    except BrokerSilent as unreadable:
        raise BadMessage(str(unreadable)) from None


def news_of(data: Mapping[str, Any]) -> News | None:
    """A fill is named as the list of activities has it: by what was filled of the order with it."""
    event, order = text(data, "event"), placed(data.get("order"))
    if not order.client_order_id.startswith(PREFIX):
        return None
    if event not in EVENTS:
        raise UnknownType(event[:80])
    if not order.status:
        raise UnknownType(f"of state {order.state[:80]}")
    status = "partially_filled" if order.is_working and order.filled else order.status
    at = instant(data, "timestamp" if data.get("timestamp") is not None else "at")
    news = News(order.client_order_id, order.symbol, order.side, at, status, order.filled)
    if event in (BUST, CORRECT):
        return news._replace(status="", fill=amended(event, data), told_as=text(data, "execution_id"))
    if event not in FILLS:
        return news
    total: Decimal = decimal(data["order"], "filled_qty")
    part = counted(total, decimal(data, "qty"))
    if not part:  # less than a millionth of a share: it is in the next one's total
        return news
    fill = Fill(name_of(order.id, order.filled), part, price(data, "price"), OURS, at)
    told_as = text(data, "execution_id") if data.get("execution_id") is not None else ""
    return news._replace(fill=fill, before=order.filled - part, told_as=told_as)


def amended(event: str, data: Mapping[str, Any]) -> Fill:
    """An execution that never was (quantity 0, the price it had), or what it should have been. Raises UnknownType.

    A new name goes with it, and which one it replaces is said by the broker's own id.
    """
    if data.get("previous_execution_id") is None:
        raise UnknownType(f"{event} of an execution that it does not name")
    name, replaces = text(data, "execution_id"), text(data, "previous_execution_id")
    if name == replaces:
        raise BrokerSilent("an execution that replaces itself")
    size = abs(quantity(data, "qty")) if event == CORRECT else 0
    if event == CORRECT and not size:
        raise UnknownType(f"{event} into nothing")
    cost = price(data, "price") if size or data.get("price") is not None else 0
    at = instant(data, "timestamp" if data.get("timestamp") is not None else "at")
    return Fill(name, size, cost, OURS, at, replaces)
