"""What a broker must do, and the values orders travel in. Written for a broker at the far end of a bad line."""

import time
from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import NamedTuple, Protocol

from trading.domain.choices import Side

PREFIX = "vb-"  # every client_order_id of ours begins with it
DEADLINE = 0.5  # seconds from the look at the halts to the last moment a byte may leave


class BrokerSilent(Exception):
    """No answer came: the order may or may not have arrived. Never proof of anything."""


class TooLate(Exception):
    """The order was not sent: too much time went by since the halts were looked at."""


class OrderRequest(NamedTuple):
    """One order as it leaves. Amounts in micros; `price` and `market_at` are the market as last seen by us.

    leave_by is on this process's monotonic clock: after it nothing may be sent, only asked. extended: before or after
    the session, where a broker must be told so.
    """

    order_id: int
    account: str
    adapter: str
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
    cancels: bool = False
    extended: bool = False
    expires_at: datetime | None = None
    leave_by: float = 0.0
    latency_ms: int = 0
    most_per_quote: int = 0


class Fill(NamedTuple):
    """One execution as the broker reports it; commission is for this fill, or -1 when the broker names none.

    replaces: the execution id this one corrects; with quantity 0 that execution never was.
    """

    execution_id: str
    quantity: int
    price: int
    commission: int
    at: datetime
    replaces: str = ""


class Report(NamedTuple):
    """What the broker says of an order: a status of `trading.domain.order_life` and the fills known to it."""

    status: str
    fills: tuple[Fill, ...] = ()
    note: str = ""


class BadMessage(ValueError):
    """A message of a broker's can never be understood; why, in words."""


class UnknownType(Exception):
    """It may be understood one day, or by a person."""


class News(NamedTuple):
    """One message. `status` may be empty; `total` is the filled quantity so far, -1 where it is not told.

    before: how much must have been filled before this fill, where it is named by the total; else -1.
    told_as: the broker's own id of the execution, where we call it otherwise; a correction names it by that.
    """

    client_order_id: str
    symbol: str
    side: Side
    at: datetime
    status: str = ""
    total: int = -1
    average: int = 0
    fill: Fill | None = None
    before: int = -1
    told_as: str = ""


class Standing(NamedTuple):
    """An order that is open at the broker, as its book has it."""

    client_order_id: str
    symbol: str
    side: Side
    quantity: int
    filled_quantity: int
    status: str


class Traded(NamedTuple):
    """A fill with the order it belongs to, as a list of activities has it."""

    client_order_id: str
    symbol: str
    side: Side
    fill: Fill


class Holdings(NamedTuple):
    """Shares by symbol and cash (None: not told), in micros. since_opening: only what was traded counts.

    received: net dividends paid there; where it is told, shares count what splits added too.
    """

    shares: Mapping[str, int]
    cash: int | None
    since_opening: bool
    received: int | None = None


class Entry(NamedTuple):
    """What moved money or shares there and is no fill. Signed micros; `name` and `words` are the broker's own.

    kind: fee, dividend, tax (of dividends), transfer (to or from the account), other.
    """

    id: str
    kind: str
    name: str
    day: date
    symbol: str
    amount: int
    shares: int
    words: str


class Listed(NamedTuple):
    """An instrument as a broker tells it. exchange: the name of its calendar; steps in micros; "" or 0: not told."""

    symbol: str
    name: str
    exchange: str
    currency: str
    tick: int
    lot: int
    tradable: bool
    fractional: bool


class Abilities(NamedTuple):
    """What an account can do there. blocked: why nothing at all, in words; whole_only: no parts of these shares.

    listed: those of the symbols asked about that the broker knows.
    """

    blocked: str = ""
    fractional: bool = True
    extended_hours: bool = False
    whole_only: tuple[str, ...] = ()
    untradable: tuple[str, ...] = ()
    listed: tuple[Listed, ...] = ()


class Broker(Protocol):
    """Every question may raise BrokerSilent. `grace`: seconds after which an order it denies never arrived."""

    grace: float

    def submit(self, request: OrderRequest) -> Report:
        """Send it; the same client_order_id is the same order. Raises TooLate past `leave_by`."""

    def find(self, request: OrderRequest) -> Report | None:
        """Look it up by client_order_id; None only when the broker says that it never saw it."""

    def cancel(self, request: OrderRequest) -> Report | None:
        """Take back what is not filled; what became of it. None as in `find`."""

    def open_orders(self) -> list[Standing]:
        """Every order of the account that can still fill."""

    def fills_since(self, cursor: str) -> tuple[list[Traded], str]:
        """Executions after the cursor ("" for all), oldest first, and the cursor after them."""

    def holdings(self) -> Holdings | None:
        """What the account holds; None where the broker does not tell."""

    def entries_since(self, first: date) -> list[Entry] | None:
        """All from that day on; None where the broker keeps no such list."""

    def abilities(self, symbols: Collection[str]) -> Abilities | None:
        """What can be traded there, of these symbols too; None where there is nothing to ask."""


def refuse_late(request: OrderRequest) -> None:
    """For adapters, the last thing before the first byte. Raises TooLate."""
    if request.leave_by and time.monotonic() > request.leave_by:
        raise TooLate(request.client_order_id)
