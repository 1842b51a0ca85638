"""Sends orders and takes in what comes back. No transaction is open while the broker is asked."""

from datetime import datetime

from django.db import transaction

from portfolios.domain.amounts import MAX_AMOUNT, MAX_PRICE, MIN_PRICE, as_text
from portfolios.errors import Refused
from portfolios.events import EventType
from portfolios.models import Position
from portfolios.services.journal import Journal
from trading.brokers import broker_for
from trading.brokers.base import Broker, BrokerSilent, Fill, OrderRequest, Report, TooLate
from trading.brokers.paper import PaperBroker
from trading.domain.choices import Side
from trading.domain.costs import OURS
from trading.domain.order_life import OPEN_STATES
from trading.market.selectors import market_now
from trading.models import Order
from trading.risk.selectors import HERE
from trading.selectors import locked_cell_of
from trading.services.settlement import ENDINGS, book_fill, move, release, wake_after
from trading.services.submission import begin_submission, request_for, send_again
from trading.services.sums import in_its_own_terms


def execute_order(*, order_id: int) -> Order | None:
    """Carry one order one step on: send it, ask after it, or take it back. May run any number of times.

    The order after the broker's answer; None when there was nothing to ask.
    """
    request = begin_submission(order_id=order_id)
    if request is None:
        return None
    broker = broker_for(request.adapter, request.account)
    try:
        report = ask(broker, request)
    except BrokerSilent:
        report = Report("unknown", note="the broker did not answer")
    except TooLate:
        return None  # it is still here, and will be found not to have arrived
    if report is None:
        return None
    return record_report(order_id=order_id, report=report, asked=request)


def ask(broker: Broker, request: OrderRequest) -> Report | None:
    """One question or two, without a transaction. None where the broker denies the order and it is not sent again."""
    if request.cancels:
        return broker.cancel(request)
    if not request.sent_before:
        return broker.submit(request)
    report = broker.find(request)
    if report is not None:
        return report
    again = send_again(order_id=request.order_id, grace=broker.grace)
    return broker.submit(again) if again else None


@transaction.atomic
def record_report(*, order_id: int, report: Report, asked: OrderRequest | None = None, actor: str = "") -> Order:
    """Book what the broker said, asked or not: each fill once, and the status if it leads on."""
    position, order = locked_cell_of(order_id)
    spoke = actor or f"broker:{position.portfolio.account.adapter}"
    journal = Journal(position, market_at=market_now(position.source), actor=spoke)
    for fill in in_its_own_terms(order, report.fills):
        book_fill(journal, position, order, fill)
    follow(journal, position, order, report)
    if asked:
        order.quote_at = asked.market_at  # only now has the order seen this price: a lost answer is asked for again
    order.save()
    if journal.events:
        journal.write(band=wake_after(position))
    return order


def follow(journal: Journal, position: Position, order: Order, report: Report) -> None:
    """Move the order to the status the broker reports, where its life allows it; an ended order stays ended."""
    if report.status in ENDINGS and order.status in OPEN_STATES:
        if order.status == "new":
            move(order, "sending")
        if order.status == "sending" and report.status != "rejected":  # we never heard that it was accepted
            accept(journal, order)
        ending = "cancelled" if order.status == "cancelling" else report.status  # whatever it was that took it away
        message = f"{report.status.capitalize()}. {report.note}".strip()
        release(journal, position, order, ending, ENDINGS[ending], message)
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
    """A person says how an order was filled, on paper or by his own hand.

    Raises Refused: live_order (403), order_ended (409), limits (422).
    """
    position, order = locked_cell_of(order_id)
    refuse_bad_fill(position, order, price, quantity, commission)
    journal = Journal(position, market_at=market_now(position.source), actor=actor)
    if order.status == "new":
        move(order, "sending")
        order.attempts += 1
        message = f"Sent to the {position.portfolio.account.adapter} broker."
        journal.add(EventType.ORDER_SUBMITTED, message, subject=order.public_id)
    fee = OURS if commission is None else commission
    for fill in fills_by_hand(position, order, journal.market_at, quantity, price, fee):
        book_fill(journal, position, order, fill)
    if position.cash < 0:
        raise Refused("insufficient_cash", f"would leave {as_text(position.cash)} in cash", field="filled_qty")
    order.save()
    journal.write(band=wake_after(position))
    return order


def fills_by_hand(
    position: Position, order: Order, at: datetime, quantity: int, price: int, fee: int
) -> tuple[Fill, ...]:
    """On paper the venue is told, in this very transaction, so that its book stays the truth. Raises Refused."""
    account = position.portfolio.account
    if account.adapter == "none":
        return (Fill(f"{order.client_order_id}-hand-{order.executions.count() + 1}", quantity, price, fee, at),)
    venue = broker_for(account.adapter, account.code)
    if not isinstance(venue, PaperBroker):
        raise Refused("live_order", "only a paper order can be filled by hand", status=403)
    request = request_for(order, position, None, at, sent_before=True)
    report = venue.fill_by_hand(request, quantity, price, fee)
    if report is None:
        raise Refused("order_ended", "the paper broker was faster", status=409)
    return report.fills


def refuse_bad_fill(position: Position, order: Order, price: int, quantity: int, commission: int | None) -> None:
    if position.portfolio.account.adapter not in HERE:
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
