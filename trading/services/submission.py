"""Lets an order leave, or finds that it must not: the market moved, the money no longer suffices, it left before."""

import time
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from portfolios.domain.amounts import MAX_AMOUNT, PPM, as_text
from portfolios.domain.exact import muldiv_ceil
from portfolios.events import EventType
from portfolios.models import Event, Position
from portfolios.selectors import effective_rules
from portfolios.services.journal import Journal
from trading.brokers.base import DEADLINE, OrderRequest
from trading.domain.choices import Side
from trading.domain.costs import cash_to_reserve, notional_of
from trading.market.calendars import Phase, calendar_for
from trading.market.models import Quote
from trading.market.selectors import Listing, exchange_of, listing_of, market_now, newest_quote
from trading.models import Order
from trading.risk.locks import share
from trading.risk.selectors import UNTRADED, ability_of, halt_over, why_blocked, why_untraded, why_untrusted
from trading.selectors import locked_cell_of
from trading.services.settlement import move, release, rules_of, wake_after
from trading.sight import Sight, see

DRIFTS_A_MINUTE = 3
TOO_FINE = "it is for parts of shares that are not traded any more"
GOING_ON = ("sending", "unknown", "accepted", "partially_filled", "cancelling")


@transaction.atomic
def begin_submission(*, order_id: int) -> OrderRequest | None:
    """Mark the order as sending and return it as it leaves; None when there is nothing to send now.

    An order that left before comes back with `sent_before`: it is looked up, never blindly sent again.
    """
    position, order = locked_cell_of(order_id)
    quote = newest_quote(position.symbol, position.source)
    market_at = market_now(position.source)
    sight = see(quote, market_at, effective_rules(position).rules) if quote else None
    if order.status in GOING_ON:
        return request_for(order, position, sight, market_at, sent_before=True)
    if order.status != "new" or quote is None or sight is None:
        return None
    listing = listing_of(position.symbol)
    if not may_leave(order, quote, listing):
        see_and_wait(order, quote)
        return None
    share()
    leave_by = time.monotonic() + DEADLINE
    forbidden = why_forbidden(position, listing)
    if forbidden and order.origin == Order.Origin.PERSON and forbidden not in UNTRADED and not halt_over(position):
        see_and_wait(order, quote)  # until the account's books are known to be right
        return None
    journal = Journal(position, market_at=market_at, actor="robot")
    if kept_back(journal, order, position, sight, forbidden):
        return None
    send(journal, order, position, sight, listing, max(cost_now(order, position, sight), order.reserved_cash))
    return request_for(order, position, sight, market_at, sent_before=False)._replace(leave_by=leave_by)


def see_and_wait(order: Order, quote: Quote) -> None:
    """It has seen this price and waits for another."""
    Order.objects.filter(pk=order.pk).update(quote_at=quote.at)


def why_forbidden(position: Position, listing: Listing) -> str:
    """Why nothing of this cell may leave now, in words. Needs the shared lock, so that no halt is being written."""
    halt = halt_over(position)
    if halt:
        return f"trading is halted ({halt.reason})"
    if position.state == Position.Status.QUARANTINED:
        return "the cell is quarantined"
    account = position.portfolio.account
    ability = ability_of(account)
    return why_untraded(position.symbol, listing, ability) or why_untrusted(account) or why_blocked(ability)


def kept_back(journal: Journal, order: Order, position: Position, sight: Sight, forbidden: str) -> bool:
    """Cancel the order unsent where it may not leave any more; whether it was."""
    cost = cost_now(order, position, sight)
    if forbidden:
        cancel_unsent(journal, order, position, f"Not sent: {forbidden}.")
    elif has_drifted(order, position, sight):
        cancel_for_drift(journal, order, position, sight)
    elif too_fine(order, position):
        cancel_unsent(journal, order, position, f"Not sent: {TOO_FINE}.")
    elif cost > free_for(order, position):
        free = as_text(free_for(order, position))
        cancel_unsent(journal, order, position, f"Not sent: it would cost {as_text(cost)}, {free} is free.")
    elif proceeds_now(order, sight) + position.cash > MAX_AMOUNT:
        message = "Not sent: the cell would hold more cash than the limit of 1000000000000."
        cancel_unsent(journal, order, position, message)
    else:
        return False
    return True


def cancel_unsent(journal: Journal, order: Order, position: Position, message: str) -> None:
    release(journal, position, order, "cancelled", EventType.ORDER_CANCELLED, message)
    journal.write(band=wake_after(position))


def too_fine(order: Order, position: Position) -> bool:
    """Whether it was written for a finer lot than is traded by now."""
    return order.quantity % effective_rules(position).rules.lot != 0


def send(journal: Journal, order: Order, position: Position, sight: Sight, listing: Listing, reserve: int) -> None:
    """Committed before the first byte leaves; what the order may cost is known now at the latest, and reserved."""
    move(order, "sending")
    more = reserve - order.reserved_cash
    order.quote_at = sight.at
    order.reserved_cash = reserve
    if order.lasts == Order.Lasts.DAY:
        order.expires_at = calendar_for(listing.exchange).trading_ends(sight.moment)
    note_attempt(journal, order, f"Sent to the {position.portfolio.account.adapter} broker.", more)


def note_attempt(journal: Journal, order: Order, message: str, reserved_cash: int = 0) -> None:
    order.attempts += 1
    order.sent_at = timezone.now()
    order.save()
    journal.add(
        EventType.ORDER_SUBMITTED,
        message,
        subject=order.public_id,
        reserved_cash=reserved_cash,
        outputs={"client_order_id": order.client_order_id, "attempt": order.attempts},
    )
    journal.write()


@transaction.atomic
def send_again(*, order_id: int, grace: float) -> OrderRequest | None:
    """For an order whose fate is unknown and which the broker says it never saw: the same id again, if it still may.

    None while it may still be on its way (`grace` seconds), and where it must not leave any more: then it ends here.
    """
    position, order = locked_cell_of(order_id)
    quote = newest_quote(position.symbol, position.source)
    if order.status not in ("sending", "unknown") or quote is None:
        return None
    if order.sent_at and timezone.now() - order.sent_at < timedelta(seconds=grace):
        return None
    share()
    leave_by = time.monotonic() + DEADLINE
    market_at = market_now(position.source)
    sight = see(quote, market_at, effective_rules(position).rules)
    journal = Journal(position, market_at=market_at, actor="robot")
    forbidden = why_forbidden(position, listing_of(position.symbol))
    forbidden = forbidden or (TOO_FINE if too_fine(order, position) else "")
    if forbidden or has_drifted(order, position, sight):
        order.status = "unknown"
        cancel_unsent(journal, order, position, f"It never arrived, and is not sent again: {forbidden or 'drift'}.")
        return None
    note_attempt(journal, order, "Sent again under the same id: the broker never saw it.")
    return request_for(order, position, sight, market_at, sent_before=False)._replace(leave_by=leave_by)


def request_for(
    order: Order, position: Position, sight: Sight | None, market_at: datetime, *, sent_before: bool
) -> OrderRequest:
    account = position.portfolio.account
    return OrderRequest(
        order_id=order.pk,
        account=account.code,
        adapter=account.adapter,
        client_order_id=order.client_order_id,
        symbol=position.symbol,
        side=order.side_asked,
        quantity=order.quantity,
        filled_quantity=order.filled_quantity,
        limit_price=order.limit_price or 0,
        price=sight.price if sight else 0,
        slippage=position.portfolio.paper_slippage,
        market_at=sight.moment if sight else market_at,
        sent_before=sent_before,
        cancels=order.status == "cancelling",
        extended=bool(order.limit_price) and is_outside(position.symbol, sight.moment if sight else market_at),
        expires_at=order.expires_at,
        latency_ms=account.latency_ms,
        most_per_quote=account.most_per_quote,
    )


def is_outside(symbol: str, at: datetime) -> bool:
    """Before or after the session."""
    return calendar_for(exchange_of(symbol)).phase(at) in (Phase.PRE, Phase.POST)


def may_leave(order: Order, quote: Quote, listing: Listing) -> bool:
    """A person's order waits for an open market."""
    return order.origin == Order.Origin.ROBOT or calendar_for(listing.exchange).is_open(quote.at)


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
