"""Which price is believable after those before it."""

from itertools import pairwise

import pytest

from trading.domain.outliers import FEW, Going, after, allowed, confirms, doubting, is_outlier, rebased

MINUTE, CENT = 60_000_000, 10_000
HUNDRED = 100_000_000


def going_by(steps: int, ppm: int = 500) -> Going:
    """So many minutes up and down by as much."""
    found = Going()
    for minute in range(1, steps + 1):
        found = after(found, HUNDRED + minute % 2 * HUNDRED * ppm // 1_000_000, minute * MINUTE, MINUTE, CENT)
    return found


@pytest.mark.parametrize(
    ("price", "is_out"), [(110_000_000, False), (110_000_001, True), (90_000_000, False), (89_999_999, True)]
)
def test_while_few_returns_are_known_ten_per_cent_is_the_limit_itself_allowed(price, is_out):
    going = Going(HUNDRED, MINUTE)
    assert is_outlier(going, price, 2 * MINUTE, MINUTE, CENT) is is_out


def test_then_ten_deviations_of_its_own_returns_scaled_by_the_root_of_the_time_passed():
    going = going_by(FEW + 71)
    assert going.returns == FEW + 70
    limits = [allowed(going, HUNDRED, minutes * MINUTE, MINUTE, CENT) for minutes in (1, 4, 100)]
    assert limits == pytest.approx([5_000, 10_000, 50_000], rel=0.01)


def test_a_night_counts_for_a_session_and_nothing_for_more_than_half():
    going = going_by(100)
    nights = [allowed(going, HUNDRED, minutes * MINUTE, MINUTE, CENT) for minutes in (390, 1_050, 100_000)]
    assert nights[0] == nights[1] == nights[2]
    assert allowed(going_by(100, 9_000), HUNDRED, 390 * MINUTE, MINUTE, CENT) == 500_000


def test_a_price_that_stood_still_may_move_by_ten_ticks():
    still = going_by(100, 0)
    assert not is_outlier(still, HUNDRED + 10 * CENT, 101 * MINUTE, MINUTE, CENT)
    assert is_outlier(still, HUNDRED + 11 * CENT, 101 * MINUTE, MINUTE, CENT)


def test_a_second_price_confirms_a_later_one_only_and_only_near_it():
    doubted = doubting(going_by(101), 80_000_000, 102 * MINUTE)
    at = 103 * MINUTE
    assert confirms(doubted, 80_100_000, at, MINUTE, CENT)
    assert not confirms(doubted, 80_100_000, 102 * MINUTE, MINUTE, CENT)
    assert not confirms(doubted, 85_000_000, at, MINUTE, CENT)
    assert not confirms(doubted, HUNDRED, at, MINUTE, CENT)
    assert not confirms(after(doubted, HUNDRED, at, MINUTE, CENT), 80_100_000, at + MINUTE, MINUTE, CENT)


def test_a_jump_that_was_confirmed_is_no_measure_of_what_is_usual():
    before = going_by(101)
    jumped = after(before, 80_000_000, 102 * MINUTE, MINUTE, CENT)
    assert (jumped.returns, jumped.variance) == (before.returns, before.variance)
    assert jumped.price == 80_000_000


def test_a_split_that_is_known_moves_what_is_expected():
    halved = rebased(going_by(101), HUNDRED // 2)
    assert not is_outlier(halved, HUNDRED // 2, 102 * MINUTE, MINUTE, CENT)
    assert is_outlier(halved, HUNDRED, 102 * MINUTE, MINUTE, CENT)


def test_the_same_prices_give_the_same_measure_and_gaps_in_time_count_for_nothing():
    prices = [HUNDRED + step * step % 7 * CENT for step in range(200)]
    once = twice = Going()
    for (minute, price), _ in pairwise(enumerate(prices, 1)):
        once, twice = (after(row, price, minute * MINUTE, MINUTE, CENT) for row in (once, twice))
    assert once == twice
    late = after(once, once.price + CENT, once.at + 60 * MINUTE, MINUTE, CENT)
    assert (late.returns, late.variance) == (once.returns, once.variance)
