"""A sleeping cell misses nothing: strictly inside its band every price is answered with a quiet hold."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from portfolios.domain.amounts import MAX_PRICE, MICROS, MIN_PRICE, PPM, micros
from portfolios.domain.exact import LARGEST
from portfolios.domain.holding import Holding
from tests.unit.cells import any_case, any_rules, cell, rules, spread
from trading.domain.band import AWAKE, Band, drift_above, drift_below, wake_band
from trading.domain.choices import OPEN, Action, Reason, Side
from trading.domain.decision import decide
from trading.domain.sizing import drifted_side, triggered_side

QUIET = {(Action.HOLD, Reason.INSIDE_BAND), (Action.HOLD, Reason.OVER_LIMIT)}


def prices_inside(band):
    """Prices strictly between the edges: next to them, and anywhere else."""
    lowest, highest = max(band.below + 1, MIN_PRICE), min(band.above - 1, MAX_PRICE)
    assume(lowest <= highest)
    return st.one_of(st.sampled_from((lowest, highest)), st.integers(lowest, highest), spread(lowest, highest))


@given(st.data(), any_case())
def test_nothing_happens_strictly_between_the_edges(data, case):
    holding, settings, _ = case
    band = wake_band(holding, settings)
    assume(band != AWAKE)
    for _ in range(5):
        decision = decide(holding, settings, data.draw(prices_inside(band)), OPEN)
        assert (decision.action, decision.reason) in QUIET


@given(any_case())
def test_at_each_edge_something_fires(case):
    holding, settings, _ = case
    band = wake_band(holding, settings)
    assume(band != AWAKE)
    for edge in band:
        if MIN_PRICE <= edge <= MAX_PRICE:
            fired = triggered_side(holding, settings, edge), drifted_side(holding, settings, edge)
            assert fired != (Side.NONE, Side.NONE)


@given(st.integers(0, 3_000), st.integers(0, 300_000), st.integers(0, 1_500), any_rules(), st.integers(100, 150))
def test_a_tiny_cell_sleeps_at_no_price_at_which_it_would_act(shares, cash, receivable, settings, anchor):
    """Every price there is, one by one: figures so small that each rounding shows."""
    holding = Holding(shares * MICROS // 10, cash, receivable, 0, 0, anchor)
    settings = settings._replace(min_notional=0)
    band = wake_band(holding, settings)
    for price in range(40, 240):
        decision = decide(holding, settings, price, OPEN)
        asleep = band.below < price < band.above
        assert not asleep or (decision.action, decision.reason) in QUIET


def awake(holding, settings, price):
    band = wake_band(holding, settings)
    return price <= band.below or price >= band.above


@given(any_case())
def test_a_cell_that_decides_something_is_awake(case):
    holding, settings, price = case
    decision = decide(holding, settings, price, OPEN)
    if (decision.action, decision.reason) not in QUIET:
        assert awake(holding, settings, price)


@pytest.mark.parametrize(
    ("holding", "settings", "band"),
    [
        (cell("100", "10000", "100"), {}, ("97", "103")),
        (cell("100", "10000", "100"), {"tau": "0.05"}, ("95", "105")),
        (cell("100", "3300", "100"), {"trigger_up": "0.05"}, ("97", "99.000001")),  # 9,900 of 13,200 is 75 %
        (cell("100", "30300", "100"), {"trigger_down": "0.05"}, ("100.999999", "103")),  # 10,100 of 40,400 is 25 %
        (cell("100", "3300", "100"), {"auto_rebalance": False}, ("97", "103")),
        (cell("100", "2300", "100", receivable="1000"), {}, ("97", "99.000001")),
    ],
)
def test_the_band_is_the_nearer_of_trigger_and_drift(holding, settings, band):
    assert wake_band(holding, rules(**settings)) == Band(*map(micros, band))


@pytest.mark.parametrize(
    ("holding", "settings"),
    [
        (cell("100", "10000"), {}),  # the next good quote sets its anchor
        (cell("100", "0", "100"), {"auto_rebalance": False}),
        (cell("0", "10000", "100"), {}),  # below its low guardrail at every price
        (cell("10", "20000", "100", receivable="1"), {"guardrail_low": "0.5", "guardrail_high": "0.500001"}),
    ],
)
def test_a_cell_with_no_room_to_sleep_is_awake_at_every_price(holding, settings):
    band = wake_band(holding, rules(**settings))
    assert all(price <= band.below or price >= band.above for price in (MIN_PRICE, 100 * MICROS, MAX_PRICE))


def test_a_cell_of_cash_without_a_low_guardrail_sleeps():
    assert wake_band(cell("0", "10000", "100"), rules(guardrail_low="0")) == Band(97 * MICROS, 103 * MICROS)


def test_a_cell_with_the_smallest_anchor_sleeps_between_nothing_and_two_micros():
    settings = rules(guardrail_low="0", guardrail_high="1", tau="0.5")
    assert wake_band(Holding(1, 10**18, 0, 0, 0, 1), settings) == Band(0, 2)


@given(spread(1, 10**18), spread(1, 10**18), st.integers(1, 999_999))
def test_the_high_edge_is_the_first_price_above_the_guardrail(shares, cash, high):
    edge = drift_above(shares, cash, high)
    assume(edge < LARGEST)
    assert is_above(shares, cash, high, edge)
    assert not is_above(shares, cash, high, edge - 1)


@given(spread(1, 10**18), spread(1, 10**18), st.integers(1, 999_999))
def test_the_low_edge_is_the_last_price_below_the_guardrail(shares, cash, low):
    edge = drift_below(shares, cash, low)
    assume(edge < LARGEST - 1)
    assert is_below(shares, cash, low, edge)
    assert not is_below(shares, cash, low, edge + 1)


def is_above(shares, cash, high, price):
    stock = shares * price // MICROS
    return stock * PPM > high * (stock + cash)


def is_below(shares, cash, low, price):
    stock = shares * price // MICROS
    return stock * PPM < low * (stock + cash)


def test_an_edge_beyond_every_price_is_never():
    assert drift_above(1, 10**18, 999_999) == LARGEST
