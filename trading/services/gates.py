"""The gates of one cell at one quote: may it trade at all, and with what value each gate fell."""

from collections.abc import Collection
from datetime import date, datetime
from typing import NamedTuple

from portfolios.domain.amounts import PPM
from portfolios.domain.holding import Rules
from portfolios.models import Account, Position
from trading.brokers.models import Ability
from trading.domain.choices import OPEN, Gates, Side
from trading.domain.order_life import OPEN_STATES
from trading.market.calendars import Calendar, Phase
from trading.models import Order
from trading.risk.selectors import why_blocked, why_untrusted
from trading.services.robot_orders import robot_key
from trading.sight import Sight, age_limit


class Shut(NamedTuple):
    """The gates as integers for the rule, each with its value for people, and the exchange date they are for."""

    gates: Gates
    values: dict[str, str]
    day: date | None


ASKED = ("status", "key", "origin", "market_day", "attempts", "side", "decision_price", "expires_at", "decided_at")
UNASKED = Shut(OPEN, {}, None)
PROPOSED = "a proposal waits"


class Proposed(NamedTuple):
    """A proposal as it hinders another: until when, at which price decided (micros), on which side."""

    side: str
    price: int
    until: datetime

    def stands(self, sight: Sight, side: Side, rules: Rules) -> bool:
        """Whether another one would only say the same: same side, not lapsed, a price within the allowed drift."""
        near = abs(sight.price - self.price) * PPM <= rules.drift * self.price
        return self.side == side.name and sight.moment <= self.until and near


class Facts(NamedTuple):
    """What the gates ask about a cell at one moment; sent: robot orders of this exchange date that left."""

    state: str
    halted: str
    untrusted: str
    phase: Phase
    day: date
    order_open: bool
    dup: bool
    sent: int
    proposed: bool = False


class Asked(NamedTuple):
    """What was read for the gates: the cell's orders that can matter, why it is halted, why nothing may be sent.

    halted: by a person over it, or as nobody trades the symbol at present.
    """

    orders: Collection[Order]
    halted: str
    untrusted: str


def why_not_sent(account: Account, ability: Ability | None) -> str:
    return why_untrusted(account) or why_blocked(ability)


def shut_at(position: Position, rules: Rules, sight: Sight, side: Side, calendar: Calendar, asked: Asked) -> Shut:
    """By what was read, of one cell or of many at once."""
    day = calendar.market_day(sight.moment)
    facts = Facts(
        state=position.state,
        halted=asked.halted,
        untrusted=asked.untrusted,
        phase=calendar.phase(sight.moment),
        day=day,
        order_open=any(order.status in OPEN_STATES for order in asked.orders),
        dup=any(order.key == robot_key(position, sight.at, side) for order in asked.orders),
        sent=sum(
            order.origin == Order.Origin.ROBOT and order.market_day == day and order.attempts > 0
            for order in asked.orders
        ),
        proposed=any(
            proposed_by(order).stands(sight, side, rules) for order in asked.orders if order.status == "proposed"
        ),
    )
    return shut_by(facts, rules, sight)


def proposed_by(order: Order) -> Proposed:
    return Proposed(order.side, order.decision_price or 0, order.expires_at or order.decided_at)


def shut_by(facts: Facts, rules: Rules, sight: Sight) -> Shut:
    """The gates that these facts shut, live as in hindsight."""
    tradable = facts.phase is Phase.REGULAR or (bool(rules.after_hours) and facts.phase is not Phase.CLOSED)
    gates = Gates(
        paused=int(facts.state in (Position.Status.PAUSED, Position.Status.CLOSED)),
        quarantined=int(facts.state == Position.Status.QUARANTINED),
        halted=int(bool(facts.halted)),
        unreconciled=int(bool(facts.untrusted)),
        stale_price=sight.stale,
        market_closed=int(not tradable),
        order_open=int(facts.order_open or facts.proposed),
        dup=int(facts.dup),
        daily_limit=int(facts.sent >= rules.max_orders_per_day),
    )
    most = age_limit(sight.symbol, sight.source, sight.at, rules)
    values = {
        "paused": facts.state,
        "quarantined": facts.state,
        "halted": facts.halted or "no",
        "unreconciled": facts.untrusted or "no",
        "stale_price": f"{sight.age / 1000:g} s old, at most {most / 1000:g} s",
        "market_closed": str(facts.phase),
        "order_open": "yes" if facts.order_open else PROPOSED if facts.proposed else "no",
        "dup": "yes" if facts.dup else "no",
        "daily_limit": f"{facts.sent} of {rules.max_orders_per_day}",
    }
    return Shut(gates, values, facts.day)
