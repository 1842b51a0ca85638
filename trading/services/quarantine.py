"""Sets aside a cell that breaks what is done with it: one cell never stops a market."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.db import InterfaceError, OperationalError, transaction

from portfolios.domain.amounts import as_text
from portfolios.errors import Refused
from portfolios.events import EventType
from portfolios.models import Position
from portfolios.services.journal import Journal
from portfolios.services.positions import refuse_unreasoned
from trading.brokers.base import Fill
from trading.errors import BrokenCell
from trading.market.selectors import market_now
from trading.models import Order
from trading.selectors import locked_cell

log = structlog.get_logger(__name__)


@contextmanager
def setting_aside(position_id: int) -> Iterator[None]:
    """Whatever goes wrong inside, except a database that is away, quarantines the cell. Raises BrokenCell.

    Every write inside is a transaction of its own, so nothing half done is kept.
    """
    try:
        yield
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # a cause nobody foresaw is the very case this is for
        log.exception("cell set aside", position_id=position_id)
        quarantine(position_id=position_id, why=f"{type(error).__name__} while working on it")
        raise BrokenCell(f"position {position_id}: {error}") from error


@transaction.atomic
def quarantine(*, position_id: int, why: str) -> Position:
    """The robot leaves the cell alone until a person has looked."""
    position = locked_cell(position_id)
    if position.state in (Position.Status.QUARANTINED, Position.Status.CLOSED):
        return position
    journal = Journal(position, market_at=market_now(position.source), actor="robot")
    message = f"Quarantined until a person has looked: {why}."
    journal.add(EventType.QUARANTINED, message, state=Position.Status.QUARANTINED, inputs={"why": why})
    journal.write()
    return position


@transaction.atomic
def release_cell(*, position_id: int, reason: str, actor: str) -> Position:
    """A person has looked: the robot may go on. Releasing a cell that is active changes nothing.

    Raises Refused: wrong_state, below_zero, order_open (409), invalid_reason (422).
    """
    position = locked_cell(position_id)
    refuse_unreasoned(reason)
    if position.state == Position.Status.ACTIVE:
        return position
    if position.state != Position.Status.QUARANTINED:
        raise Refused("wrong_state", f"the cell is {position.state}", status=409)
    if position.cash < 0 or position.shares < 0:
        held = f"{as_text(position.shares)} shares and {as_text(position.cash)} in cash"
        raise Refused("below_zero", f"it holds {held}; put that right first", status=409)
    if Order.objects.filter(position=position).open().exists():
        raise Refused("order_open", "this cell has an open order; wait for it or cancel it", status=409)
    journal = Journal(position, market_at=market_now(position.source), actor=actor)
    journal.add(EventType.RELEASED, f"Released: {reason}", state=Position.Status.ACTIVE, inputs={"reason": reason})
    journal.write()
    return position


def quarantine_if_wrong(journal: Journal, position: Position, order: Order, fill: Fill) -> None:
    """A cell that was filled beyond its order, its cash or its shares, or absurdly, trades no more until looked at."""
    if position.state == Position.Status.QUARANTINED:
        return
    why = what_is_wrong(position, order, fill)
    if why:
        message = f"Quarantined until a person has looked: {why}."
        journal.add(EventType.QUARANTINED, message, subject=order.public_id, state=Position.Status.QUARANTINED)


def what_is_wrong(position: Position, order: Order, fill: Fill) -> str:
    """In words; empty when nothing is."""
    expected = order.limit_price or order.decision_price
    if order.filled_quantity > order.quantity:
        return f"{as_text(order.filled_quantity)} filled of {as_text(order.quantity)} ordered"
    if position.cash < 0:
        return f"cash is {as_text(position.cash)}"
    if position.shares < 0:
        return f"shares are {as_text(position.shares)}"
    if expected and fill.quantity and not expected <= 2 * fill.price <= 4 * expected:
        return f"filled at {as_text(fill.price)} where {as_text(expected)} was expected"
    return ""
