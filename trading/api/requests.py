"""What the doors of trading accept: bodies and queries."""

from typing import Any

from django.utils.timezone import is_naive
from rest_framework import serializers

from portfolios.api.amounts import AmountField, PriceField, QuantityField
from portfolios.api.pagination import PageQuery
from portfolios.api.requests import DayRangeQuery, NameField
from portfolios.api.serializers import NamedInSettings, StrictBooleanField, StrictSerializer, StrictTextField
from portfolios.domain.amounts import MAX_AMOUNT
from portfolios.models import Position
from portfolios.services.positions import REASON
from trading.domain.order_life import MOVES

MAX_EVENTS = 500


class NewPosition(StrictSerializer):
    ticker = StrictTextField(
        max_length=12, help_text="Capital letters, digits, dots and dashes, as the exchange has it"
    )
    qty = AmountField(default=0)
    cash = AmountField(default=0)
    portfolio = StrictTextField(max_length=36, required=False, help_text="Left out: the first portfolio you may act in")
    portfolio_id = StrictTextField(
        max_length=36, required=False, help_text="Another name for `portfolio`, as answers have it; give one of them"
    )
    anchor = PriceField(required=False, allow_null=True, help_text="Left out: the first good quote")
    settings = serializers.DictField(required=False, help_text="Overrides for this cell; see docs/concepts/rule.md")


class PositionQuery(PageQuery):
    portfolio_id = serializers.UUIDField(required=False)
    ticker = serializers.CharField(required=False, max_length=12)
    state = serializers.ChoiceField(choices=Position.Status.choices, required=False)


class EventQuery(StrictSerializer):
    after = serializers.IntegerField(min_value=0, max_value=2**62, default=0, help_text="The last seq you have")
    limit = serializers.IntegerField(min_value=1, max_value=MAX_EVENTS, default=100)


class StreamQuery(EventQuery):
    """Whose log: exactly one is named."""

    position_id = serializers.CharField(max_length=40, required=False)
    portfolio_id = serializers.CharField(max_length=40, required=False)
    account_id = serializers.CharField(max_length=40, required=False)
    stream = serializers.ChoiceField(choices=["global"], required=False, help_text="Halts of the whole house")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        named = attrs.keys() & {"position_id", "portfolio_id", "account_id", "stream"}
        if len(named) != 1:
            wrong = "Name exactly one of position_id, portfolio_id, account_id and stream=global."
            raise serializers.ValidationError({min(named, default="position_id"): wrong}, code="ambiguous")
        return attrs


class EvaluationRequest(StrictSerializer):
    dry_run = StrictBooleanField(default=False, help_text="Write nothing, not even an event")
    price = PriceField(required=False, allow_null=True, help_text="What if this were the price; with dry_run only")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("price") is not None and not attrs["dry_run"]:
            raise serializers.ValidationError({"price": "Only with dry_run: a real evaluation uses the real price."})
        return attrs


class NewOrder(StrictSerializer):
    side = serializers.ChoiceField(choices=["BUY", "SELL"])
    qty = QuantityField()
    limit_price = PriceField(required=False, allow_null=True, default=None)
    dry_run = StrictBooleanField(default=False, help_text="Place nothing: say what it would come to; needs no key")


class LadderQuery(StrictSerializer):
    rungs = serializers.IntegerField(min_value=1, max_value=20, default=5)


class InstantField(serializers.DateTimeField):
    """Market time within what a calendar can know. Without an offset it could be the exchange's time as well as UTC."""

    default_error_messages = {
        "out_of_range": "Must be from 1900 to 2200.",
        "no_offset": "Needs an offset, as in 2007-01-03T09:30:00-05:00 or 2007-01-03T14:30:00Z.",
    }

    def to_internal_value(self, value: Any) -> Any:
        instant = super().to_internal_value(value)
        if not 1900 <= instant.year <= 2200:
            self.fail("out_of_range")
        return instant

    def enforce_timezone(self, value: Any) -> Any:
        if is_naive(value):
            self.fail("no_offset")
        return super().enforce_timezone(value)


class TimelineQuery(StrictSerializer):
    since = InstantField(required=False, help_text="Market time of the quotes, included")
    until = InstantField(required=False, help_text="Not included")
    only = serializers.ChoiceField(choices=["all", "trades"], default="all")
    limit = serializers.IntegerField(min_value=1, max_value=MAX_EVENTS, default=100)
    cursor = serializers.CharField(required=False, max_length=500)


class ReasonField(NameField):
    """Why, for whoever reads the log later."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=REASON, trim_whitespace=False, **kwargs)


class Reasoned(StrictSerializer):
    reason = ReasonField()


class Transfer(StrictSerializer):
    amount = QuantityField()
    note = ReasonField(allow_blank=True, default="")


class Adjustment(Reasoned):
    qty = AmountField(low=-MAX_AMOUNT, default=0, help_text="Shares to add; with a minus sign to take away")
    cash = AmountField(low=-MAX_AMOUNT, default=0)


class NewAnchor(Reasoned):
    price = PriceField()


class NewFill(StrictSerializer):
    price = PriceField()
    filled_qty = QuantityField()
    commission = AmountField(
        required=False, allow_null=True, default=None, help_text="Left out: by the cell's settings"
    )


class OrderQuery(PageQuery):
    position_id = serializers.UUIDField(required=False)
    status = serializers.ChoiceField(choices=list(MOVES), required=False)
    side = serializers.ChoiceField(choices=["BUY", "SELL"], required=False)
    origin = serializers.ChoiceField(choices=["robot", "person"], required=False)


class SourceQuery(StrictSerializer):
    source = NamedInSettings("PRICE_SOURCES", default="replay")  # type: ignore[assignment]


class BarQuery(DayRangeQuery):
    ordering = serializers.ChoiceField(choices=["day", "-day"], default="-day")


class NewSettings(StrictSerializer):
    settings = serializers.DictField(help_text="By name, as people write them; see docs/concepts/rule.md")
    note = StrictTextField(max_length=200, allow_blank=True, default="", help_text="Why, for whoever reads it later")


class UpcomingQuery(StrictSerializer):
    days = serializers.IntegerField(min_value=1, max_value=366, default=90)
