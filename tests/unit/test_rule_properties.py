"""What the rule promises for every cell, every setting and every price up to the limits."""

from hypothesis import assume, example, given
from hypothesis import strategies as st

from portfolios.domain.amounts import MAX_AMOUNT, MICROS, PPM
from portfolios.domain.holding import UNLIMITED
from tests.unit.cells import any_case, cell, rules, stock_and_value, traded
from trading.domain.choices import OPEN, Action, Gates, Reason, Side
from trading.domain.costs import cash_to_reserve, reservation_price
from trading.domain.decision import decide, gated
from trading.domain.sizing import triggered_side

TRADES = (Action.BUY, Action.SELL)
any_gates = st.builds(Gates, *[st.integers(0, 1)] * len(Gates._fields))


def order_of(case):
    """The case and its decision, where something is traded."""
    holding, settings, price = case
    decision = decide(holding, settings, price, OPEN)
    assume(decision.action in TRADES)
    return *case, decision


@given(any_case())
@example((cell("60", "4000", "110"), rules(guardrail_high="0.7", commission_bps="10"), 100 * MICROS))
def test_no_trade_passes_the_guardrail_ahead_of_it(case):
    holding, settings, price, decision = order_of(case)
    stock, value = stock_and_value(traded(holding, settings, decision.side, decision.quantity, price), price)
    if decision.side == Side.BUY:
        assert stock * PPM <= settings.guardrail_high * value
    else:
        assert stock * PPM >= settings.guardrail_low * value


@given(any_case())
def test_cash_and_shares_are_never_negative_after_a_trade(case):
    holding, settings, price, decision = order_of(case)
    after = traded(holding, settings, decision.side, decision.quantity, price)
    assert after.shares >= 0
    assert after.cash >= 0
    if decision.side == Side.BUY:
        assert after.cash >= holding.reserved_cash
    else:
        assert after.shares >= holding.reserved_shares


@given(any_case())
def test_a_buy_can_be_reserved_in_full(case):
    holding, settings, price, decision = order_of(case)
    assume(decision.side == Side.BUY)
    cost = cash_to_reserve(settings, decision.quantity, reservation_price(settings, price))
    assert cost <= holding.cash - holding.reserved_cash


@given(any_case())
def test_a_trade_goes_the_way_its_reason_says(case):
    holding, settings, price, decision = order_of(case)
    fired = triggered_side(holding, settings, price)
    expected = {
        Side.BUY: (Action.BUY, Reason.TRIGGER_DOWN),
        Side.SELL: (Action.SELL, Reason.TRIGGER_UP),
        Side.NONE: (decision.action, Reason.GUARDRAIL_REBALANCE),
    }[fired]
    assert (decision.action, decision.reason) == expected
    assert decision.side == (Side.BUY if decision.action == Action.BUY else Side.SELL)
    if fired == Side.NONE:
        stock, value = stock_and_value(holding, price)
        above = stock * PPM > settings.guardrail_high * value
        assert decision.side == (Side.SELL if above else Side.BUY)


@given(any_case())
def test_an_order_is_whole_lots_worth_the_minimum_and_within_the_largest_trade(case):
    holding, settings, price, decision = order_of(case)
    assert decision.quantity > 0
    assert decision.quantity % settings.lot == 0
    assert decision.quantity * price >= settings.min_notional * MICROS
    if settings.max_trade != UNLIMITED:
        assert decision.quantity * price <= settings.max_trade * stock_and_value(holding, price)[1]


@given(any_case())
def test_a_trade_moves_money_and_loses_nothing_but_its_fee_and_less_than_a_micro(case):
    holding, settings, price, decision = order_of(case)
    after = traded(holding, settings, decision.side, decision.quantity, price)
    before_exactly = holding.shares * price + (holding.cash + holding.receivable) * MICROS
    after_exactly = after.shares * price + (after.cash + after.receivable) * MICROS
    lost = before_exactly - after_exactly - decision.commission * MICROS
    assert 0 <= lost < MICROS


@given(any_case(), any_gates)
def test_every_case_is_answered_and_the_trims_only_ever_cut(case, gates):
    holding, settings, price = case
    decision = decide(holding, settings, price, gates)
    steps = decision[4:10]
    assert list(steps) == sorted(steps, reverse=True)
    assert min(steps) >= 0
    assert decision.quantity == (decision.after_lot if decision.action in TRADES else 0)
    assert (decision.gate != Reason.NONE) == (any(gates) and decision.side != Side.NONE)


@given(any_case(), st.integers(-MAX_AMOUNT, -1))
def test_a_cell_in_debt_never_buys(case, cash):
    holding, settings, price = case
    assert decide(holding._replace(cash=cash), settings, price, OPEN).action != Action.BUY


@given(any_case(), any_gates)
def test_gates_stop_an_order_but_never_change_what_it_would_have_been(case, gates):
    holding, settings, price = case
    free, stopped = decide(holding, settings, price, OPEN), decide(holding, settings, price, gates)
    assert free[4:10] == stopped[4:10]
    assert stopped.action not in TRADES or stopped == free


@given(any_case(), any_gates)
def test_the_answer_of_open_gates_gated_is_the_answer_of_those_gates(case, gates):
    holding, settings, price = case
    free = decide(holding, settings, price, OPEN)
    assume(free.side != Side.NONE)
    assert gated(free, gates) == decide(holding, settings, price, gates)
