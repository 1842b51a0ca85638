"""The definitions of the numbers: what each is, from what it is computed, and in which unit. Pure.

A period is the difference between a cell's totals at its end and before its first day. Several cells are added up
before anything is divided, so the figure of a portfolio is that of all its money, not the mean of its cells.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from reporting.metrics.rows import SLIPPAGE_UNIT

YEAR_MS = 365 * 86_400_000


class Totals(NamedTuple):
    """Sums since a cell began, or over a period. Money in micros, times in milliseconds."""

    flow: int = 0
    fees: int = 0
    notional: int = 0
    measured: int = 0
    slippage: int = 0
    guard_ms: int = 0
    priced_ms: int = 0
    value_ms: int = 0
    skips: int = 0
    skip_quotes: int = 0
    fired: int = 0
    trips: int = 0
    wins: int = 0
    realised: int = 0
    received: int = 0

    def plus(self, **gains: int) -> "Totals":
        return self._replace(**{name: getattr(self, name) + gain for name, gain in gains.items()})

    def lasting(self, passed: int, value: int, *, guarded: bool) -> "Totals":
        """After so many milliseconds at a value: the one step taken with every price, so without names."""
        flow, fees, notional, measured, slippage, guard_ms, priced_ms, value_ms, *others = self
        lasted = guard_ms + passed * guarded, priced_ms + passed, value_ms + value * passed
        return Totals(flow, fees, notional, measured, slippage, *lasted, *others)


class Worths(NamedTuple):
    """What the cell is worth, what it would be worth left alone, and as buy-and-hold (micros)."""

    value: int = 0
    alone: int = 0
    held: int = 0


class Point(NamedTuple):
    """One cell or portfolio at the end of a market day, with the owner's money since it began."""

    day: date
    worths: Worths
    flow: int


class Figures(NamedTuple):
    """The numbers of one period. before: worths at its beginning, 0 for what began later. growth: time-weighted."""

    totals: Totals
    before: Worths
    after: Worths
    growth: float | None

    @property
    def slippage_bps(self) -> float | None:
        """Basis points of notional by which fills were worse than the price they were decided at.

        side * (fill - decision price) / decision price * 10^4, weighted by notional; above 0 is against you. Fills
        without a decision price are left out. From executions and their orders.
        """
        return ratio(self.totals.slippage, self.totals.measured, 10_000 / SLIPPAGE_UNIT)

    @property
    def hit_rate(self) -> float | None:
        """Share (0 to 1) of closed round trips that made a profit after the fees of both sides.

        First in, first out: each piece of a purchase that a sale takes is one round trip; the shares a cell began with
        count as bought at its first price. Dividends are not part of it. From executions, splits and the opening.
        """
        return ratio(self.totals.wins, self.totals.trips)

    @property
    def guardrail_time_pct(self) -> float | None:
        """Per cent of the time during which the stock share stood at a guardrail or outside.

        Of all time on the market's clock, nights included, the newest price holding until the next; guardrails as they
        were set at the time. From events and quotes.
        """
        return ratio(self.totals.guard_ms, self.totals.priced_ms, 100)

    @property
    def min_notional_skips(self) -> int:
        """Spans during which a fired trigger was skipped because the trade was worth less than `min_notional`.

        A skip that repeats is one span. The quotes in them are counted beside it. From events and quotes.
        """
        return self.totals.skips

    @property
    def min_notional_skip_share(self) -> float | None:
        """Those spans as a share (0 to 1) of fired triggers: robot's orders on a trigger and spans of any skip."""
        return ratio(self.totals.skips, self.totals.fired)

    @property
    def turnover(self) -> float | None:
        """How often a year the mean value was traded: sum of |notional| / time-weighted mean value, annualised.

        A year is 365 days. From executions, events and quotes.
        """
        return ratio(self.totals.notional, self.totals.value_ms, YEAR_MS)

    @property
    def fee_drag(self) -> float | None:
        """What a year of fees takes from the mean value: fees / time-weighted mean value, annualised (0.01 is 1 %)."""
        return ratio(self.totals.fees, self.totals.value_ms, YEAR_MS)

    @property
    def value(self) -> int:
        """What it is worth at the end of the period: stock at the newest price, cash, dividends on their way."""
        return self.after.value

    @property
    def profit(self) -> int:
        """What the value rose by, without the owner's own money."""
        return self.after.value - self.before.value - self.totals.flow

    @property
    def against_alone(self) -> int:
        """Profit less that of the same cell left alone: starting shares and cash untouched, net dividends as cash."""
        return self.profit - (self.after.alone - self.before.alone - self.totals.flow)

    @property
    def against_held(self) -> int:
        """Profit less that of buy-and-hold: all the money in the stock at the first price, net dividends as cash.

        Later deposits buy at the price of their moment; withdrawals take its cash first, then sell. No fees.
        """
        return self.profit - (self.after.held - self.before.held - self.totals.flow)

    @property
    def dividends(self) -> int:
        """Dividends paid out in the period, after tax."""
        return self.totals.received

    @property
    def fees(self) -> int:
        """Commissions of all executions in the period."""
        return self.totals.fees

    @property
    def realised(self) -> int:
        """Profit of the round trips closed in the period, first in, first out, after the fees of both sides."""
        return self.totals.realised

    @property
    def time_weighted(self) -> float | None:
        """Time-weighted return of the period as a share (0.05 is 5 %), free of when money came and went.

        Each market day's value / (value of the evening before + the day's deposits less withdrawals), chained.
        """
        return None if self.growth is None else self.growth - 1


THE_SIX = ("slippage_bps", "hit_rate", "guardrail_time_pct", "min_notional_skips", "turnover", "fee_drag")
MONEY = ("value", "profit", "against_alone", "against_held", "realised", "dividends", "fees")


def ratio(part: int, whole: int, scale: float = 1) -> float | None:
    """None where there is nothing to divide by."""
    return part / whole * scale if whole else None


def growth_of(points: Sequence[Point], start: Point | None) -> float | None:
    """Chained by market day, the owner's money counted at the day's beginning; None where nothing was invested."""
    growth, before, invested = 1.0, start, False
    for point in points:
        value, flow = (before.worths.value, before.flow) if before else (0, 0)
        base = value + point.flow - flow
        if base > 0:
            growth, invested = growth * (point.worths.value / base), True
        before = point
    return growth if invested else None


def added(rows: Iterable[Totals]) -> Totals:
    return Totals(*map(sum, zip(*rows, strict=True))) if (rows := list(rows)) else Totals()


def summed(rows: Iterable[Worths]) -> Worths:
    return Worths(*map(sum, zip(*rows, strict=True))) if (rows := list(rows)) else Worths()


def between(before: Totals, after: Totals) -> Totals:
    return Totals(*(late - early for early, late in zip(before, after, strict=True)))


def definition_of(name: str) -> str:
    """The docstring of a figure in one paragraph, as pages and docs give it."""
    return " ".join((getattr(Figures, name).__doc__ or "").split())
