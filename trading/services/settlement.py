"""Books what brokers report: cash, shares, reservations, the anchor at an order's end, and the new wake-up band."""

from django.utils import timezone

from portfolios.domain.amounts import PPM, as_text
from portfolios.domain.holding import Rules
from portfolios.events import EventType
from portfolios.models import Position
from portfolios.selectors import effective_rules
from portfolios.services.journal import Journal
from trading.brokers.base import Fill
from trading.domain.band import wake_band
from trading.domain.choices import Side
from trading.domain.costs import add_fill, average_price
from trading.domain.order_life import OPEN_STATES, may_move
from trading.errors import IllegalMove
from trading.models import Execution, Order

ENDINGS = {
    "cancelled": EventType.ORDER_CANCELLED,
    "rejected": EventType.ORDER_REJECTED,
    "expired": EventType.ORDER_EXPIRED,
}


def move(order: Order, status: str) -> None:
    """Raises IllegalMove for what the life of an order does not allow."""
    if not may_move(order.status, status):
        raise IllegalMove(f"order {order.public_id} cannot go from {order.status} to {status}")
    order.status = status


def book_fill(journal: Journal, position: Position, order: Order, fill: Fill) -> bool:
    """One fill, once; whether it was new. The caller stores the order and writes the journal.

    A true fill is never refused: one that comes after the order's end, or is more than was ordered, is booked too.
    """
    account = account_of(position)
    if Execution.objects.filter(account=account, broker_execution_id=fill.execution_id).exists():
        return False
    late = order.status not in OPEN_STATES
    notional, fee = add_to(order, rules_of(position, order), fill)
    if not late:
        move(order, "filled" if order.filled_quantity >= order.quantity else "partially_filled")
    write_execution(order, account, fill, notional, fee)
    write_fill(journal, order, kind_of(order, late), fill, notional, fee)
    if order.status == "filled" and not late:
        end(journal, position, order)
    quarantine_if_wrong(journal, position, order)
    return True


def add_to(order: Order, rules: Rules, fill: Fill) -> tuple[int, int]:
    """What the fill adds to notional and fee: the difference, so that parts cost what the whole costs."""
    before = order.filled
    totals = add_fill(rules, order.side_asked, before, fill.quantity, fill.price, fill.commission)
    for name, value in zip(("filled_quantity", "gross", "rest", "notional", "fee"), totals, strict=True):
        setattr(order, name, value)
    return totals.notional - before.notional, totals.fee - before.fee


def kind_of(order: Order, late: bool) -> EventType:
    if late:
        return EventType.OVERFILL if order.filled_quantity > order.quantity else EventType.LATE_FILL
    return EventType.ORDER_FILLED if order.status == "filled" else EventType.ORDER_PARTIALLY_FILLED


def write_execution(order: Order, account: str, fill: Fill, notional: int, fee: int) -> None:
    Execution.objects.create(
        order=order,
        account=account,
        broker_execution_id=fill.execution_id,
        quantity=fill.quantity,
        price=fill.price,
        notional=notional,
        commission=fee,
        commission_rate=order.commission_rate,
        slippage_ppm=slippage(order, fill.price),
        at=fill.at,
        recorded_at=timezone.now(),
    )


def quarantine_if_wrong(journal: Journal, position: Position, order: Order) -> None:
    """A cell that was filled beyond its order or its cash trades no more until a person has looked."""
    if position.state == Position.Status.QUARANTINED:
        return
    if order.filled_quantity > order.quantity:
        why = f"{as_text(order.filled_quantity)} filled of {as_text(order.quantity)} ordered"
    elif position.cash < 0:
        why = f"cash is {as_text(position.cash)}"
    else:
        return
    message = f"Quarantined until a person has looked: {why}."
    journal.add(EventType.QUARANTINED, message, subject=order.public_id, state=Position.Status.QUARANTINED)


def write_fill(journal: Journal, order: Order, kind: EventType, fill: Fill, notional: int, fee: int) -> None:
    """The event of a fill: shares one way, notional and fee the other, and the reservation that is no longer needed."""
    buys = order.side_asked == Side.BUY
    cash = -(notional + fee) if buys else notional - fee
    freed_cash = order.reserved_cash if order.status == "filled" else min(order.reserved_cash, notional + fee)
    freed_shares = order.reserved_shares if order.status == "filled" else min(order.reserved_shares, fill.quantity)
    order.reserved_cash -= freed_cash
    order.reserved_shares -= freed_shares
    verb = "Bought" if buys else "Sold"
    journal.add(
        kind,
        f"{verb} {as_text(fill.quantity)} at {as_text(fill.price)} for {as_text(notional)}, fee {as_text(fee)}.",
        subject=order.public_id,
        shares=fill.quantity if buys else -fill.quantity,
        cash=cash,
        reserved_cash=-freed_cash,
        reserved_shares=-freed_shares,
        inputs={"execution_id": fill.execution_id, "at": fill.at.isoformat()},
        outputs={
            "side": order.side,
            "quantity": as_text(fill.quantity),
            "price": as_text(fill.price),
            "notional": as_text(notional),
            "commission": as_text(fee),
            "filled_quantity": as_text(order.filled_quantity),
            "reason": order.reason,
        },
    )


def release(journal: Journal, position: Position, order: Order, status: str, kind: EventType, message: str) -> None:
    """End an order that will not fill any further: its reservation is freed; what did fill moves the anchor."""
    move(order, status)
    journal.add(
        kind,
        message,
        subject=order.public_id,
        reserved_cash=-order.reserved_cash,
        reserved_shares=-order.reserved_shares,
        outputs={"filled_quantity": as_text(order.filled_quantity)},
    )
    order.reserved_cash = order.reserved_shares = 0
    if order.filled_quantity:
        end(journal, position, order)
    order.save()


def end(journal: Journal, position: Position, order: Order) -> None:
    """The anchor moves once, at the order's end, to its average fill price."""
    anchor = average_price(order.filled)
    journal.add(
        EventType.ANCHOR_UPDATED,
        f"Anchor {as_text(position.anchor)} to {as_text(anchor)}, the average fill.",
        subject=order.public_id,
        anchor=anchor,
        inputs={"anchor": as_text(position.anchor)},
    )


def rules_of(position: Position, order: Order) -> Rules:
    """The cell's rules with the commission that was agreed when the order was written."""
    rules = effective_rules(position).rules
    return rules._replace(commission_rate=order.commission_rate, commission_min=order.commission_min)


def wake_after(position: Position) -> tuple[int, int]:
    return wake_band(position.holding, effective_rules(position).rules)


def account_of(position: Position) -> str:
    return f"{position.portfolio.mode}:{position.portfolio.public_id.hex}"


def slippage(order: Order, price: int) -> int | None:
    """How much worse than the decision price a fill was, in ppm; None when there was no decision price."""
    if not order.decision_price:
        return None
    worse = price - order.decision_price if order.side_asked == Side.BUY else order.decision_price - price
    return worse * PPM // order.decision_price
