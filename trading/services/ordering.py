"""Writes orders: the robot's from a decision, a person's from a request; reserves what they may cost."""

import uuid
from datetime import datetime
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import BooleanField, Exists, F, Func, OuterRef, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Coalesce

from portfolios.domain.amounts import MAX_AMOUNT, MAX_PRICE, MICROS, MIN_PRICE, as_text
from portfolios.domain.holding import Rules
from portfolios.errors import Refused
from portfolios.events import EventType
from portfolios.models import Position, User
from portfolios.prepared import PreparedRead, Slot, new_row
from portfolios.selectors import effective_rules
from portfolios.services.journal import Journal
from portfolios.services.positions import refuse_closed
from trading.brokers.base import PREFIX
from trading.brokers.models import Ability
from trading.domain.choices import Side
from trading.domain.costs import cash_to_reserve, reservation_price
from trading.domain.order_life import CANCELLABLE, UNSENT
from trading.market.models import Instrument, MarketClock, Quote
from trading.market.selectors import instant_of, market_now
from trading.models import Order
from trading.risk.models import Halt
from trading.risk.selectors import NOT_TRADABLE, NOT_TRADED_THERE, UNTRADED
from trading.selectors import locked_cell_of
from trading.services.settlement import move, release, wake_after

ONE_OPEN = "one_open_order_per_position"


def new_order(
    position: Position,
    rules: Rules,
    *,
    origin: str,
    key: str,
    side: Side,
    quantity: int,
    limit: int | None,
    reason: str,
    public_id: uuid.UUID | None = None,
) -> Order:
    public_id = public_id or uuid.uuid4()
    order = new_row(
        Order,
        public_id=public_id,
        position_id=position.pk,
        origin=origin,
        key=key,
        client_order_id=f"{PREFIX}{public_id.hex}",
        side=side.name,
        quantity=quantity,
        limit_price=limit,
        lasts=Order.Lasts.DAY if origin == Order.Origin.ROBOT else Order.Lasts.UNTIL_CANCELLED,
        reason=reason,
        commission_rate=rules.commission_rate,
        commission_min=rules.commission_min,
    )
    order.position = position
    return order


def intend(journal: Journal, order: Order, reserve_cash: int) -> Order:
    """The order and its reservation, stored when the journal is; committed before anything leaves."""
    journal.added.append(order)
    return write_intent(journal, order, reserve_cash)


def write_intent(journal: Journal, order: Order, reserve_cash: int) -> Order:
    """It is open from here on, and what it may cost is promised to it."""
    order.reserved_cash = reserve_cash
    order.reserved_shares = order.quantity if order.side_asked == Side.SELL else 0
    limit = f" at {as_text(order.limit_price)} or better" if order.limit_price else ""
    journal.add(
        EventType.ORDER_INTENT,
        f"{order.side.capitalize()} {as_text(order.quantity)}{limit}.",
        subject=order.public_id,
        reserved_cash=order.reserved_cash,
        reserved_shares=order.reserved_shares,
        inputs={"origin": order.origin, "reason": order.reason, "key": order.key},
        outputs={
            "side": order.side,
            "quantity": as_text(order.quantity),
            "limit_price": as_text(order.limit_price) if order.limit_price else "",
            "client_order_id": order.client_order_id,
        },
    )
    return order


class Scene(NamedTuple):
    """What an order is judged by: the locked cell, the newest price (micros), market time, what is in its way.

    halted: why trading is halted or the symbol not traded, if so.
    """

    position: Position
    price: int | None
    market_at: datetime
    has_open_order: bool
    halted: str | None


def scene() -> QuerySet[Position]:
    quotes = Quote.objects.filter(symbol=OuterRef("symbol"), source=OuterRef("source")).order_by("-at")
    clocks = MarketClock.objects.filter(source=OuterRef("source"))
    halts = Halt.objects.in_force().reaching(OuterRef("portfolio"), OuterRef("portfolio__account"), OuterRef("pk"))
    listed = Func(F("untradable"), OuterRef("symbol"), function="jsonb_exists", output_field=BooleanField())
    untraded_there = Ability.objects.filter(listed, account=OuterRef("portfolio__account__code"))
    untraded = Instrument.objects.filter(symbol=OuterRef("symbol"), tradable=False)
    return (
        Position.objects.locked()
        .filter(pk=Slot("position"))
        .annotate(
            price_now=Subquery(quotes.values("last")[:1]),
            clock_at=Subquery(clocks.values("at")),
            clock_begins_on=Subquery(clocks.values("begins_on")),
            has_open_order=Exists(Order.objects.filter(position=OuterRef("pk")).open()),
            halted=Coalesce(
                Subquery(halts.order_by("pk").values("reason")[:1]),
                Subquery(untraded.values(why=Value(NOT_TRADABLE, output_field=TextField()))[:1]),
                Subquery(untraded_there.values(why=Value(NOT_TRADED_THERE, output_field=TextField()))[:1]),
                output_field=TextField(),
            ),
        )
    )


SCENE = PreparedRead(scene)


def locked_scene(position_id: int) -> Scene:
    found: Any = SCENE.first(position=position_id)
    if found is None:
        raise Position.DoesNotExist
    market_at = instant_of(found.clock_at, found.clock_begins_on)
    return Scene(found, found.price_now, market_at, found.has_open_order, found.halted)


def write_order(
    *,
    position_id: int,
    side: Side,
    quantity: int,
    limit: int | None,
    author: User,
    actor: str,
    key: str,
    public_id: uuid.UUID | None = None,
) -> Order:
    """A person's order, inside a transaction. It reserves what can be known; without a price it waits for one.

    Raises Refused: order_open, position_closed (409), quarantined, halted (423), out_of_range, whole_shares_only,
    insufficient_cash or insufficient_shares (422).
    """
    position, price, market_at, has_open_order, halted = locked_scene(position_id)
    effective = effective_rules(position)
    reserve = reservation_for(position, effective.rules, side, quantity, limit, price, has_open_order, halted)
    order = new_order(
        position,
        effective.rules,
        origin=Order.Origin.PERSON,
        key=f"{position.public_id}|person|{key}",
        side=side,
        quantity=quantity,
        limit=limit,
        reason="person",
        public_id=public_id,
    )
    order.author = author
    order.decided_at = market_at
    order.decision_price = price
    journal = Journal(position, market_at=market_at, actor=actor, effective=effective)
    intend(journal, order, reserve)
    try:
        journal.write()
    except IntegrityError as error:
        if ONE_OPEN not in str(error):
            raise
        raise order_open() from error  # it was written while we waited for the lock
    return order


place_order = transaction.atomic(write_order)


def order_open() -> Refused:
    return Refused("order_open", "this cell has an open order; wait for it or cancel it", status=409)


def reservation_for(
    position: Position,
    rules: Rules,
    side: Side,
    quantity: int,
    limit: int | None,
    price_now: int | None,
    has_open_order: bool,
    halted: str | None,
) -> int:
    """Cash that a person's order would be promised (micros). Raises Refused as placing it would."""
    refuse_closed(position)
    if position.state == Position.Status.QUARANTINED:
        raise Refused("quarantined", "this cell is quarantined until somebody has looked", status=423)
    if halted:
        message = halted if halted in UNTRADED else f"trading is halted: {halted}"
        raise Refused("halted", message, status=423)
    refuse_bad_order(position, rules, side, quantity, limit, has_open_order)
    price = limit or (reservation_price(rules._replace(limit_orders=0), price_now) if price_now is not None else 0)
    return reserve_for_person(position, rules, side, quantity, price)


def refuse_bad_order(
    position: Position, rules: Rules, side: Side, quantity: int, limit: int | None, has_open_order: bool
) -> None:
    if not 0 < quantity <= MAX_AMOUNT:
        raise Refused("out_of_range", "must be above 0 and at most 1000000000000", field="qty")
    if quantity % rules.lot:
        step = "whole shares only" if rules.lot == MICROS else f"steps of {as_text(rules.lot)} shares only"
        raise Refused("whole_shares_only", f"this cell trades {step}", field="qty")
    if limit is not None and not MIN_PRICE <= limit <= MAX_PRICE:
        raise Refused("out_of_range", "must be from 0.0001 to 1000000", field="limit_price")
    if has_open_order:
        raise order_open()
    if side == Side.SELL and quantity > position.shares - position.reserved_shares:
        free = as_text(max(position.shares - position.reserved_shares, 0))
        raise Refused("insufficient_shares", f"at most {free} shares are free", field="qty")
    if side == Side.BUY and position.shares + quantity > MAX_AMOUNT:
        raise Refused("out_of_range", "a cell may hold at most 1000000000000 shares", field="qty")


def reserve_for_person(position: Position, rules: Rules, side: Side, quantity: int, price: int) -> int:
    """Cash to promise (micros): by the function the cash trim uses, 0 for a sale or while no price is known.

    What the cell could not pay for at the lowest price there is, is refused all the same.
    """
    if side == Side.SELL:
        return 0
    needed = cash_to_reserve(rules, quantity, price or MIN_PRICE)
    free = max(position.cash - position.reserved_cash, 0)
    if needed > free:
        raise Refused("insufficient_cash", f"needs {as_text(needed)}, {as_text(free)} is free", field="qty")
    return needed if price else 0


@transaction.atomic
def cancel_order(*, order_id: int, actor: str) -> Order:
    """Take back an order that has not left; ask the broker to take back what rests there (ring for it afterwards).

    Asking again changes nothing. Raises Refused not_cancellable (409) while its fate is unknown or after its end.
    """
    position, order = locked_cell_of(order_id)
    if order.status in ("cancelling", "cancelled"):
        return order
    if order.status not in CANCELLABLE:
        raise Refused("not_cancellable", f"the order is {order.status}", status=409)
    journal = Journal(position, market_at=market_now(position.source), actor=actor)
    take_back(journal, position, order, "Cancelled.")
    journal.write(band=wake_after(position))
    return order


def take_back(journal: Journal, position: Position, order: Order, message: str) -> None:
    """Unsent: it ends here. At the broker: only the broker can say that it ended."""
    if order.status in UNSENT:
        release(journal, position, order, "cancelled", EventType.ORDER_CANCELLED, message)
        return
    move(order, "cancelling")
    order.save(update_fields=["status", "updated_at"])
    journal.add(EventType.ORDER_CANCELLING, "The broker is asked to take it back.", subject=order.public_id)
