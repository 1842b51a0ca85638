"""Adjusted views: holding through adjusted prices is holding through raw ones, with what was paid and split."""

from datetime import date, timedelta
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portfolios.domain.amounts import micros
from trading.bars.adjusted import adjusted
from trading.bars.catalogue import StoredBars, room_for
from trading.bars.rows import day_number

BEGINS = date(2014, 6, 2)


def day(number: int) -> date:
    return BEGINS + timedelta(days=number)


def bars_of(closes: list[int], volume: int = 700, days: list[int] | None = None) -> StoredBars:
    """A bar a day; closes in micros."""
    numbers = np.array([day_number(day(n)) for n in days or range(len(closes))], np.int32)
    close = np.array(closes, np.int64)
    prices = np.column_stack([close, close * 2, close // 2, close])
    volumes = np.full(len(closes), volume, np.int64)
    return StoredBars(numbers.astype(np.int64) * 86_400, numbers, prices, volumes, np.zeros(len(closes), np.uint8))


def closes_of(bars: StoredBars) -> list[int]:
    return bars.prices[:, 3].tolist()


def test_a_split_scales_every_price_before_it_and_the_volume_the_other_way() -> None:
    view = adjusted(bars_of([micros("700"), micros("700"), micros("100")]), [(day(2), 7, 1)])
    assert view.prices.tolist() == [[micros(p) for p in ("100", "200", "50", "100")]] * 3
    assert view.volumes.tolist() == [4900, 4900, 700]


def test_a_dividend_scales_prices_by_what_reinvesting_it_at_the_close_of_its_ex_date_makes() -> None:
    view = adjusted(bars_of([micros("100"), micros("99")]), [], [(day(1), micros("1"))])
    assert closes_of(view) == [micros("99"), micros("99")]  # 100 x 99/100
    assert view.volumes.tolist() == [700, 700]


def test_a_dividend_before_a_split_is_scaled_by_it() -> None:
    """Ex 7 at 693 after 700, then 7 for 1: in today's shares a dividend of 1 at 99 after 100."""
    view = adjusted(bars_of([micros("700"), micros("693"), micros("99")]), [(day(2), 7, 1)], [(day(1), micros("7"))])
    assert closes_of(view) == [micros("99")] * 3


def test_on_one_day_the_split_comes_first() -> None:
    """700, then 99 and 1 paid for a new share."""
    view = adjusted(bars_of([micros("700"), micros("99")]), [(day(1), 7, 1)], [(day(1), micros("1"))])
    assert closes_of(view) == [micros("99"), micros("99")]


def test_what_happens_on_a_day_without_bars_counts_from_the_next_one() -> None:
    """Ex 7 on day 1, 7 for 1 on day 2, and the next bar is on day 3."""
    bars = bars_of([micros("700"), micros("99")], days=[0, 3])
    assert closes_of(adjusted(bars, [(day(2), 7, 1)], [(day(1), micros("7"))])) == [micros("99"), micros("99")]


@pytest.mark.parametrize("when", [-5, 0, 9])
def test_what_is_not_within_the_bars_leaves_them_as_they_are(when: int) -> None:
    bars = bars_of([micros("100"), micros("99")])
    view = adjusted(bars, [(day(when), 2, 1)], [(day(when), micros("1"))])
    assert view.prices.tolist() == bars.prices.tolist()
    assert adjusted(room_for(0), [(day(0), 2, 1)], [(day(0), 1)]).prices.tolist() == []


@pytest.mark.parametrize(("dps", "before"), [("9", "1"), ("1", "5"), ("10", "0.909091"), ("999", "0.01")])
def test_a_dividend_as_large_as_the_price_or_larger_makes_no_price_negative(dps: str, before: str) -> None:
    """10 before, then 1 and so much paid for a share: 10 x 1 / (1 + paid)."""
    view = adjusted(bars_of([micros("10"), micros("1")]), [], [(day(1), micros(dps))])
    assert closes_of(view) == [micros(before), micros("1")]


def test_prices_before_and_after_the_session_are_no_close() -> None:
    bars = bars_of([micros("100"), micros("99"), micros("50")], days=[0, 1, 1])._replace(
        market=np.array([0, 0, 1], np.uint8)
    )
    assert closes_of(adjusted(bars, [], [(day(1), micros("1"))]))[0] == micros("99")


ratios = st.sampled_from([(2, 1), (7, 1), (3, 2), (1, 20), (1, 3)])
prices = st.lists(st.integers(10**5, 10**9), min_size=2, max_size=30)


@given(prices, st.data())
def test_the_value_of_holding_is_the_same_through_adjusted_prices_and_through_raw_ones(closes, data) -> None:
    """One share bought at the first close; dividends buy more at the close of their ex-date, splits multiply."""
    days = st.integers(1, len(closes) - 1)
    splits = [(day(n), *data.draw(ratios)) for n in data.draw(st.sets(days, max_size=3))]
    dividends = [(day(n), data.draw(st.integers(1, 10**8))) for n in data.draw(st.sets(days, max_size=5))]
    shares = Fraction(1)
    for number, close in enumerate(closes):
        for ex_date, new, old in splits:
            shares *= Fraction(new, old) if ex_date == day(number) else 1
        for ex_date, dps in dividends:
            shares *= 1 + Fraction(dps, close) if ex_date == day(number) else 1
    view = adjusted(bars_of(closes), splits, dividends)
    first = closes_of(view)[0]
    grown = shares * closes[-1]
    assert abs(closes[0] * Fraction(closes[-1]) / grown - first) <= Fraction(1, 2)  # rounded once, half a micro at most
    assert closes_of(view)[-1] == closes[-1]
    assert (view.prices >= 0).all()
    opened, high, low, close = view.prices.T
    assert (low <= np.minimum(opened, close)).all()
    assert (high >= np.maximum(opened, close)).all()


@given(prices, st.lists(ratios, max_size=3))
def test_a_view_does_not_depend_on_where_its_reader_begins(closes, drawn) -> None:
    splits = [(day(1 + n % (len(closes) - 1)), *ratio) for n, ratio in enumerate(drawn)]
    splits = list({each[0]: each for each in splits}.values())
    whole, tail = adjusted(bars_of(closes), splits), bars_of(closes)
    tail = adjusted(StoredBars(*(column[1:] for column in tail)), splits)
    assert closes_of(whole)[1:] == closes_of(tail)


def slowly(bars: StoredBars, splits: list, dividends: list) -> list[tuple[list[int], int]]:
    """Prices and volume of each bar in turn: all that happens after it, told day by day, one bar at a time."""
    rows = []
    for number in range(len(bars.days)):
        price = volume = Fraction(1)
        for ex_date, new, old in splits:
            if bars.days[number] < day_number(ex_date) <= bars.days[-1]:
                price, volume = price * old / new, volume * new / old
        for ex_date, dps in dividends:
            if bars.days[number] < day_number(ex_date) <= bars.days[-1]:
                close = regular_close(bars, day_number(ex_date), splits)
                price = price * close / (close + dps)
        scaled = [rounded(value * price) for value in bars.prices[number].tolist()]
        rows.append((scaled, rounded(int(bars.volumes[number]) * volume)))
    return rows


def regular_close(bars: StoredBars, ex_day: int, splits: list) -> Fraction:
    """Of the first day with bars from the ex-date on, for one share of the ex-date."""
    traded = min(number for number in bars.days.tolist() if number >= ex_day)
    of_day = [n for n in range(len(bars.days)) if bars.days[n] == traded]
    regular = [n for n in of_day if bars.market[n] == 0] or of_day
    close = Fraction(int(bars.prices[regular[-1], 3]))
    for ex_date, new, old in splits:
        close *= Fraction(new, old) if ex_day < day_number(ex_date) <= traded else 1
    return close


def rounded(value: Fraction) -> int:
    return int(value + Fraction(1, 2))


@st.composite
def series(draw) -> tuple[StoredBars, list, list]:
    """Several bars a day or none, some before or after the session, splits and dividends on any day."""
    counts = draw(st.lists(st.integers(0, 3), min_size=2, max_size=12))
    days = [n for n, count in enumerate(counts) for _ in range(count)]
    bodies = [sorted(draw(st.lists(st.integers(1, 10**9), min_size=4, max_size=4))) for _ in days]
    prices = np.array([[body[1], body[3], body[0], body[2]] for body in bodies], np.int64).reshape(-1, 4)
    numbers = np.array([day_number(day(n)) for n in days], np.int32)
    volumes = np.array([draw(st.integers(0, 10**9)) for _ in days], np.int64)
    market = np.array([draw(st.integers(0, 1)) for _ in days], np.uint8)
    bars = StoredBars(np.arange(len(days)), numbers, prices, volumes, market)
    when = st.integers(-2, len(counts) + 2)
    splits = [(day(n), *draw(ratios)) for n in sorted(draw(st.sets(when, max_size=4)))]
    paid = st.one_of(st.integers(1, 10**7), st.integers(10**9, 10**12))  # also far above any price
    dividends = [(day(n), draw(paid)) for n in sorted(draw(st.sets(when, max_size=5)))]
    return bars, splits, dividends


@given(series())
def test_every_column_is_what_a_slow_reckoning_bar_by_bar_makes_of_it(drawn) -> None:
    bars, splits, dividends = drawn
    view, slow = adjusted(bars, splits, dividends), slowly(bars, splits, dividends)
    assert list(zip(view.prices.tolist(), view.volumes.tolist(), strict=True)) == slow
    assert (view.prices >= 0).all()
    opened, high, low, close = view.prices.T
    assert (low <= np.minimum(opened, close)).all()
    assert (high >= np.maximum(opened, close)).all()
    same = (view.begins == bars.begins).all() and (view.days == bars.days).all() and (view.market == bars.market).all()
    assert same
    if len(bars.days):
        assert view.prices[-1].tolist() == bars.prices[-1].tolist()


@given(series(), st.randoms())
def test_the_order_in_which_actions_are_told_changes_nothing(drawn, chance) -> None:
    bars, splits, dividends = drawn
    told = adjusted(bars, splits, dividends)
    chance.shuffle(splits)
    chance.shuffle(dividends)
    again = adjusted(bars, splits, dividends)
    assert told.prices.tolist() == again.prices.tolist()
    assert told.volumes.tolist() == again.volumes.tolist()
