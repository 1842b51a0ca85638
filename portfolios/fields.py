"""Amounts in the database: one field class over bigint that holds millionths and shows decimals to people."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models

from portfolios.domain.amounts import as_decimal, micros


class MicrosField(models.BigIntegerField):
    """An amount, share count or price. The attribute is an int of millionths; forms and admin show a Decimal."""

    description = "Amount in millionths"

    def formfield(self, **kwargs: Any) -> Any:
        kwargs.setdefault("form_class", MicrosFormField)
        kwargs.pop("min_value", None)
        kwargs.pop("max_value", None)
        return models.Field.formfield(self, **kwargs)


class MicrosFormField(forms.DecimalField):
    """Decimal outside, millionths inside."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=18, decimal_places=6, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return as_decimal(value) if isinstance(value, int) else value

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        if not isinstance(cleaned, Decimal):
            return cleaned
        try:
            return micros(cleaned)
        except ValueError as error:
            raise ValidationError(str(error)) from error
