"""What an order costs, and that it costs the same in parts as in one."""

import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from portfolios.domain.amounts import MICROS, as_text, micros
from tests.unit.cells import any_rules, rules, spread
from trading.domain.choices import Side
from trading.domain.costs import (
    OURS,
    UNFILLED,
    add_fill,
    average_price,
    cash_to_reserve,
    fee_of,
    limit_price,
    notional_of,
    reservation_price,
)

SIDES = st.sampled_from((Side.BUY, Side.SELL))


def filled_by(settings, side, parts):
    total = UNFILLED
    for quantity, price in parts:
        total = add_fill(settings, side, total, quantity, price, OURS)
    return total


@st.composite
def any_parts(draw):
    """One to eight fills at their own prices, worth no more than the limit together."""
    price = draw(spread(100, 10**12))
    most = max(min(10**17 * MICROS // price, 10**17), 1)
    quantities = draw(st.lists(spread(1, most), min_size=1, max_size=8))
    return [(quantity, max(100, price - draw(st.integers(0, price // 10)))) for quantity in quantities]


@given(any_rules(), SIDES, any_parts(), st.integers(0, 2**32))
def test_parts_of_an_order_in_any_order_cost_what_the_whole_costs(settings, side, parts, seed):
    total = filled_by(settings, side, parts)
    exact = sum(quantity * price for quantity, price in parts)
    whole = -(-exact // MICROS) if side == Side.BUY else exact // MICROS
    assert total.quantity == sum(quantity for quantity, _ in parts)
    assert total.notional == whole
    assert total.fee == fee_of(settings, whole)
    assert average_price(total) == exact // total.quantity
    assert filled_by(settings, side, random.Random(seed).sample(parts, len(parts))) == total


@given(any_rules(), SIDES, any_parts())
def test_no_part_books_a_negative_price_or_fee(settings, side, parts):
    before = UNFILLED
    for quantity, price in parts:
        after = add_fill(settings, side, before, quantity, price, OURS)
        assert after.notional >= before.notional
        assert after.fee >= before.fee
        before = after


@given(any_rules(), SIDES, spread(2, 10**15), spread(100, 10**9), st.integers(1, 99))
def test_an_order_cut_in_two_at_one_price_costs_the_same(settings, side, quantity, price, percent):
    assume(quantity * percent // 100 > 0)
    first = quantity * percent // 100
    cut = filled_by(settings, side, [(first, price), (quantity - first, price)])
    assert cut == filled_by(settings, side, [(quantity, price)])
    assert cut.notional == notional_of(side, quantity, price)


def test_three_thirds_of_a_share_cost_one_share():
    """0.333333 + 0.333333 + 0.333334 shares at 0.01: each third alone would round up to its own micro."""
    settings = rules(commission_bps="0")
    parts = [(333_333, 10_000), (333_333, 10_000), (333_334, 10_000)]
    total = UNFILLED
    booked = []
    for quantity, price in parts:
        after = add_fill(settings, Side.BUY, total, quantity, price, OURS)
        booked.append(after.notional - total.notional)
        total = after
    assert booked == [3_334, 3_333, 3_333]
    assert total.notional == 10_000


@pytest.mark.parametrize(
    ("settings", "notional", "fee"),
    [
        ({}, "10000", "1"),
        ({}, "0.01", "0.000001"),  # a hundredth of a cent's hundredth is still a micro
        ({"commission_bps": "0"}, "10000", "0"),
        ({"commission_min": "1"}, "100", "1"),
        ({"commission_min": "1"}, "20000", "2"),
        ({"commission_min": "1"}, "0", "1"),
    ],
)
def test_the_fee_is_a_rate_with_a_minimum(settings, notional, fee):
    assert as_text(fee_of(rules(**settings), micros(notional))) == fee


def test_a_minimum_fee_is_paid_once_however_many_the_parts():
    total = filled_by(rules(commission_min="1"), Side.BUY, [(MICROS, 100 * MICROS)] * 5)
    assert as_text(total.fee) == "1"


def test_a_fee_the_broker_reports_replaces_ours():
    settings = rules(commission_min="1")
    total = add_fill(settings, Side.BUY, UNFILLED, MICROS, 100 * MICROS, 70_000)
    total = add_fill(settings, Side.BUY, total, MICROS, 100 * MICROS, 30_000)
    assert as_text(total.fee) == "0.1"


def test_a_buyer_pays_up_to_the_next_micro_and_a_seller_receives_down():
    assert notional_of(Side.BUY, 1, 100) == 1
    assert notional_of(Side.SELL, 1, 100) == 0
    assert notional_of(Side.BUY, 3 * MICROS, 97_250_000) == 291_750_000


def test_limits_and_head_room_round_against_the_order():
    limit = rules(order_type="limit", limit_offset_bps="5")
    assert limit_price(limit, Side.BUY, 1_000_001) == 1_000_502
    assert limit_price(limit, Side.SELL, 1_000_001) == 999_500
    assert reservation_price(limit, 1_000_001) == 1_000_502
    assert reservation_price(rules(market_buffer="0.04"), 100 * MICROS) == 104 * MICROS
    assert reservation_price(rules(), 100 * MICROS) == 100 * MICROS


def test_the_reservation_covers_the_notional_and_the_whole_fee():
    assert as_text(cash_to_reserve(rules(commission_min="2"), 10 * MICROS, 100 * MICROS)) == "1002"
    assert as_text(cash_to_reserve(rules(commission_bps="10"), 10 * MICROS, 100 * MICROS)) == "1001"
