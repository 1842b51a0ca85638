"""What the doors of dividends say: announcements, and what each cell gets from them."""

from rest_framework import serializers

from dividends.models import Entitlement
from portfolios.api.amounts import AmountField
from portfolios.api.answers import PageAnswer
from portfolios.api.serializers import Answer


class AnnouncementAnswer(Answer):
    ticker = serializers.CharField(source="symbol")
    source = serializers.CharField()  # type: ignore[assignment]
    ex_date = serializers.DateField()


class DividendAnswer(AnnouncementAnswer):
    dps = AmountField(help_text="Per share")
    pay_date = serializers.DateField()
    pay_date_assumed = serializers.BooleanField(help_text="Nobody said when: 30 days after the ex-date")
    announced_at = serializers.DateTimeField(source="created_at")
    cancelled_at = serializers.DateTimeField(allow_null=True, help_text="Taken back since")


class DividendPage(PageAnswer):
    results = DividendAnswer(many=True)


class SplitAnswer(AnnouncementAnswer):
    numerator = serializers.IntegerField(help_text="New shares")
    denominator = serializers.IntegerField(help_text="for so many old ones")
    announced_at = serializers.DateTimeField(source="created_at")
    cancelled_at = serializers.DateTimeField(allow_null=True, help_text="Taken back since")


class SplitPage(PageAnswer):
    results = SplitAnswer(many=True)


class EntitlementAnswer(Answer):
    position_id = serializers.UUIDField(source="position.public_id")
    ticker = serializers.CharField(source="dividend.symbol")
    ex_date = serializers.DateField(source="dividend.ex_date")
    pay_date = serializers.DateField(source="dividend.pay_date")
    dps = AmountField(source="dividend.dps", help_text="Per share")
    qty = AmountField(source="shares", help_text="Held at the close before the ex-date")
    gross = AmountField()
    tax = AmountField()
    net = AmountField()
    status = serializers.ChoiceField(choices=Entitlement.Status.choices)


class EntitlementPage(PageAnswer):
    results = EntitlementAnswer(many=True)
