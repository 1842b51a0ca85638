"""A number as people type it: commas between thousands where they can mean nothing else."""

import pytest

from portfolios.typed import read_typed, without_commas


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("1,000,000", "1000000"),
        ("2,500.50", "2500.50"),
        ("-12,345.6", "-12345.6"),
        ("10000", "10000"),
        ("2500.50", "2500.50"),
        ("none", "none"),
        ("1,00,000", "1,00,000"),  # no thousands: left to who refuses all that is no number
        ("1.000,5", "1.000,5"),
        (",", ","),
    ],
)
def test_commas_between_thousands_are_read_where_nothing_else_can_be_meant(typed, plain):
    assert without_commas(typed) == plain


@pytest.mark.parametrize(
    ("typed", "say"),
    [("10,000", "write 10000 or 10.000,"), ("-1,000", "write -1000 or -1.000,"), ("1,5", "write 1.5,")],
)
def test_one_comma_alone_is_refused_with_how_to_write_it(typed, say):
    with pytest.raises(ValueError, match=say):
        without_commas(typed)


def test_settings_are_typed_in_the_same_way():
    assert read_typed({"min_notional": "2,500.50"}).given == {"min_notional": "2500.50"}
    assert read_typed({"trigger_up": "3,5 %"}).errors == {"trigger_up": "must be a plain number: write 3.5, not 3,5"}
