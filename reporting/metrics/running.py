"""One cell's totals since it began, carried from fact to fact. Pure: rows in, one closing per market day out.

Money, shares and prices are integers of millionths, times integers of milliseconds; only growth is a float.
"""

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, field
from datetime import date
from heapq import merge
from typing import Any

from portfolios.domain.amounts import MICROS, PPM
from portfolios.domain.holding import value_of
from portfolios.events import EventType
from reporting.comparison import Untouched, order_of, touched
from reporting.metrics.definitions import Totals
from reporting.metrics.lots import Lot, remove, sell, split
from reporting.metrics.rows import (
    DECISIONS,
    EVENT,
    OWNERS_MONEY,
    QUOTE,
    SETTINGS,
    SLIPPAGE_UNIT,
    TRIGGERS,
    Fact,
    Facts,
    Fill,
    Skip,
    Versions,
    day_of,
    end_of,
)

NOTHING, NO_TOTALS = Untouched(0, 0), Totals()


@dataclass(slots=True)
class Running:
    """As of `at` (milliseconds since 1970). `growth` is that of one unit of value, chained by market day."""

    seq: int = 0
    portfolio_seq: int = 0
    at: int = 0
    quote_at: int = 0
    day: date | None = None
    begun: bool = False
    closed: bool = False
    price: int = 0
    shares: int = 0
    cash: int = 0
    owed: int = 0
    versions: tuple[int, int] = (0, 0)
    low: int = 0
    high: int = PPM
    withholding: int = 0
    acted_until: date | None = None
    alone: Untouched = NOTHING
    held: Untouched = NOTHING
    lots: list[Lot] = field(default_factory=list)
    span: Skip | None = None
    totals: Totals = NO_TOTALS
    growth: float = 1.0
    growth_before: float = 1.0
    base: int = 0

    @property
    def value(self) -> int:
        """Stock at the newest price, cash, and dividends on their way; 0 until a price is known."""
        return value_of(self.shares, self.price) + self.cash + self.owed if self.begun else 0

    def add(self, **gains: int) -> None:
        self.totals = self.totals.plus(**gains)


def walk(start: Running, facts: Facts, until: int) -> Iterator[Running]:
    """The totals at the end of each market day on which something happened, the last one as of `until`.

    Days without a price and without an event are told by the day before them.
    """
    running = copy(start)
    changes = ((fact.at, SETTINGS, fact) for fact in facts.portfolio)
    events = ((fact.at, EVENT, fact) for fact in facts.events)
    happened = False
    for at, rank, what in merge(changes, facts.quotes, events, key=first_two):
        if at > until:
            break
        if running.closed and rank == QUOTE:
            continue
        if running.day is None or at >= end_of(running.day):
            if running.day is not None and (happened or running.at < end_of(running.day)):
                yield closed(running, end_of(running.day))
            begin_day(running, day_of(at))
        happened = True
        advance(running, at)
        take(running, facts, rank, what)
    if running.day is not None and (happened or running.at < min(until, end_of(running.day))):
        yield closed(running, min(until, end_of(running.day)))


def first_two(fact: tuple[int, int, Any]) -> tuple[int, int]:
    return fact[:2]


def closed(running: Running, at: int) -> Running:
    """A copy as of the end of the day, or of now."""
    advance(running, max(at, running.at))
    if running.base > 0:
        running.growth = running.growth_before * (running.value / running.base)
    return copy(running)


def begin_day(running: Running, day: date) -> None:
    if running.day is not None:
        advance(running, end_of(running.day))
    running.day, running.base, running.growth_before = day, running.value, running.growth


def advance(running: Running, at: int) -> None:
    """Let time pass at the value and the stock share as they are."""
    passed = at - running.at
    if running.begun and not running.closed and passed > 0:
        value = running.value
        stock = value - running.cash - running.owed
        guarded = value > 0 and not running.low * value < stock * PPM < running.high * value
        running.totals = running.totals.lasting(passed, value, guarded=guarded)
    running.at = max(at, running.at)


def take(running: Running, facts: Facts, rank: int, what: Any) -> None:
    if rank == QUOTE:
        take_quote(running, facts, what)
    elif rank == SETTINGS:
        running.portfolio_seq = what.seq
        rule(running, facts, what.about)
    else:
        take_event(running, facts, what)


def take_quote(running: Running, facts: Facts, price: int) -> None:
    running.quote_at, running.price = running.at, price
    act(running, facts)
    begin(running)
    if is_skipped_at(running.span, price):
        running.add(skip_quotes=1)


def is_skipped_at(span: Skip | None, price: int) -> bool:
    """Whether the trigger of a running span fires at this price."""
    if span is None or span.reason != "below_min_notional":
        return False
    return price <= span.edge if span.side == "BUY" else price >= span.edge


def act(running: Running, facts: Facts) -> None:
    """Dividends and splits reach the comparisons with the first price of their day, as they reach the cell."""
    day = running.day
    if not running.begun or running.acted_until == day or day is None:
        return
    since = running.acted_until or day
    due = (action for action in facts.actions if since < action.ex_date <= day)
    for action in sorted(due, key=order_of):
        running.alone = touched(running.alone, action, running.withholding)
        running.held = touched(running.held, action, running.withholding)
    running.acted_until = day


def begin(running: Running) -> None:
    """The first known price values the start: all figures count from here."""
    if running.begun or running.closed or not running.price or not running.seq:
        return
    running.begun, running.acted_until = True, running.day
    running.lots = [Lot(running.shares, value_of(running.shares, running.price))] if running.shares else []
    running.alone = Untouched(running.shares, running.cash + running.owed)
    bring(running, running.value)


def bring(running: Running, worth: int) -> None:
    """The owner's money, in or out: in buy-and-hold it buys at this price; what leaves is its cash, then its stock."""
    running.add(flow=worth)
    running.base += worth
    shares, cash = running.held
    cash += worth
    if worth > 0:
        bought = worth * MICROS // running.price
        shares, cash = shares + bought, cash - value_of(bought, running.price)
    elif cash < 0:
        sold = min(-(cash * MICROS // running.price), shares)
        shares, cash = shares - sold, cash + value_of(sold, running.price)
    running.held = Untouched(shares, cash)


def rule(running: Running, facts: Facts, versions: Versions) -> None:
    portfolio, cell = running.versions
    running.versions = (
        portfolio if versions.portfolio is None else versions.portfolio,
        cell if versions.cell is None else versions.cell,
    )
    running.low, running.high, running.withholding = facts.rails(*running.versions)


def take_event(running: Running, facts: Facts, fact: Fact) -> None:
    running.seq = fact.seq
    before = running.shares
    running.shares, running.cash = before + fact.shares, running.cash + fact.cash
    running.owed += fact.owed
    note_span(running, fact)
    if isinstance(fact.about, Versions):
        rule(running, facts, fact.about)
    if not running.begun:
        begin(running)
    elif fact.kind in OWNERS_MONEY:
        move_own(running, fact)
    elif isinstance(fact.about, Fill):
        take_fill(running, fact, fact.about)
    elif fact.kind == EventType.SPLIT:
        running.lots = split(running.lots, before, running.shares)
    elif fact.kind in (EventType.DIVIDEND_PAID, EventType.DIVIDEND_CORRECTED):
        running.add(received=fact.cash)
    if fact.state == "closed":
        running.closed = True


def note_span(running: Running, fact: Fact) -> None:
    """A skip begins a span and any other event ends it; a person's skip in between does not.

    The price at which the robot decides otherwise is no longer the span's.
    """
    if fact.kind == EventType.SKIPPED and not fact.robot:
        return
    if fact.kind in DECISIONS and fact.robot:
        running.add(skip_quotes=-is_skipped_at(running.span, running.price))
    running.span = fact.about if isinstance(fact.about, Skip) else None
    if running.span:
        short = running.span.reason == "below_min_notional"
        running.add(fired=1, skips=short, skip_quotes=short)
    elif fact.kind == EventType.ORDER_INTENT and fact.about in TRIGGERS:
        running.add(fired=1)


def move_own(running: Running, fact: Fact) -> None:
    running.alone = Untouched(running.alone.shares + fact.shares, running.alone.cash + fact.cash)
    worth = value_of(abs(fact.shares), running.price)
    if fact.shares > 0:
        running.lots = [*running.lots, Lot(fact.shares, worth)]
    elif fact.shares < 0:
        running.lots = remove(running.lots, -fact.shares)
    bring(running, (worth if fact.shares > 0 else -worth) + fact.cash)


def take_fill(running: Running, fact: Fact, fill: Fill) -> None:
    running.add(fees=fill.fee, notional=fill.notional)
    if fill.decision:
        worse = fill.price - fill.decision if fill.side == "BUY" else fill.decision - fill.price
        slippage = fill.notional * worse * SLIPPAGE_UNIT // fill.decision
        running.add(measured=fill.notional, slippage=slippage)
    if fill.side == "BUY":
        running.lots = [*running.lots, Lot(fact.shares, fill.notional + fill.fee)]
        return
    running.lots, sale = sell(running.lots, -fact.shares, fill.notional - fill.fee)
    running.add(**sale._asdict())
