"""A cell rehearsed on recorded closes: what the rule would have done, in numbers that can be checked in the head."""

from datetime import date, timedelta

from portfolios.domain.amounts import PPM, micros
from portfolios.domain.settings import merge_settings, parse_settings, rules_from
from reporting.comparison import Payout, Ratio
from reporting.rehearsal import Closes, Rehearsal, rehearse
from trading.market import history

FIRST = date(2007, 1, 3)
MONEY = micros("20000")


def rules(**given: object):
    return rules_from(merge_settings(parse_settings({"commission_bps": "0"} | given)), default_buffer=0)


def closes(*prices: str) -> Closes:
    return [(FIRST + timedelta(days=number), micros(price)) for number, price in enumerate(prices)]


def half(prices: Closes, *actions: Payout | Ratio, **given: object) -> Rehearsal:
    return rehearse(MONEY, PPM // 2, rules(**given), prices, actions)


def test_between_the_triggers_nothing_happens():
    seen = half(closes("100", "102.99", "97.01", "100"))
    assert (seen.trades, seen.cell.end) == (0, MONEY)


def test_a_dip_bought_and_sold_again_is_a_gain_over_holding_still():
    seen = half(closes("100", "97", "100"))
    # 10.4687 shares bought at 97; at 100 the sell trigger (99.91) fires
    assert seen.trades == 2
    assert seen.cell.values[1] == micros("19700")
    assert seen.cell.end == micros("20031.4061")
    assert seen.held.end == MONEY


def test_a_cell_all_in_cash_first_buys_up_to_its_lower_guardrail():
    seen = rehearse(MONEY, 0, rules(), closes("100", "102"), ())
    assert seen.trades == 1
    assert seen.cell.end == micros("20100")  # 50 shares, 2 more each


def test_buying_and_holding_keeps_its_dividends():
    seen = half(closes("100", "100"), Payout(FIRST + timedelta(days=1), micros("1")), withholding="0.25")
    assert seen.held.end == micros("20150")
    assert seen.dividends == micros("75")
    assert seen.cell.end == micros("20075")


def test_a_dividend_becomes_money_to_spend_a_month_later():
    quiet = ["100"] * 40
    seen = half(closes(*quiet), Payout(FIRST + timedelta(days=1), micros("1")))
    assert seen.cell.end == micros("20075")
    assert seen.trades == 0


def test_a_split_changes_neither_worth_nor_anchor():
    seen = half(closes("100", "25", "25.5"), Ratio(FIRST + timedelta(days=1), 4, 1))
    assert seen.trades == 0
    assert seen.cell.values == [micros("20000"), micros("20000"), micros("20200")]
    assert seen.held.end == micros("20400")


def test_the_deepest_fall_is_measured_from_the_peak_before_it():
    seen = half(closes("100", "200", "150", "180"))
    assert seen.held.deepest == 250_000


def test_five_shipped_years_take_no_time_worth_noticing():
    bars = [(bar.session, bar.close) for bar in history.read_bars("IBM")][-1_260:]
    seen = rehearse(MONEY, PPM // 2, rules(commission_bps="1"), bars, ())
    assert len(seen.days) == len(seen.cell.values) == len(seen.held.values) == 1_260
    assert seen.trades > 50
    assert seen.fees > 0
