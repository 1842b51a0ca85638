"""Dividends and splits: what a holder gets, where the anchor goes, and that a split triggers nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dividends.domain.payments import Payment, anchor_ex_dividend, payment_for
from dividends.domain.splits import SplitHolding, split_holding
from portfolios.domain.amounts import MICROS, micros
from tests.unit.cells import any_rules, cell, rules, spread
from trading.domain.choices import OPEN, Reason, Side
from trading.domain.decision import decide
from trading.domain.sizing import triggered_side


def test_a_hundred_shares_of_a_dividend_of_82_cents():
    payment = payment_for(micros("100"), micros("0.82"), 250_000)
    assert payment == Payment(gross=micros("82"), tax=micros("20.5"), net=micros("61.5"))
    assert anchor_ex_dividend(micros("150"), micros("0.82")) == micros("149.18")


def test_the_taxman_gets_the_odd_micro_and_nobody_gets_more_than_there_is():
    assert payment_for(MICROS, 3, 250_000) == Payment(gross=3, tax=1, net=2)
    assert payment_for(1, 820_000, 250_000) == Payment(gross=0, tax=0, net=0)


@given(spread(0, 10**15), spread(0, 10**9), st.integers(0, MICROS))
def test_tax_and_net_are_the_whole_dividend(shares, per_share, withholding):
    payment = payment_for(shares, per_share, withholding)
    assert payment.gross == payment.tax + payment.net
    assert min(payment) >= 0


def test_a_dividend_as_large_as_the_anchor_leaves_none():
    assert anchor_ex_dividend(micros("3"), micros("3")) == 0
    assert anchor_ex_dividend(micros("3"), micros("3.08")) == 0
    assert decide(cell("1", "100"), rules(), micros("97"), OPEN).reason == Reason.NO_ANCHOR


@pytest.mark.parametrize(
    ("shares", "anchor", "lot", "ratio", "expected"),
    [
        ("100", "80", 1, (4, 1), ("400", "20", "0")),
        ("100", "80", 1, (3, 1), ("300", "26.666667", "0")),  # to the nearest micro
        ("100", "80", MICROS, (2, 1), ("200", "40", "0")),
        ("7", "80", 1, (3, 2), ("10.5", "53.333333", "0")),
        ("7", "80", MICROS, (3, 2), ("10", "53.333333", "30")),  # half a share at 90 * 2/3
        ("25", "2", MICROS, (1, 10), ("2", "20", "450")),  # half a share at 90 * 10
        ("0", "0", 1, (2, 1), ("0", "0", "0")),
    ],
)
def test_a_split_gives_shares_an_anchor_and_cash_for_the_rest(shares, anchor, lot, ratio, expected):
    holding = split_holding(micros(shares), micros(anchor), lot, *ratio, last_close=micros("90"))
    assert holding == SplitHolding(*map(micros, expected))


@given(
    any_rules(),
    st.sampled_from(((2, 1), (4, 1), (3, 2), (7, 1), (1, 10), (1, 3))),
    st.integers(1, 1_000_000),
    spread(10_000, 10**8),
)
def test_at_the_exactly_adjusted_price_nothing_triggers(settings, ratio, cents, anchor):
    numerator, denominator = ratio
    price = cents * 10_000 * numerator
    adjusted = price * denominator // numerator
    anchor = price + price * (anchor % 190 - 95) // 1_000_000
    assert triggered_side(cell("1", "1")._replace(anchor=anchor), settings, price) == Side.NONE
    moved = split_holding(0, anchor, 1, numerator, denominator, price).anchor
    assert triggered_side(cell("1", "1")._replace(anchor=moved), settings, adjusted) == Side.NONE


@given(spread(0, 10**15), st.integers(1, 20), st.integers(1, 20), spread(100, 10**9))
def test_a_split_neither_makes_nor_loses_more_than_a_micro_share_and_a_micro(shares, numerator, denominator, close):
    holding = split_holding(shares, MICROS, MICROS, numerator, denominator, close)
    adjusted_close = close * denominator / numerator
    before, after = shares * close, holding.shares * adjusted_close + holding.cash_in_lieu * MICROS
    assert holding.shares % MICROS == 0
    assert before - adjusted_close - MICROS <= after * (1 + 1e-12) + 1
    assert after <= before * (1 + 1e-12) + 1
