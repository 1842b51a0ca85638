"""What the doors of dividends accept: bodies and queries."""

from datetime import date
from typing import Any

from django.conf import settings
from rest_framework import serializers

from dividends.models import Entitlement
from portfolios.api.amounts import AmountField
from portfolios.api.pagination import PageQuery
from portfolios.api.requests import DayRangeQuery
from portfolios.api.serializers import StrictSerializer, StrictTextField
from portfolios.domain.amounts import MAX_PRICE
from portfolios.services.positions import SYMBOL

EARLIEST, LATEST = date(1900, 1, 1), date(2999, 12, 31)
MAX_RATIO = 10_000


class DayField(serializers.DateField):
    """A day some market could have been open on."""

    default_error_messages = {"out_of_range": f"Must be from {EARLIEST} to {LATEST}."}

    def to_internal_value(self, value: Any) -> date:
        if not isinstance(value, str):
            self.fail("invalid", format="YYYY-MM-DD")
        day = super().to_internal_value(value)
        if not EARLIEST <= day <= LATEST:
            self.fail("out_of_range")
        return day


class TickerField(StrictTextField):
    """As the exchange has it."""

    default_error_messages = {"unknown_form": "Must be 1 to 12 capital letters, digits, dots or dashes."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=12, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        ticker = super().to_internal_value(data)
        if not SYMBOL.fullmatch(ticker):
            self.fail("unknown_form")
        return ticker


class Announcement(StrictSerializer):
    ticker = TickerField()
    ex_date = DayField()
    source = serializers.ChoiceField(choices=sorted(settings.PRICE_SOURCES), default="replay")  # type: ignore[assignment]


class NewDividend(Announcement):
    dps = AmountField(low=1, high=MAX_PRICE, help_text="Per share")
    pay_date = DayField(required=False, allow_null=True, default=None, help_text="Left out: 30 days after the ex-date")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["pay_date"] and attrs["pay_date"] < attrs["ex_date"]:
            raise serializers.ValidationError({"pay_date": "Must not be before the ex-date."})
        return attrs


class NewSplit(Announcement):
    numerator = serializers.IntegerField(min_value=1, max_value=MAX_RATIO, help_text="New shares")
    denominator = serializers.IntegerField(min_value=1, max_value=MAX_RATIO, help_text="for so many old ones")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["numerator"] == attrs["denominator"]:
            raise serializers.ValidationError({"numerator": "Must differ from the denominator."})
        return attrs


class Retraction(Announcement):
    """Of what was announced for this day."""


class NoMoreToSay(StrictSerializer):
    """By somebody who knows: whatever split or dividend there is until this day has been announced."""

    ticker = TickerField()
    day = DayField()
    source = serializers.ChoiceField(choices=sorted(settings.PRICE_SOURCES), default="replay")  # type: ignore[assignment]


class AnnouncementQuery(DayRangeQuery):
    """The days are ex-dates."""

    ticker = serializers.CharField(required=False, max_length=12)


class EntitlementQuery(PageQuery):
    position_id = serializers.UUIDField(required=False)
    status = serializers.ChoiceField(choices=Entitlement.Status.choices, required=False)
