"""Simulated lives to test the engine with: random bars, actions and rules, and the interpreted engine made quick."""

from datetime import date, timedelta
from functools import lru_cache
from types import FunctionType
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from portfolios.domain.amounts import MAX_AMOUNT, MAX_PRICE, MICROS, MIN_PRICE, PPM
from portfolios.domain.holding import Holding, Rules
from tests.unit.cells import rules
from tests.unit.many_cases import draw_holdings, draw_rules, scaled, spread
from trading.simulation import engine
from trading.simulation.bars import Bars, Dividend, Split, day_number
from trading.simulation.engine import Happenings, Outcome, Points
from trading.simulation.stage import Stage, stage_of, starting

FIRST = date(2007, 1, 3)
LOOKS = 4_096


class Life(NamedTuple):
    """All that a run is given. dividends and splits are there where the points were made of bars."""

    stage: Stage
    rules: Rules
    start: Holding
    slippage: int
    dividends: tuple[Dividend, ...] = ()
    splits: tuple[Split, ...] = ()
    bars: Bars | None = None

    @property
    def given(self) -> tuple[Points, Happenings, Rules, Holding, int]:
        return self.stage.points, self.stage.happenings, self.rules, self.start, self.slippage


def searched(prices: np.ndarray, coarse: np.ndarray, begin: int, end: int, below: int, above: int) -> int:
    """What `first_outside` finds, by whole arrays: interpreted, the search is most of the time and has its own test."""
    while begin < end:
        part = prices[begin : min(begin + LOOKS, end)]
        found = np.flatnonzero((part <= below) | (part >= above))
        if len(found):
            return begin + int(found[0])
        begin += LOOKS
    return end


names = {**vars(engine), "first_outside": searched}
names["advance"] = FunctionType(engine.advance.__code__, names, "advance")
interpreted = FunctionType(engine.simulate.__code__, names, "interpreted", (0,))


def assert_same(one: Outcome, other: Outcome) -> None:
    """Every step (fills, cash, shares, receivable, anchor), what is left at the end, and every skip."""
    assert one.steps.tolist() == other.steps.tolist()
    assert tuple(one.holding) == tuple(other.holding)
    assert one.skips.tolist() == other.skips.tolist()


def bars_of(*closes: str | float, first: date = FIRST, **columns: object) -> Bars:
    """Daily bars that are as good as points: open, high, low and close the same unless given."""
    prices = np.array([[round(float(close) * MICROS)] * 4 for close in closes], np.int64)
    days = np.array([day_number(first + timedelta(days=number)) for number in range(len(closes))], np.int32)
    market = np.array(columns.get("market", [0] * len(closes)), np.uint8)
    return Bars(days.astype(np.int64) * 86_400, days, prices, market, is_daily=True)


def minutes(random: Generator, count: int, price: int, roughness: float, a_day: int = 500) -> Bars:
    """A day has `a_day` bars, a fifth of them before or after the session. roughness: deviation of a bar's return."""
    noise = random.normal(0, roughness, count)
    closes = np.exp(np.cumsum(noise - noise.mean())) * price
    closes = (closes.clip(MIN_PRICE, MAX_PRICE) / MIN_PRICE).astype(np.int64) * MIN_PRICE  # to 0.0001
    opens = np.append(closes[:1], closes[:-1])
    reach = scaled(closes, np.abs(random.normal(0, roughness, count)), MAX_PRICE) // MIN_PRICE * MIN_PRICE
    high = np.minimum(np.maximum(opens, closes) + reach, MAX_PRICE)
    low = np.maximum(np.minimum(opens, closes) - reach, MIN_PRICE)
    number = np.arange(count)
    days = (day_number(FIRST) + number // a_day).astype(np.int32)
    place = number % a_day
    market = ((place < a_day / 10) | (place >= a_day - a_day / 10)).astype(np.uint8)
    prices = np.stack([opens, high, low, closes], axis=1)
    return Bars(days.astype(np.int64) * 86_400 + place * 60, days, prices, market, is_daily=False)


def actions(random: Generator, bars: Bars) -> tuple[tuple[Dividend, ...], tuple[Split, ...]]:
    """A dividend of up to 2 % about every 30 days, a split about every 90; paid at once, a month later or too late."""
    first, days = FIRST, int(bars.days[-1] - bars.days[0])
    price = int(bars.prices[:, 3].min())
    dividends = []
    for _ in range(days // 30):
        ex = first + timedelta(days=int(random.integers(0, days + 2)))
        paid = ex + timedelta(days=int(random.choice((0, 1, 30, 30, 400))))
        dividends.append(Dividend(ex, paid, max(int(price * random.uniform(0, 0.02)), 1)))
    splits = []
    for _ in range(days // 90):
        numerator, denominator = (int(number) for number in random.choice(((2, 1), (1, 2), (3, 2), (21, 20))))
        splits.append(Split(first + timedelta(days=int(random.integers(0, days + 2))), numerator, denominator))
    return tuple(sorted(dividends)), tuple(sorted(splits))


def usual_rules(random: Generator) -> Rules:
    """Settings as people choose them: all sizings, lots, limits, daily limits, sessions, skips and anchors."""

    def one(*choices: object) -> object:
        return choices[int(random.integers(len(choices)))]

    return rules(
        tau=one("0.002", "0.01", "0.03", "0.1"),
        sizing=(sizing := one("anchor_ratio", "proportional", "fixed_percentage", "constant_mix")),
        **({} if sizing == "constant_mix" else {"r": one("0.02", "0.1", "1.6667")}),
        guardrail_low=one("0", "0.25", "0.4"),
        guardrail_high=one("0.6", "0.75", "1"),
        max_trade=one(None, "0.05", "0.3"),
        min_notional=one("0", "10", "100"),
        when_short=one("trim", "skip"),
        commission_bps=one("0", "1", "25"),
        commission_min=one("0", "0", "1"),
        market_buffer=one("0", "0.001", "0.04"),
        max_orders_per_day=one(0, 1, 2, 5, 10_000),
        withholding=one("0", "0.15", "0.25", "1"),
        after_hours=one(True, False),
        fractional=one(True, True, False),
        auto_rebalance=one(True, False),
        reanchor_after_skip=one(True, False),
        order_type=one("market", "limit"),
        limit_offset_bps=one("0", "5", "50"),
    )


class Past(NamedTuple):
    stage: Stage
    dividends: tuple[Dividend, ...]
    splits: tuple[Split, ...]
    bars: Bars


@lru_cache(maxsize=2)
def usual_past(seed: int, count: int, path: str, a_day: int) -> Past:
    """Prices as of a stock, from cents to thousands; dividends and splits that the prices know nothing of."""
    random = np.random.default_rng(seed)
    price = int(np.exp(random.uniform(np.log(MICROS), np.log(5_000 * MICROS))))
    roughness = float(random.choice((0.0005, 0.001, 0.002))) * (500 / a_day) ** 0.5
    bars = minutes(random, count, price, roughness, a_day)
    dividends, splits = actions(random, bars)
    return Past(stage_of(bars, dividends, splits, path), dividends, splits, bars)


def usual_life(seed: int, count: int, path: str = "close", a_day: int = 500, past: int = 0) -> Life:
    """One's own settings over one's own past, or over the past of another seed."""
    random = np.random.default_rng(seed)
    stage, dividends, splits, bars = usual_past(past or seed, count, path, a_day)
    ruled = usual_rules(random)
    cash = int(random.choice((5_000, 10_000, 1_000_000))) * MICROS
    start = starting(cash, int(random.choice((0, 500_000, 500_000, PPM))), int(stage.points.prices[0]), ruled.lot)
    slippage = int(random.choice((0, 0, 100, 500)))
    return Life(stage, ruled, start, slippage, dividends, splits, bars)


def extreme_life(seed: int, count: int) -> Life:
    """Operands up to the limits of the contract; every kind of happening, at any point, and prices that were stale."""
    random = np.random.default_rng(seed)
    ruled = Rules(*draw_rules(random, 1)[0].tolist())
    price = int(spread(random, MIN_PRICE, MAX_PRICE, 1)[0])
    prices = jumping(random, count, price)
    days = np.sort(random.integers(13_500, 13_500 + max(count // 20, 2), count)).astype(np.int32)
    market = random.choice([0, 0, 0, 0, 1, 2, 4, 5], count).astype(np.uint8)
    start = Holding(*draw_holdings(random, prices[:1])[0].tolist())._replace(reserved_cash=0, reserved_shares=0)
    coarse = np.empty(0, np.int32)
    if random.random() < 0.5:
        prices = prices // 100 * 100
        if prices.max() // 100 < 2**31 - 1:
            coarse = (prices // 100).astype(np.int32)
    points = Points(prices, coarse, days, market)
    happenings = any_happenings(random, count, prices, start)
    slippage = int(random.choice((0, 100, 5_000, 100_000)))
    return Life(Stage(points, happenings, np.arange(count)), ruled, start, slippage)


def jumping(random: Generator, count: int, price: int) -> np.ndarray:
    """From near the price to anywhere between the limits, at a pace that is drawn."""
    pace = float(random.choice((0.001, 0.01, 0.05, 1.0)))
    walked = np.exp(np.cumsum(random.normal(0, pace, count))) * price
    return walked.clip(MIN_PRICE, MAX_PRICE).astype(np.int64)


def any_happenings(random: Generator, count: int, prices: np.ndarray, start: Holding) -> Happenings:
    rows: list[tuple[int, int, int, int]] = []
    for before in sorted(random.integers(1, count + 3, count // 40).tolist()):
        kind = int(random.choice((1, 2, 2, 3, 3, 4, 5, 6, 7, 7)))
        price = int(prices[min(before, count - 1)])
        owed = [number for number, row in enumerate(rows) if row[1] == engine.EX]
        first, second = figures(random, kind, price, start)
        if kind == engine.PAY:
            paid = {row[2] for row in rows if row[1] == engine.PAY}
            unpaid = [number for number in owed if number not in paid]
            if not unpaid:
                continue
            first = unpaid[0]
        rows.append((before, kind, first, second))
    table = np.array(rows, np.int64).reshape(-1, 4)
    return Happenings(*(np.ascontiguousarray(column) for column in table.T))


def figures(random: Generator, kind: int, price: int, start: Holding) -> tuple[int, int]:
    if kind == engine.SPLIT:
        return int(random.integers(1, 1_000)), int(random.integers(1, 1_000))
    if kind == engine.EX:
        return max(int(price * random.choice((0.0001, 0.01, 0.2))), 1), 0
    if kind == engine.FLOW:
        cash = int(min(start.cash, MAX_AMOUNT // 4) * random.uniform(-0.1, 0.1))
        return int(min(start.shares, MAX_AMOUNT // 4) * random.uniform(0, 0.1)), cash
    if kind == engine.ANCHOR:
        return int(price * random.choice((0, 0.5, 1.0, 1.02))), 0
    return 0, 0
