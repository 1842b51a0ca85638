"""The state of one cell as its events left it, and what the rule says of a quote in that state."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any, NamedTuple, Self
from uuid import UUID

from django.db.models import Sum

from dividends.models import Split
from portfolios.domain.amounts import micros
from portfolios.domain.fold import NOTHING, Change, State, after
from portfolios.domain.holding import Holding, Rules, in_lots
from portfolios.domain.settings import merge_settings, rules_from
from portfolios.events import EventType
from portfolios.models import Event, EventQuerySet, Position, SettingsVersion
from portfolios.selectors import default_buffer, given_in
from trading.domain.choices import OPEN, Action, Decision, Reason, Side
from trading.domain.decision import decide
from trading.market.calendars import Phase, calendar_for
from trading.market.models import Quote
from trading.market.selectors import clock_of, exchange_of
from trading.models import Order
from trading.risk.models import Halt
from trading.risk.selectors import UNTRADED
from trading.services.gates import Facts, Proposed, shut_by
from trading.sight import Sight, see
from trading.timeline.events import (
    events_from,
    first_seq,
    lot_before,
    lot_in,
    ruling_changes,
    version_before,
    version_in,
)
from trading.timeline.gaps import Gaps, tells_gap

DELTAS = ("d_shares", "d_cash", "d_receivable", "d_reserved_cash", "d_reserved_shares")
ENDINGS = (
    EventType.ORDER_FILLED,
    EventType.ORDER_CANCELLED,
    EventType.ORDER_REJECTED,
    EventType.ORDER_EXPIRED,
)
NEVER = 2**63 - 1
LATER = datetime.max.replace(tzinfo=UTC)


class Calculation(NamedTuple):
    """What the rule says of a quote, with all it looked at."""

    sight: Sight
    phase: Phase
    holding: Holding
    rules: Rules
    decision: Decision
    gate_values: dict[str, str]


class Walk:
    """Goes through a cell's events in order (`add`); between two of them it can be asked about any quote."""

    def __init__(self, position: Position) -> None:
        self.position = position
        self.calendar = calendar_for(exchange_of(position.symbol))
        self.is_replayed = clock_of(position.source) is not None
        self.state = NOTHING
        self.exists = False
        self.open_order: UUID | None = None
        self.proposals: dict[Any, Proposed] = {}
        self.keys: set[str] = set()
        self.unsent: dict[UUID, Any] = {}
        self.sent: dict[Any, int] = {}
        self.anchored_at = ""
        self.untraded = ""
        self.splits_done = 0
        self.gaps = Gaps(position, self.calendar)
        self.splits = splits_of(position)
        self.versions = versions_of(position)
        self.halts = list(Halt.objects.ever_over(position))
        self.portfolio_version, self.cell_version, self.lot = 0, 0, 1
        self.rules = self.merged()

    @classmethod
    def up_to(cls, position: Position, since: datetime | None) -> tuple[Self, Iterator[Event]]:
        """As it was a little before `since`, and the events from there: so that open order and day's count are met."""
        walk = cls(position)
        log = Event.objects.of(position)
        first = first_seq(position, since) if since else 1
        start = log.filter(seq=first).values_list("pk", flat=True).first() or NEVER
        changes = ruling_changes(position)
        walk.portfolio_version = version_before(position.portfolio, start, changes)
        walk.cell_version = version_before(position, start, changes)
        walk.lot = lot_before(position, start, changes)
        walk.rules = walk.merged()
        if first > 1:
            walk.skip(log.filter(seq__lt=first))
        return walk, events_from(position, first, start, changes)

    def skip(self, older: EventQuerySet) -> None:
        """All these events at once: sums, and what the last of them left."""
        sums = older.aggregate(**{name: Sum(name) for name in DELTAS})
        shares, cash, receivable, reserved_cash, reserved_shares = (int(sums[name]) for name in DELTAS)
        last = older.latest("seq")
        self.state = State(
            shares, cash, receivable, reserved_cash, reserved_shares, last.anchor_after, last.state_after
        )
        self.exists = True
        self.splits_done = older.filter(type=EventType.SPLIT).count() if self.splits else 0

    def merged(self) -> Rules:
        upper = self.versions.get((False, self.portfolio_version))
        own = self.versions.get((True, self.cell_version))
        merged = merge_settings(given_in(upper), given_in(own))
        return in_lots(rules_from(merged, default_buffer=default_buffer(self.position.portfolio)), self.lot)

    def add(self, event: Event) -> None:
        """One more event of the cell, or a change of its portfolio's settings."""
        if event.stream == Event.Stream.PORTFOLIO:
            self.portfolio_version = version_in(event)
            self.rules = self.merged()
            return
        self.exists = True
        self.state = after(self.state, change_of(event))
        if event.type == EventType.SETTINGS_CHANGED:
            self.cell_version = version_in(event)
            self.rules = self.merged()
        elif event.type == EventType.LOT_CHANGED:
            self.lot = lot_in(event)
            self.rules = self.merged()
        elif event.type == EventType.ANCHOR_SET:
            self.anchored_at = event.content["inputs"]["quote_at"]
        elif event.type == EventType.SPLIT:
            self.splits_done += 1
        elif tells_gap(event):
            self.gaps.add(event)
        elif event.type in (EventType.SKIPPED, EventType.EVALUATED, EventType.GUARDRAIL_REBALANCE):
            self.untraded = untraded_in(event)
        else:
            self.follow_order(event)

    def follow_order(self, event: Event) -> None:
        """Whether an order is open, which keys were used, and how many of the robot's left on each day."""
        if event.type == EventType.ORDER_PROPOSED:
            self.proposals[event.subject] = proposed_in(event)
            self.use_key(event)
        elif event.type == EventType.ORDER_INTENT:
            self.open_order = event.subject
            self.proposals.pop(event.subject, None)
            if event.content["inputs"]["origin"] == Order.Origin.ROBOT and event.subject:
                self.unsent = {event.subject: self.use_key(event)}
        elif event.type == EventType.ORDER_SUBMITTED and event.subject in self.unsent:
            self.sent[self.unsent.pop(event.subject)] += 1
        elif event.type in ENDINGS:
            self.proposals.pop(event.subject, None)
            self.open_order = None if event.subject == self.open_order else self.open_order

    def use_key(self, event: Event) -> date:
        """The robot's order of one quote and side; its market day, to which the day's count begins anew."""
        key = event.content["inputs"]["key"]
        day = self.calendar.market_day(datetime.fromisoformat(key.split("|")[1]))
        self.keys = {known for known in self.keys if day in self.sent} | {key}
        self.sent = {day: self.sent.get(day, 0)}
        return day

    @property
    def holding(self) -> Holding:
        return Holding(*self.state[:6])

    def evaluates(self, quote: Quote) -> bool:
        """Not before it was opened, not after it was closed, and not while a split waits for the open order."""
        day = self.calendar.market_day(quote.at) if self.splits else date.min
        due = sum(split.ex_date <= day and self.is_told(split, quote) for split in self.splits)
        return self.exists and self.state.state != Position.Status.CLOSED and due <= self.splits_done

    def is_told(self, split: Split, quote: Quote) -> bool:
        """Whether it was announced when the price came. A record knows what is announced, whenever it was filled."""
        return self.is_replayed or split.created_at <= quote.received_at

    def calculation(self, quote: Quote) -> Calculation:
        """As the robot would have it, the moment the quote arrived."""
        rules, holding = self.rules, self.holding
        sight = see(quote, quote.at if self.is_replayed else max(quote.received_at, quote.at), rules)
        phase = self.calendar.phase(sight.moment)
        decision = decide(holding, rules, sight.price, OPEN)
        if self.anchored_at and self.anchored_at == quote.at.isoformat():
            return Calculation(sight, phase, holding, rules, without_trade(decision), {})
        if decision.side == Side.NONE:
            return Calculation(sight, phase, holding, rules, decision, {})
        facts = self.facts(quote, sight.moment, decision.side)
        proposed = any(row.stands(sight, decision.side, rules) for row in self.proposals.values())
        shut = shut_by(facts._replace(proposed=proposed), rules, sight)
        return Calculation(sight, phase, holding, rules, decide(holding, rules, sight.price, shut.gates), shut.values)

    def halted_at(self, at: datetime) -> str:
        """The reason of the halt that was in force, if any."""
        return next((row.reason for row in self.halts if row.halted_at <= at < (row.rearmed_at or LATER)), "")

    def facts(self, quote: Quote, moment: datetime, side: Side) -> Facts:
        day = self.calendar.market_day(moment)
        return Facts(
            state=self.state.state,
            halted=self.halted_at(quote.received_at) or self.untraded,
            untrusted="",  # whoever was held up by that has written it down
            phase=self.calendar.phase(moment),
            day=day,
            order_open=self.open_order is not None,
            dup=f"{self.position.public_id}|{quote.at.isoformat()}|{side.name}" in self.keys,
            sent=self.sent.get(day, 0),
        )


def untraded_in(event: Event) -> str:
    """Why the symbol was not traded, as the last skip says: of instruments and accounts nothing older is kept."""
    if event.type != EventType.SKIPPED:
        return ""
    halted = (event.content["outputs"].get("gates") or {}).get("halted", "")
    return halted if halted in UNTRADED else ""


def proposed_in(event: Event) -> Proposed:
    told = event.content["outputs"]
    return Proposed(told["side"], micros(told["decision_price"]), datetime.fromisoformat(told["expires_at"]))


def change_of(event: Event) -> Change:
    return Change(
        event.d_shares,
        event.d_cash,
        event.d_receivable,
        event.d_reserved_cash,
        event.d_reserved_shares,
        event.anchor_after,
        event.state_after,
    )


def without_trade(decision: Decision) -> Decision:
    """At the price that set the anchor nothing is traded."""
    return decision._replace(action=Action.HOLD, reason=Reason.NO_ANCHOR, side=Side.NONE, quantity=0, commission=0)


def splits_of(position: Position) -> list[Split]:
    """Those the cell goes through, oldest first."""
    found = Split.objects.filter(source=position.source, symbol=position.symbol, cancelled_at=None)
    found = found.filter(ex_date__gt=position.opened_on) if position.opened_on else found.none()
    return list(found.order_by("ex_date"))


def versions_of(position: Position) -> dict[tuple[bool, int], SettingsVersion]:
    """All versions of the portfolio's settings (False) and of the cell's own (True), by number."""
    rows = SettingsVersion.objects.filter(portfolio_id=position.portfolio_id)
    both = rows.filter(position=None) | rows.filter(position=position)
    return {(row.position_id is not None, row.number): row for row in both}
