"""Cells walked through random prices: a cell that sleeps by its band makes the trades of one that never sleeps."""

import random

from hypothesis import given
from hypothesis import strategies as st

from dividends.domain.payments import anchor_ex_dividend, payment_for
from portfolios.domain.amounts import MICROS, MIN_PRICE, PPM
from tests.unit.cells import any_case, cell, rules
from trading.domain.band import wake_band
from trading.domain.choices import OPEN, Reason, Side
from trading.domain.costs import OURS, UNFILLED, add_fill, average_price
from trading.domain.decision import decide

FOR_SIZE = range(Reason.MAX_TRADE, Reason.BELOW_MIN_NOTIONAL + 1)


def walk(holding, rules, path, sleeps):
    """The trades (place, side, quantity, notional, fee) along a path of (price, dividend), and the cell at its end."""
    trades = []
    for place, (price, dividend) in enumerate(path):
        if dividend:
            holding = ex_dividend(holding, rules, dividend)
        band = wake_band(holding, rules)
        if sleeps and band.below < price < band.above:
            continue
        holding, trade = step(holding, rules, price)
        if trade:
            trades.append((place, *trade))
    return trades, holding


def ex_dividend(holding, rules, per_share):
    net = payment_for(holding.shares, per_share, rules.withholding).net
    return holding._replace(receivable=holding.receivable + net, anchor=anchor_ex_dividend(holding.anchor, per_share))


def step(holding, rules, price):
    """One evaluation, its order filled whole at this price: the holding after it, and the trade if there was one."""
    if holding.anchor == 0:
        return holding._replace(anchor=price), None
    decision = decide(holding, rules, price, OPEN)
    if decision.quantity == 0:
        moves = rules.reanchor_after_skip and decision.reason in FOR_SIZE
        return (holding._replace(anchor=price) if moves else holding), None
    filled = add_fill(rules, decision.side, UNFILLED, decision.quantity, price, OURS)
    assert average_price(filled) == price
    assert filled.fee == decision.commission
    sign = 1 if decision.side == Side.BUY else -1
    after = holding._replace(
        shares=holding.shares + sign * filled.quantity,
        cash=holding.cash - sign * filled.notional - filled.fee,
        anchor=price,
    )
    return after, (decision.side, filled.quantity, filled.notional, filled.fee)


@st.composite
def any_path(draw, price):
    """Up to sixty prices, each some per cent from the last, now and then a dividend of up to a twentieth."""
    path = []
    for moved, dividend in draw(st.lists(st.tuples(st.integers(-90_000, 100_000), st.integers(-20, 1)), max_size=60)):
        price = min(max(price * (PPM + moved) // PPM, MIN_PRICE), 10**12)
        path.append((price, max(dividend, 0) * price // 20))
    return path


@given(st.data(), any_case())
def test_sleeping_by_the_band_makes_the_trades_of_evaluating_every_price(data, case):
    holding, rules, price = case
    path = data.draw(any_path(price))
    assert walk(holding, rules, path, sleeps=True) == walk(holding, rules, path, sleeps=False)


@given(st.data(), any_case())
def test_money_and_shares_only_change_hands(data, case):
    holding, rules, price = case
    path = [(price, 0) for price, _ in data.draw(any_path(price))]
    trades, end = walk(holding, rules, path, sleeps=True)
    assert end.receivable == holding.receivable
    for place, side, quantity, notional, fee in trades:
        sign = 1 if side == Side.BUY else -1
        assert 0 <= sign * (notional * MICROS - quantity * path[place][0]) < MICROS
        holding = holding._replace(
            shares=holding.shares + sign * quantity, cash=holding.cash - sign * notional - fee, anchor=end.anchor
        )
        assert holding.cash >= 0
        assert holding.shares >= 0
    assert holding._replace(anchor=0) == end._replace(anchor=0)


def test_an_ordinary_cell_trades_now_and_then_and_sleeps_in_between():
    drawn = random.Random(20_070_103)
    price, path = 100 * MICROS, []
    for _ in range(5_000):
        price = price * (PPM + drawn.randint(-5_000, 5_050)) // PPM
        path.append((price, 0))
    settings = rules()
    trades, _ = walk(cell("100", "10000", "100"), settings, path, sleeps=True)
    assert trades == walk(cell("100", "10000", "100"), settings, path, sleeps=False)[0]
    assert 20 < len(trades) < 500
    assert {Side(side) for _, side, *_ in trades} == {Side.BUY, Side.SELL}
