"""The words and tables of a tear sheet, on figures that can be checked in the head."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from portfolios.domain.amounts import MICROS
from portfolios.domain.settings import merge_settings, rules_from
from reporting.run_charts import drawn, months_of, split_adjusted
from reporting.tearsheet import facts_of, figures_of, skips_told, span_told, title_of, trades_of, verdict_of
from trading.simulation.archive import Series
from trading.simulation.bars import Split, day_number
from trading.simulation.engine import FILL
from trading.simulation.steps import STEP

FIRST = date(2007, 1, 30)
CASH = 100 * MICROS


def series(*values: int, held: tuple[int, ...] = (), mixed: tuple[int, ...] = ()) -> Series:
    """Worth in dollars at the closes of consecutive days; half of it stock; no step."""
    count = len(values)
    days = np.array([day_number(FIRST + timedelta(days=number)) for number in range(count)], np.int64)
    worth = np.array(values, np.int64) * MICROS
    daily = np.zeros((count, 6), np.int64)
    daily[:, 0], daily[:, 5] = worth, worth // 2
    beside = [np.array(course or values, np.int64) * MICROS for course in (held, mixed)]
    return Series(days, worth, daily, *beside, np.empty((0, STEP), np.int64), np.empty(0, np.int64))


def result(**traits: Any) -> dict[str, Any]:
    names = ("total_return", "cagr", "volatility", "sharpe", "sortino", "max_drawdown", "calmar")
    figures = dict.fromkeys(names, None) | {"max_drawdown": -0.2}
    own = figures | {"exposure": 0.5, "guardrail_time": 1.0}
    courses = dict.fromkeys(("buy_and_hold", "constant_mix", "cash"), figures)
    costs = {"fees": "1.5", "slippage": "0.25", "dividends_net": "0", "trades": 0, "buys": 0, "sells": 0, "skips": {}}
    return {"metrics": own, "baselines": courses} | costs | traits


@pytest.mark.parametrize(
    ("gain", "against_held", "against_mixed", "title"),
    [
        (5, -3, -1, "The robot ended behind buying and holding and a constant mix"),
        (5, -3, 2, "The robot ended behind buying and holding, ahead of a constant mix"),
        (5, 3, -2, "The robot ended behind a constant mix, ahead of buying and holding"),
        (5, 3, 2, "The robot ended ahead of a constant mix and buying and holding"),
        (-5, 3, 2, "The robot lost money and ended ahead of a constant mix and buying and holding"),
        (-5, -3, 2, "The robot lost money and ended behind buying and holding, ahead of a constant mix"),
        (0, 0, 0, "The robot ended where the others did"),
    ],
)
def test_the_verdict_begins_with_what_was_lost(gain, against_held, against_mixed, title):
    gaps = sorted([(against_held, "buy_and_hold"), (against_mixed, "constant_mix")])
    assert title_of(gain, gaps) == title


def test_the_sentence_has_both_others_with_their_money_the_worse_first():
    told = verdict_of(result(), series(100, 110, held=(100, 130), mixed=(100, 105)), CASH)
    assert told.sentence.startswith("$100.00 became $110.00 in 1 month: $20.00 less than buying and holding ($130.00)")
    assert "$5.00 more than a constant mix ($105.00)" in told.sentence
    assert "20.0\u00a0% below its highest value, buying and holding 20.0\u00a0%" in told.sentence
    assert "50\u00a0% of it was stock" in told.aside
    assert "Fees took $1.50 and slippage $0.25" in told.aside
    assert told.is_behind


def test_a_loss_is_a_loss_even_ahead_of_the_others():
    told = verdict_of(result(), series(100, 90, held=(100, 50), mixed=(100, 60)), CASH)
    assert (told.is_behind, told.title.startswith("The robot lost money")) == (True, True)


def test_figures_that_cannot_be_told_are_dashes():
    rows = figures_of(result(), series(100, 110), CASH)
    assert rows[0].cells[0][:2] == ("Robot", "$110.00")
    assert {text for _, text, _ in rows[1].cells} == {"–"}
    assert all(row.definition for row in rows)
    assert {fact.title: fact.text for fact in facts_of(result(), series(100, 110))}["Fees"] == "$1.50"


def test_months_multiply_up_to_their_year():
    """30 and 31 January, then two days of February: 100, 110, 121, 88."""
    (year,) = months_of(series(100, 110, 121, 88).days, series(100, 110, 121, 88).daily[:, 0])
    assert [(month.name, month.text) for month in year.months[:3]] == [("Jan", "+10.0"), ("Feb", "−20.0"), ("Mar", "")]
    assert (year.number, year.total.text) == (2007, "−12.0")
    assert (year.months[0].heat, year.months[1].heat, year.months[2].heat) == ("heat gain-5", "heat loss-5", "")


def test_a_split_is_no_cliff():
    past = series(100, 100, 25, 25)
    split = Split(FIRST + timedelta(days=2), 4, 1)
    assert split_adjusted(past, [split]).tolist() == [25.0, 25.0, 25.0, 25.0]
    shown = drawn(past, rules_from(merge_settings(), default_buffer=0), [split])
    assert (shown["prices"], shown["low"], shown["high"]) == ([25.0] * 4, 25.0, 75.0)
    assert shown["shares"] == [50.0] * 4


def test_skips_are_told_in_words_the_most_frequent_first():
    told = skips_told({"skips": {"guardrail": 2, "not_sent": 1, "below_min_notional": 7}})
    assert [count for _, count in told] == [7, 2, 1]
    assert told[0][0] == "it is worth less than the smallest allowed trade"


def test_trades_come_newest_first_with_their_reason():
    steps = np.zeros((2, STEP), np.int64)
    steps[:, 1], steps[:, 2], steps[:, 3] = FILL, (1, 2), (5 * MICROS, -3 * MICROS)
    past = series(100, 110)._replace(steps=steps, at=np.array([0, 86_400]))
    newest, oldest = trades_of(past, 0, 10)
    assert (newest.side, newest.day, newest.quantity) == ("SELL", date(1970, 1, 2), 3 * MICROS)
    assert (oldest.side, oldest.reason) == ("BUY", "the price fell through the buy trigger")


@pytest.mark.parametrize(("years", "words"), [(0.01, "1 month"), (0.5, "6 months"), (10.04, "10.0 years")])
def test_spans_are_told_in_months_below_a_year(years, words):
    assert span_told(years) == words
