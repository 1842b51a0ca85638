"""Amounts at the API's door: decimal text or a plain number outside, millionths inside."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from portfolios.domain.amounts import MAX_AMOUNT, MAX_PRICE, MIN_PRICE, as_text, micros


class AmountField(serializers.Field[int, str | int | Decimal, str, int]):
    """Takes "1.5" or 1.5, gives "1.5"; never negative. `low` and `high` are millionths, inclusive."""

    default_error_messages = {
        "invalid": 'Must be a plain decimal number such as "1.5": at most 12 digits before and 6 after the point.',
        "out_of_range": "Must be from {low} to {high}.",
    }

    def __init__(self, *, low: int = 0, high: int = MAX_AMOUNT, **kwargs: Any) -> None:
        self.low, self.high = low, high
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, str | int | Decimal):
            self.fail("invalid")
        try:
            amount = micros(data)
        except ValueError:
            self.fail("invalid")
        if not self.low <= amount <= self.high:
            self.fail("out_of_range", low=as_text(self.low), high=as_text(self.high))
        return amount

    def to_representation(self, value: int) -> str:
        return as_text(value)


class QuantityField(AmountField):
    """Shares, more than none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(low=1, **kwargs)


class PriceField(AmountField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(low=MIN_PRICE, high=MAX_PRICE, **kwargs)
