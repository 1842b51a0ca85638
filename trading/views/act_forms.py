"""What people type to act on a cell; the fields are named as the API names them, so that a refusal finds its field."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from portfolios.domain.amounts import MAX_AMOUNT, MAX_PRICE, MIN_PRICE, as_text, micros
from portfolios.typed import without_commas


class Amount(forms.CharField):
    """Plain decimals outside, millionths inside; the limits are inclusive and said when they are passed."""

    def __init__(self, *, low: int, high: int, **traits: Any) -> None:
        number = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
        super().__init__(max_length=24, widget=number, **traits)
        self.low, self.high = low, high

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            text = without_commas(text)
        except ValueError as error:
            raise ValidationError(str(error).capitalize()) from None
        try:
            amount = micros(text)
        except ValueError:
            raise ValidationError("Must be a plain number such as 2500.50, at most 6 digits after the point") from None
        if not self.low <= amount <= self.high:
            raise ValidationError(f"Must be from {as_text(self.low)} to {as_text(self.high)}")
        return amount


class Line(forms.CharField):
    """One line of words."""

    def __init__(self, **traits: Any) -> None:
        super().__init__(max_length=200, **traits)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text.isprintable():
            raise ValidationError("Must be one line of plain text")
        return text


def reason() -> Line:
    return Line(label="Reason", help_text="Kept with the event, for whoever reads the log later.")


class ActForm(forms.Form):
    """Marks its faulty fields for those who do not see the colour."""

    @property
    def is_begun(self) -> bool:
        """Whether somebody has typed anything yet; nothing to type counts as all typed."""
        return not self.fields or any(name in self.data for name in self.fields)


class NothingToType(ActForm):
    pass


class OrderForm(ActForm):
    qty = Amount(label="Shares", low=1, high=MAX_AMOUNT)
    limit_price = Amount(
        label="Limit",
        required=False,
        low=MIN_PRICE,
        high=MAX_PRICE,
        help_text="The worst price a share you accept. Left empty: the newest price, whatever it is.",
    )


class TransferForm(ActForm):
    amount = Amount(label="Amount in dollars", low=1, high=MAX_AMOUNT)
    note = Line(label="Note", required=False, help_text="Kept with the event; may stay empty.")


class AdjustForm(ActForm):
    qty = Amount(
        label="Shares to add",
        required=False,
        low=-MAX_AMOUNT,
        high=MAX_AMOUNT,
        help_text="Begin with - to take away. Empty: none.",
    )
    cash = Amount(
        label="Cash to add in dollars",
        required=False,
        low=-MAX_AMOUNT,
        high=MAX_AMOUNT,
        help_text="Begin with - to take away. Empty: none.",
    )
    reason = reason()


class AnchorForm(ActForm):
    price = Amount(label="Anchor in dollars", low=MIN_PRICE, high=MAX_PRICE)
    reason = reason()


class ReasonForm(ActForm):
    reason = reason()
