"""The inbox: whatever a broker tells us, by webhook, stream or poll, is stored as it came and then worked on, once.

A message that cannot be booked yet is parked: it is tried again, and a person sees it. None is ever dropped.
"""

from datetime import timedelta
from typing import NamedTuple

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from portfolios.errors import Refused
from portfolios.models import Account, Position
from trading.brokers import reader_for
from trading.brokers.base import BadMessage, Fill, News, Report, UnknownType
from trading.models import Execution, InboxMessage, Order
from trading.services.amendments import meant
from trading.services.execution import record_report
from trading.services.news import read_news
from trading.services.quarantine import quarantine
from trading.services.settlement import ENDINGS
from trading.services.sums import is_summed, may_be_summed, whole

log = structlog.get_logger(__name__)
Status = InboxMessage.Status
TO_BE_WORKED_ON = (Status.RECEIVED, Status.PARKED)
HEARTBEATS_KEPT = timedelta(days=7)
A_MOMENT = timedelta(seconds=1)


class Outcome(NamedTuple):
    status: InboxMessage.Status
    note: str = ""


def parked(note: str) -> Outcome:
    return Outcome(Status.PARKED, note[:300])


@transaction.atomic
def receive(
    *, account_id: int, channel: InboxMessage.Channel, delivery_id: str, body: str
) -> tuple[InboxMessage, bool]:
    """Store one delivery that is known to be genuine, and whether it is new. The channel was heard.

    Raises Refused delivery_id_reused (409) where another body came under this id.
    """
    candidate = InboxMessage(account_id=account_id, channel=channel, delivery_id=delivery_id, body=body)
    InboxMessage.objects.bulk_create([candidate], ignore_conflicts=True)
    message = InboxMessage.objects.get(account_id=account_id, channel=channel, delivery_id=delivery_id)
    if message.body != body:
        log.warning("delivery id reused", account_id=account_id, delivery_id=delivery_id)
        raise Refused("delivery_id_reused", "another body was delivered under this id", status=409)
    is_new = message.public_id == candidate.public_id
    if is_new:
        hear_of(account_id)
    return message, is_new


def hear_of(account_id: int) -> None:
    """A sign of life from the channel that tells of its fills; written down once a moment at most."""
    now = timezone.now()
    silent = Q(heard_at=None) | Q(heard_at__lt=now - A_MOMENT)
    Account.objects.filter(silent, pk=account_id).update(heard_at=now)


@transaction.atomic
def process_message(*, message_id: int, patience_ms: int = 0) -> InboxMessage:
    """Work on one message, any number of times: what is done is not done again.

    With `patience_ms` no lock is waited for any longer than that: OperationalError, and the message stays as it was.
    """
    if patience_ms:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [str(patience_ms)])
    message = InboxMessage.objects.select_for_update().get(pk=message_id)
    if message.status not in TO_BE_WORKED_ON:
        return message
    message.attempts += 1
    message.status, message.note = worked_on(message)
    message.processed_at = timezone.now()
    message.save(update_fields=["attempts", "status", "note", "order", "processed_at"])
    return message


def worked_on(message: InboxMessage) -> Outcome:
    try:
        news = read(message)
    except UnknownType as unknown:
        return parked(f"unknown type {unknown}")
    except BadMessage as bad:
        return Outcome(Status.REFUSED, str(bad)[:300])
    if news is None:
        return Outcome(Status.PROCESSED)
    ours = Position.objects.locked().filter(portfolio__account=message.account_id)
    position = ours.filter(orders__client_order_id=news.client_order_id).first()
    if position is None:
        return parked("no order of this account has this client_order_id")
    message.order = Order.objects.get(client_order_id=news.client_order_id)
    return taken_in(message, position, message.order, news)


def read(message: InboxMessage) -> News | None:
    """A stream speaks its broker's words; every other channel ours. Raises BadMessage, UnknownType."""
    if message.channel == InboxMessage.Channel.STREAM:
        return reader_for(message.account.adapter)(message.body)
    return read_news(message.body)


def taken_in(message: InboxMessage, position: Position, order: Order, news: News) -> Outcome:
    """Booked, or why not. What contradicts our books stops the cell, the first time that it is seen."""
    try:
        with transaction.atomic():
            news = meant(message, order, news)
            wrong = contradiction(position, order, news)
            outcome = parked(wrong) if wrong else booked(position, order, news)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # a true fill must not be lost, whatever is wrong with it
        log.exception("message not booked", message_id=message.pk)
        wrong = f"{type(error).__name__} while booking what the broker told"
        outcome = parked(wrong)
    if wrong and message.attempts == 1:
        quarantine(position_id=position.pk, why=wrong)
    return outcome


def contradiction(position: Position, order: Order, news: News) -> str:
    """Why this cannot be about our order, in words; empty where it can."""
    if (news.symbol, news.side) != (position.symbol, order.side_asked):
        ours, theirs = f"{order.side} {position.symbol}", f"{news.side.name} {news.symbol}"
        return f"the broker tells of {theirs} for an order to {ours}"
    known = [execution for execution in named_in(position, news.fill) if execution.order_id != order.pk]
    if known:
        return f"execution {known[0].broker_execution_id} was told for another order before"
    return ""


def named_in(position: Position, fill: Fill | None) -> list[Execution]:
    if fill is None:
        return []
    account = position.portfolio.account.code
    return list(Execution.objects.filter(account=account, broker_execution_id__in=[fill.execution_id, fill.replaces]))


def booked(position: Position, order: Order, news: News) -> Outcome:
    if news.fill and news.fill.replaces:
        return corrected(position, order, news.fill)
    if news.before not in (-1, order.filled_quantity):
        return out_of_turn(order, news)
    summed = is_summed(order)
    if news.fill and not summed:
        return filled(position, order, news, news.fill)
    if news.total < 0:
        return parked("counted from running totals, and this message has none: look it up")
    if news.total <= order.filled_quantity:
        return followed(order, news, None)
    if not news.average or not (summed or may_be_summed(order)):
        return parked("more is filled than was told by execution: look it up")
    return followed(order, news, whole(order, news.total, news.average, news.at))


def out_of_turn(order: Order, news: News) -> Outcome:
    """A fill named by its total is booked only where nothing is missing before it."""
    if news.total <= order.filled_quantity:
        return followed(order, news, None)
    return parked("fills before this one were not told: look it up")


def filled(position: Position, order: Order, news: News, fill: Fill) -> Outcome:
    """By its execution id, once; the same id with other figures is for a person."""
    for known in named_in(position, fill):
        if (known.quantity, known.price) != (fill.quantity, fill.price):
            return parked(f"execution {fill.execution_id} was told with other figures before")
        return followed(order, news, None)
    return followed(order, news, fill)


def followed(order: Order, news: News, fill: Fill | None) -> Outcome:
    """Book the fill and move on to the status told. An end waits for the fills before it: it moves the anchor."""
    if fill:
        order = record_report(order_id=order.pk, report=Report("", (fill,)))
    from_totals = news.fill is None or fill not in (None, news.fill)
    if news.total > order.filled_quantity and (news.status in ENDINGS or from_totals):
        return parked("more is filled than was told so far: look it up")
    if news.status:
        record_report(order_id=order.pk, report=Report(news.status))
    return Outcome(Status.PROCESSED)


def corrected(position: Position, order: Order, fill: Fill) -> Outcome:
    """A correction needs what it corrects; once made, it is made."""
    record_report(order_id=order.pk, report=Report("", (fill,)))
    account = position.portfolio.account.code
    reversal = f"{fill.execution_id}-reversal"
    if Execution.objects.filter(account=account, broker_execution_id=reversal).exists():
        return Outcome(Status.PROCESSED)
    wrong = Execution.objects.filter(account=account, broker_execution_id=fill.replaces).first()
    return parked("it was corrected otherwise before" if wrong else "what it corrects has not come yet")


def forget_old_heartbeats() -> int:
    """Signs of life are kept a week; whatever told of an order, and whatever was not understood, for good."""
    past = timezone.now() - HEARTBEATS_KEPT
    signs = InboxMessage.objects.filter(status=Status.PROCESSED, order=None, received_at__lt=past)
    return signs.delete()[0]
