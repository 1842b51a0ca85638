"""A storm rehearsed: all cells of a portfolio through falls and back up again, by the engine itself. Writes nothing.

Each point is a look of its own day in an open market, filled at its price; no dividends, no halts, every gate open.
"""

import csv
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from django.conf import settings

from portfolios.domain.amounts import MAX_PRICE, MIN_PRICE, PPM
from portfolios.domain.holding import Holding, Rules
from trading.simulation import engine
from trading.simulation.engine import FILL, Happenings, Points
from trading.simulation.machine import compiled, sources
from trading.simulation.steps import STEP

SHAPES = Path(__file__).parent / "shapes.csv"
FALLS = (10, 20, 35, 50)
WEEKS = 20  # down, and as many up again
SLOW = 60  # the last fall takes its time both ways
TITLES = {"2000": "As 2000 to 2002", "2008": "As 2008", "2020": "As 2020"}
LARGEST_SUM = 2**62
FEW, MANY = 10, 50
Engine = Callable[..., Any]


class Scenario(NamedTuple):
    """levels: of every week, in ppm of today's price, today first; bottom: the place of the lowest."""

    name: str
    title: str
    levels: tuple[int, ...]
    bottom: int

    @property
    def depth(self) -> int:
        """Of the fall, ppm."""
        return PPM - self.levels[self.bottom]


class Sailor(NamedTuple):
    """One cell as it stands: nothing reserved, and a price in micros."""

    name: str
    holding: Holding
    rules: Rules
    price: int


class Course(NamedTuple):
    """A cell through one scenario. Rows of `engine.follow` for every week, with the robot and left alone."""

    name: str
    steps: np.ndarray
    weeks: np.ndarray
    held: np.ndarray
    dry: int | None

    @property
    def trades(self) -> int:
        return int((self.steps[:, 1] == FILL).sum())

    @property
    def cash_needed(self) -> int:
        """How much of its cash went into stock at the worst moment, micros."""
        return max(int(self.weeks[0, 2]) - int(self.weeks[:, 2].min()), 0)


class Passage(NamedTuple):
    """A portfolio through one scenario: worth in micros, stock share in ppm, week by week.

    held: the same left alone. dry: (cell, ppm of today's price) where its cash no longer paid for a smallest order.
    """

    scenario: Scenario
    courses: tuple[Course, ...]
    value: tuple[int, ...]
    held: tuple[int, ...]
    stock: tuple[int, ...]
    cash: tuple[int, ...]

    @property
    def worst(self) -> int:
        """The week in which the robot's portfolio is worth least."""
        return self.value.index(min(self.value))

    @property
    def now(self) -> int:
        return self.value[0]

    @property
    def worst_value(self) -> int:
        return self.value[self.worst]

    @property
    def value_at_end(self) -> int:
        return self.value[-1]

    @property
    def against(self) -> int:
        """At that worst week, beside left alone."""
        return self.value[self.worst] - self.held[self.worst]

    @property
    def gained(self) -> int:
        """Once prices are back where they were, beside left alone."""
        return self.value[-1] - self.held[-1]

    @property
    def cash_needed(self) -> int:
        return max(self.cash[0] - min(self.cash), 0)

    @property
    def share_at_worst(self) -> int:
        return self.stock[self.worst] * PPM // max(self.value[self.worst], 1)

    @property
    def highest_share(self) -> int:
        shares = (stock * PPM // max(value, 1) for stock, value in zip(self.stock, self.value, strict=True))
        return max(shares)

    @property
    def dry(self) -> list[tuple[str, int]]:
        return [(row.name, self.scenario.levels[row.dry]) for row in self.courses if row.dry is not None]

    @property
    def trades(self) -> int:
        return sum(row.trades for row in self.courses)


@cache
def scenarios() -> tuple[Scenario, ...]:
    """Four falls in twenty weeks and back, the deepest once more in sixty, and three shapes of an index."""
    falls = [scenario(f"fall-{depth}", f"−{depth} %", straight(depth, WEEKS)) for depth in FALLS]
    falls.append(scenario("slow-50", "−50 %, slowly", straight(50, SLOW)))
    with SHAPES.open(newline="", encoding="utf-8") as file:
        rows = [(row["shape"], int(row["level"])) for row in csv.DictReader(file)]
    known = [scenario(name, title, [level for key, level in rows if key == name]) for name, title in TITLES.items()]
    return (*falls, *known)


def scenario(name: str, title: str, levels: Sequence[int]) -> Scenario:
    return Scenario(name, title, tuple(levels), levels.index(min(levels)))


def straight(depth: int, weeks: int) -> list[int]:
    """Down by the same amount every week, and up again."""
    down = [PPM - depth * PPM * week // (100 * weeks) for week in range(weeks + 1)]
    return [*down, *down[-2::-1]]


def rehearse(sailors: Sequence[Sailor]) -> tuple[Passage, ...]:
    """Through every scenario; no sailors, no passages. As machine code where that is at hand."""
    if not sailors:
        return ()
    trade, follow = functions(len(sailors))
    return tuple(passage(weather, sailors, trade, follow) for weather in scenarios())


def passage(weather: Scenario, sailors: Sequence[Sailor], trade: Engine, follow: Engine) -> Passage:
    courses = tuple(course(weather, sailor, trade, follow) for sailor in sailors)
    value = summed([row.weeks[:, 0] for row in courses])
    stock = summed([row.weeks[:, 5] for row in courses])
    cash = summed([row.weeks[:, 2] for row in courses])
    return Passage(weather, courses, value, summed([row.held for row in courses]), stock, cash)


def course(weather: Scenario, sailor: Sailor, trade: Engine, follow: Engine) -> Course:
    points, start = sea(weather.levels, sailor.price), at_anchor(sailor)
    steps = trade(points, no_happenings(), sailor.rules, start, 0).steps
    moments = np.arange(len(weather.levels), dtype=np.int64)
    weeks = follow(points, start, steps, moments)
    held = follow(points, start, np.empty((0, STEP), np.int64), moments)[:, 0]
    return Course(sailor.name, steps, weeks, held, dry_in(weeks, sailor.rules))


def dry_in(weeks: np.ndarray, rules: Rules) -> int | None:
    """The first week after which its cash no longer paid for the smallest order and its least fee."""
    low = weeks[:, 2] < rules.min_notional + rules.commission_min
    begins_dry, runs_dry = bool(low[0]), bool(low.any())
    return int(np.argmax(low)) if runs_dry and not begins_dry else None


def sea(levels: tuple[int, ...], price: int) -> Points:
    prices = np.array([min(max(price * level // PPM, MIN_PRICE), MAX_PRICE) for level in levels], np.int64)
    days = np.arange(len(levels), dtype=np.int32)
    return Points(prices, np.empty(0, np.int32), days, np.zeros(len(levels), np.uint8))


def at_anchor(sailor: Sailor) -> Holding:
    """Nothing promised to an order; without an anchor it is anchored at today's price."""
    held = sailor.holding
    return Holding(held.shares, held.cash, held.receivable, 0, 0, held.anchor or sailor.price)


@cache
def no_happenings() -> Happenings:
    return Happenings(*(np.empty(0, np.int64) for _ in Happenings._fields))


def summed(columns: Sequence[np.ndarray]) -> tuple[int, ...]:
    """Week by week, exactly: beyond 64 bits as Python's own integers."""
    if sum(int(np.abs(column).max()) for column in columns) < LARGEST_SUM:
        return tuple(np.stack(columns).sum(axis=0).tolist())
    return tuple(sum(week) for week in zip(*(column.tolist() for column in columns), strict=True))


def functions(cells: int) -> tuple[Engine, Engine]:
    """A page waits for no compiler, nor with a few cells for numba's import: interpreted it is the same."""
    at_hand = is_compiled() and (cells > FEW or "numba" in sys.modules)
    if at_hand or cells > MANY:
        return compiled("trade"), compiled("follow")
    return engine.trade, engine.follow


def is_compiled() -> bool:
    """Whether some process has compiled both functions of today's sources and kept them on disk."""
    try:
        kept = Path(settings.VAR) / "cache" / "numba" / sources()
    except ImportError:
        return False
    return all(any(kept.glob(f"*/engine.{name}-*.nbi")) for name in ("trade", "follow"))
