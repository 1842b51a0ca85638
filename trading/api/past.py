"""What a cell was at a past instant, as JSON."""

from rest_framework import serializers

from portfolios.api.amounts import AmountField
from portfolios.api.serializers import Answer, StrictSerializer
from trading.api.answers import HeldAnswer
from trading.api.requests import InstantField
from trading.domain.order_life import OPEN_STATES


class AsOfQuery(StrictSerializer):
    as_of = InstantField(required=False, help_text="The cell as it was at this market time")


class SettingsThenAnswer(Answer):
    """Numbers of the versions in force, 0 for none; the hash of what they came to."""

    portfolio_version = serializers.IntegerField()
    cell_version = serializers.IntegerField()
    sha256 = serializers.CharField()


class OrderThenAnswer(Answer):
    order_id = serializers.UUIDField(source="order.public_id")
    side = serializers.CharField(source="order.side")
    qty = AmountField(source="order.quantity")
    limit_price = AmountField(source="order.limit_price", allow_null=True)
    status = serializers.ChoiceField(choices=list(OPEN_STATES))
    filled_qty = AmountField(source="filled")


class PastAnswer(HeldAnswer):
    """The fold of the cell's events whose market time is not after `as_of`, at the price known then."""

    as_of = serializers.DateTimeField(source="at")
    guardrail_low = AmountField(source="effective.rules.guardrail_low")
    guardrail_high = AmountField(source="effective.rules.guardrail_high")
    settings = SettingsThenAnswer(source="effective")
    open_order = OrderThenAnswer(source="order", allow_null=True)
    last_seq = serializers.IntegerField(source="last.seq")
    last_hash = serializers.CharField(source="last.hash")
    last_event_at = serializers.DateTimeField(source="last.market_at")
