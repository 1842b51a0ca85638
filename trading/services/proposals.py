"""Proposals: the robot's orders that wait for a person. They reserve nothing and are looked at again when approved."""

from datetime import date, datetime, timedelta

from django.db import transaction

from portfolios.domain.amounts import as_text
from portfolios.domain.holding import Rules
from portfolios.errors import Refused
from portfolios.events import EventType
from portfolios.models import Event, Portfolio, Position
from portfolios.selectors import effective_rules
from portfolios.services.journal import Journal
from portfolios.services.positions import refuse_unreasoned
from trading.domain.choices import Decision, Side
from trading.domain.costs import cash_to_reserve, reservation_price
from trading.market.calendars import calendar_for
from trading.market.selectors import exchange_of, market_now, newest_quote
from trading.models import Order
from trading.selectors import locked_cell_of
from trading.services.ordering import write_intent
from trading.services.robot_orders import robot_order
from trading.services.settlement import move, release, rules_of, wake_after
from trading.services.submission import TOO_FINE, has_drifted, too_fine
from trading.services.surroundings import Surroundings
from trading.sight import Sight, see

GOOD_FOR = timedelta(minutes=60)
LOCKING = ("paused", "quarantined", "halted", "unreconciled")
BY_HAND = "none"


def needs_approval(position: Position) -> bool:
    """Whether the robot only proposes: because its portfolio says so, or because there is no broker to send to."""
    portfolio = position.portfolio
    return portfolio.approve_first or portfolio.account.adapter == BY_HAND


def propose(
    journal: Journal, position: Position, rules: Rules, sight: Sight, decision: Decision, day: date | None
) -> Order:
    """The order of a decision, inside its evaluation's transaction: not open, nothing reserved."""
    order = robot_order(journal, position, rules, sight, decision, day)
    order.status = "proposed"
    order.expires_at = lapses_at(position, sight, journal.market_at)
    journal.added.append(order)
    journal.add(
        EventType.ORDER_PROPOSED,
        f"Proposed: {order.side.lower()} {as_text(order.quantity)} at about {as_text(sight.price)}.",
        subject=order.public_id,
        inputs={"origin": order.origin, "reason": order.reason, "key": order.key},
        outputs={
            "side": order.side,
            "quantity": as_text(order.quantity),
            "limit_price": as_text(order.limit_price) if order.limit_price else "",
            "decision_price": as_text(sight.price),
            "expires_at": order.expires_at.isoformat(),
        },
    )
    return order


def lapses_at(position: Position, sight: Sight, market_at: datetime) -> datetime:
    """An hour of market time, and never past the end of the session."""
    ends = calendar_for(exchange_of(position.symbol)).trading_ends(sight.moment)
    return min(market_at + GOOD_FOR, ends) if ends else market_at + GOOD_FOR


def supersede(journal: Journal, position: Position, sight: Sight) -> None:
    """Something else is due at this price: what waited for an answer gets none any more."""
    for order in Order.objects.filter(position=position, status="proposed").order_by("pk"):
        expire(journal, position, order, f"Not answered in time; the price is {as_text(sight.price)} now.")


def expire(journal: Journal, position: Position, order: Order, message: str) -> None:
    release(journal, position, order, "expired", EventType.ORDER_EXPIRED, message)


@transaction.atomic
def approve_proposal(*, order_id: int, actor: str) -> Order:
    """Let it go, if it still may: then it is `new`, and its bell is to be rung. `expired` where the moment has passed.

    Approving twice is approving once. Raises Refused where it can be tried again: paused, quarantined, halted,
    unreconciled (423), stale_price, market_closed, order_open, daily_limit (409); and not_proposed (409).
    """
    position, order = locked_cell_of(order_id)
    if order.status != "proposed":
        return answered(position, order)
    effective = effective_rules(position)
    market_at = market_now(position.source)
    journal = Journal(position, market_at=market_at, actor=actor, effective=effective)
    quote = newest_quote(position.symbol, position.source)
    if quote is None:
        raise Refused("stale_price", "no price is known", status=409)
    sight = see(quote, market_at, effective.rules)
    refuse_shut(position, effective.rules, sight, order)
    reserve = reserve_now(position, order, sight)
    passed = why_passed(position, order, sight, market_at, reserve)
    if passed:
        expire(journal, position, order, passed)
    else:
        let_go(journal, order, reserve)
    journal.write(band=wake_after(position))
    return order


def let_go(journal: Journal, order: Order, reserve: int) -> None:
    move(order, "new")
    order.expires_at = None  # of the proposal; the order's own end is known when it is sent
    write_intent(journal, order, reserve)
    order.save()


def answered(position: Position, order: Order) -> Order:
    """What became of a proposal that waits no more. Raises Refused not_proposed where it never did or was dismissed."""
    proposed = Event.objects.of(position).filter(type=EventType.ORDER_PROPOSED, subject=order.public_id)
    if order.status == "cancelled" or not proposed.exists():
        raise Refused("not_proposed", f"the order is {order.status}", status=409)
    return order


def refuse_shut(position: Position, rules: Rules, sight: Sight, order: Order) -> None:
    """Raises Refused for the first gate that is shut: the very gates of an evaluation."""
    around = Surroundings(position.source, [position])
    shut = around.gates(position, rules, sight, order.side_asked, but=order)
    for name, is_shut in shut.gates._asdict().items():
        if is_shut:
            message = f"{name.replace('_', ' ')}: {shut.values[name]}"
            raise Refused(name, message, status=423 if name in LOCKING else 409)


def reserve_now(position: Position, order: Order, sight: Sight) -> int:
    """What a buy has to be promised at this price (micros), by the function the cash trim uses; 0 for a sale."""
    if order.side_asked == Side.SELL:
        return 0
    rules = rules_of(position, order)
    price = order.limit_price or reservation_price(rules._replace(limit_orders=0), sight.price)
    return cash_to_reserve(rules, order.quantity, price)


def why_passed(position: Position, order: Order, sight: Sight, market_at: datetime, reserve: int) -> str:
    """Why the moment of this proposal has passed, in a sentence; empty while it has not."""
    if order.expires_at and market_at > order.expires_at:
        return "Nobody approved it in time."
    if has_drifted(order, position, sight):
        return f"Not sent: {as_text(order.decision_price or 0)} became {as_text(sight.price)}."
    if too_fine(order, position):
        return f"Not sent: {TOO_FINE}."
    free = max(position.cash - position.reserved_cash, 0)
    if reserve > free:
        return f"Not sent: it would cost {as_text(reserve)}, {as_text(free)} is free."
    shares = max(position.shares - position.reserved_shares, 0)
    if order.side_asked == Side.SELL and order.quantity > shares:
        return f"Not sent: only {as_text(shares)} shares are free."
    return ""


def why_ended(order: Order) -> str:
    """The last sentence the log has of it."""
    event = Event.objects.of(order.position).filter(subject=order.public_id).last()
    return str(event.content["message"]) if event else ""


@transaction.atomic
def dismiss_proposal(*, order_id: int, reason: str, actor: str) -> Order:
    """A person says no. Saying so twice changes nothing; the robot may propose again at another price.

    Raises Refused: invalid_reason (422), not_proposed (409).
    """
    refuse_unreasoned(reason)
    position, order = locked_cell_of(order_id)
    if order.status == "cancelled":
        return order
    if order.status != "proposed":
        raise Refused("not_proposed", f"the order is {order.status}", status=409)
    journal = Journal(position, market_at=market_now(position.source), actor=actor)
    dismiss(journal, position, order, reason)
    journal.write(band=wake_after(position))
    return order


def dismiss(journal: Journal, position: Position, order: Order, reason: str) -> None:
    release(journal, position, order, "cancelled", EventType.ORDER_CANCELLED, f"Dismissed: {reason}")


def expire_proposals(*, source: str, market_at: datetime) -> int:
    """End those whose time is over at this instant of market time; how many. The feed asks before each step."""
    lapsed = Order.objects.filter(status="proposed", position__source=source, expires_at__lt=market_at)
    return sum(expire_lapsed(pk, market_at) for pk in lapsed.order_by("pk").values_list("pk", flat=True))


@transaction.atomic
def expire_lapsed(order_id: int, market_at: datetime) -> bool:
    position, order = locked_cell_of(order_id)
    if order.status != "proposed":
        return False  # somebody was quicker
    journal = Journal(position, market_at=market_at, actor="robot")
    expire(journal, position, order, "Nobody approved it in time.")
    journal.write(band=wake_after(position))
    return True


@transaction.atomic
def set_approve_first(*, portfolio_id: int, on: bool, actor: str) -> Portfolio:
    """From now on the robot proposes, or sends by itself. Switched off, what waits is dismissed: it is decided anew.

    Cells before the portfolio, as everywhere.
    """
    positions = list(Position.objects.locked().filter(portfolio=portfolio_id))
    portfolio = Portfolio.objects.select_for_update(no_key=True).get(pk=portfolio_id)
    if portfolio.approve_first == on:
        return portfolio
    if not on:
        dismiss_all(positions, "the robot sends by itself from now on", actor)
    portfolio.approve_first = on
    portfolio.save(update_fields=["approve_first"])
    words = "The robot proposes, a person sends." if on else "The robot sends its orders by itself."
    journal = Journal(portfolio, market_at=market_now(portfolio.source), actor=actor)
    journal.add(EventType.APPROVAL_CHANGED, words, inputs={"approve_first": on})
    journal.write()
    return portfolio


def dismiss_all(positions: list[Position], reason: str, actor: str) -> None:
    """Whatever waits in these locked cells."""
    for position in positions:
        journal = Journal(position, market_at=market_now(position.source), actor=actor)
        for order in Order.objects.filter(position=position, status="proposed").order_by("pk"):
            dismiss(journal, position, order, reason)
        if journal.events:
            journal.write(band=wake_after(position))
