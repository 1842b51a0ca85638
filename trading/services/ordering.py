"""Writes orders: the robot's from a decision, a person's from a request; reserves what they may cost."""

import uuid
from datetime import date, datetime

from django.db import transaction

from portfolios.domain.amounts import MAX_AMOUNT, MAX_PRICE, MIN_PRICE, as_text
from portfolios.domain.holding import Rules
from portfolios.errors import Refused
from portfolios.events import EventType
from portfolios.models import Portfolio, Position, User
from portfolios.selectors import effective_rules
from portfolios.services.journal import Journal
from portfolios.services.positions import refuse_closed
from trading.domain.choices import Decision, Side
from trading.domain.costs import cash_to_reserve, limit_price, reservation_price
from trading.domain.order_life import CANCELLABLE
from trading.market.models import Quote
from trading.market.selectors import market_now, newest_quote
from trading.models import Order
from trading.services.settlement import release, wake_after
from trading.sight import Sight


def robot_key(position: Position, quote_at: datetime, side: Side) -> str:
    """Same cell, same quote, same side: same order, whoever evaluates, however often."""
    return f"{position.public_id}|{quote_at.isoformat()}|{side.name}"


def write_robot_order(
    journal: Journal, position: Position, rules: Rules, sight: Sight, decision: Decision, day: date | None
) -> Order:
    """The order of a decision, inside its evaluation's transaction."""
    reserve = 0
    if decision.side == Side.BUY:
        reserve = cash_to_reserve(rules, decision.quantity, reservation_price(rules, sight.price))
    order = new_order(
        position,
        rules,
        origin=Order.Origin.ROBOT,
        key=robot_key(position, sight.at, decision.side),
        side=decision.side,
        quantity=decision.quantity,
        limit=limit_price(rules, decision.side, sight.price) if rules.limit_orders else None,
        reason=decision.reason.name.lower(),
    )
    order.decision_price = sight.price
    order.quote_at = sight.at
    order.decided_at = journal.market_at
    order.market_day = day
    return intend(journal, order, reserve)


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
) -> Order:
    public_id = uuid.uuid4()
    return Order(
        public_id=public_id,
        position=position,
        origin=origin,
        key=key,
        client_order_id=f"vb-{public_id.hex}",
        side=side.name,
        quantity=quantity,
        limit_price=limit,
        reason=reason,
        commission_rate=rules.commission_rate,
        commission_min=rules.commission_min,
    )


def intend(journal: Journal, order: Order, reserve_cash: int) -> Order:
    """Store the order with its reservation; the intent is committed before anything leaves."""
    order.reserved_cash = reserve_cash
    order.reserved_shares = order.quantity if order.side_asked == Side.SELL else 0
    order.save()
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


@transaction.atomic
def place_order(
    *, position_id: int, side: Side, quantity: int, limit: int | None, author: User, actor: str, key: str
) -> Order:
    """A person's order. It reserves what can be known; without a price it waits for a quote or a fill.

    Raises Refused: order_open, position_closed, no_broker (409), quarantined (423), out_of_range, whole_shares_only,
    insufficient_cash or insufficient_shares (422).
    """
    position = Position.objects.locked().get(pk=position_id)
    rules = effective_rules(position).rules
    quote = newest_quote(position.symbol, position.source)
    reserve = reservation_for(position, rules, side, quantity, limit, quote)
    order = new_order(
        position,
        rules,
        origin=Order.Origin.PERSON,
        key=f"{position.public_id}|person|{key}",
        side=side,
        quantity=quantity,
        limit=limit,
        reason="person",
    )
    order.author = author
    order.decided_at = market_now(position.source)
    order.decision_price = quote.last if quote else None
    journal = Journal(position, market_at=order.decided_at, actor=actor, effective=effective_rules(position))
    intend(journal, order, reserve)
    journal.write()
    return order


def reservation_for(
    position: Position, rules: Rules, side: Side, quantity: int, limit: int | None, quote: Quote | None
) -> int:
    """Cash that a person's order would be promised (micros). Raises Refused as placing it would."""
    refuse_closed(position)
    if position.state == Position.Status.QUARANTINED:
        raise Refused("quarantined", "this cell is quarantined until somebody has looked", status=423)
    if position.portfolio.mode != Portfolio.Mode.PAPER:
        raise Refused("no_broker", "no broker is connected to this portfolio", status=409)
    refuse_bad_order(position, rules, side, quantity, limit)
    price = limit or (reservation_price(rules._replace(limit_orders=0), quote.last) if quote else 0)
    return reserve_for_person(position, rules, side, quantity, price)


def refuse_bad_order(position: Position, rules: Rules, side: Side, quantity: int, limit: int | None) -> None:
    if not 0 < quantity <= MAX_AMOUNT:
        raise Refused("out_of_range", "must be above 0 and at most 1000000000000", field="qty")
    if quantity % rules.lot:
        raise Refused("whole_shares_only", "this cell trades whole shares only", field="qty")
    if limit is not None and not MIN_PRICE <= limit <= MAX_PRICE:
        raise Refused("out_of_range", "must be from 0.0001 to 1000000", field="limit_price")
    if Order.objects.filter(position=position).open().exists():
        raise Refused("order_open", "this cell has an open order; wait for it or cancel it", status=409)
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
    """Take back an order that has not left, or what rests of it on paper.

    Raises Refused not_cancellable (409) while its fate is being decided or after its end.
    """
    position = Position.objects.locked().get(orders=order_id)
    order = Order.objects.get(pk=order_id)
    if order.status not in CANCELLABLE:
        raise Refused("not_cancellable", f"the order is {order.status}", status=409)
    journal = Journal(position, market_at=market_now(position.source), actor=actor)
    release(journal, position, order, "cancelled", EventType.ORDER_CANCELLED, "Cancelled.")
    journal.write(band=wake_after(position))
    return order
