"""The words a decision is made of."""

from enum import IntEnum
from typing import NamedTuple


class Side(IntEnum):
    NONE = 0
    BUY = 1
    SELL = 2


class Action(IntEnum):
    HOLD = 0
    SKIP = 1
    BUY = 2
    SELL = 3


class Reason(IntEnum):
    """Why: what traded (1-3), why nothing was due (10-), what took the size away (20-), which gate was shut (40-)."""

    NONE = 0
    TRIGGER_DOWN = 1
    TRIGGER_UP = 2
    GUARDRAIL_REBALANCE = 3
    INSIDE_BAND = 10
    NO_ANCHOR = 11
    NO_CAPITAL = 12
    OVER_LIMIT = 13
    ZERO_SIZE = 20
    MAX_TRADE = 21
    GUARDRAIL = 22
    INSUFFICIENT_CASH = 23
    INSUFFICIENT_SHARES = 24
    LOT = 25
    BELOW_MIN_NOTIONAL = 26
    PAUSED = 40
    QUARANTINED = 41
    HALTED = 42
    UNRECONCILED = 43
    STALE_PRICE = 44
    MARKET_CLOSED = 45
    ORDER_OPEN = 46
    DUP = 47
    DAILY_LIMIT = 48


# Skips for size after which reanchor_after_skip moves the anchor; a shut gate never does.
REANCHORING = (
    Reason.MAX_TRADE,
    Reason.GUARDRAIL,
    Reason.INSUFFICIENT_CASH,
    Reason.INSUFFICIENT_SHARES,
    Reason.LOT,
    Reason.BELOW_MIN_NOTIONAL,
)


class Gates(NamedTuple):
    """0 is open, anything else shut; in the order in which they are named."""

    paused: int
    quarantined: int
    halted: int
    unreconciled: int
    stale_price: int
    market_closed: int
    order_open: int
    dup: int
    daily_limit: int


OPEN = Gates(0, 0, 0, 0, 0, 0, 0, 0, 0)


class Decision(NamedTuple):
    """One fixed shape, so that it compiles. Quantities in micro-shares, commission in micros.

    side is the side the price asked for, also when nothing is traded; the quantity after each trim is kept in order.
    """

    action: Action
    reason: Reason
    side: Side
    gate: Reason
    raw: int
    after_max_trade: int
    after_guardrail: int
    after_cash: int
    after_shares: int
    after_lot: int
    quantity: int
    commission: int


def first_shut(gates: Gates) -> Reason:
    """The first gate that stops a fired trigger, or NONE."""
    if gates.paused:
        return Reason.PAUSED
    if gates.quarantined:
        return Reason.QUARANTINED
    if gates.halted:
        return Reason.HALTED
    if gates.unreconciled:
        return Reason.UNRECONCILED
    if gates.stale_price:
        return Reason.STALE_PRICE
    if gates.market_closed:
        return Reason.MARKET_CLOSED
    if gates.order_open:
        return Reason.ORDER_OPEN
    if gates.dup:
        return Reason.DUP
    if gates.daily_limit:
        return Reason.DAILY_LIMIT
    return Reason.NONE


def moves_anchor(reason: Reason) -> bool:
    """Whether `reanchor_after_skip` follows a skip for this reason."""
    return reason in REANCHORING
