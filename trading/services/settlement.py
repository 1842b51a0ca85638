"""Books what brokers report: cash, shares, reservations, the anchor at an order's end, and the new wake-up band."""

from django.db.models import Sum
from django.utils import timezone

from dividends.services.splits import Late
from portfolios.domain.amounts import PPM, as_text
from portfolios.domain.holding import Rules
from portfolios.events import EventType
from portfolios.models import Event, Position
from portfolios.selectors import effective_rules
from portfolios.services.journal import Journal
from trading.brokers.base import Fill
from trading.domain.band import wake_band
from trading.domain.choices import Side
from trading.domain.costs import OURS, UNFILLED, Filled, add_fill, average_price
from trading.domain.order_life import OPEN_STATES, may_move
from trading.errors import IllegalMove
from trading.models import Execution, Order
from trading.services.late_shares import as_of_today, hold_at_ex_dates, since, told_of
from trading.services.quarantine import quarantine_if_wrong
from trading.services.sums import is_summed, prefix_of

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
    if fill.replaces:
        return book_correction(journal, position, order, fill)
    if not fill.quantity or find_execution(position, fill.execution_id) or is_counted(order, fill):
        return False
    late = order.status not in OPEN_STATES
    notional, fee = add_to(order, rules_of(position, order), fill)
    if not late:
        follow_fill(order)
    write_execution(order, position, fill, notional, fee)
    today = as_of_today(journal, position, order, fill.quantity, fill.at)
    write_fill(journal, order, kind_of(order, late), fill, notional, fee, today)
    if order.status == "filled" and not late:
        end(journal, position, order)
    hold_at_ex_dates(journal, position, order, fill.quantity, fill.at, today)
    quarantine_if_wrong(journal, position, order, fill)
    return True


def find_execution(position: Position, execution_id: str) -> Execution | None:
    return Execution.objects.filter(account=account_of(position), broker_execution_id=execution_id).first()


def is_counted(order: Order, fill: Fill) -> bool:
    """Whether the order is booked from running totals, which hold this fill already, or will."""
    return not fill.execution_id.startswith(prefix_of(order)) and is_summed(order)


def follow_fill(order: Order) -> None:
    """A part does not end the wish to cancel the rest."""
    if order.status == "new":
        move(order, "sending")
    if order.filled_quantity >= order.quantity:
        move(order, "filled")
    elif order.status != "cancelling":
        move(order, "partially_filled")


def add_to(order: Order, rules: Rules, fill: Fill) -> tuple[int, int]:
    """What the fill adds to notional and fee: the difference, so that parts cost what the whole costs."""
    before = order.filled
    keep_totals(order, add_fill(rules, order.side_asked, before, fill.quantity, fill.price, fill.commission))
    return order.notional - before.notional, order.fee - before.fee


def keep_totals(order: Order, totals: Filled) -> None:
    for name, value in zip(("filled_quantity", "gross", "rest", "notional", "fee"), totals, strict=True):
        setattr(order, name, value)


def book_correction(journal: Journal, position: Position, order: Order, fill: Fill) -> bool:
    """The broker takes back what it had reported (quantity 0), or says what it should have been: a reversing pair.

    False where it was booked before, or where the wrong one has never come: then there is nothing to reverse yet.
    """
    wrong = find_execution(position, fill.replaces)
    if wrong is None or hasattr(wrong, "reversal"):
        return False
    before = order.filled
    totals = recount(order, rules_of(position, order), without=wrong)
    write_execution(order, position, reversal_of(wrong, fill), *differences(totals, before), reverses=wrong)
    keep_totals(order, totals)
    if fill.quantity and not find_execution(position, fill.execution_id):  # a look-up may have brought it already
        notional, fee = add_to(order, rules_of(position, order), fill)
        write_execution(order, position, fill, notional, fee)
    changed = order.filled_quantity - before.quantity
    today = as_of_today(journal, position, order, changed, wrong.at)
    write_correction(journal, order, wrong, fill, before, promised_again(position, order), today)
    hold_at_ex_dates(journal, position, order, changed, wrong.at, today)
    quarantine_if_wrong(journal, position, order, fill)
    return True


def reversal_of(wrong: Execution, fill: Fill) -> Fill:
    return Fill(f"{fill.execution_id}-reversal", -wrong.quantity, wrong.price, OURS, fill.at)


def differences(after: Filled, before: Filled) -> tuple[int, int]:
    return after.notional - before.notional, after.fee - before.fee


def recount(order: Order, rules: Rules, *, without: Execution) -> Filled:
    """The totals of the fills that still hold."""
    totals = UNFILLED
    standing = order.executions.filter(reverses=None, reversal=None).exclude(pk=without.pk).order_by("pk")
    for row in standing:
        fee = OURS if row.reported_fee is None else row.reported_fee
        totals = add_fill(rules, order.side_asked, totals, row.quantity, row.price, fee)
    return totals


def promised_again(position: Position, order: Order) -> tuple[int, int]:
    """Cash and shares to be reserved again for what an open order may yet take, after a correction of its fills."""
    if order.status not in OPEN_STATES:
        return 0, 0
    told = Event.objects.of(position).filter(subject=order.public_id, d_reserved_cash__gt=0)
    promised = told.exclude(type=EventType.CORRECTION).aggregate(all=Sum("d_reserved_cash", default=0))["all"]
    left = max(promised - order.notional - order.fee, 0) if order.side_asked == Side.BUY else 0
    unsold = max(order.quantity - order.filled_quantity, 0) if order.side_asked == Side.SELL else 0
    cash, shares = left - order.reserved_cash, unsold - order.reserved_shares
    order.reserved_cash, order.reserved_shares = left, unsold
    return cash, shares


def write_correction(
    journal: Journal, order: Order, wrong: Execution, fill: Fill, before: Filled, again: tuple[int, int], today: Late
) -> None:
    """The event of a correction: what it changes in shares and cash; never the anchor."""
    shares = order.filled_quantity - before.quantity
    cash = (before.notional - order.notional) if order.side_asked == Side.BUY else (order.notional - before.notional)
    now = f"{as_text(fill.quantity)} at {as_text(fill.price)}" if fill.quantity else "nothing"
    was = f"{as_text(wrong.quantity)} at {as_text(wrong.price)}"
    message = f"The broker corrected a fill: {was} became {now}.{since(today)}"
    if (fill.quantity, fill.price) == (wrong.quantity, wrong.price):
        message = f"The broker named its fee: {as_text(order.fee)} for the order, {as_text(before.fee)} was booked."
    journal.add(
        EventType.CORRECTION,
        message,
        subject=order.public_id,
        shares=today.shares,
        cash=cash - (order.fee - before.fee) + today.cash,
        reserved_cash=again[0],
        reserved_shares=again[1],
        inputs={"execution_id": fill.execution_id, "replaces": fill.replaces, "at": fill.at.isoformat()},
        outputs={
            "side": order.side,
            "quantity": as_text(shares),
            "price": as_text(fill.price),
            "notional": as_text(order.notional - before.notional),
            "commission": as_text(order.fee - before.fee),
            "filled_quantity": as_text(order.filled_quantity),
            "reason": order.reason,
        }
        | told_of(today),
    )


def kind_of(order: Order, late: bool) -> EventType:
    if late:
        return EventType.OVERFILL if order.filled_quantity > order.quantity else EventType.LATE_FILL
    return EventType.ORDER_FILLED if order.status == "filled" else EventType.ORDER_PARTIALLY_FILLED


def write_execution(
    order: Order, position: Position, fill: Fill, notional: int, fee: int, reverses: Execution | None = None
) -> None:
    Execution.objects.create(
        order=order,
        account=account_of(position),
        broker_execution_id=fill.execution_id,
        quantity=fill.quantity,
        price=fill.price,
        notional=notional,
        commission=fee,
        commission_rate=order.commission_rate,
        reported_fee=None if fill.commission == OURS else fill.commission,
        reverses=reverses,
        slippage_ppm=slippage(order, fill.price),
        at=fill.at,
        recorded_at=timezone.now(),
    )


def write_fill(
    journal: Journal, order: Order, kind: EventType, fill: Fill, notional: int, fee: int, today: Late
) -> None:
    """The event of a fill: shares one way, notional and fee the other, and the reservation that is no longer needed."""
    buys = order.side_asked == Side.BUY
    cash = -(notional + fee) if buys else notional - fee
    freed_cash = order.reserved_cash if order.status == "filled" else min(order.reserved_cash, notional + fee)
    freed_shares = order.reserved_shares if order.status == "filled" else min(order.reserved_shares, fill.quantity)
    order.reserved_cash -= freed_cash
    order.reserved_shares -= freed_shares
    traded = f"{'Bought' if buys else 'Sold'} {as_text(fill.quantity)} at {as_text(fill.price)}"
    journal.add(
        kind,
        f"{traded} for {as_text(notional)}, fee {as_text(fee)}.{since(today)}",
        subject=order.public_id,
        shares=today.shares,
        cash=cash + today.cash,
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
        }
        | told_of(today),
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
    """The account as its executions name it."""
    return position.portfolio.account.code


def slippage(order: Order, price: int) -> int | None:
    """How much worse than the decision price a fill was, in ppm; None when there was no decision price."""
    if not order.decision_price:
        return None
    worse = price - order.decision_price if order.side_asked == Side.BUY else order.decision_price - price
    return worse * PPM // order.decision_price
