"""Lets an order leave, or finds that it must not: the market moved, the money no longer suffices, it left before."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from portfolios.domain.amounts import MAX_AMOUNT, PPM, as_text
from portfolios.domain.exact import muldiv_ceil
from portfolios.events import EventType
from portfolios.models import Event, Portfolio, Position
from portfolios.selectors import effective_rules
from portfolios.services.journal import Journal
from trading.brokers.base import OrderRequest
from trading.domain.choices import Side
from trading.domain.costs import cash_to_reserve, notional_of
from trading.market.calendars import calendar_for
from trading.market.models import Quote
from trading.market.selectors import exchange_of, market_now, newest_quote
from trading.models import Order
from trading.services.settlement import account_of, move, release, rules_of, wake_after
from trading.sight import Sight, see

DRIFTS_A_MINUTE = 3
GOING_ON = ("sending", "unknown", "accepted", "partially_filled")


@transaction.atomic
def begin_submission(*, order_id: int) -> OrderRequest | None:
    """Mark the order as sending and return it as it leaves; None when there is nothing to send now.

    An order that left before comes back with `sent_before`: it is looked up, never blindly sent again.
    """
    position = Position.objects.locked().get(orders=order_id)
    order = Order.objects.get(pk=order_id)
    quote = newest_quote(position.symbol, position.source)
    if quote is None:
        return None
    market_at = market_now(position.source)
    sight = see(quote, market_at, effective_rules(position).rules)
    if order.status in GOING_ON:
        return request_for(order, position, sight, sent_before=True)
    if order.status != "new":
        return None
    if not may_leave(position, order, quote):
        Order.objects.filter(pk=order_id).update(quote_at=quote.at)  # it has seen this price and waits for another
        return None
    journal = Journal(position, market_at=market_at, actor="robot")
    if has_drifted(order, position, sight):
        cancel_for_drift(journal, order, position, sight)
        return None
    cost = cost_now(order, position, sight)
    if cost > free_for(order, position):
        cancel_for_cost(journal, order, position, cost)
        return None
    if proceeds_now(order, sight) + position.cash > MAX_AMOUNT:
        message = "Not sent: the cell would hold more cash than the limit of 1000000000000."
        release(journal, position, order, "cancelled", EventType.ORDER_CANCELLED, message)
        journal.write(band=wake_after(position))
        return None
    send(journal, order, position, quote, max(cost, order.reserved_cash))
    return request_for(order, position, sight, sent_before=False)


def send(journal: Journal, order: Order, position: Position, quote: Quote, reserve: int) -> None:
    """Committed before the first byte leaves; what the order may cost is known now at the latest, and reserved."""
    move(order, "sending")
    more = reserve - order.reserved_cash
    order.attempts += 1
    order.quote_at = quote.at
    order.reserved_cash = reserve
    order.save()
    journal.add(
        EventType.ORDER_SUBMITTED,
        f"Sent to the {position.portfolio.mode} broker.",
        subject=order.public_id,
        reserved_cash=more,
        outputs={"client_order_id": order.client_order_id, "attempt": order.attempts},
    )
    journal.write()


def request_for(order: Order, position: Position, sight: Sight, *, sent_before: bool) -> OrderRequest:
    return OrderRequest(
        order_id=order.pk,
        account=account_of(position),
        client_order_id=order.client_order_id,
        symbol=position.symbol,
        side=order.side_asked,
        quantity=order.quantity,
        filled_quantity=order.filled_quantity,
        limit_price=order.limit_price or 0,
        price=sight.price,
        slippage=position.portfolio.paper_slippage,
        market_at=sight.at,
        sent_before=sent_before,
    )


def may_leave(position: Position, order: Order, quote: Quote) -> bool:
    """A person's order waits for an open market; live orders wait for an account."""
    if position.portfolio.mode != Portfolio.Mode.PAPER:
        return False
    if order.origin == Order.Origin.ROBOT:
        return True
    return calendar_for(exchange_of(position.symbol)).is_open(quote.at)


def has_drifted(order: Order, position: Position, sight: Sight) -> bool:
    """Whether the price moved too far since the robot decided."""
    if order.origin != Order.Origin.ROBOT or not order.decision_price:
        return False
    rules = effective_rules(position).rules
    return abs(sight.price - order.decision_price) * PPM > rules.drift * order.decision_price


def cancel_for_drift(journal: Journal, order: Order, position: Position, sight: Sight) -> None:
    """Cancelled unsent, to be decided again at the new price; after three times a minute it is left alone."""
    decided, now = as_text(order.decision_price or 0), as_text(sight.price)
    release(journal, position, order, "cancelled", EventType.ORDER_CANCELLED, f"Not sent: {decided} became {now}.")
    if drifts_since(position, timezone.now() - timedelta(minutes=1)) < DRIFTS_A_MINUTE:
        journal.add(EventType.REEVALUATED, f"To be decided again at {now}.", subject=order.public_id)
    else:
        outputs = {"action": "SKIP", "reason": "drift", "side": order.side}
        journal.add(EventType.SKIPPED, "The price keeps running away: no order now.", outputs=outputs)
        position.quote_at = sight.at
    journal.write(band=wake_after(position))


def drifts_since(position: Position, since: datetime) -> int:
    return Event.objects.of(position).filter(type=EventType.REEVALUATED, recorded_at__gte=since).count()


def cost_now(order: Order, position: Position, sight: Sight) -> int:
    """What a buy would take at today's price, fee included (micros); a sale takes no cash."""
    if order.side_asked == Side.SELL:
        return 0
    market = muldiv_ceil(sight.price, PPM + position.portfolio.paper_slippage, PPM)
    return cash_to_reserve(rules_of(position, order), order.quantity, order.limit_price or market)


def proceeds_now(order: Order, sight: Sight) -> int:
    """What a sale would bring in at today's price, or its limit where that is better (micros)."""
    if order.side_asked == Side.BUY:
        return 0
    return notional_of(Side.SELL, order.quantity, max(sight.price, order.limit_price or 0))


def free_for(order: Order, position: Position) -> int:
    """Settled cash that no other order is promised."""
    return max(position.cash - position.reserved_cash + order.reserved_cash, 0)


def cancel_for_cost(journal: Journal, order: Order, position: Position, cost: int) -> None:
    """A price that was not known, or not this high, when the order was written."""
    message = f"Not sent: it would cost {as_text(cost)}, {as_text(free_for(order, position))} is free."
    release(journal, position, order, "cancelled", EventType.ORDER_CANCELLED, message)
    journal.write(band=wake_after(position))
