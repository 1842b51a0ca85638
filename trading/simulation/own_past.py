"""A cell's own history as the engine reads it: the prices its robot was shown, and what people and the market did.

Quotes come as columns, never as objects; of the log only the few events are read that no settings can change.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import numpy as np
from django.db.models import Q

from portfolios.domain.amounts import micros
from portfolios.domain.holding import Holding, Rules
from portfolios.events import EventType
from portfolios.models import Event, Position
from trading.market.calendars import calendar_for
from trading.market.feeds import FEEDS
from trading.market.models import Quote
from trading.market.phases import IN_ORDER, instant, number, phases
from trading.market.selectors import clock_of, exchange_of, last_close_before
from trading.models import Order
from trading.risk.models import Halt
from trading.simulation.engine import (
    ANCHOR,
    CLOSED,
    EX,
    EXTENDED,
    FLOW,
    HALTED,
    LOOK,
    ORDER_OPEN,
    PAUSE,
    PAY,
    QUARANTINED,
    REGULAR,
    RESUME,
    SPLIT,
    STALE,
    Happenings,
)
from trading.simulation.looks import choose_all
from trading.simulation.machine import compiled
from trading.simulation.own_gaps import waiting
from trading.simulation.own_quotes import Quotes, nothing_seen, quotes_since
from trading.simulation.stage import Stage, points_of
from trading.timeline import BY_PEOPLE, comes_after
from trading.timeline.walk import LATER, splits_of

BITS = {"regular": REGULAR, "pre": EXTENDED, "post": EXTENDED, "closed": CLOSED}
MILLISECOND = timedelta(milliseconds=1)
LONG = 20_000  # quotes from which machine code pays: a process waits a second for it once
FACTS = (
    EventType.POSITION_CREATED,
    EventType.DEPOSITED,
    EventType.WITHDRAWN,
    EventType.ADJUSTED,
    EventType.ANCHOR_RESET,
    EventType.EX_DIVIDEND,
    EventType.DIVIDEND_PAID,
    EventType.DIVIDEND_CORRECTED,
    EventType.SPLIT,
    EventType.PAUSED,
    EventType.RESUMED,
    EventType.QUARANTINED,
    EventType.RELEASED,
    EventType.CLOSED,
)
READ = (
    "seq",
    "subject",
    "type",
    "market_at",
    "recorded_at",
    "actor",
    "d_shares",
    "d_cash",
    "d_receivable",
    "anchor_after",
    "state_after",
    "text",
)


class Past(NamedTuple):
    """Everything of a cell's life that its settings do not decide.

    days, market: of each quote, without staleness, which is a matter of settings. before: the price before the first.
    ages in milliseconds, 0 while a price holds whatever the settings say. opened: primary key of the first event.
    """

    quotes: Quotes
    ages: np.ndarray
    days: np.ndarray
    market: np.ndarray
    happenings: Happenings
    start: Holding
    before: int
    opened: int


class Fact(NamedTuple):
    """An event, and before which quote it happened."""

    event: Event
    place: int


def past_of(position: Position) -> Past:
    """Raises CannotRun with a sentence where there is nothing to tell, or too much."""
    by_hand = orders_by_hand(position)
    log = facts_in(position, by_hand)
    opening = log[0]
    quotes = quotes_since(position, opening.market_at)
    calendar = calendar_for(exchange_of(position.symbol))
    replayed = clock_of(position.source) is not None
    ages = np.zeros(len(quotes.at), np.int64) if replayed else ages_of(position, quotes)
    hours = phases(calendar, quotes.at)
    market = np.array([BITS[phase] for phase in IN_ORDER], np.uint8)[hours.phases]
    facts = list(placed(log[1:], quotes, replayed, by_hand))
    market = market | in_the_way(position, quotes, facts) | waiting(position, quotes, calendar)
    end = next((fact.place for fact in facts if fact.event.type == EventType.CLOSED), len(quotes.at))
    if not end:
        raise nothing_seen()
    return Past(
        Quotes(*(column[:end] for column in quotes)),
        ages[:end],
        hours.days[:end],
        market[:end],
        happenings_of(opening, facts, end, replayed, by_hand),
        Holding(opening.d_shares, opening.d_cash, 0, 0, 0, opening.anchor_after),
        last_close_before(position.symbol, position.source, opening.market_at) or int(quotes.last[0]),
        opening.pk,
    )


def orders_by_hand(position: Position) -> dict[UUID | None, datetime]:
    """When a person placed each order of his that filled."""
    rows = Order.objects.filter(position=position, origin=Order.Origin.PERSON).exclude(filled_quantity=0)
    return dict(rows.values_list("public_id", "created_at"))


def facts_in(position: Position, by_hand: Collection[UUID | None]) -> list[Event]:
    """In order: what people and the market did to the cell, orders given by hand included."""
    wanted = Q(type__in=FACTS)
    if by_hand:
        wanted |= Q(subject__in=by_hand) & (~Q(d_shares=0) | ~Q(d_cash=0) | Q(type=EventType.ANCHOR_UPDATED))
    log = Event.objects.of(position).filter(wanted)
    return list(log.exclude(type=EventType.ANCHOR_RESET, actor="robot").only(*READ))


def placed(
    log: Sequence[Event], quotes: Quotes, replayed: bool, by_hand: Mapping[UUID | None, datetime]
) -> Iterator[Fact]:
    """A replayed market stands still while somebody acts: a released cell looks at the newest of the prices that it had
    not been shown in its quarantine."""
    since = len(quotes.at)
    for event in log:
        place = place_of(event, quotes, by_hand.get(event.subject))
        if event.type == EventType.QUARANTINED:
            since = place
        if event.type == EventType.RELEASED and replayed and since < place:
            place -= 1
        yield Fact(event, place)


def place_of(event: Event, quotes: Quotes, ordered: datetime | None) -> int:
    """Before which quote it happened. Of one at the same instant the log tells: what somebody did, ordered or found out
    after it had come was done after the look at it."""
    at = number(event.market_at)
    place = int(np.searchsorted(quotes.at, at))
    if place < len(quotes.at) and quotes.at[place] == at:
        quote = Quote(at=event.market_at, received_at=instant(int(quotes.received[place])))
        if ordered:
            place += ordered > quote.received_at
        elif event.type == EventType.QUARANTINED:
            place += event.recorded_at > quote.received_at
        else:
            place += comes_after(event, quote)
    return place


def in_the_way(position: Position, quotes: Quotes, facts: Sequence[Fact]) -> np.ndarray:
    """Bits of the engine: quarantined, halted, or a split not yet booked, whatever the settings were."""
    bits = np.zeros(len(quotes.at), np.uint8)
    since = None
    for event, place in facts:
        if since is not None and event.state_after != Position.Status.QUARANTINED:
            bits[since:place] |= QUARANTINED
            since = None
        if since is None and event.state_after == Position.Status.QUARANTINED:
            since = place
    if since is not None:
        bits[since:] |= QUARANTINED
    for row in Halt.objects.ever_over(position):
        begins, ends = number(row.halted_at), number(row.rearmed_at or LATER)
        bits[(quotes.received >= begins) & (quotes.received < ends)] |= HALTED
    splits = [fact.place for fact in facts if fact.event.type == EventType.SPLIT]
    for count, split in enumerate(splits_of(position)):
        begins = int(np.searchsorted(quotes.at, midnight(split.ex_date)))
        ends = splits[count] if count < len(splits) else len(bits)
        bits[begins : max(begins, ends)] |= STALE | ORDER_OPEN
    return bits


def midnight(day: date) -> int:
    """In UTC, as the robot asks whether a split is due."""
    return number(datetime.fromisoformat(f"{day.isoformat()}T00:00:00+00:00"))


def happenings_of(
    opening: Event, facts: Sequence[Fact], end: int, replayed: bool, by_hand: Collection[UUID | None]
) -> Happenings:
    """For points with one before the first quote. What came after the last quote happens after it.

    Where a market waits for its cells, whoever is woken by a person looks at the newest price if he slept through it.
    """
    rows: list[tuple[int, int, int, int]] = []
    ex_rows: dict[str, int] = {}
    anchor, state, earliest = opening.anchor_after, opening.state_after, 0
    for row, (event, place) in enumerate(facts):
        earliest = max(earliest, min(place, end))
        for kind, first, second in acts_of(event, state, anchor, ex_rows):
            if kind == EX:
                ex_rows[event.content["inputs"]["ex_date"]] = len(rows)
            rows.append((earliest + 1, kind, first, second))
        is_last = row + 1 == len(facts) or facts[row + 1].place > earliest
        if replayed and is_last and (event.actor.startswith(BY_PEOPLE) or event.subject in by_hand):
            rows.append((earliest + 1, LOOK, 0, 0))
        anchor, state = event.anchor_after, event.state_after
    table = np.array(rows, np.int64).reshape(-1, 4)
    return Happenings(*(np.ascontiguousarray(column) for column in table.T))


def acts_of(event: Event, state: str, anchor: int, ex_rows: dict[str, int]) -> Iterator[tuple[int, int, int]]:
    """What an event was to the engine, which works out for itself what follows: amounts, and the pause of a cell that
    a dividend left without an anchor."""
    if event.type == EventType.EX_DIVIDEND:
        yield EX, micros(event.content["inputs"]["dps"]), 0
    elif event.type == EventType.DIVIDEND_PAID:
        if event.content["inputs"]["ex_date"] in ex_rows:
            yield PAY, ex_rows[event.content["inputs"]["ex_date"]], 0
    elif event.type == EventType.SPLIT:
        told = event.content["inputs"]
        yield SPLIT, int(told["numerator"]), int(told["denominator"])
    elif event.type == EventType.DIVIDEND_CORRECTED:
        yield FLOW, 0, event.d_cash + event.d_receivable  # the engine pays what was announced: the rest comes here
    else:
        if event.d_shares or event.d_cash:
            yield FLOW, event.d_shares, event.d_cash
        if event.type in (EventType.ANCHOR_RESET, EventType.ANCHOR_UPDATED):
            yield ANCHOR, event.anchor_after, 0
    if event.state_after != state and Position.Status.PAUSED in (event.state_after, state) and event.actor != "market":
        yield (PAUSE if event.state_after == Position.Status.PAUSED else RESUME), 0, 0


def ages_of(position: Position, quotes: Quotes) -> np.ndarray:
    """As they came in, in milliseconds; 0 where that is no age for the feed."""
    ages = np.maximum(quotes.received - quotes.at, 0) // 1_000
    feed = FEEDS.get(position.source)
    if feed is None or feed.cadence <= 1 or not len(ages):
        return ages
    exchange, at = exchange_of(position.symbol), quotes.at.tolist() if feed.closes else quotes.at[:1].tolist()
    most = np.array([feed.fresh_for(instant(each), exchange) // MILLISECOND for each in at])  # one for all, or each
    return np.where(ages <= most, 0, ages)


def stage_under(past: Past, rules: Rules) -> Stage:
    """The quotes as these rules choose prices from them, between a price that only came before and an end that nobody
    looks at, so that what happened after the last quote is told too."""
    quotes, count = past.quotes, len(past.quotes.at)
    prices, stale = np.empty(count, np.int64), np.empty(count, np.uint8)
    choose = choose_all if count < LONG else compiled("choose_all", "looks")
    limits = rules.max_quote_age, rules.max_last_to_mid
    choose(quotes.last, quotes.bid, quotes.ask, past.ages, *limits, prices, stale)
    market = past.market | np.where(stale, STALE, 0).astype(np.uint8)
    points = points_of(
        np.concatenate([[past.before], prices, prices[-1:]]).astype(np.int64),
        np.concatenate([past.days[:1], past.days, past.days[-1:]]).astype(np.int32),
        np.concatenate([[STALE | ORDER_OPEN], market, [STALE | ORDER_OPEN]]).astype(np.uint8),
    )
    return Stage(points, past.happenings, np.arange(count + 2))
