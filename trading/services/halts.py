"""Stops trading and lets it go on again: a cell, a portfolio, an account, or the whole house. Every order reads it.

Lock order: first the row whose log gets the event, then the lock between halts and orders that leave. An order holds
its cell's row when it asks for that lock, so the other way round would be a circle.
"""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from portfolios.errors import Refused
from portfolios.events import EventType
from portfolios.models import Account, House, Portfolio, Position
from portfolios.services.journal import Journal, Row
from portfolios.services.positions import refuse_unreasoned
from trading.market.selectors import market_now
from trading.risk.locks import take
from trading.risk.models import Halt
from trading.risk.selectors import orders_to_clear, states_to_clear
from trading.selectors import locked_cell_of
from trading.services.ordering import take_back
from trading.services.settlement import wake_after

PEOPLE = ("user:", "token:", "shell:")


def halt(*, scope: str, target_id: int | None, reason: str, actor: str, cancels: bool = False) -> Halt:
    """From its commit on nothing more is decided here, and half a second later nothing leaves. Then orders are cleared.

    Halting what is halted already gives the halt in force. Raises Refused invalid_reason; DoesNotExist. Several
    transactions: ring afterwards for the orders that are `cancelling`.
    """
    in_force = write_halt(scope=scope, target_id=target_id, reason=reason, actor=actor, cancels=cancels)
    clear_orders(halt_id=in_force.pk)
    return in_force


@transaction.atomic
def write_halt(*, scope: str, target_id: int | None, reason: str, actor: str, cancels: bool) -> Halt:
    refuse_unreasoned(reason)
    row = locked_row(scope, target_id)
    target = {} if scope == Halt.Scope.GLOBAL else {f"{scope}_id": row.pk}
    known = Halt.objects.in_force().filter(scope=scope, **target).first()
    if known:
        return asked_for_more(known, cancels)
    take()
    written = Halt.objects.create(
        scope=scope, **target, reason=reason, cancels=cancels, halted_by=actor, halted_at=timezone.now()
    )
    orders = "Orders at the broker are asked back." if cancels else "Orders at the broker stay there."
    tell(row, EventType.HALTED, f"Trading halted: {reason.rstrip('.')}. {orders}", written, reason, actor)
    return written


def asked_for_more(known: Halt, cancels: bool) -> Halt:
    if cancels and not known.cancels:
        known.cancels = True
        known.save(update_fields=["cancels"])
    return known


@transaction.atomic
def rearm(*, halt_id: int, reason: str, actor: str) -> Halt:
    """Lift one halt. What other halts stop stays stopped. Lifting it again changes nothing.

    Raises Refused: invalid_reason (422), no_person (403).
    """
    refuse_unreasoned(reason)
    if not actor.startswith(PEOPLE):
        raise Refused("no_person", "only a person may arm trading again", status=403)
    known = Halt.objects.get(pk=halt_id)
    row = locked_row(known.scope, known.target_id)
    known.refresh_from_db()
    if known.rearmed_at is None:
        known.rearmed_at, known.rearmed_by, known.rearm_reason = timezone.now(), actor, reason
        known.save(update_fields=["rearmed_at", "rearmed_by", "rearm_reason"])
        tell(row, EventType.REARMED, f"Trading armed again: {reason.rstrip('.')}.", known, reason, actor)
    return known


def locked_row(scope: str, target_id: int | None) -> Row:
    """The row whose log tells of a halt of this scope. Raises DoesNotExist."""
    if scope == Halt.Scope.GLOBAL:
        House.objects.get_or_create(pk=1)
        return House.objects.select_for_update(no_key=True).get(pk=1)
    wanted = {"pk": target_id}
    if scope == Halt.Scope.POSITION:
        return Position.objects.locked().get(**wanted)
    if scope == Halt.Scope.PORTFOLIO:
        return Portfolio.objects.select_for_update(no_key=True).get(**wanted)
    return Account.objects.select_for_update(no_key=True).get(**wanted)


def tell(row: Row, kind: EventType, message: str, subject: Halt, reason: str, actor: str) -> None:
    journal = Journal(row, market_at=instant_for(row), actor=actor)
    inputs = {"scope": subject.scope, "reason": reason, "cancels": "yes" if subject.cancels else "no"}
    journal.add(kind, message, subject=subject.public_id, inputs=inputs)
    journal.write()


def instant_for(row: Row) -> datetime:
    """Market time where there is one market; accounts and the house have none."""
    return market_now(row.source) if isinstance(row, Position | Portfolio) else timezone.now()


def clear_orders(*, halt_id: int) -> None:
    """End what has not left, ask back what rests at the broker if that is wanted. May run any number of times."""
    for order_id in orders_to_clear(Halt.objects.get(pk=halt_id)):
        clear_order(order_id=order_id, halt_id=halt_id)


@transaction.atomic
def clear_order(*, order_id: int, halt_id: int) -> None:
    position, order = locked_cell_of(order_id)
    known = Halt.objects.get(pk=halt_id)
    if known.rearmed_at or order.status not in states_to_clear(known):
        return
    journal = Journal(position, market_at=market_now(position.source), actor=known.halted_by)
    take_back(journal, position, order, f"Not sent: trading is halted ({known.reason}).")
    journal.write(band=wake_after(position))
