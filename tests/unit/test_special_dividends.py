"""Special dividends are told from regular ones by the stated rule; what comes again and again is never one."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dividends.domain.specials import Paid, specials_in

BEGIN = date(2018, 1, 5)


def paid(*amounts: float, every: int = 91) -> list[Paid]:
    return [Paid(BEGIN + timedelta(days=every * place), round(dps * 10**6)) for place, dps in enumerate(amounts)]


@pytest.mark.parametrize(
    ("amounts", "special"),
    [
        ((), set()),
        ((0.5,), set()),
        ((0.5, 5), set()),  # too few to stand out among
        ((0.5, 0.5, 5, 0.5), {2}),
        ((0.5, 0.5, 0.5, 5), {3}),
        ((5, 0.5, 0.5, 0.5), {0}),
        ((0.5, 0.5, 1.0, 0.5), set()),  # twice as much is not more than twice
        ((0.5, 0.5, 1.000001, 0.5), {2}),
        ((0.5, 0.5, 1.5, 1.5, 1.5), set()),  # a raise that is repeated
        ((0.5, 0.5, 0.5, 1.5), {3}),  # and one that is not yet
        ((1.5, 1.5, 1.5, 0.5, 0.5), set()),  # a cut
        ((0.5, 0.5, 0.1, 0.5), set()),
    ],
)
def test_by_amount(amounts: tuple[float, ...], special: set[int]) -> None:
    assert specials_in(paid(*amounts)) == special


@pytest.mark.parametrize(("days", "special"), [(20, {3}), (30, {3}), (31, set()), (45, set())])
def test_one_that_comes_soon_after_another_is_out_of_turn(days: int, special: set[int]) -> None:
    regular = paid(0.5, 0.5, 0.5, 0.5, 0.5, 0.5)
    extra = Paid(regular[2].ex_date + timedelta(days=days), 300_000)
    assert specials_in(sorted([*regular, extra])) == special


def test_interim_and_final_dividends_are_both_regular() -> None:
    days = [date(year, month, 10) for year in (2018, 2019, 2020) for month in (3, 6)]
    assert specials_in([Paid(day, 300_000 if day.month == 6 else 550_000) for day in days]) == set()


@given(
    st.lists(st.integers(600_000, 1_100_000), max_size=16),
    st.sampled_from((30, 91, 182, 365)),
    st.lists(st.integers(-5, 5), min_size=16, max_size=16),
)
def test_what_is_about_the_same_at_about_the_same_distance_is_regular(
    amounts: list[int], every: int, shifts: list[int]
) -> None:
    rows = [
        Paid(BEGIN + timedelta(days=every * place + shift), dps)
        for place, (dps, shift) in enumerate(zip(amounts, shifts, strict=False))
    ]
    assert specials_in(rows) == set()


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(1, 10**9)), max_size=12))
def test_there_is_always_a_regular_one_left(steps: list[tuple[int, int]]) -> None:
    rows, day = [], BEGIN
    for distance, dps in steps:
        day += timedelta(days=distance)
        rows.append(Paid(day, dps))
    assert not rows or len(specials_in(rows)) < len(rows)
