"""What a broker must do, and the values orders travel in."""

from datetime import datetime
from typing import NamedTuple, Protocol

from trading.domain.choices import Side


class BrokerSilent(Exception):
    """No answer came: the order may or may not have arrived. Never proof of anything."""


class OrderRequest(NamedTuple):
    """One order as it leaves. Amounts in micros; `price` and `market_at` are the market as last seen by us."""

    order_id: int
    account: str
    client_order_id: str
    symbol: str
    side: Side
    quantity: int
    filled_quantity: int
    limit_price: int  # 0 for a market order
    price: int
    slippage: int
    market_at: datetime
    sent_before: bool


class Fill(NamedTuple):
    """One execution as the broker reports it; commission is for this fill, or -1 when the broker names none."""

    execution_id: str
    quantity: int
    price: int
    commission: int
    at: datetime


class Report(NamedTuple):
    """What the broker says of an order: a status of `trading.domain.order_life` and the fills known to it."""

    status: str
    fills: tuple[Fill, ...] = ()
    note: str = ""


class Broker(Protocol):
    def submit(self, request: OrderRequest) -> Report:
        """Send it; the same client_order_id is the same order. Raises BrokerSilent when no answer came."""

    def find(self, request: OrderRequest) -> Report | None:
        """Look it up by client_order_id; None only when the broker says that it never saw it."""

    def cancel(self, request: OrderRequest) -> Report:
        """Take back what is not filled."""
