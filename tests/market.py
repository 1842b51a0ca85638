"""Moments of a market in few words: instants of a session, a cell with its anchor, what is true of every cell."""

from datetime import datetime, timedelta
from typing import Any

from portfolios.models import Event, Portfolio, Position
from portfolios.services.verification import verify_events
from tests.factories import NOON, make_position, make_quote
from trading.invariants import broken_invariants
from trading.models import Order
from trading.services.evaluation import evaluate_position
from trading.services.execution import execute_order

LIVE = "live"


def later(minutes: float = 1) -> datetime:
    return NOON + timedelta(minutes=minutes)


def make_fallen_cell(price: str = "97", **traits: Any) -> Position:
    """100 shares, 10,000 in cash, anchor 100, and a price that has fallen to 97: worth a buy of 10.4687 shares."""
    position = make_position(**({"anchor": "100"} | traits))
    make_quote(position.symbol, price)
    return position


def tick(position: Position) -> Order | None:
    """What the bells do for one cell at the newest quote: evaluate, and carry its order out."""
    order = evaluate_position(position_id=position.pk).order
    if order:
        execute_order(order_id=order.pk)
        order.refresh_from_db()
    position.refresh_from_db()
    return order


def story(position: Position) -> list[str]:
    """The kinds of its events, oldest first, without its creation."""
    return list(Event.objects.of(position).values_list("type", flat=True))[1:]


def assert_sound() -> None:
    """What must hold after every commit."""
    assert verify_events().findings == []
    assert broken_invariants() == []


def lives(position: Position) -> Position:
    """By prices of a source that does not know what comes."""
    Position.objects.filter(pk=position.pk).update(source=LIVE)
    Portfolio.objects.filter(pk=position.portfolio_id).update(source=LIVE)
    return Position.objects.get(pk=position.pk)
