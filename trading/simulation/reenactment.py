"""A cell's film as the engine is shown it: points, happenings, and a new part wherever other settings begin."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from portfolios.domain.amounts import MICROS, micros
from portfolios.domain.fold import NOTHING
from portfolios.domain.holding import Holding, Rules
from portfolios.events import EventType
from portfolios.models import Event, Position
from trading.domain.band import wake_band
from trading.domain.choices import OPEN, Action, moves_anchor
from trading.domain.decision import decide
from trading.market.calendars import Phase
from trading.services.replay import SOURCE
from trading.sight import Sight
from trading.simulation.bars import day_number
from trading.simulation.engine import (
    ANCHOR,
    CLOSED,
    DUE,
    DUP,
    EX,
    EXTENDED,
    FILL,
    FLOW,
    HALTED,
    LEFT,
    ORDER_OPEN,
    PAUSE,
    PAY,
    QUARANTINED,
    REGULAR,
    RESUME,
    SPLIT,
    STALE,
    UNRECONCILED,
    Happenings,
    Outcome,
    simulate,
)
from trading.simulation.film import Fact, Frame, Look, film_of, seen
from trading.simulation.machine import compiled
from trading.simulation.stage import points_of
from trading.timeline.walk import Walk

PHASES = {Phase.REGULAR: REGULAR, Phase.PRE: EXTENDED, Phase.POST: EXTENDED, Phase.CLOSED: CLOSED}
GATES = {"halted": HALTED, "unreconciled": UNRECONCILED, "order_open": ORDER_OPEN}
LONG = 100_000  # points from which machine code pays: fetching it takes a second, making it half a minute
TRADES = (Action.BUY.name, Action.SELL.name)


class Shot(NamedTuple):
    """A frame as the engine is shown it: how many happenings, its point (0 for none), the market at that."""

    frame: Frame
    happenings: int
    point: int
    market: int


class Part:
    """A stretch under one set of rules. Its first point is the price before it, its last one is looked at by nobody."""

    def __init__(self, rules: Rules, price: int, day: int) -> None:
        self.rules = rules
        self.prices, self.days, self.market = [price], [day], [REGULAR]
        self.happenings: list[tuple[int, int, int, int]] = []
        self.dividends: list[str] = []  # the ex-date of each row of `happenings`, empty for other rows
        self.shots: list[Shot] = []
        self.prelude = 0

    def happens(self, kind: int, first: int = 0, second: int = 0, ex_date: str = "") -> None:
        self.happenings.append((len(self.prices), kind, first, second))
        self.dividends.append(ex_date)

    def run(self, start: Holding, owed: dict[str, int], slippage: int) -> Outcome:
        """From where the cell stood. owed: net dividends not yet paid, by ex-date."""
        last = (self.prices[-1], self.days[-1], STALE | ORDER_OPEN)
        prices, days, market = (
            np.array([*column, end], kind)
            for column, end, kind in zip(
                (self.prices, self.days, self.market), last, (np.int64, np.int32, np.uint8), strict=True
            )
        )
        rows = [
            (before, kind, owed[ex_date] if kind == DUE else first, second)
            for (before, kind, first, second), ex_date in zip(self.happenings, self.dividends, strict=True)
        ]
        table = np.array(rows, np.int64).reshape(-1, 4)
        happenings = Happenings(*(np.ascontiguousarray(column) for column in table.T))
        points = points_of(prices, days, market)
        engine = simulate if len(prices) < LONG else compiled("simulate")
        outcome: Outcome = engine(points, happenings, self.rules, start, slippage)
        return outcome


class Staging:
    """Turns frames into parts."""

    def __init__(self, position: Position) -> None:
        self.walk, log = Walk.up_to(position, None)
        self.log = log
        self.parts: list[Part] = []
        self.part: Part | None = None
        self.price, self.day = MICROS, 0
        self.owed: list[str] = []
        self.carried = 0
        self.start = Holding(0, 0, 0, 0, 0, 0)

    def staged(self) -> list[Part]:
        for frame in film_of(self.walk, self.log):
            self.show(frame)
        return self.parts

    def show(self, frame: Frame) -> None:
        part = self.part or self.begin()
        before, point = len(part.happenings), 0
        if isinstance(frame, Look):
            point = self.look(part, frame)
        else:
            self.carried = 0
            self.fact(part, frame.event)
        part.shots.append(Shot(frame, len(part.happenings) - before, point, part.market[point] if point else 0))
        if isinstance(frame, Fact) and frame.event.type in (EventType.SETTINGS_CHANGED, EventType.LOT_CHANGED):
            self.part = None

    def begin(self) -> Part:
        part = self.part = Part(self.walk.rules, self.price, self.day)
        self.parts.append(part)
        if self.walk.state.state == Position.Status.PAUSED:
            part.happens(PAUSE)
        left = [count for day, count in self.walk.sent.items() if day_number(day) == self.day]
        if any(left):
            part.happens(LEFT, sum(left))
        for ex_date in self.owed:
            part.happens(DUE, ex_date=ex_date)
        part.prelude = len(part.happenings)
        return part

    def look(self, part: Part, look: Look) -> int:
        sight = seen(self.walk, look, part.rules)
        bits = self.in_the_way(look)
        self.carried = bits & (HALTED | UNRECONCILED | ORDER_OPEN) if is_skip(look.event) else self.carried
        if look.event and not is_skip(look.event):
            self.carried = 0
        if not look.is_shown or sight is None or (look.event is None and self.came_too_late(sight, bits)):
            return 0
        self.price, self.day = sight.price, day_number(self.walk.calendar.market_day(sight.at))
        part.prices.append(self.price)
        part.days.append(self.day)
        part.market.append(PHASES[self.walk.calendar.phase(sight.moment)] | (STALE if sight.stale else 0) | bits)
        return len(part.prices) - 1

    def came_too_late(self, sight: Sight, bits: int) -> bool:
        """Whether the log itself says that the robot never looked: it would have acted; a newer price came first."""
        walk, rules = self.walk, self.walk.rules
        if never_hurries(walk.position) or sight.stale:
            return False
        if walk.state.anchor == 0:
            return True
        band = wake_band(walk.holding, rules)
        if bits or band.below < sight.price < band.above:
            return False
        decision = decide(walk.holding, rules, sight.price, OPEN)
        reanchors = bool(rules.reanchor_after_skip) and moves_anchor(decision.reason)
        return decision.action in (Action.BUY, Action.SELL) or reanchors

    def in_the_way(self, look: Look) -> int:
        """What else than market and day stood in the way: as the log tells it, or still as at the last skip."""
        walk = self.walk
        bits = QUARANTINED if walk.state.state == Position.Status.QUARANTINED else 0
        bits |= ORDER_OPEN if walk.open_order else 0
        if look.event is None:
            halted = look.quote and walk.halted_at(look.quote.received_at)
            return bits | self.carried | (HALTED if halted else 0)
        outputs = look.event.content["outputs"]
        if outputs.get("action") in TRADES and not look.led_to:
            return bits | ORDER_OPEN  # it did not fill at once: how it did comes as it was booked
        words = outputs.get("gates") or {}
        bits |= DUP if words.get("dup", "no") != "no" else 0
        return bits | sum(bit for name, bit in GATES.items() if words.get(name, "no") != "no" and not bits & bit)

    def fact(self, part: Part, event: Event) -> None:
        """Market and people act on the cell by the engine's own rules; what brokers booked comes as it was booked."""
        state, told = self.walk.state, event.content["inputs"]
        if self.walk.state == NOTHING and event.type == EventType.POSITION_CREATED:
            self.start = Holding(event.d_shares, event.d_cash, 0, 0, 0, event.anchor_after)
        elif event.stream == Event.Stream.PORTFOLIO:
            return
        elif event.type == EventType.EX_DIVIDEND:
            part.happens(EX, micros(told["dps"]), ex_date=told["ex_date"])
            self.owed.append(told["ex_date"])
        elif event.type == EventType.DIVIDEND_PAID and told["ex_date"] in self.owed:
            part.happens(PAY, part.dividends.index(told["ex_date"]))
            self.owed.remove(told["ex_date"])
        elif event.type == EventType.SPLIT:
            part.happens(SPLIT, int(told["numerator"]), int(told["denominator"]))
        elif event.type == EventType.DIVIDEND_CORRECTED:
            part.happens(FLOW, 0, event.d_cash + event.d_receivable)  # the engine pays what was announced
        else:
            self.act(part, event, state.anchor)
        if event.state_after != state.state and Position.Status.PAUSED in (event.state_after, state.state):
            part.happens(PAUSE if event.state_after == Position.Status.PAUSED else RESUME)

    def act(self, part: Part, event: Event, anchor: int) -> None:
        if event.d_shares or event.d_cash:
            part.happens(FLOW, event.d_shares, event.d_cash)
        if event.anchor_after != anchor:
            part.happens(ANCHOR, event.anchor_after)
        day = self.walk.unsent.get(event.subject) if event.type == EventType.ORDER_SUBMITTED and event.subject else None
        if day and day_number(day) == self.day:
            part.happens(LEFT, 1)


def never_hurries(position: Position) -> bool:
    """Whether each price waits until every cell has looked at it, so that no look is ever missed."""
    return position.source == SOURCE


def is_skip(event: Event | None) -> bool:
    return event is not None and event.type == EventType.SKIPPED


class Act(NamedTuple):
    """A shot with what the engine did at it: its steps, one per happening and at most one of its own."""

    shot: Shot
    rules: Rules
    happened: np.ndarray
    done: np.ndarray | None


def reenacted(staging: Staging, slippage: int) -> Iterator[Act]:
    """All parts through the engine, each from where the last one ended."""
    owed: dict[str, int] = {}
    parts, holding = staging.staged(), staging.start
    for part in parts:
        outcome = part.run(holding, owed, slippage)
        holding = Holding(*(int(amount) for amount in outcome.holding))
        yield from acts_of(part, outcome.steps, owed)


def acts_of(part: Part, steps: np.ndarray, owed: dict[str, int]) -> Iterator[Act]:
    """Steps come in the order of the shots. What an ex-date brought is kept for the day it is paid."""
    row, place = part.prelude, part.prelude
    for shot in part.shots:
        happened = steps[place : place + shot.happenings]
        place += shot.happenings
        for step in happened:
            if step[1] == EX:
                owed[part.dividends[row]] = int(step[11])
            row += 1
        done = None
        if shot.point and place < len(steps) and steps[place, 0] == shot.point and steps[place, 1] >= FILL:
            done = steps[place]
            place += 1
        yield Act(shot, part.rules, happened, done)
