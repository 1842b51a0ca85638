"""The plain rows a cell's totals are made of, and its market days. Pure."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from portfolios.events import EventType
from reporting.comparison import Payout, Ratio

EXCHANGE_TIME = ZoneInfo("America/New_York")
SLIPPAGE_UNIT = 10**10
FILLS = (EventType.ORDER_FILLED, EventType.ORDER_PARTIALLY_FILLED, EventType.LATE_FILL, EventType.OVERFILL)
OWNERS_MONEY = ("position_created", "deposited", "withdrawn", "adjusted")
DECISIONS = (EventType.EVALUATED, EventType.SKIPPED)
TRIGGERS = ("trigger_down", "trigger_up")


class Fill(NamedTuple):
    """decision is the price the order was decided at, 0 where there was none."""

    side: str
    notional: int
    fee: int
    price: int
    decision: int


class Skip(NamedTuple):
    """A trigger that fired and was skipped: its side, the edge it fired at, and why."""

    side: str
    edge: int
    reason: str


class Fact(NamedTuple):
    """One event as the totals need it. `about` is what its text says: a fill, a skip, settings versions, an origin."""

    at: int
    seq: int
    kind: str
    shares: int = 0
    cash: int = 0
    owed: int = 0
    state: str = ""
    robot: bool = False
    about: Any = None


class Rails(NamedTuple):
    """Guardrails and withholding in force, in ppm."""

    low: int
    high: int
    withholding: int


class Versions(NamedTuple):
    """Settings of portfolio and cell; None leaves that one as it was."""

    portfolio: int | None
    cell: int | None


class Facts(NamedTuple):
    """Everything about one cell after the totals it is added to, each list oldest first.

    portfolio: settings changes of its portfolio. quotes: (instant, rank, price) with QUOTE as rank.
    """

    events: Sequence[Fact]
    portfolio: Sequence[Fact]
    quotes: Sequence[tuple[int, int, int]]
    actions: Sequence[Payout | Ratio]
    rails: Callable[[int, int], Rails]


SETTINGS, QUOTE, EVENT = range(3)  # at one instant settings come first, then the price, then what it led to


def instant(at: datetime) -> int:
    return round(at.timestamp() * 1000)


@lru_cache(maxsize=20_000)
def end_of(day: date) -> int:
    """The midnight of the exchange that ends a market day."""
    return instant(datetime.combine(day + timedelta(days=1), time(), EXCHANGE_TIME))


def day_of(at: int) -> date:
    return datetime.fromtimestamp(at / 1000, EXCHANGE_TIME).date()
