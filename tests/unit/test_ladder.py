"""The ladder shows what the rule will do: move the price to a rung, and it does exactly that; before it, nothing."""

from hypothesis import given
from hypothesis import strategies as st

from portfolios.domain.amounts import MAX_PRICE, MICROS, MIN_PRICE, PPM, micros
from tests.unit.cells import any_case, cell, rules, stock_and_value, traded
from trading.domain.choices import OPEN, Action, Reason, Side
from trading.domain.decision import decide
from trading.domain.explanation import trims_of
from trading.domain.ladder import bitten_by, ladder, next_rung

RUNGS = 4


@st.composite
def whole_cells(draw):
    """Some tens of whole shares, triggers so wide that drift comes first, and minima that lots meet one by one."""
    low = draw(st.sampled_from(("0", "0.2", "0.25", "0.4")))
    settings = rules(
        tau=draw(st.sampled_from(("0.2", "0.3", "0.5"))),
        min_notional=str(draw(st.integers(0, 6)) * 50),
        guardrail_low=low,
        guardrail_high=draw(st.sampled_from(("0.5", "0.75", "0.9"))),
        max_trade=draw(st.sampled_from(("0.05", "0.1", "1"))),
        when_short=draw(st.sampled_from(("trim", "skip"))),
        fractional=False,
    )
    shares, cash = draw(st.integers(1, 300)), draw(st.integers(0, 60)) * 100
    return cell(str(shares / 10), str(cash), "100"), settings, draw(st.integers(60, 140)) * MICROS


@given(any_case())
def test_at_each_rung_the_rule_does_what_was_shown_and_a_micro_before_it_does_nothing(case):
    start, settings, today = case
    shown = ladder(start, settings, today, RUNGS)
    for side, rungs in ((Side.BUY, shown.buys), (Side.SELL, shown.sells)):
        holding, before = start, today
        for rung in rungs:
            assert rung.side == side
            assert MIN_PRICE <= rung.price <= MAX_PRICE
            assert rung.price <= before if side == Side.BUY else rung.price >= before
            assert rung.fired == (rung.price == before)
            if not rung.fired:
                short_of_it = rung.price + 1 if side == Side.BUY else rung.price - 1
                assert decide(holding, settings, short_of_it, OPEN).side != side
            decision = decide(holding, settings, rung.price, OPEN)
            assert decision == rung.decision
            holding = filled(holding, settings, decision, rung.price)
            assert holding == rung.holding_after
            before = rung.price


@given(any_case(), st.lists(st.integers(0, PPM - 1), min_size=1, max_size=12))
def test_no_price_on_the_way_to_a_rung_brings_an_order(case, places):
    """Asked of the rule itself, anywhere between today's price and the rung; to the last price there is without one."""
    holding, settings, today = case
    for side, last in ((Side.BUY, MIN_PRICE), (Side.SELL, MAX_PRICE)):
        rung = next_rung(holding, settings, side, today)
        end = rung.price if rung else last
        for place in places if end != today else ():
            passed = today + (end - today) * place // PPM
            assert decide(holding, settings, passed, OPEN).side != side or passed == end


@given(whole_cells(), st.integers(0, PPM - 1))
def test_whole_shares_and_wide_triggers_hide_no_drift(case, place):
    holding, settings, today = case
    for side in (Side.BUY, Side.SELL):
        rung = next_rung(holding, settings, side, today)
        passed = today + (rung.price - today) * place // PPM
        assert decide(holding, settings, passed, OPEN).side != side or passed == rung.price


def test_drift_that_is_worth_an_order_only_on_the_way_is_a_rung():
    """Three shares lead back at 115.11 for 345.32; the first price worth an order, and no farther one proves it."""
    wide = rules(tau="0.5", min_notional="300", fractional=False, max_trade="0.1")
    (first,) = ladder(cell("2.2", "3200", "100"), wide, micros("137.41"), 1).buys
    assert (first.decision.reason, first.fired) == (Reason.GUARDRAIL_REBALANCE, False)
    assert (first.price, first.decision.quantity) == (micros("115.107913"), micros("3"))


@given(any_case())
def test_a_ladder_ends_where_the_rule_would_skip_and_names_the_reason(case):
    holding, settings, today = case
    for rungs in ladder(holding, settings, today, RUNGS):
        assert all(rung.ends == Reason.NONE and rung.decision.quantity > 0 for rung in rungs[:-1])
        for rung in rungs[-1:]:
            assert (rung.ends == Reason.NONE) == (rung.decision.quantity > 0)
            assert rung.ends in (Reason.NONE, rung.decision.reason)


@given(any_case())
def test_the_card_shows_the_first_rung(case):
    holding, settings, today = case
    both = ladder(holding, settings, today, 1)
    for side, rungs in ((Side.BUY, both.buys), (Side.SELL, both.sells)):
        first = next_rung(holding, settings, side, today)
        assert rungs == ((first,) if first else ())


def filled(holding, settings, decision, price):
    """As a broker fills it: written apart from the ladder."""
    if decision.action not in (Action.BUY, Action.SELL):
        return holding
    return traded(holding, settings, decision.side, decision.quantity, price)._replace(anchor=price)


def prices(rungs):
    return [rung.price / MICROS for rung in rungs]


def test_the_first_worked_example_as_a_ladder():
    shown = ladder(cell("100", "10000", "100"), rules(), 100 * MICROS, 3)
    assert prices(shown.buys) == [97, 94.09, 91.2673]
    assert prices(shown.sells) == [103, 106.09, 109.2727]
    assert shown.buys[0].decision.quantity == micros("10.4687")
    assert shown.buys[0].holding_after == cell("110.4687", "8984.434553", "97")
    assert shown.buys[0].stock_share_after == 543_934
    assert {rung.ends for rungs in shown for rung in rungs} == {Reason.NONE}


def test_a_new_cell_all_in_cash_first_buys_up_to_its_guardrail_at_todays_price():
    shown = ladder(cell("0", "10000", "100"), rules(), 100 * MICROS, 2)
    first, second = shown.buys
    assert (first.price, first.fired, first.decision.reason) == (100 * MICROS, True, Reason.GUARDRAIL_REBALANCE)
    assert first.stock_share_after == 250_000
    assert (second.price, second.fired) == (97 * MICROS, False)
    assert [rung.ends for rung in shown.sells] == [Reason.GUARDRAIL]


def test_a_price_beyond_the_edge_is_where_the_rule_acts_now():
    shown = ladder(cell("100", "10000", "100"), rules(), 90 * MICROS, 2)
    assert [(rung.price, rung.fired) for rung in shown.buys] == [(90 * MICROS, True), (micros("87.3"), False)]
    assert shown.sells[0].price == 103 * MICROS


def test_drift_comes_before_the_trigger_once_it_is_worth_an_order():
    wide = rules(tau="0.3", min_notional="100")
    holding = cell("100", "3400", "100")
    first = ladder(holding, wide, 100 * MICROS, 1).sells[0]
    assert (first.decision.reason, first.fired) == (Reason.GUARDRAIL_REBALANCE, False)
    assert 102 * MICROS < first.price < 130 * MICROS
    assert decide(holding, wide, first.price - 1, OPEN).reason == Reason.INSIDE_BAND
    assert first.decision.quantity * first.price >= 100 * MICROS * MICROS


def test_it_says_where_a_guardrail_first_bites_and_where_the_cash_ends():
    down = ladder(cell("100", "3600", "100"), rules(), 100 * MICROS, 10).buys
    assert bitten_by(down, "guardrail") == down[0]
    assert (len(down), down[1].ends) == (2, Reason.BELOW_MIN_NOTIONAL)
    poor = ladder(cell("100", "1300", "100", receivable="5000"), rules(guardrail_high="1"), 100 * MICROS, 10).buys
    short = bitten_by(poor, "insufficient_cash", "insufficient_shares")
    assert [trim.name for trim in trims_of(short.decision)] == ["insufficient_cash"]
    assert poor.index(short) == 1
    assert bitten_by(poor, "guardrail") is None


def test_without_an_anchor_there_is_no_ladder_and_without_a_price_it_starts_at_the_anchor():
    assert ladder(cell("100", "10000"), rules(), 100 * MICROS, 5) == ((), ())
    unknown = ladder(cell("100", "10000", "100"), rules(), None, 5)
    assert prices(unknown.buys[:1]) == [97]
    assert not unknown.buys[0].fired


def test_no_rung_lies_below_the_smallest_or_above_the_largest_price():
    calm = rules(auto_rebalance=False)
    assert ladder(cell("100", "10000", "0.000101"), calm, 101, 5).buys == ()
    assert ladder(cell("0.001", "1000", "999999"), calm, micros("999999"), 5).sells == ()


def test_each_way_only_moves_on():
    shown = ladder(cell("60", "4000", "110"), rules(guardrail_high="0.7", commission_bps="10"), 100 * MICROS, 20)
    assert prices(shown.buys) == sorted(prices(shown.buys), reverse=True)
    stock, value = stock_and_value(shown.buys[0].holding_after, shown.buys[0].price)
    assert stock * PPM <= 700_000 * value
