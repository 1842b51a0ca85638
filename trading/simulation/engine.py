"""The loop around the rule: prices in, steps out. It adds days, corporate actions and fills, and decides nothing.

Plain functions over integers, like the rule itself: `machine` compiles both. Amounts and prices in micros.
"""

from typing import NamedTuple

import numpy as np

from dividends.domain.payments import anchor_ex_dividend, payment_for
from dividends.domain.splits import split_holding
from portfolios.domain.amounts import MAX_AMOUNT
from portfolios.domain.holding import Holding, Rules, value_of
from trading.domain.band import AWAKE, wake_band
from trading.domain.choices import Action, Gates, Reason, Side, first_shut, moves_anchor
from trading.domain.costs import (
    OURS,
    UNFILLED,
    add_fill,
    average_price,
    cash_to_reserve,
    fill_price,
    limit_price,
    notional_of,
)
from trading.domain.decision import decide
from trading.simulation.search import NEAR, first_outside
from trading.simulation.sleep import PATIENCE, longer_asleep
from trading.simulation.steps import STEP, grown, step_of

# What happens before a point: its kind, and two figures.
SPLIT, EX, PAY, FLOW, ANCHOR, PAUSE, RESUME = 1, 2, 3, 4, 5, 6, 7
# Brought along by a cell that lived before: a dividend (micros) still to be paid, how many orders left elsewhere today.
DUE, LEFT = 8, 9
# After an act of a person: a live cell that slept through the newest price looks at it now.
LOOK = 10
# What a step was, beside the happenings above.
FILL, ANCHOR_SET, ANCHOR_RESET = 20, 21, 22

# A point's market, as it bears on trading.
REGULAR, EXTENDED, CLOSED, STALE = 0, 1, 2, 4
# What else stood in a live cell's way at that point; a simulation knows none of it.
QUARANTINED, HALTED, UNRECONCILED, ORDER_OPEN, DUP = 8, 16, 32, 64, 128

REASONS = 64
NOT_SENT = 63  # decided, but by then the money did not suffice or the limit of an amount was passed
TOO_LARGE = 62  # a dividend or split would have taken an amount past its limit: the run ends before it


class Points(NamedTuple):
    """What the robot is shown, in order: n prices, the market day of each, and whether it may trade (bits above).

    coarse: the same prices as int32 counts of 0.0001 where they all are, else empty: half the memory to search.
    """

    prices: np.ndarray
    coarse: np.ndarray
    days: np.ndarray
    market: np.ndarray


class Happenings(NamedTuple):
    """Before which point each happens, its kind, and two figures (n/m of a split, dps, the ex-date's number, ...)."""

    before: np.ndarray
    kind: np.ndarray
    first: np.ndarray
    second: np.ndarray


class Outcome(NamedTuple):
    """steps: one row per change of the cell, see `step_of`; skips: how often by reason."""

    holding: Holding
    steps: np.ndarray
    skips: np.ndarray


class Here(NamedTuple):
    """How far a run has come: the next point and happening, steps written, the cell, its day, the newest point looked
    at, and before which point happenings were met last: had the cell slept through the price before them?
    """

    at: int
    event: int
    written: int
    holding: Holding
    paused: int
    day: int
    sent: int
    looked: int
    met: int
    slept: int


def trade(points: Points, happenings: Happenings, rules: Rules, start: Holding, slippage: int) -> Outcome:
    """The same steps as `simulate`, sooner: what only leads to a skip is not looked at, and skips are not counted."""
    return simulate(points, happenings, rules, start, slippage, 1)


def simulate(
    points: Points, happenings: Happenings, rules: Rules, start: Holding, slippage: int, trades_only: int = 0
) -> Outcome:
    """From the second point on: the first one only set the anchor of `start`. slippage in ppm of the price."""
    steps = np.empty((256, STEP), np.int64)
    skips = np.zeros(REASONS, np.int64)
    owed = np.zeros(len(happenings.before) + 1, np.int64)
    here = Here(1, 0, 0, start, 0, int(points.days[0]), 0, 0, 0, 0)
    while True:
        here = advance(points, happenings, rules, slippage, trades_only, here, steps, skips, owed)
        if here.written < len(steps):
            return Outcome(here.holding, steps[: here.written], skips)
        steps = grown(steps)


def advance(
    points: Points,
    happenings: Happenings,
    rules: Rules,
    slippage: int,
    trades_only: int,
    here: Here,
    steps: np.ndarray,
    skips: np.ndarray,
    owed: np.ndarray,
) -> Here:
    """To the end, or until there is no room for another step. Arrays are neither replaced nor handed on between two
    trades: counting who holds them would cost more than the trade.
    """
    prices, coarse, days, markets = points
    befores, kinds, firsts, seconds = happenings
    at, event, written, holding, paused, day, sent, looked, met, slept = here
    band, known = AWAKE, False
    looks, tried = 0, 0
    last = len(prices)
    while at < last and written < len(steps):
        until = last
        if event < len(befores):
            until = min(int(befores[event]), last)
        if at >= until:
            kind, first, second = int(kinds[event]), int(firsts[event]), int(seconds[event])
            close = int(prices[at - 1])
            before = holding
            if met != at:
                met, band = at, wake_band(holding, rules)
                slept = 1 if looked != at - 1 and band.below < close < band.above else 0
                known = False
            if kind == LOOK:
                event += 1
                if slept and looked != at - 1 and at > 1:
                    at -= 1
                continue
            net = 0
            if kind == EX:
                net = payment_for(holding.shares, first, rules.withholding).net
                owed[event] = net
            if kind == DUE:
                owed[event] = first
            if kind == LEFT:
                if int(days[at]) != day:
                    day, sent = int(days[at]), 0
                sent += first
            moved = after(holding, rules, kind, first, second, close, owed)
            if net > MAX_AMOUNT or max(moved.shares, moved.cash, moved.receivable) > MAX_AMOUNT:
                skips[TOO_LARGE] = 1
                break
            holding, known = moved, False
            if kind == PAUSE or (kind == EX and before.anchor and not holding.anchor):
                paused = 1
            if kind == RESUME:
                paused = 0
            steps[written] = step_of(at, kind, 0, first, second, 0, 0, holding, net)
            written += 1
            event += 1
            continue
        if not known:
            band, known, looks, tried = wake_band(holding, rules), True, 0, 0
        near = min(at + NEAR, until)
        while at < near and band.below < prices[at] < band.above:
            at += 1
        if at == near:
            at = first_outside(prices, coarse, at, until, band.below, band.above)
        if at == until:
            continue
        price, market, looked = int(prices[at]), int(markets[at]), at
        if int(days[at]) != day:
            day, sent = int(days[at]), 0
        at += 1
        if holding.anchor == 0:
            if not market & STALE:
                holding, known = anchored(holding, price), False
                steps[written] = step_of(at - 1, ANCHOR_SET, 0, 0, price, 0, 0, holding, 0)
                written += 1
            continue
        gates = gates_of(rules, market, paused, sent)
        if trades_only and first_shut(gates) != Reason.NONE:
            continue
        decision = decide(holding, rules, price, gates)
        if decision.quantity == 0:
            looks += 1
            if looks >= PATIENCE:
                band, tried = longer_asleep(holding, rules, price, band, tried, trades_only)
            if decision.action == Action.SKIP:
                skips[decision.reason] += 1
                if rules.reanchor_after_skip and moves_anchor(decision.reason):
                    holding, known = anchored(holding, price), False
                    steps[written] = step_of(at - 1, ANCHOR_RESET, decision.reason, 0, price, 0, 0, holding, 0)
                    written += 1
            continue
        limit = 0
        if rules.limit_orders:
            limit = limit_price(rules, decision.side, price)
        filled = fill_price(decision.side, price, slippage, limit)
        if not may_be_sent(holding, rules, decision.side, decision.quantity, price, filled, limit):
            skips[NOT_SENT] += 1
            continue
        sent += 1
        totals = add_fill(rules, decision.side, UNFILLED, decision.quantity, filled, OURS)
        shares, cash = decision.quantity, -totals.notional - totals.fee
        if decision.side == Side.SELL:
            shares, cash = -decision.quantity, totals.notional - totals.fee
        holding = Holding(holding.shares + shares, holding.cash + cash, holding.receivable, 0, 0, average_price(totals))
        known = False
        steps[written] = step_of(
            at - 1, FILL, decision.reason, shares, filled, totals.notional, totals.fee, holding, price
        )
        written += 1
    return Here(at, event, written, holding, paused, day, sent, looked, met, slept)


def anchored(holding: Holding, price: int) -> Holding:
    return Holding(holding.shares, holding.cash, holding.receivable, 0, 0, price)


def gates_of(rules: Rules, market: int, paused: int, sent: int) -> Gates:
    """As live: what is not about a market or a day is open in a simulation, and as recorded in a replay."""
    closed = market & CLOSED or (market & EXTENDED and not rules.after_hours)
    return Gates(
        paused,
        1 if market & QUARANTINED else 0,
        1 if market & HALTED else 0,
        1 if market & UNRECONCILED else 0,
        1 if market & STALE else 0,
        1 if closed else 0,
        1 if market & ORDER_OPEN else 0,
        1 if market & DUP else 0,
        1 if sent >= rules.max_orders_per_day else 0,
    )


def may_be_sent(holding: Holding, rules: Rules, side: Side, quantity: int, price: int, filled: int, limit: int) -> bool:
    """What `begin_submission` asks before an order leaves: the money still suffices, no amount passes its limit."""
    if side == Side.BUY:
        worst = limit if limit else filled
        return cash_to_reserve(rules, quantity, worst) <= max(holding.cash, 0)
    return notional_of(side, quantity, max(price, limit)) + holding.cash <= MAX_AMOUNT


def after(holding: Holding, rules: Rules, kind: int, first: int, second: int, close: int, owed: np.ndarray) -> Holding:
    """The holding after a happening."""
    shares, cash, receivable, anchor = holding.shares, holding.cash, holding.receivable, holding.anchor
    if kind == SPLIT:
        split = split_holding(shares, anchor, rules.lot, first, second, close)
        shares, anchor, cash = split.shares, split.anchor, cash + split.cash_in_lieu
    elif kind == EX:
        receivable += payment_for(shares, first, rules.withholding).net
        anchor = anchor_ex_dividend(anchor, first)
    elif kind == PAY:
        net = int(owed[first])
        receivable -= net
        cash += net
    elif kind == FLOW:
        shares, cash = shares + first, cash + second
    elif kind == ANCHOR:
        anchor = first
    return Holding(shares, cash, receivable, 0, 0, anchor)


def follow(points: Points, start: Holding, steps: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """The cell after each of these points (ascending): value, shares, cash, receivable, anchor, stock; a row each."""
    rows = np.empty((len(moments), 6), np.int64)
    step = 0
    shares, cash, receivable, anchor = start.shares, start.cash, start.receivable, start.anchor
    for row in range(len(moments)):
        moment = int(moments[row])
        while step < len(steps) and int(steps[step, 0]) <= moment:
            shares, cash = int(steps[step, 7]), int(steps[step, 8])
            receivable, anchor = int(steps[step, 9]), int(steps[step, 10])
            step += 1
        stock = value_of(shares, int(points.prices[moment]))
        rows[row, 0] = stock + cash + receivable
        rows[row, 1] = shares
        rows[row, 2] = cash
        rows[row, 3] = receivable
        rows[row, 4] = anchor
        rows[row, 5] = stock
    return rows
