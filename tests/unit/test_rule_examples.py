"""The rule in numbers that can be checked in the head."""

import pytest

from portfolios.domain.amounts import MICROS, as_text, micros
from portfolios.domain.settings import LIVE_BUFFER, merge_settings, parse_settings, rules_from
from tests.unit.cells import cell, rules
from trading.domain.choices import OPEN, Action, Gates, Reason, Side
from trading.domain.decision import decide

HALF_AND_HALF = cell("100", "10000", "100")


def decided(holding, price, gates=OPEN, **settings):
    return decide(holding, rules(**settings), micros(price), gates)


def summary(decision):
    return decision.action.name, decision.reason.name.lower(), as_text(decision.raw), as_text(decision.quantity)


@pytest.mark.parametrize(
    ("holding", "price", "settings", "expected"),
    [
        (HALF_AND_HALF, "97", {}, ("BUY", "trigger_down", "10.4687", "10.4687")),
        (HALF_AND_HALF, "103", {}, ("SELL", "trigger_up", "9.567348", "9.567348")),
        (HALF_AND_HALF, "97", {"sizing": "proportional"}, ("BUY", "trigger_down", "10.468909", "10.468909")),
        (HALF_AND_HALF, "97.01", {}, ("HOLD", "inside_band", "0", "0")),
        (HALF_AND_HALF, "102.99", {}, ("HOLD", "inside_band", "0", "0")),
        (cell("70", "2000", "100"), "97", {}, ("SKIP", "guardrail", "4.671059", "0")),
        (
            cell("60", "4000", "110"),
            "100",
            {"sizing": "proportional", "guardrail_high": "0.7", "commission_bps": "10"},
            ("BUY", "trigger_down", "16.667", "9.993004"),
        ),
        (cell("100", "0", "100", receivable="5000"), "97", {}, ("SKIP", "insufficient_cash", "7.811669", "0")),
    ],
)
def test_the_worked_examples_of_the_contract(holding, price, settings, expected):
    assert summary(decided(holding, price, **settings)) == expected


@pytest.mark.parametrize(
    ("sizing", "ratio", "price", "raw"),
    [
        # V = 20,000 at 100: anchor/p * r * V/p
        ("anchor_ratio", "0.05", "80", "14.0625"),  # 100/80 * 0.05 * 18,000/80
        ("anchor_ratio", "0.05", "125", "7.2"),  # 100/125 * 0.05 * 22,500/125
        ("proportional", "0.5", "80", "28.125"),  # 20/80 * 0.5 * 18,000/80
        ("proportional", "0.5", "125", "18"),  # 25/125 * 0.5 * 22,500/125
        ("fixed_percentage", "0.1", "80", "12.5"),  # a tenth of 10,000 cash
        ("fixed_percentage", "0.1", "125", "10"),  # a tenth of 100 shares
        ("constant_mix", None, "80", "12.5"),  # 9,000 of stock wanted, 8,000 held
        ("constant_mix", None, "125", "10"),  # 11,250 of stock wanted, 12,500 held
        ("constant_mix", None, "103", "1.45631"),  # 98.54368932 shares wanted, and not less
    ],
)
def test_each_sizing_says_how_much(sizing, ratio, price, raw):
    given = {"sizing": sizing} | ({"rebalance_ratio": ratio} if ratio else {})
    decision = decided(HALF_AND_HALF, price, commission_bps="0", **given)
    assert as_text(decision.raw) == raw
    assert decision.action == (Action.BUY if price == "80" else Action.SELL)


def test_a_constant_mix_never_trades_against_its_trigger():
    mostly_stock = cell("100", "1000", "100")
    decision = decided(mostly_stock, "97", sizing="constant_mix")
    assert (decision.action, decision.reason, decision.side) == (Action.SKIP, Reason.ZERO_SIZE, Side.BUY)


def test_a_fixed_percentage_counts_only_what_is_free():
    promised = cell("100", "10000", "100", reserved_cash="4000", reserved_shares="60")
    assert as_text(decided(promised, "80", sizing="fixed_percentage").raw) == "7.5"
    assert as_text(decided(promised, "125", sizing="fixed_percentage").raw) == "4"


@pytest.mark.parametrize(
    ("holding", "price", "settings", "step", "before", "after"),
    [
        (HALF_AND_HALF, "80", {"max_trade": "0.02"}, "after_max_trade", "14.0625", "4.5"),
        (cell("350", "10000", "100"), "80", {}, "after_guardrail", "29.6875", "6.25"),
        (cell("30", "10000", "100"), "125", {}, "after_guardrail", "4.4", "2.5"),
        (cell("90", "100", "100", receivable="9000"), "80", {}, "after_cash", "12.734375", "1.25"),
        (cell("100", "10000", "100", reserved_shares="97"), "125", {}, "after_shares", "7.2", "3"),
        (HALF_AND_HALF, "80", {"fractional": False}, "after_lot", "14.0625", "14"),
    ],
)
def test_each_trim_cuts_to_what_it_allows(holding, price, settings, step, before, after):
    steps = ("raw", "after_max_trade", "after_guardrail", "after_cash", "after_shares", "after_lot")
    decision = decided(holding, price, commission_bps="0", **settings)
    values = [as_text(getattr(decision, name)) for name in steps]
    place = steps.index(step)
    assert values[:place] == [before] * place
    assert values[place:] == [after] * (len(steps) - place)


@pytest.mark.parametrize(
    ("holding", "price", "settings", "reason"),
    [
        (cell("100", "0.01", "100", receivable="10000"), "80", {"max_trade": "0.02"}, "BELOW_MIN_NOTIONAL"),
        (cell("0.0001", "0", "0.0001"), "80", {}, "ZERO_SIZE"),
        (cell("0.0001", "0.01", "500000"), "250000", {"max_trade": "0.000001"}, "MAX_TRADE"),
        (cell("600", "10000", "100"), "80", {}, "GUARDRAIL"),
        (cell("90", "0", "100", receivable="9000"), "80", {}, "INSUFFICIENT_CASH"),
        (cell("90", "100", "100", receivable="9000"), "80", {"when_short": "skip"}, "INSUFFICIENT_CASH"),
        (cell("100", "10000", "100", reserved_shares="100"), "125", {}, "INSUFFICIENT_SHARES"),
        (cell("100", "10000", "100", reserved_shares="97"), "125", {"when_short": "skip"}, "INSUFFICIENT_SHARES"),
        (cell("1", "500", "500"), "250", {"fractional": False}, "LOT"),
        (cell("10", "500", "100"), "80", {}, "BELOW_MIN_NOTIONAL"),
        (cell(anchor="100"), "80", {}, "NO_CAPITAL"),
        (cell("10", "1000"), "80", {}, "NO_ANCHOR"),
        (cell("1000000000000", "0", "100"), "97", {}, "OVER_LIMIT"),
    ],
)
def test_nothing_is_traded_and_the_reason_is_named(holding, price, settings, reason):
    decision = decided(holding, price, commission_bps="0", **settings)
    assert decision.reason.name == reason
    assert decision.quantity == decision.commission == 0


def test_being_short_of_cash_trims_or_skips_as_the_owner_wished():
    short_of_cash = cell("90", "400", "100", receivable="9000")
    assert decided(short_of_cash, "80", commission_bps="0").quantity == 5 * MICROS
    assert decided(short_of_cash, "80", commission_bps="0", when_short="skip").action == Action.SKIP


def test_a_live_market_buy_keeps_head_room_for_the_price_to_rise():
    merged = merge_settings(parse_settings({"commission_bps": "0"}))
    live = rules_from(merged, default_buffer=LIVE_BUFFER)
    short_of_cash = cell("90", "416", "100", receivable="9000")
    assert decide(short_of_cash, live, micros("80"), OPEN).quantity == 5 * MICROS  # at 83.20 each


def test_a_limit_buy_is_reserved_at_its_limit():
    short_of_cash = cell("90", "404", "100", receivable="9000")
    settings = {"order_type": "limit", "limit_offset_bps": "100", "commission_bps": "0"}
    assert decided(short_of_cash, "80", **settings).quantity == 5 * MICROS  # at 80.80 each


def test_a_sale_that_could_not_pay_its_own_fee_is_not_made():
    poor = cell("100", "0", "100")
    settings = {"commission_min": "600", "guardrail_low": "0", "guardrail_high": "1"}
    assert decided(poor, "125", rebalance_ratio="0.05", **settings).reason == Reason.INSUFFICIENT_CASH
    assert decided(poor, "125", rebalance_ratio="0.06", **settings).action == Action.SELL  # 4.8 at 125 is 600


@pytest.mark.parametrize("place", range(len(Gates._fields)))
def test_the_first_shut_gate_is_the_reason_whatever_the_gates_behind_it(place):
    gates = Gates(*[0] * place, *[1] * (len(Gates._fields) - place))
    decision = decided(HALF_AND_HALF, "97", gates)
    assert decision.action == Action.SKIP
    assert decision.reason.name.lower() == decision.gate.name.lower() == Gates._fields[place]
    assert (decision.quantity, decision.raw) == (0, 10_468_700)


def test_a_shut_gate_is_named_before_a_reason_of_size():
    decision = decided(cell("70", "2000", "100"), "97", OPEN._replace(paused=1))
    assert (decision.reason, decision.after_guardrail) == (Reason.PAUSED, 0)


def test_a_shut_gate_says_nothing_while_the_price_is_inside_the_band():
    assert decided(HALF_AND_HALF, "100", OPEN._replace(paused=1)).reason == Reason.INSIDE_BAND


def test_the_trigger_fires_exactly_at_its_edge_and_not_a_micro_before():
    assert decided(HALF_AND_HALF, "97").action == Action.BUY
    assert decided(HALF_AND_HALF, "97.000001").action == Action.HOLD
    assert decided(HALF_AND_HALF, "103").action == Action.SELL
    assert decided(HALF_AND_HALF, "102.999999").action == Action.HOLD


def test_drift_above_the_guardrail_sells_back_to_it():
    decision = decided(cell("160", "4000", "100"), "100", commission_bps="0")
    assert summary(decision) == ("SELL", "guardrail_rebalance", "10", "10")  # 15,000 of 20,000 is 75 %


def test_drift_below_the_guardrail_buys_back_to_it():
    decision = decided(cell("40", "16000", "100"), "100", commission_bps="0")
    assert summary(decision) == ("BUY", "guardrail_rebalance", "10", "10")  # 5,000 of 20,000 is 25 %


def test_a_new_cell_of_cash_buys_up_to_the_low_guardrail():
    assert summary(decided(cell(cash="10000", anchor="100"), "100", commission_bps="0"))[3] == "25"


def test_drift_in_whole_shares_goes_just_inside_the_guardrail():
    assert decided(cell("160", "4100", "100"), "100", fractional=False).quantity == 10 * MICROS  # 9.25 would do


def test_drift_stops_a_lot_short_rather_than_cross_the_far_guardrail():
    narrow = {"guardrail_low": "0.5", "guardrail_high": "0.51", "fractional": False, "commission_bps": "0"}
    decision = decided(cell("11", "900", "100"), "100", **narrow)  # 55 %; one share less is 50 %, inside
    assert summary(decision) == ("SELL", "guardrail_rebalance", "1", "1")
    decision = decided(cell("12", "700", "100"), "100", **narrow)  # 63 %; 10 left are 53 %, 9 left are 47 %
    assert summary(decision) == ("SELL", "guardrail_rebalance", "2", "2")


def test_drift_not_worth_an_order_or_switched_off_is_left_alone():
    slightly_over = cell("151", "4999", "100")
    assert decided(slightly_over, "100").reason == Reason.INSIDE_BAND
    assert decided(cell("190", "1000", "100"), "100", auto_rebalance=False).reason == Reason.INSIDE_BAND


def test_drift_respects_the_gates_and_the_largest_trade():
    over = cell("160", "4000", "100")
    assert decided(over, "100", OPEN._replace(market_closed=1)).reason == Reason.MARKET_CLOSED
    assert as_text(decided(over, "100", max_trade="0.02").quantity) == "4"


def test_a_fired_trigger_that_is_skipped_does_not_fall_through_to_drift():
    drifted = cell("90", "1000", "100")
    assert decided(drifted, "97").reason == Reason.GUARDRAIL
    assert decided(drifted, "98").reason == Reason.GUARDRAIL_REBALANCE


def test_a_receivable_counts_for_size_but_is_not_spent():
    assert (
        decided(cell("50", "5000", "100", receivable="10000"), "80").raw
        == decided(cell("50", "15000", "100"), "80").raw
    )
