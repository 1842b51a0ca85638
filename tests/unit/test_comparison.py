"""Left alone: what doing nothing would have been worth."""

from datetime import date

from portfolios.domain.amounts import micros
from reporting.comparison import Flow, Payout, Ratio, Untouched, left_alone, left_alone_over, value_untouched

OPENED = date(2007, 1, 3)
START = Untouched(micros("100"), micros("10000"))
QUARTER = 250_000


def after(until, *actions):
    return left_alone(OPENED, START, QUARTER, until, actions)


def test_shares_and_cash_stay_as_they_were():
    assert after(date(2012, 1, 1)) == START
    assert value_untouched(START, micros("97")) == micros("19700")


def test_a_dividend_becomes_cash_after_tax_from_its_ex_date_on():
    dividend = Payout(date(2007, 2, 7), micros("0.30"))
    assert after(date(2007, 2, 6), dividend) == START
    assert after(date(2007, 2, 7), dividend).cash == micros("10022.50")


def test_a_split_multiplies_the_shares_and_later_dividends_count_them():
    split, dividend = Ratio(date(2007, 3, 1), 2, 1), Payout(date(2007, 4, 2), micros("1"))
    assert after(date(2007, 12, 31), dividend, split) == Untouched(micros("200"), micros("10150"))


def test_on_one_day_the_dividend_belongs_to_the_shares_of_the_evening_before():
    day = date(2007, 3, 1)
    assert after(day, Ratio(day, 2, 1), Payout(day, micros("1"))) == Untouched(micros("200"), micros("10075"))


def test_what_happened_on_or_before_the_opening_day_is_not_ours():
    assert after(date(2008, 1, 1), Payout(OPENED, micros("1")), Ratio(date(2006, 1, 1), 2, 1)) == START


def test_a_series_of_days_is_the_same_as_asking_for_each():
    actions = [Payout(date(2007, 2, 7), micros("0.3")), Ratio(date(2007, 3, 1), 2, 1)]
    days = [date(2007, 1, 3), date(2007, 2, 7), date(2007, 2, 8), date(2007, 3, 1), date(2007, 6, 1)]
    assert list(left_alone_over(days, OPENED, START, QUARTER, actions)) == [after(day, *actions) for day in days]


def test_shares_put_in_later_get_nothing_of_what_came_before():
    before, split, after_it = Payout(date(2007, 2, 7), micros("1")), Ratio(date(2007, 3, 1), 2, 1), date(2007, 4, 2)
    flows = [Flow(date(2007, 3, 1), micros("10"), 0), Flow(date(2007, 5, 1), 0, micros("-75"))]
    later = Payout(after_it, micros("1"))
    assert left_alone(OPENED, START, QUARTER, date(2007, 3, 31), [before, split, later], flows) == Untouched(
        micros("210"), micros("10075")
    )
    assert left_alone(OPENED, START, QUARTER, date(2007, 12, 31), [before, split, later], flows) == Untouched(
        micros("210"), micros("10157.5")
    )
