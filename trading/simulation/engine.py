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
from trading.simulation.search import first_outside
from trading.simulation.sleep import PATIENCE, longer_asleep

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

STEP = 12  # columns of a step
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
    """steps: one row per change of the cell, see `write_step`; skips: how often by reason."""

    holding: Holding
    steps: np.ndarray
    skips: np.ndarray


def trade(points: Points, happenings: Happenings, rules: Rules, start: Holding, slippage: int) -> Outcome:
    """The same steps as `simulate`, sooner: what only leads to a skip is not looked at, and skips are not counted."""
    return simulate(points, happenings, rules, start, slippage, 1)


def simulate(
    points: Points, happenings: Happenings, rules: Rules, start: Holding, slippage: int, trades_only: int = 0
) -> Outcome:
    """From the second point on: the first one only set the anchor of `start`. slippage in ppm of the price."""
    holding = start
    steps = np.empty((256, STEP), np.int64)
    written = 0
    skips = np.zeros(REASONS, np.int64)
    owed = np.zeros(len(happenings.before) + 1, np.int64)
    paused, day, sent = 0, int(points.days[0]), 0
    band, known = AWAKE, False
    looks, tried = 0, 0
    at, event, met, slept, looked = 1, 0, 0, False, 0
    last = len(points.prices)
    while at < last:
        until = last
        if event < len(happenings.before):
            until = min(int(happenings.before[event]), last)
        if at >= until:
            if written == len(steps):
                steps = grown(steps)
            kind, first = int(happenings.kind[event]), int(happenings.first[event])
            second = int(happenings.second[event])
            close = int(points.prices[at - 1])
            before = holding
            if met != at:
                met, band = at, wake_band(holding, rules)
                slept, known = looked != at - 1 and band.below < close < band.above, False
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
                if int(points.days[at]) != day:
                    day, sent = int(points.days[at]), 0
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
            write_step(steps, written, at, kind, 0, first, second, 0, 0, holding, net)
            written += 1
            event += 1
            continue
        if not known:
            band, known, looks, tried = wake_band(holding, rules), True, 0, 0
        at = first_outside(points.prices, points.coarse, at, until, band.below, band.above)
        if at == until:
            continue
        if written == len(steps):
            steps = grown(steps)
        price, market, looked = int(points.prices[at]), int(points.market[at]), at
        if int(points.days[at]) != day:
            day, sent = int(points.days[at]), 0
        at += 1
        if holding.anchor == 0:
            if not market & STALE:
                holding, known = anchored(holding, price), False
                write_step(steps, written, at - 1, ANCHOR_SET, 0, 0, price, 0, 0, holding, 0)
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
                    write_step(steps, written, at - 1, ANCHOR_RESET, decision.reason, 0, price, 0, 0, holding, 0)
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
        write_step(
            steps, written, at - 1, FILL, decision.reason, shares, filled, totals.notional, totals.fee, holding, price
        )
        written += 1
    return Outcome(holding, steps[:written], skips)


def grown(steps: np.ndarray) -> np.ndarray:
    wider = np.empty((2 * len(steps), STEP), np.int64)
    wider[: len(steps)] = steps
    return wider


def write_step(
    steps: np.ndarray,
    row: int,
    point: int,
    kind: int,
    reason: int,
    quantity: int,
    price: int,
    notional: int,
    fee: int,
    left: Holding,
    beside: int,
) -> None:
    """point, kind, reason, signed shares, price, notional, fee; what is left: shares, cash, receivable, anchor; beside.

    beside: of a fill the price it was decided at, of an ex-date the net dividend.
    """
    step = steps[row]
    step[0] = point
    step[1] = kind
    step[2] = reason
    step[3] = quantity
    step[4] = price
    step[5] = notional
    step[6] = fee
    step[7] = left.shares
    step[8] = left.cash
    step[9] = left.receivable
    step[10] = left.anchor
    step[11] = beside


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
