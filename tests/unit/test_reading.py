"""How numbers and instants read on pages."""

from datetime import UTC, datetime

from portfolios.domain.amounts import micros
from reporting import reading
from reporting.templatetags.pictures import clamped, sparkline
from reporting.wording import GATES, REASONS, TRIMS, value_in_words
from trading.domain.choices import Action, Gates, Reason
from trading.domain.decision import nothing
from trading.domain.explanation import trims_of


def test_money_has_separators_two_decimals_and_a_real_minus_sign():
    assert reading.money(micros("1234567.895")) == "$1,234,567.90"
    assert reading.money(micros("-0.005")) == "−$0.01"
    assert reading.money(None) == "–"


def test_a_change_always_shows_its_sign():
    assert reading.signed_money(micros("12.3")) == "+$12.30"
    assert reading.signed_money(micros("-12.3")) == "−$12.30"
    assert reading.signed_money(micros("0.004")) == "$0.00"
    assert reading.signed_percent(-40) == reading.percent(-40, 2) == "0.00\u00a0%"
    assert reading.percent(-400) == "0.0\u00a0%"
    assert reading.signed_percent(15_500) == "+1.55\u00a0%"


def test_a_price_called_or_below_is_never_rounded_above_the_edge():
    assert reading.money_down(micros("97.009")) == "$97.00"
    assert reading.money_up(micros("103.001")) == "$103.01"


def test_shares_keep_as_many_decimals_as_they_have():
    assert reading.shares(micros("10.4687")) == "10.4687"
    assert reading.shares(micros("-1200")) == "−1,200"


def test_market_time_is_new_york_time():
    assert reading.market_time(datetime(2008, 1, 3, 21, 0, tzinfo=UTC)) == "3 Jan 2008, 16:00"
    assert reading.market_day(datetime(2008, 7, 3, 13, 30, tzinfo=UTC)) == "Thursday 3 Jul 2008"


def test_ages_are_told_in_the_largest_unit_that_says_enough():
    assert [reading.age(ms) for ms in (0, 59_000, 61_000, 7_200_000, 90_000_000)] == [
        "0 s",
        "59 s",
        "1 minute",
        "2 hours",
        "1 day",
    ]


def test_every_reason_gate_and_trim_of_the_rule_has_words():
    named = {reason.name.lower() for reason in Reason if reason is not Reason.NONE}
    assert named <= set(REASONS)
    assert set(Gates._fields) == set(GATES)
    bites = nothing(Action.HOLD, Reason.LOT)._replace(
        raw=9, after_max_trade=8, after_guardrail=7, after_cash=6, after_shares=5, after_lot=4
    )
    assert {trim.name for trim in trims_of(bites)} == set(TRIMS)


def test_a_calculation_is_shown_exactly_in_the_form_people_read():
    assert value_in_words("stock_share", "0.358316") == "35.8316\u00a0%"
    assert value_in_words("cash", "10802.001712") == "$10,802.001712"
    assert value_in_words("age_ms", "1500") == "1.5 s"
    assert value_in_words("quote_at", "2007-12-21T21:00:00+00:00") == "21 Dec 2007, 16:00"
    assert value_in_words("source", "replay") == "replay"


def test_a_needle_beyond_its_scale_is_still_seen_at_the_end():
    assert [clamped(place) for place in (-3, 41.5, 180)] == [0.0, 41.5, 100.0]


def test_a_sparkline_needs_two_prices_and_survives_a_flat_market():
    assert sparkline([micros("100")]) == {"points": ""}
    assert len(str(sparkline([5, 5, 5])["points"]).split()) == 3
