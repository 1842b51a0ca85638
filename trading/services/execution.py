"""Sends orders and takes in what comes back. No transaction is open while the broker is asked."""

from django.db import transaction

from portfolios.domain.amounts import MAX_AMOUNT, MAX_PRICE, MIN_PRICE, as_text
from portfolios.errors import Refused
from portfolios.events import EventType
from portfolios.models import Portfolio, Position
from portfolios.services.journal import Journal
from trading.brokers import broker_for
from trading.brokers.base import BrokerSilent, Fill, OrderRequest, Report
from trading.domain.choices import Side
from trading.domain.costs import OURS
from trading.domain.order_life import OPEN_STATES, may_move
from trading.market.selectors import market_now
from trading.models import Order
from trading.services.settlement import ENDINGS, book_fill, move, release, wake_after
from trading.services.submission import begin_submission


def execute_order(*, order_id: int) -> Order | None:
    """Carry one order one step on: send it, or ask after it when it left before. May run any number of times.

    The order after the broker's answer; None when there was nothing to ask.
    """
    request = begin_submission(order_id=order_id)
    if request is None:
        return None
    broker = broker_for(Portfolio.Mode.PAPER)
    try:
        report = broker.find(request) if request.sent_before else None
        if report is None:
            report = broker.submit(request)
    except BrokerSilent:
        report = Report("unknown", note="the broker did not answer")
    return record_report(order_id=order_id, report=report, asked=request)


@transaction.atomic
def record_report(*, order_id: int, report: Report, asked: OrderRequest | None = None) -> Order:
    """Book what the broker said, asked or not: each fill once, and the status if it leads on."""
    position = Position.objects.locked().get(orders=order_id)
    order = Order.objects.get(pk=order_id)
    if asked and is_overtaken(position, order, asked):
        return order
    journal = Journal(position, market_at=market_now(position.source), actor=f"broker:{position.portfolio.mode}")
    for fill in report.fills:
        book_fill(journal, position, order, fill)
    follow(journal, position, order, report)
    if asked:
        order.quote_at = asked.market_at  # only now has the order seen this price: a lost answer is asked for again
    order.save()
    if journal.events:
        journal.write(band=wake_after(position))
    return order


def is_overtaken(position: Position, order: Order, asked: OrderRequest) -> bool:
    """Whether a paper order was filled by hand while the paper broker, which keeps no book, was answering."""
    return position.portfolio.mode == Portfolio.Mode.PAPER and order.filled_quantity != asked.filled_quantity


def follow(journal: Journal, position: Position, order: Order, report: Report) -> None:
    """Move the order to the status the broker reports, where its life allows it; an ended order stays ended."""
    if report.status in ENDINGS and order.status in OPEN_STATES:
        if not may_move(order.status, report.status):  # we never heard that it was accepted before it ended
            accept(journal, order)
        message = f"{report.status.capitalize()}. {report.note}".strip()
        release(journal, position, order, report.status, ENDINGS[report.status], message)
    elif report.status == "accepted" and order.status in ("sending", "unknown"):
        accept(journal, order)
    elif report.status == "unknown" and order.status == "sending":
        move(order, "unknown")
        journal.add(EventType.ORDER_UNKNOWN, f"Its fate is not known: {report.note}.", subject=order.public_id)


def accept(journal: Journal, order: Order) -> None:
    move(order, "accepted")
    journal.add(EventType.ORDER_ACCEPTED, "Accepted; it rests at the broker.", subject=order.public_id)


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
    order.save()
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
