"""Orders: one page of those somebody may see, and one with all that became of it."""

from typing import Any, NamedTuple

from django.db.models import QuerySet

from portfolios.domain.amounts import PPM
from portfolios.domain.exact import muldiv_floor
from portfolios.events import EventType
from portfolios.models import Event, Position
from reporting.happening import Happening
from reporting.paging import Slice, slice_of
from reporting.selectors.timeline import DECISIONS
from trading.domain.choices import Side
from trading.domain.costs import average_price
from trading.domain.order_life import MOVES, OPEN_STATES
from trading.models import Execution, Order

STATUSES = {"open": OPEN_STATES} | {state: (state,) for state in MOVES}
SIDES, ORIGINS = ("BUY", "SELL"), ("robot", "person")
SALT = "orders"


class Wanted(NamedTuple):
    """The filters of the list; empty where not asked for. `cell` is the public id of a visible cell."""

    status: str
    side: str
    origin: str
    ticker: str
    cell: Position | None


class Line(NamedTuple):
    """One order, its average price in micros (None while nothing has filled), and its slippage in ppm against us."""

    order: Order
    average: int | None
    slippage: int | None


class Told(NamedTuple):
    """One order with its executions, its states as the log has them, and the decision that wrote it."""

    line: Line
    executions: list[Execution]
    history: list[Happening]
    decision: Happening | None
    steered: bool


def orders_of(user: Any, wanted: Wanted, cursor: str) -> Slice[Order]:
    return slice_of(filtered(Order.objects.visible_to(user), wanted), cursor, SALT)


def filtered(orders: QuerySet[Order], wanted: Wanted) -> QuerySet[Order]:
    if wanted.status:
        orders = orders.filter(status__in=STATUSES[wanted.status])
    if wanted.side:
        orders = orders.filter(side=wanted.side)
    if wanted.origin:
        orders = orders.filter(origin=wanted.origin)
    if wanted.ticker:
        orders = orders.filter(position__symbol=wanted.ticker)
    if wanted.cell:
        orders = orders.filter(position=wanted.cell)
    return orders.select_related("position__portfolio", "author")


def line_of(order: Order) -> Line:
    average = average_price(order.filled) if order.filled_quantity else None
    return Line(order, average, slippage_of(order, average))


def slippage_of(order: Order, average: int | None) -> int | None:
    """How much worse than the price decided at, in ppm; negative where it was better."""
    if average is None or not order.decision_price:
        return None
    worse = average - order.decision_price if order.side_asked == Side.BUY else order.decision_price - average
    return (
        muldiv_floor(worse, PPM, order.decision_price)
        if worse >= 0
        else -muldiv_floor(-worse, PPM, order.decision_price)
    )


def told(user: Any, order: Order) -> Told:
    events = list(Event.objects.of(order.position).filter(type__in=OF_ORDERS, subject=order.public_id))
    return Told(
        line_of(order),
        list(order.executions.order_by("pk")),
        [Happening(event, event.content) for event in events],
        decision_behind(order, events),
        Order.objects.steered_by(user).filter(pk=order.pk).exists(),
    )


def decision_behind(order: Order, events: list[Event]) -> Happening | None:
    """The evaluation written just before the robot's intent; a person needs none."""
    if order.origin != Order.Origin.ROBOT or not events:
        return None
    before = Event.objects.of(order.position).filter(seq=events[0].seq - 1, type__in=DECISIONS).first()
    return Happening(before, before.content) if before else None


OF_ORDERS = (
    EventType.ORDER_PROPOSED,
    EventType.ORDER_INTENT,
    EventType.ORDER_SUBMITTED,
    EventType.ORDER_ACCEPTED,
    EventType.ORDER_PARTIALLY_FILLED,
    EventType.ORDER_FILLED,
    EventType.ORDER_CANCELLED,
    EventType.ORDER_REJECTED,
    EventType.ORDER_EXPIRED,
    EventType.ORDER_UNKNOWN,
    EventType.ORDER_CANCELLING,
    EventType.CORRECTION,
    EventType.REEVALUATED,
    EventType.LATE_FILL,
    EventType.OVERFILL,
    EventType.QUARANTINED,
)
