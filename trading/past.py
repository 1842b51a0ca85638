"""A cell as it was at an instant of market time: folded from its events, with the rules, price and order of then."""

from collections.abc import Sequence
from copy import copy
from datetime import datetime
from typing import NamedTuple

from django.db.models import Max, Min, Sum

from portfolios.domain.fold import State
from portfolios.domain.holding import Holding, total_value
from portfolios.errors import Refused
from portfolios.events import EventType
from portfolios.models import Event, EventQuerySet, Position, SettingsVersion
from portfolios.selectors import EffectiveRules, default_buffer, rules_of, text_in
from trading.domain.explanation import stock_share
from trading.domain.order_life import OPEN_STATES
from trading.market.selectors import market_now
from trading.models import Order
from trading.quotes.reading import newest_until
from trading.sight import Sight, see
from trading.timeline.events import settings_changes, version_before

STATUS_AFTER: dict[str, str] = {
    EventType.ORDER_INTENT: "new",
    EventType.ORDER_SUBMITTED: "sending",
    EventType.ORDER_UNKNOWN: "unknown",
    EventType.ORDER_ACCEPTED: "accepted",
    EventType.ORDER_PARTIALLY_FILLED: "partially_filled",
    EventType.ORDER_CANCELLING: "cancelling",
    EventType.ORDER_FILLED: "filled",
    EventType.ORDER_CANCELLED: "cancelled",
    EventType.ORDER_REJECTED: "rejected",
    EventType.ORDER_EXPIRED: "expired",
}
DELTAS = ("d_shares", "d_cash", "d_receivable", "d_reserved_cash", "d_reserved_shares")


class OrderThen(NamedTuple):
    """The order that was open; filled in micro-shares."""

    order: Order
    status: str
    filled: int


class Past(NamedTuple):
    """`position` is a copy that holds what it held then; what needs a price is None where none was known."""

    position: Position
    at: datetime
    last: Event
    effective: EffectiveRules
    sight: Sight | None
    order: OrderThen | None

    @property
    def holding(self) -> Holding:
        return self.position.holding

    @property
    def value(self) -> int | None:
        return total_value(self.holding, self.sight.price) if self.sight else None

    @property
    def stock_share(self) -> int | None:
        return stock_share(self.holding, self.sight.price) if self.sight else None


def past_of(position: Position, at: datetime) -> Past:
    """By the last event, in their order, whose market time is not after `at`. Position with `portfolio` and its rules.

    Raises Refused: in_the_future, before_it_began (422).
    """
    log = Event.objects.of(position)
    last, then = last_event_at(position, at), copy(position)
    for name, value in state_at(log, last)._asdict().items():
        setattr(then, name, value)
    then.event_seq, then.event_hash = last.seq, last.hash
    effective = effective_at(position, last, at)
    quote = newest_until(position.symbol, position.source, at)
    sight = see(quote, at, effective.rules) if quote else None
    return Past(then, at, last, effective, sight, order_at(position, log, last))


def last_event_at(position: Position, at: datetime) -> Event:
    """What had happened last by then. Raises Refused: in_the_future, before_it_began (422)."""
    refuse_future(position, at)
    log = Event.objects.of(position)
    seq = log.filter(market_at__lte=at).aggregate(last=Max("seq"))["last"]
    if seq is None:
        began = log.aggregate(first=Min("market_at"))["first"]
        raise Refused("before_it_began", f"this cell began at {began.isoformat()} market time", field="as_of")
    return log.get(seq=seq)


def refuse_future(position: Position, at: datetime) -> None:
    now = market_now(position.source)
    if at > now:
        raise Refused("in_the_future", f"it is {now.isoformat()} market time for this cell", field="as_of")


def state_at(log: EventQuerySet, last: Event) -> State:
    """The fold of all events up to this one: their sums, and what it left."""
    sums = log.filter(seq__lte=last.seq).aggregate(**{name: Sum(name) for name in DELTAS})
    shares, cash, receivable, reserved_cash, reserved_shares = (int(sums[name]) for name in DELTAS)
    return State(shares, cash, receivable, reserved_cash, reserved_shares, last.anchor_after, last.state_after)


def effective_at(position: Position, last: Event, at: datetime) -> EffectiveRules:
    """The cell's own version by its events, the portfolio's by the market time of its own."""
    portfolio, changes = position.portfolio, settings_changes(position)
    upper_start = max(
        (event.pk + 1 for event in changes if event.stream == Event.Stream.PORTFOLIO and event.market_at <= at),
        default=0,
    )
    upper = version_before(portfolio, upper_start, changes)
    own = version_before(position, last.pk + 1, changes)
    rows = SettingsVersion.objects.filter(portfolio=portfolio)
    found = rows.filter(position=None, number=upper) | rows.filter(position=position, number=own)
    versions = {row.position_id: row for row in found}
    texts = text_in(versions.get(None)), text_in(versions.get(position.pk))
    rules, merged, sha256 = rules_of(*texts, default_buffer(portfolio))
    return EffectiveRules(rules, merged, upper, own, sha256)


def order_at(position: Position, log: EventQuerySet, last: Event) -> OrderThen | None:
    """A cell has one open order at most: that of the last intent, if its end had not come yet."""
    before = log.filter(seq__lte=last.seq)
    intent = before.filter(type=EventType.ORDER_INTENT).last()
    if intent is None or intent.subject is None:
        return None
    told = before.filter(seq__gte=intent.seq, subject=intent.subject)
    status = status_after([kind for kind in told.values_list("type", flat=True) if kind in STATUS_AFTER])
    if status not in OPEN_STATES:
        return None
    order = Order.objects.get(position=position, public_id=intent.subject)
    return OrderThen(order, status, abs(int(told.aggregate(filled=Sum("d_shares"))["filled"])))


def status_after(kinds: Sequence[str]) -> str:
    """A part does not end the wish to cancel the rest."""
    status = STATUS_AFTER[kinds[-1]]
    return "cancelling" if status == "partially_filled" and EventType.ORDER_CANCELLING in kinds else status
