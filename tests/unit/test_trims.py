"""The searches find the largest quantity allowed and the smallest needed: compared with trying them all."""

from hypothesis import given
from hypothesis import strategies as st

from portfolios.domain.amounts import MICROS, PPM
from portfolios.domain.holding import Holding
from tests.unit.cells import any_case, any_rules, stock_and_value, traded
from trading.domain.choices import Side
from trading.domain.costs import cash_to_reserve, reservation_price
from trading.domain.sizing import drifted_side
from trading.domain.trims import cash_room, drift_quantity, guardrail_room, max_trade_room

SIDES = st.sampled_from((Side.BUY, Side.SELL))


@st.composite
def tiny_case(draw):
    """A cell of a few micro-shares and micro-dollars, so that every rounding shows and every quantity can be tried."""
    settings = draw(any_rules(worth=300))._replace(lot=draw(st.sampled_from((1, 1, 7))))
    price = draw(st.one_of(st.integers(MICROS, 5 * MICROS), st.integers(100_000, 40 * MICROS)))
    cash = draw(st.integers(0, 500))
    reserved = draw(st.integers(0, cash))
    return Holding(draw(st.integers(0, 150)), cash, draw(st.integers(0, 90)), reserved, 0, price), settings, price


def stays_inside(holding, settings, side, quantity, price):
    """Whether the trade stops before the guardrail ahead of it."""
    if side == Side.SELL and quantity > holding.shares:
        return False
    stock, value = stock_and_value(traded(holding, settings, side, quantity, price), price)
    if side == Side.BUY:
        return stock * PPM <= settings.guardrail_high * value
    return stock * PPM >= settings.guardrail_low * value


def is_outside(holding, settings, side, price):
    """Whether the cell is still outside the guardrail it drifted over."""
    stock, value = stock_and_value(holding, price)
    if side == Side.SELL:
        return stock * PPM > settings.guardrail_high * value
    return stock * PPM < settings.guardrail_low * value


@given(tiny_case(), SIDES, st.integers(0, 600))
def test_the_guardrail_leaves_the_largest_quantity_that_stays_inside(case, side, wanted):
    holding, settings, price = case
    allowed = [q for q in range(1, wanted + 1) if stays_inside(holding, settings, side, q, price)]
    assert guardrail_room(holding, settings, price, side, wanted) == max(allowed, default=0)


@given(tiny_case(), st.integers(0, 600))
def test_the_cash_leaves_the_largest_buy_that_can_be_reserved(case, wanted):
    holding, settings, price = case
    free = holding.cash - holding.reserved_cash
    paid = reservation_price(settings, price)
    allowed = [q for q in range(1, wanted + 1) if cash_to_reserve(settings, q, paid) <= free]
    assert cash_room(holding, settings, price, wanted) == max(allowed, default=0)


@given(tiny_case())
def test_drift_takes_the_smallest_number_of_lots_that_leads_back(case):
    holding, settings, price = case
    side = drifted_side(holding, settings._replace(auto_rebalance=1), price)
    if side == Side.NONE:
        return
    most = holding.shares if side == Side.SELL else 7_000  # all the cash, and more
    back = [
        quantity
        for quantity in range(settings.lot, most + 1, settings.lot)
        if not is_outside(traded(holding, settings, side, quantity, price), settings, side, price)
    ]
    found = drift_quantity(holding, settings, price, side)
    if not back:
        assert found == 0
    elif stays_inside(holding, settings, side, back[0], price):
        assert found == back[0]
    else:
        assert found == back[0] - settings.lot


def fits_but_one_more_does_not(room, wanted, fits):
    assert room == 0 or fits(room)
    assert room == wanted or not fits(room + 1)


@given(any_case(), SIDES, st.integers(0, 10**18))
def test_one_micro_share_more_than_the_guardrail_allows_is_too_much(case, side, wanted):
    holding, settings, price = case
    wanted = min(wanted, 10**18 - holding.shares)
    room = guardrail_room(holding, settings, price, side, wanted)
    fits_but_one_more_does_not(room, wanted, lambda q: stays_inside(holding, settings, side, q, price))


@given(any_case(), st.integers(0, 10**18))
def test_one_micro_share_more_than_the_cash_allows_is_too_much(case, wanted):
    holding, settings, price = case
    room = cash_room(holding, settings, price, wanted)
    free, paid = holding.cash - holding.reserved_cash, reservation_price(settings, price)
    fits_but_one_more_does_not(room, wanted, lambda q: cash_to_reserve(settings, q, paid) <= free)


@given(any_case())
def test_one_lot_less_than_drift_asks_for_would_not_lead_back(case):
    holding, settings, price = case
    side = drifted_side(holding, settings._replace(auto_rebalance=1), price)
    if side == Side.NONE:
        return
    wanted = drift_quantity(holding, settings, price, side)
    if wanted == 0:
        return
    assert wanted % settings.lot == 0
    assert stays_inside(holding, settings, side, wanted, price)
    less = wanted - settings.lot
    assert less == 0 or is_outside(traded(holding, settings, side, less, price), settings, side, price)


@given(any_case())
def test_the_largest_trade_is_the_largest(case):
    holding, settings, price = case
    settings = settings._replace(max_trade=50_000)
    value = stock_and_value(holding, price)[1]
    room = max_trade_room(settings, value, price)
    assert room * price <= settings.max_trade * value or room == 0
    assert (room + 1) * price > settings.max_trade * value or room == 2**63 - 1
