"""Amounts go in and out as plain decimals, to the micro, and nothing else goes in."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portfolios.domain.amounts import MAX_AMOUNT, as_decimal, as_text, micros


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("97.25", 97_250_000),
        ("0.000001", 1),
        ("-1.5", -1_500_000),
        ("0", 0),
        ("-0", 0),
        (97, 97_000_000),
        (Decimal("97.25"), 97_250_000),
        (Decimal("1E+2"), 100_000_000),
        ("1000000000000", MAX_AMOUNT),
    ],
)
def test_an_amount_is_read_exactly(written, amount):
    assert micros(written) == amount


@pytest.mark.parametrize(
    "written",
    [
        "",
        ".5",
        "1.",
        "1e3",
        "1.0000000",
        "0.0000001",
        "+1",
        " 1",
        "1\n",
        "1,000",
        "1_000",
        "NaN",
        "Infinity",
        "٣",
        "1000000000000.000001",
        "-1000000000001",
        "99999999999999",
        10**13,
        pytest.param(10**5_000, id="an integer of 5,001 digits"),
        True,
        Decimal("NaN"),
        Decimal("Infinity"),
        Decimal("1E-7"),
        Decimal("1E+999999"),
        Decimal("1E-999999"),
        Decimal("1E+999999999999"),
    ],
)
def test_what_is_not_a_plain_amount_within_the_limit_is_refused(written):
    with pytest.raises(ValueError, match=r"plain number|at most 1000000000000"):
        micros(written)


@given(st.integers(-MAX_AMOUNT, MAX_AMOUNT))
def test_an_amount_survives_being_written_and_read(amount):
    assert micros(as_text(amount)) == amount
    assert micros(as_decimal(amount)) == amount


def test_amounts_are_written_without_needless_zeros():
    assert [as_text(amount) for amount in (97_250_000, 100_000_000, 1, 0, -1_500_000)] == [
        "97.25",
        "100",
        "0.000001",
        "0",
        "-1.5",
    ]
