"""What happened, as pages tell it: one way of writing prices, and people's own words left alone."""

import pytest

from portfolios.domain.amounts import as_dollars, micros
from reporting.sentences import sentence_of
from reporting.wording import value_in_words


@pytest.mark.parametrize(
    ("logged", "told"),
    [
        ("Sell 0.167739 at 626.95: +5.24 % from the anchor", "Sell 0.167739 at $626.95: +5.24 % from the anchor"),
        ("No sell at 238.4901: it would be too small.", "No sell at $238.49: it would be too small."),
        ("Nothing at 97: this price set the anchor.", "Nothing at $97.00: this price set the anchor."),
        ("Buy 5.25 at 97 or better.", "Buy 5.25 at $97.00 or better."),
        ("Anchor 100 to 97.5, the average fill.", "Anchor $100.00 to $97.50, the average fill."),
        ("Anchor none to 97: sold at 5", "Anchor none to $97.00: sold at 5"),
        ("Anchor reset to 97 after the skip.", "Anchor reset to $97.00 after the skip."),
        ("2500.5 deposited.", "$2,500.50 deposited."),
        ("Adjusted by +10 shares and -50 in cash: at 7", "Adjusted by +10 shares and \u2212$50.00 in cash: at 7"),
        ("Not sent: it would cost 1000, 12.5 is free.", "Not sent: it would cost $1,000.00, $12.50 is free."),
        ("The cell is paused: bought at 5", "The cell is paused: bought at 5"),
        ("Sell 3.", "Sell 3."),
    ],
)
def test_prices_and_money_read_alike_whatever_the_log_says(logged, told):
    assert sentence_of("evaluated", {"message": logged, "stream": "position"}) == told


def test_names_of_portfolios_are_no_prices():
    message = "Savings is now called Bought at 7."
    assert sentence_of("portfolio_renamed", {"message": message, "stream": "portfolio"}) == message


def test_what_was_known_is_exact_with_two_decimals_at_least():
    assert [value_in_words("price", text) for text in ("97", "97.0625", "8026.648481")] == [
        "$97.00",
        "$97.0625",
        "$8,026.648481",
    ]
    assert value_in_words("shares", "5") == "5"
    assert as_dollars(micros("-0.5")) == "-$0.50"
