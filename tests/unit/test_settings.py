"""Settings as people write them: read exactly, refused by name, merged layer on layer."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portfolios.domain.holding import UNLIMITED, Sizing
from portfolios.domain.settings import (
    LIVE_BUFFER,
    SETTINGS,
    SettingError,
    fingerprint,
    merge_settings,
    overlaid,
    parse_settings,
    rules_from,
    written,
)
from tests.unit.cells import rules


def merged(*layers):
    return merge_settings(*map(parse_settings, layers))


def test_the_defaults_are_those_of_the_contract():
    assert rules()._asdict() == {
        "trigger_up": 30_000,
        "trigger_down": 30_000,
        "sizing": Sizing.ANCHOR_RATIO,
        "rebalance_ratio": 50_000,
        "target_weight": 500_000,
        "guardrail_low": 250_000,
        "guardrail_high": 750_000,
        "max_trade": UNLIMITED,
        "min_notional": 100_000_000,
        "skip_when_short": 0,
        "commission_rate": 100,
        "commission_min": 0,
        "market_buffer": 0,
        "max_orders_per_day": 5,
        "withholding": 250_000,
        "after_hours": 0,
        "lot": 1,
        "auto_rebalance": 1,
        "reanchor_after_skip": 0,
        "limit_orders": 0,
        "limit_offset": 0,
        "drift": 2_000,
        "max_quote_age": 3_000,
        "max_last_to_mid": 10_000,
    }


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"tau": "0.05"}, {"trigger_up": 50_000, "trigger_down": 50_000}),
        ({"r": "1.6667"}, {"rebalance_ratio": 1_666_700}),
        ({"commission_bps": "1.5"}, {"commission_rate": 150}),
        ({"commission_bps": 1000}, {"commission_rate": 100_000}),
        ({"trigger_up": Decimal("0.5")}, {"trigger_up": 500_000}),
        ({"max_trade": None}, {"max_trade": UNLIMITED}),
        ({"max_trade": "0.1"}, {"max_trade": 100_000}),
        ({"fractional": False}, {"lot": 1_000_000}),
        ({"when_short": "skip"}, {"skip_when_short": 1}),
        ({"order_type": "limit", "limit_offset_bps": "5"}, {"limit_orders": 1, "limit_offset": 500}),
        ({"max_quote_age": "0.5"}, {"max_quote_age": 500}),
        ({"sizing": "constant_mix", "target_weight": "0.6"}, {"sizing": 4, "target_weight": 600_000}),
        ({"min_notional": "1000000000000"}, {"min_notional": 10**18}),
        ({"guardrail_low": "0", "guardrail_high": "1"}, {"guardrail_low": 0, "guardrail_high": 1_000_000}),
    ],
)
def test_what_people_write_becomes_integers(given, expected):
    found = rules(**given)._asdict()
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"trigger_up": "0.00009"}, "trigger_up", "from 0.0001 to 0.5"),
        ({"trigger_down": "0.500001"}, "trigger_down", "from 0.0001 to 0.5"),
        ({"tau": "3"}, "trigger_up", "from 0.0001 to 0.5"),
        ({"rebalance_ratio": "2.000001"}, "rebalance_ratio", "to 2"),
        ({"r": "0"}, "rebalance_ratio", "from 0.000001"),
        ({"target_weight": "1.1"}, "target_weight", "from 0 to 1"),
        ({"guardrail_high": "-0.1"}, "guardrail_high", "from 0 to 1"),
        ({"max_trade": "0"}, "max_trade", "from 0.000001 to 1"),
        ({"max_trade": "-0.000001"}, "max_trade", "from 0.000001 to 1"),
        ({"min_notional": "-1"}, "min_notional", "from 0"),
        ({"min_notional": "1000000000001"}, "min_notional", "at most 1000000000000"),
        ({"commission_bps": "1001"}, "commission_bps", "from 0 to 1000"),
        ({"commission_bps": "0.001"}, "commission_bps", "a multiple of 0.01"),
        ({"max_orders_per_day": "1.5"}, "max_orders_per_day", "a multiple of 1"),
        ({"max_quote_age": "0.0001"}, "max_quote_age", "a multiple of 0.001"),
        ({"trigger_up": "3%"}, "trigger_up", "plain number"),
        ({"trigger_up": "3e-2"}, "trigger_up", "plain number"),
        ({"trigger_up": "0.0300000"}, "trigger_up", "6 digits"),
        ({"trigger_up": True}, "trigger_up", "must be a number"),
        ({"trigger_up": None}, "trigger_up", "must be a number"),
        ({"trigger_up": 0.03}, "trigger_up", "must be a number"),
        ({"trigger_up": ["0.03"]}, "trigger_up", "must be a number"),
        ({"market_buffer": None}, "market_buffer", "must be a number"),
        ({"fractional": "true"}, "fractional", "true or false"),
        ({"after_hours": 1}, "after_hours", "true or false"),
        ({"sizing": "martingale"}, "sizing", "one of anchor_ratio, proportional, fixed_percentage, constant_mix"),
        ({"sizing": 1}, "sizing", "one of"),
        ({"sizing": ["anchor_ratio"]}, "sizing", "one of"),
        ({"when_short": None}, "when_short", "one of trim, skip"),
        ({"trigger": "0.03"}, "trigger", "is not a setting"),
        ({"lot": "1"}, "lot", "is not a setting"),
        ({"tau": "0.03", "trigger_up": "0.03"}, "trigger_up", "is given twice"),
        ({"trigger_down": "0.03", "tau": "0.03"}, "tau", "is given twice"),
        ({"guardrail_low": "0.75"}, "guardrail_low", "below guardrail_high"),
        ({"sizing": "constant_mix", "target_weight": "0.8"}, "target_weight", "within the guardrails"),
    ],
)
def test_a_bad_setting_is_refused_by_its_name_and_its_limit(given, field, words):
    with pytest.raises(SettingError) as caught:
        merged(given)
    assert caught.value.field == field
    assert words in caught.value.message


def test_the_cell_overrides_the_portfolio_and_the_portfolio_the_default():
    found = merged({"tau": "0.05", "min_notional": "50"}, {"trigger_up": "0.04"})
    assert (found["trigger_up"], found["trigger_down"], found["min_notional"]) == (40_000, 50_000, 50_000_000)


def test_a_ratio_stays_with_the_sizing_it_was_written_for():
    portfolio = {"sizing": "anchor_ratio", "r": "0.07"}
    assert merged(portfolio, {"tau": "0.05"})["rebalance_ratio"] == 70_000
    assert merged(portfolio, {"sizing": "anchor_ratio"})["rebalance_ratio"] == 70_000
    assert merged(portfolio, {"sizing": "proportional"})["rebalance_ratio"] == 1_666_700
    assert merged(portfolio, {"sizing": "fixed_percentage"})["rebalance_ratio"] == 100_000
    assert merged(portfolio, {"sizing": "proportional", "r": "1"})["rebalance_ratio"] == 1_000_000
    assert merged({"r": "0.07"}, {})["rebalance_ratio"] == 70_000


def test_layers_are_checked_together_because_each_may_be_right_alone():
    with pytest.raises(SettingError, match="below guardrail_high"):
        merged({"guardrail_high": "0.4"}, {"guardrail_low": "0.5"})


def test_head_room_is_the_brokers_unless_somebody_set_it():
    assert rules_from(merged({}), default_buffer=LIVE_BUFFER).market_buffer == 40_000
    assert rules_from(merged({"market_buffer": "0"}), default_buffer=LIVE_BUFFER).market_buffer == 0


@given(st.sets(st.sampled_from(sorted(SETTINGS))), st.data())
def test_settings_survive_being_written_and_read(names, data):
    parsed = {}
    for name in names:
        setting = SETTINGS[name]
        last = setting.low + len(setting.choices) - 1 if setting.choices else setting.high
        parsed[name] = data.draw(st.integers(setting.low, last))
    if "max_trade" in parsed and data.draw(st.booleans()):
        parsed["max_trade"] = UNLIMITED
    assert parse_settings(written(parsed)) == parsed


def test_the_fingerprint_tells_settings_apart_and_knows_them_again():
    assert fingerprint(merged({})) == fingerprint(merged({"tau": "0.03"}))
    assert fingerprint(merged({})) != fingerprint(merged({"tau": "0.04"}))
    assert len(fingerprint(merged({}))) == 64


def test_some_settings_are_changed_and_null_takes_one_back():
    before = {"trigger_up": "0.05", "max_trade": None}
    assert overlaid(before, {"tau": "0.02", "max_trade": "none"}) == {
        "trigger_up": "0.02",
        "trigger_down": "0.02",
        "max_trade": "none",
    }
    assert overlaid(before, {"trigger_up": None, "max_trade": None, "drift_bps": None}) == {}
    assert overlaid(before, {"colour": None}) == before | {"colour": None}  # for parse_settings to refuse
    assert parse_settings({"max_trade": "none"}) == parse_settings({"max_trade": None})
    with pytest.raises(SettingError, match="tau: is given twice"):
        overlaid({}, {"trigger_up": "0.02", "tau": None})
