"""Sends orders and takes in what comes back. No transaction is open while the broker is asked."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from portfolios.domain.amounts import MAX_AMOUNT, MAX_PRICE, MIN_PRICE, PPM, as_text
from portfolios.errors import Refused
from portfolios.events import EventType
from portfolios.models import Event, Portfolio, Position
from portfolios.selectors import effective_rules
from portfolios.services.journal import Journal
from trading.brokers import broker_for
from trading.brokers.base import BrokerSilent, Fill, OrderRequest, Report
from trading.domain.choices import Side
from trading.domain.costs import OURS
from trading.market.calendars import calendar_for
from trading.market.models import Quote
from trading.market.selectors import exchange_of, market_now, newest_quote
from trading.models import Order
from trading.services.settlement import ENDINGS, account_of, book_fill, move, release, wake_after

DRIFTS_A_MINUTE = 3


def execute_order(*, order_id: int) -> None:
    """Carry one order one step on: send it, or or ask after it when it left before. May run any number of times."""
    request = begin_submission(order_id=order_id)
    if request is None:
        return
    broker = broker_for(Portfolio.Mode.PAPER)
    try:
        report = broker.find(request) if request.sent_before else None
        if report is None:
            report = broker.submit(request)
    except BrokerSilent:
        report = Report("unknown", note="the broker did not answer")
    record_report(order_id=order_id, report=report)


@transaction.atomic
def begin_submission(*, order_id: int) -> OrderRequest | None:
    """Mark the order as sending and return it as it leaves; None when there is nothing to send now.

    An order that left before comes back with `sent_before`: it is looked up, never blindly sent again.
    """
    position = Position.objects.locked().get(orders=order_id)
    order = Order.objects.get(pk=order_id)
    quote = newest_quote(position.symbol, position.source)
    if order.status not in ("new", "sending", "unknown", "accepted", "partially_filled") or quote is None:
        return None
    if order.status != "new":
        order.quote_at = quote.at
        order.save(update_fields=["quote_at"])
        return request_for(order, position, quote, sent_before=True)
    if not may_leave(position, order, quote):
        return None
    if has_drifted(order, position, quote):
        cancel_for_drift(order, position, quote)
        return None
    move(order, "sending")
    order.attempts += 1
    order.quote_at = quote.at
    order.save()
    journal = Journal(position, market_at=market_now(position.source), actor="robot")
    journal.add(
        EventType.ORDER_SUBMITTED,
        f"Sent to the {position.portfolio.mode} broker.",
        subject=order.public_id,
        outputs={"client_order_id": order.client_order_id, "attempt": order.attempts},
    )
    journal.write()
    return request_for(order, position, quote, sent_before=False)


def request_for(order: Order, position: Position, quote: Quote, *, sent_before: bool) -> OrderRequest:
    return OrderRequest(
        order_id=order.pk,
        account=account_of(position),
        client_order_id=order.client_order_id,
        symbol=position.symbol,
        side=order.side_asked,
        quantity=order.quantity,
        filled_quantity=order.filled_quantity,
        limit_price=order.limit_price or 0,
        price=quote.last,
        slippage=position.portfolio.paper_slippage,
        market_at=quote.at,
        sent_before=sent_before,
    )


def may_leave(position: Position, order: Order, quote: Quote) -> bool:
    """A person's order waits for an open market; live orders wait for an account."""
    if position.portfolio.mode != Portfolio.Mode.PAPER:
        return False
    if order.origin == Order.Origin.ROBOT:
        return True
    return calendar_for(exchange_of(position.symbol)).is_open(quote.at)


def has_drifted(order: Order, position: Position, quote: Quote) -> bool:
    """Whether the price moved too far since the robot decided."""
    if order.origin != Order.Origin.ROBOT or not order.decision_price:
        return False
    rules = effective_rules(position).rules
    return abs(quote.last - order.decision_price) * PPM > rules.drift * order.decision_price


def cancel_for_drift(order: Order, position: Position, quote: Quote) -> None:
    """Cancelled unsent, to be decided again at the new price; after three times a minute it is left alone."""
    journal = Journal(position, market_at=market_now(position.source), actor="robot")
    decided, now = as_text(order.decision_price or 0), as_text(quote.last)
    release(journal, position, order, "cancelled", EventType.ORDER_CANCELLED, f"Not sent: {decided} became {now}.")
    if drifts_since(position, timezone.now() - timedelta(minutes=1)) < DRIFTS_A_MINUTE:
        journal.add(EventType.REEVALUATED, f"To be decided again at {now}.", subject=order.public_id)
    else:
        outputs = {"action": "SKIP", "reason": "drift", "side": order.side}
        journal.add(EventType.SKIPPED, "The price keeps running away: no order now.", outputs=outputs)
        position.quote_at = quote.at
    journal.write(band=wake_after(position))


def drifts_since(position: Position, since: datetime) -> int:
    return Event.objects.of(position).filter(type=EventType.REEVALUATED, recorded_at__gte=since).count()


@transaction.atomic
def record_report(*, order_id: int, report: Report) -> Order:
    """Book what the broker said: each fill once, and the status if it leads on."""
    position = Position.objects.locked().get(orders=order_id)
    order = Order.objects.get(pk=order_id)
    journal = Journal(position, market_at=market_now(position.source), actor=f"broker:{position.portfolio.mode}")
    for fill in report.fills:
        book_fill(journal, position, order, fill)
    if report.status in ENDINGS and order.status not in (*ENDINGS, "filled"):
        message = f"{report.status.capitalize()}. {report.note}".strip()
        release(journal, position, order, report.status, ENDINGS[report.status], message)
    elif report.status == "accepted" and order.status in ("sending", "unknown"):
        move(order, "accepted")
        journal.add(EventType.ORDER_ACCEPTED, "Accepted; it rests at the broker.", subject=order.public_id)
        order.save()
    elif report.status == "unknown" and order.status == "sending":
        move(order, "unknown")
        journal.add(EventType.ORDER_UNKNOWN, f"Its fate is not known: {report.note}.", subject=order.public_id)
        order.save()
    if journal.events:
        journal.write(band=wake_after(position))
    return order


@transaction.atomic
def fill_by_hand(*, order_id: int, price: int, quantity: int, commission: int | None, actor: str) -> Order:
    """A person says how a paper order was filled. Raises Refused: live_order (403), order_ended (409), limits (422)."""
    position = Position.objects.locked().get(orders=order_id)
    order = Order.objects.get(pk=order_id)
    refuse_bad_fill(position, order, price, quantity, commission)
    journal = Journal(position, market_at=market_now(position.source), actor=actor)
    if order.status == "new":
        move(order, "sending")
        order.attempts += 1
        message = f"Sent to the {position.portfolio.mode} broker."
        journal.add(EventType.ORDER_SUBMITTED, message, subject=order.public_id)
    number = order.executions.count() + 1
    fee = OURS if commission is None else commission
    book_fill(
        journal,
        position,
        order,
        Fill(f"{order.client_order_id}-hand-{number}", quantity, price, fee, journal.market_at),
    )
    if position.cash < 0:
        raise Refused("insufficient_cash", f"would leave {as_text(position.cash)} in cash", field="filled_qty")
    journal.write(band=wake_after(position))
    return order


def refuse_bad_fill(position: Position, order: Order, price: int, quantity: int, commission: int | None) -> None:
    if position.portfolio.mode != Portfolio.Mode.PAPER:
        raise Refused("live_order", "only a paper order can be filled by hand", status=403)
    if order.status not in ("new", "accepted", "partially_filled"):
        raise Refused("order_ended", f"the order is {order.status}", status=409)
    if not MIN_PRICE <= price <= MAX_PRICE:
        raise Refused("out_of_range", "must be from 0.0001 to 1000000", field="price")
    remaining = order.quantity - order.filled_quantity
    if not 0 < quantity <= remaining:
        raise Refused("fill_too_large", f"must be above 0 and at most {as_text(remaining)}", field="filled_qty")
    if commission is not None and not 0 <= commission <= MAX_AMOUNT:
        raise Refused("out_of_range", "must be from 0 to 1000000000000", field="commission")
    if order.side_asked == Side.SELL and quantity > position.shares:
        raise Refused("insufficient_shares", f"the cell has {as_text(position.shares)} shares", field="filled_qty")
