"""What the doors of the market say."""

from rest_framework import serializers

from portfolios.api.amounts import AmountField
from portfolios.api.answers import PageAnswer
from portfolios.api.serializers import Answer
from trading.market.calendars import Phase


class ReplayAnswer(Answer):
    running = serializers.BooleanField()
    ended = serializers.BooleanField()
    speed = serializers.FloatField(help_text="Sessions per second")
    begins_on = serializers.DateField()


class MarketAnswer(Answer):
    source = serializers.CharField()  # type: ignore[assignment]
    exchange = serializers.CharField()
    at = serializers.DateTimeField(help_text="Market time")
    day = serializers.DateField(help_text="On the exchange's own calendar")
    phase = serializers.ChoiceField(choices=[str(phase) for phase in Phase])
    next_open = serializers.DateTimeField()
    replay = ReplayAnswer(allow_null=True, help_text="null: this market is not replayed")


class QuoteAnswer(Answer):
    ticker = serializers.CharField(source="quote.symbol")
    source = serializers.CharField(source="quote.source")  # type: ignore[assignment]
    at = serializers.DateTimeField(source="quote.at", help_text="Market time")
    last = AmountField(source="quote.last")
    bid = AmountField(source="quote.bid", allow_null=True)
    ask = AmountField(source="quote.ask", allow_null=True)
    age_ms = serializers.IntegerField(help_text="On the market's clock")


class BarAnswer(Answer):
    day = serializers.DateField()
    open = AmountField()
    high = AmountField()
    low = AmountField()
    close = AmountField()
    volume = serializers.IntegerField()


class BarPage(PageAnswer):
    results = BarAnswer(many=True)
