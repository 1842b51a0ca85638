"""What lies between the fills of a cell and those of a simulation: slippage, delay, partial fills, fees."""

from typing import NamedTuple

from portfolios.models import Event, Position
from trading.domain.choices import Side
from trading.domain.costs import OURS, UNFILLED, Filled, add_fill
from trading.models import Execution, Order
from trading.quotes.reading import newest_until
from trading.services.settlement import rules_of
from trading.sight import see


class Remains(NamedTuple):
    """Of one order of the robot's, in micros; a cost is above zero.

    simulated: the whole order at once at the price it was decided at. real: what the log booked. partial: because less
    was filled; delay: because the market had moved by then; slippage: against the market at the time; fees: because the
    broker named another fee. rest: what none of them explains.
    """

    seq: int
    side: str
    ordered: int
    filled: int
    simulated: int
    partial: int
    delay: int
    slippage: int
    fees: int
    real: int

    @property
    def rest(self) -> int:
        return self.real - self.simulated - self.partial - self.delay - self.slippage - self.fees


def remains_of(position: Position) -> list[Remains]:
    """Every robot's order that left or was filled, oldest first."""
    booked = booked_by_order(position)
    orders = Order.objects.filter(position=position, origin=Order.Origin.ROBOT, attempts__gt=0)
    orders = orders.exclude(decision_price=None).order_by("pk")
    return [remains(position, order, *booked.get(order.public_id, (0, 0))) for order in orders]


def booked_by_order(position: Position) -> dict[object, tuple[int, int]]:
    """By order: the number of its first event, and what its events took in cash."""
    sums: dict[object, tuple[int, int]] = {}
    rows = Event.objects.of(position).exclude(subject=None).values_list("subject", "seq", "d_cash")
    for subject, seq, cash in rows:
        first, total = sums.get(subject, (seq, 0))
        sums[subject] = (first, total - int(cash))
    return sums


def remains(position: Position, order: Order, seq: int, real: int) -> Remains:
    """Four fills of the same order, each one step nearer to what was booked; each step has its name."""
    fills = list(order.executions.filter(reverses=None, reversal=None).order_by("pk"))
    decided, filled = int(order.decision_price or 0), sum(fill.quantity for fill in fills)
    simulated = cost(position, order, [(order.quantity, decided, OURS)])
    part = cost(position, order, [(filled, decided, OURS)] if filled else [])
    late = cost(position, order, [(fill.quantity, market_at(position, order, fill), OURS) for fill in fills])
    ours = cost(position, order, [(fill.quantity, fill.price, OURS) for fill in fills])
    named = cost(position, order, [(fill.quantity, fill.price, fee_of(fill)) for fill in fills])
    return Remains(
        seq=seq,
        side=order.side,
        ordered=order.quantity,
        filled=filled,
        simulated=simulated,
        partial=part - simulated,
        delay=late - part,
        slippage=ours - late,
        fees=named - ours,
        real=real,
    )


def cost(position: Position, order: Order, fills: list[tuple[int, int, int]]) -> int:
    """What these fills take in cash, fee included; below zero where they bring it."""
    totals: Filled = UNFILLED
    for quantity, price, fee in fills:
        totals = add_fill(rules_of(position, order), order.side_asked, totals, quantity, price, fee)
    return totals.fee + (totals.notional if order.side_asked == Side.BUY else -totals.notional)


def fee_of(fill: Execution) -> int:
    return OURS if fill.reported_fee is None else fill.reported_fee


def market_at(position: Position, order: Order, fill: Execution) -> int:
    """The price in the market when the fill was made; the decision's own where that was the newest."""
    quote = newest_until(position.symbol, position.source, fill.at)
    decided = int(order.decision_price or 0)
    if quote is None or quote.at <= order.decided_at:
        return decided
    return see(quote, max(quote.at, fill.at), rules_of(position, order)).price
