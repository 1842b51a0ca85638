"""What the same money would have done without the robot: same dates, dividends, tax and fees."""

import numpy as np

from dividends.domain.payments import payment_for
from dividends.domain.splits import split_holding
from portfolios.domain.amounts import MAX_AMOUNT, PPM
from portfolios.domain.holding import Holding, Rules, Sizing
from trading.domain.choices import Side
from trading.domain.costs import fee_of, fill_price, notional_of
from trading.domain.trims import cash_room
from trading.simulation.engine import EX, FILL, PAY, SPLIT
from trading.simulation.stage import Stage, points_of, starting
from trading.simulation.steps import STEP, step_of

SMALLEST_TRIGGER = 100


def buy_and_hold(stage: Stage, rules: Rules, cash: int, slippage: int) -> tuple[Holding, np.ndarray]:
    """All of it in stock at the first close; each dividend buys more on the day it is paid. The start and its steps."""
    start = starting(cash, PPM, int(stage.points.prices[0]), rules.lot)
    shares, money, receivable = start.shares, start.cash, 0
    rows, owed = [], {}
    for number, (point, kind, first, second) in enumerate(zip(*(c.tolist() for c in stage.happenings), strict=True)):
        price = int(stage.points.prices[point])
        if kind == SPLIT:
            split = split_holding(shares, 0, rules.lot, first, second, int(stage.points.prices[point - 1]))
            shares, money = split.shares, money + split.cash_in_lieu
        elif kind == EX:
            owed[number] = payment_for(shares, first, rules.withholding).net
            receivable += owed[number]
        elif kind == PAY:
            receivable, money = receivable - owed[first], money + owed[first]
        rows.append(step_of(point, kind, 0, 0, 0, 0, 0, Holding(shares, money, receivable, 0, 0, 0), 0))
        if kind == PAY:
            filled = fill_price(Side.BUY, price, slippage, 0)
            bought = affordable(rules, money, filled)
            notional = notional_of(Side.BUY, bought, filled)
            fee = fee_of(rules, notional) if bought else 0
            shares, money = shares + bought, money - notional - fee
            left = Holding(shares, money, receivable, 0, 0, 0)
            rows.append(step_of(point, FILL, 0, bought, filled, notional, fee, left, price))
    return start, np.array(rows, np.int64).reshape(-1, STEP)


def affordable(rules: Rules, cash: int, price: int) -> int:
    """The most whole lots that this cash buys at this price, fee included."""
    at_market = rules._replace(market_buffer=0, limit_orders=0)
    most = cash_room(Holding(0, cash, 0, 0, 0, 0), at_market, price, MAX_AMOUNT)
    return most - most % rules.lot


def constant_mix_rules(rules: Rules, in_stock: int) -> Rules:
    """Back to the starting weight (ppm) at every look, whatever it is worth, under the same costs."""
    return rules._replace(
        trigger_up=SMALLEST_TRIGGER,
        trigger_down=SMALLEST_TRIGGER,
        sizing=int(Sizing.CONSTANT_MIX),
        target_weight=in_stock,
        guardrail_low=0,
        guardrail_high=PPM,
        max_trade=-1,
        min_notional=0,
        max_orders_per_day=10**6,
        auto_rebalance=0,
        reanchor_after_skip=0,
        limit_orders=0,
    )


def daily_stage(stage: Stage, ends: np.ndarray) -> Stage:
    """The same days, looked at once each, at the close."""
    points = stage.points
    happenings = stage.happenings._replace(before=np.searchsorted(ends, stage.happenings.before))
    return Stage(points_of(points.prices[ends], points.days[ends], points.market[ends]), happenings, stage.bar[ends])
