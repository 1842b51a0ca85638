"""What a cell was at a past instant, as JSON."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from portfolios.api.amounts import AmountField
from portfolios.api.serializers import Answer, StrictSerializer
from portfolios.domain.amounts import as_text
from portfolios.models import Position
from trading.api.requests import InstantField
from trading.domain.order_life import OPEN_STATES
from trading.past import Past


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


class PastAnswer(Answer):
    """The fold of the cell's events whose market time is not after `as_of`, at the price known then."""

    id = serializers.UUIDField(source="position.public_id")
    portfolio_id = serializers.UUIDField(source="position.portfolio.public_id")
    ticker = serializers.CharField(source="position.symbol")
    as_of = serializers.DateTimeField(source="at")
    state = serializers.ChoiceField(choices=Position.Status.choices, source="position.state")
    qty = AmountField(source="position.shares")
    cash = AmountField(source="position.cash")
    receivable = AmountField(source="position.receivable")
    reserved_qty = AmountField(source="position.reserved_shares")
    reserved_cash = AmountField(source="position.reserved_cash")
    anchor = serializers.SerializerMethodField()
    price = AmountField(source="sight.price", default=None, allow_null=True)
    price_at = serializers.DateTimeField(source="sight.at", default=None, allow_null=True)
    price_age_ms = serializers.IntegerField(source="sight.age", default=None, allow_null=True)
    value = AmountField(allow_null=True)
    stock_share = AmountField(allow_null=True)
    guardrail_low = AmountField(source="effective.rules.guardrail_low")
    guardrail_high = AmountField(source="effective.rules.guardrail_high")
    settings = SettingsThenAnswer(source="effective")
    open_order = OrderThenAnswer(source="order", allow_null=True)
    last_seq = serializers.IntegerField(source="last.seq")
    last_hash = serializers.CharField(source="last.hash")
    last_event_at = serializers.DateTimeField(source="last.market_at")

    @extend_schema_field(AmountField(allow_null=True))
    def get_anchor(self, past: Past) -> str | None:
        return as_text(past.position.anchor) if past.position.anchor else None
