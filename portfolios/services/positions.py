"""Cells: opening one, moving cash in and out, putting right by hand, a new anchor, pausing and resuming."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction

from portfolios.domain.amounts import MAX_AMOUNT, MAX_PRICE, MIN_PRICE, as_text
from portfolios.errors import Refused
from portfolios.events import EventType
from portfolios.models import Portfolio, Position, User
from portfolios.selectors import effective_rules
from portfolios.services.journal import Journal
from portfolios.services.lots import ANY, Lot, heed_lot
from portfolios.services.settings import write_settings

REASON = 200
SYMBOL = re.compile(r"[A-Z][A-Z0-9.\-]{0,11}")


@transaction.atomic
def create_position(
    *,
    portfolio_id: int,
    symbol: str,
    shares: int,
    cash: int,
    market_at: datetime,
    opened_on: date,
    actor: str,
    anchor: int = 0,
    given_settings: Mapping[str, Any] | None = None,
    author: User | None = None,
    lot: Lot = ANY,
) -> Position:
    """A new cell with its opening shares and cash (micros). Raises Refused for a bad symbol or amount."""
    refuse_bad_opening(symbol, shares, cash, anchor)
    portfolio = Portfolio.objects.select_for_update(no_key=True).get(pk=portfolio_id)
    if portfolio.state != Portfolio.Status.ACTIVE:
        raise Refused("portfolio_closed", "this portfolio is closed", status=409)
    position = Position.objects.create(portfolio=portfolio, source=portfolio.source, symbol=symbol, opened_on=opened_on)
    if given_settings:
        write_settings(portfolio=portfolio, position=position, given=given_settings, author=author, note="at opening")
    journal = Journal(position, market_at=market_at, actor=actor, effective=effective_rules(position))
    journal.add(
        EventType.POSITION_CREATED,
        f"{symbol} opened with {as_text(shares)} shares and {as_text(cash)} in cash.",
        shares=shares,
        cash=cash,
        anchor=anchor,
        inputs={"symbol": symbol, "shares": as_text(shares), "cash": as_text(cash), "anchor": as_text(anchor)},
    )
    heed_lot(journal, position, lot)
    journal.write(also=("lot",))
    return position


def refuse_bad_opening(symbol: str, shares: int, cash: int, anchor: int) -> None:
    if not SYMBOL.fullmatch(symbol):
        raise Refused("invalid_ticker", "must be 1 to 12 capital letters, digits, dots or dashes", field="ticker")
    for field, amount in (("qty", shares), ("cash", cash)):
        if not 0 <= amount <= MAX_AMOUNT:
            raise Refused("out_of_range", "must be from 0 to 1000000000000", field=field)
    if anchor and not MIN_PRICE <= anchor <= MAX_PRICE:
        raise Refused("out_of_range", "must be from 0.0001 to 1000000", field="anchor")


@transaction.atomic
def deposit(*, position_id: int, amount: int, market_at: datetime, actor: str, note: str = "") -> Position:
    """Add cash to a cell (micros, > 0)."""
    position = Position.objects.locked().get(pk=position_id)
    if not 0 < amount <= MAX_AMOUNT - max(position.cash, 0):
        raise Refused(
            "out_of_range", f"must be above 0 and at most {as_text(MAX_AMOUNT - position.cash)}", field="amount"
        )
    refuse_closed(position)
    return moved(position, EventType.DEPOSITED, amount, f"{as_text(amount)} deposited.", market_at, actor, note)


@transaction.atomic
def withdraw(*, position_id: int, amount: int, market_at: datetime, actor: str, note: str = "") -> Position:
    """Take cash out of a cell (micros, > 0): settled and not reserved for an open order."""
    position = Position.objects.locked().get(pk=position_id)
    free = max(position.cash - position.reserved_cash, 0)
    if not 0 < amount <= free:
        raise Refused(
            "insufficient_cash", f"must be above 0 and at most {as_text(free)}, the free cash", field="amount"
        )
    return moved(position, EventType.WITHDRAWN, -amount, f"{as_text(amount)} withdrawn.", market_at, actor, note)


def moved(
    position: Position, kind: EventType, cash: int, message: str, market_at: datetime, actor: str, note: str
) -> Position:
    journal = Journal(position, market_at=market_at, actor=actor)
    journal.add(kind, message, cash=cash, inputs={"note": note})
    journal.write()
    return position


@transaction.atomic
def adjust(*, position_id: int, d_shares: int, d_cash: int, market_at: datetime, actor: str, reason: str) -> Position:
    """Put shares and cash right by hand (signed micros), for what happened outside: never below what is reserved."""
    position = Position.objects.locked().get(pk=position_id)
    refuse_closed(position)
    refuse_unreasoned(reason)
    if not d_shares and not d_cash:
        raise Refused("out_of_range", "shares or cash must change", field="qty")
    refuse_beyond(position.shares, position.reserved_shares, d_shares, "insufficient_shares", "qty")
    refuse_beyond(position.cash, position.reserved_cash, d_cash, "insufficient_cash", "cash")
    journal = Journal(position, market_at=market_at, actor=actor)
    journal.add(
        EventType.ADJUSTED,
        f"Adjusted by {signed(d_shares)} shares and {signed(d_cash)} in cash: {reason}",
        shares=d_shares,
        cash=d_cash,
        inputs={"shares": as_text(position.shares), "cash": as_text(position.cash), "reason": reason},
    )
    journal.write()
    return position


def refuse_beyond(held: int, reserved: int, change: int, code: str, field: str) -> None:
    """Raises Refused when a change leaves less than is reserved for the open order, or more than there can be."""
    if not change:
        return
    if change < 0 and held + change < max(reserved, 0):
        free = max(held - reserved, 0)
        raise Refused(code, f"at most {as_text(free)} can be taken away", field=field)
    if held + change < 0 or held + change > MAX_AMOUNT:
        raise Refused("out_of_range", f"must leave from 0 to {as_text(MAX_AMOUNT)}", field=field)


def signed(amount: int) -> str:
    return f"+{as_text(amount)}" if amount > 0 else as_text(amount)


@transaction.atomic
def set_anchor(*, position_id: int, price: int, market_at: datetime, actor: str, reason: str) -> Position:
    """A person says what the triggers measure from (micros)."""
    position = Position.objects.locked().get(pk=position_id)
    refuse_closed(position)
    refuse_unreasoned(reason)
    if not MIN_PRICE <= price <= MAX_PRICE:
        raise Refused("out_of_range", "must be from 0.0001 to 1000000", field="price")
    before = as_text(position.anchor) if position.anchor else "none"
    journal = Journal(position, market_at=market_at, actor=actor)
    journal.add(
        EventType.ANCHOR_RESET,
        f"Anchor {before} to {as_text(price)}: {reason}",
        anchor=price,
        inputs={"anchor": as_text(position.anchor), "reason": reason},
    )
    journal.write()
    return position


def refuse_unreasoned(reason: str) -> None:
    if not reason.strip() or len(reason) > REASON or not reason.isprintable():
        raise Refused("invalid_reason", f"must be one line of at most {REASON} characters", field="reason")


@transaction.atomic
def pause(*, position_id: int, market_at: datetime, actor: str, reason: str) -> Position:
    """The robot leaves the cell alone; people may still act. Pausing a paused cell changes nothing."""
    return move_state(position_id, Position.Status.ACTIVE, EventType.PAUSED, "paused", market_at, actor, reason)


@transaction.atomic
def resume(*, position_id: int, market_at: datetime, actor: str, reason: str) -> Position:
    return move_state(position_id, Position.Status.PAUSED, EventType.RESUMED, "active", market_at, actor, reason)


def move_state(
    position_id: int, expected: str, kind: EventType, state: str, market_at: datetime, actor: str, reason: str
) -> Position:
    position = Position.objects.locked().get(pk=position_id)
    refuse_unreasoned(reason)
    if position.state == state:
        return position
    if position.state != expected:
        raise Refused("wrong_state", f"the cell is {position.state}", status=409)
    journal = Journal(position, market_at=market_at, actor=actor)
    journal.add(kind, f"The cell is {state}: {reason}", state=state, inputs={"reason": reason})
    journal.write()
    return position


def refuse_closed(position: Position) -> None:
    if position.state == Position.Status.CLOSED:
        raise Refused("position_closed", "this cell is closed", status=409)
