"""The gates of one cell at one quote: may it trade at all, and with what value each gate fell."""

from datetime import date
from typing import NamedTuple

from django.db.models import Q

from portfolios.domain.holding import Rules
from portfolios.models import Portfolio, Position
from trading.domain.choices import OPEN, Gates, Side
from trading.domain.order_life import OPEN_STATES
from trading.market.calendars import Phase, calendar_for
from trading.market.selectors import exchange_of
from trading.models import Order
from trading.services.ordering import robot_key
from trading.sight import Sight


class Shut(NamedTuple):
    """The gates as integers for the rule, each with its value for people, and the exchange date they are for."""

    gates: Gates
    values: dict[str, str]
    day: date | None


UNASKED = Shut(OPEN, {}, None)


def gates_at(position: Position, rules: Rules, sight: Sight, side: Side) -> Shut:
    """Needs the lock on the position row, so that the open order and the day's count cannot change meanwhile."""
    calendar = calendar_for(exchange_of(position.symbol))
    phase = calendar.phase(sight.at)
    day = calendar.market_day(sight.at)
    key = robot_key(position, sight.at, side)
    rows = Order.objects.filter(position=position).filter(
        Q(status__in=OPEN_STATES) | Q(key=key) | Q(origin=Order.Origin.ROBOT, market_day=day, attempts__gt=0)
    )
    orders = list(rows.values_list("status", "key", "origin", "market_day", "attempts"))
    is_open = any(status in OPEN_STATES for status, *_ in orders)
    sent = sum(origin == Order.Origin.ROBOT and on == day and tries > 0 for _, _, origin, on, tries in orders)
    tradable = phase is Phase.REGULAR or (bool(rules.after_hours) and phase is not Phase.CLOSED)
    gates = Gates(
        paused=int(position.state in (Position.Status.PAUSED, Position.Status.CLOSED)),
        quarantined=int(position.state == Position.Status.QUARANTINED),
        halted=0,
        unreconciled=int(position.portfolio.mode != Portfolio.Mode.PAPER),
        stale_price=sight.stale,
        market_closed=int(not tradable),
        order_open=int(is_open),
        dup=int(any(known == key for _, known, *_ in orders)),
        daily_limit=int(sent >= rules.max_orders_per_day),
    )
    values = {
        "paused": position.state,
        "quarantined": position.state,
        "halted": "no",
        "unreconciled": "no" if position.portfolio.mode == Portfolio.Mode.PAPER else "yes",
        "stale_price": f"{sight.age / 1000:g} s old, at most {rules.max_quote_age / 1000:g} s",
        "market_closed": str(phase),
        "order_open": "yes" if is_open else "no",
        "dup": "yes" if gates.dup else "no",
        "daily_limit": f"{sent} of {rules.max_orders_per_day}",
    }
    return Shut(gates, values, day)
