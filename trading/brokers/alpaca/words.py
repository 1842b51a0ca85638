"""What Alpaca says, in our words: amounts, instants, and the states of an order."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any, NamedTuple

from portfolios.domain.amounts import MAX_AMOUNT, MAX_PRICE, MICROS, MIN_PRICE
from trading.brokers.base import BrokerSilent
from trading.domain.choices import Side

# Every state that is documented. Working ones say nothing of how much is filled; an end does, once all fills are told.
STATES = {
    "accepted": "accepted",
    "accepted_for_bidding": "accepted",
    "pending_new": "accepted",
    "new": "accepted",
    "held": "accepted",
    "pending_review": "accepted",
    "pending_cancel": "accepted",
    "pending_replace": "accepted",
    "stopped": "accepted",  # a trade is promised and has not happened
    "suspended": "accepted",  # it may trade again
    "calculated": "accepted",  # settlement is being worked out: fills may still be listed
    "done_for_day": "accepted",  # it goes on tomorrow, or is ended by another state
    "partially_filled": "accepted",
    "filled": "filled",
    "canceled": "cancelled",
    "expired": "expired",
    "rejected": "rejected",
    "replaced": "cancelled",  # whatever replaced it is another order, and not ours
}
ENDED = ("cancelled", "expired", "rejected")
NAME = re.compile(r"[!-~]{1,128}")
INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)


class Placed(NamedTuple):
    """An order as the broker has it. Amounts in micros; state is the broker's own word, status ours or ""."""

    id: str
    client_order_id: str
    symbol: str
    side: Side
    quantity: int
    filled: int
    state: str
    submitted_at: datetime
    replaced_by: str = ""

    @property
    def status(self) -> str:
        return STATES.get(self.state, "")

    @property
    def is_working(self) -> bool:
        return self.status == "accepted"


def placed(order: Any) -> Placed:
    """Raises BrokerSilent for what is no order."""
    if not isinstance(order, dict):
        raise BrokerSilent("an order cannot be read")
    side = order.get("side")
    if side not in ("buy", "sell"):
        raise BrokerSilent("an order's side cannot be read")
    filled = quantity(order, "filled_qty") if order.get("filled_qty") is not None else 0
    return Placed(
        id=text(order, "id"),
        client_order_id=text(order, "client_order_id"),
        symbol=text(order, "symbol"),
        side=Side.BUY if side == "buy" else Side.SELL,
        quantity=quantity(order, "qty") if order.get("qty") is not None else filled,  # by notional: not ours
        filled=filled,
        state=text(order, "status"),
        submitted_at=instant(order, "submitted_at"),
        replaced_by=text(order, "replaced_by") if order.get("replaced_by") else "",
    )


def text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise BrokerSilent(f"{name} cannot be read")
    return value


def decimal(data: Mapping[str, Any], name: str) -> Decimal:
    """A number in a text; the broker's market data has them bare."""
    value = data.get(name)
    try:
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal) or len(str(value)) > 40:
            raise InvalidOperation
        found = Decimal(value)
    except InvalidOperation:
        raise BrokerSilent(f"{name} cannot be read") from None
    if not found.is_finite() or abs(found) * MICROS > MAX_AMOUNT:
        raise BrokerSilent(f"{name} is beyond all measure")
    return found


def quantity(data: Mapping[str, Any], name: str) -> int:
    """Micros of shares or money, rounded down: the broker counts in billionths."""
    return int((decimal(data, name) * MICROS).to_integral_value(ROUND_FLOOR))


def price(data: Mapping[str, Any], name: str) -> int:
    """Micros a share, to the nearest."""
    found = int((decimal(data, name) * MICROS).to_integral_value(ROUND_HALF_EVEN))
    if not MIN_PRICE <= found <= MAX_PRICE:
        raise BrokerSilent(f"{name} is no price")
    return found


def instant(data: Mapping[str, Any], name: str) -> datetime:
    """The broker tells billionths of seconds; we keep millionths."""
    value = data.get(name)
    match = INSTANT.fullmatch(value) if isinstance(value, str) else None
    try:
        if match is None:
            raise ValueError
        whole, fraction, zone = match.groups()
        return datetime.fromisoformat(f"{whole}{(fraction or '.0')[:7]:0<7}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise BrokerSilent(f"{name} cannot be read") from None
