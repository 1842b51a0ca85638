"""Dividends at a glance: owed, received, and to be expected in twelve months."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portfolios.api.amounts import AmountField
from portfolios.api.serializers import Answer
from portfolios.api.views import ApiView
from reporting.selectors.dividends import ground_of
from reporting.selectors.forecast import forecast_of


class StockForecastAnswer(Answer):
    ticker = serializers.CharField(source="symbol")
    times = serializers.IntegerField(help_text="Paid in the last twelve months, special ones not counted")
    special_times = serializers.IntegerField(
        source="specials", help_text="Paid besides, and not expected again: by amount or out of turn"
    )
    dps = AmountField(help_text="All of it, for one share as it is today")
    qty = AmountField(source="shares")
    gross = AmountField()
    tax = AmountField()
    net = AmountField()


class PortfolioDividendsAnswer(Answer):
    portfolio_id = serializers.UUIDField(source="portfolio.public_id")
    name = serializers.CharField(source="portfolio.name")
    receivable = AmountField(source="owed", help_text="Net, gone ex and not yet paid")
    received = AmountField(help_text="Net, in all")
    expected = AmountField(help_text="Net, in the next twelve months")


class ForecastAnswer(Answer):
    """The largest 50 stocks and the first 50 portfolios by name; the totals are of all."""

    gross = AmountField()
    tax = AmountField()
    net = AmountField()
    receivable = AmountField(source="owed")
    received = AmountField()
    stocks = StockForecastAnswer(many=True)
    more_stocks = serializers.IntegerField(source="others")
    portfolios = PortfolioDividendsAnswer(many=True)
    more_portfolios = serializers.IntegerField()


class DividendForecast(ApiView):
    scopes = {"GET": "read"}

    @extend_schema(
        operation_id="forecast_dividends",
        summary="What the shares you hold would get in twelve months, were all paid as in the last twelve",
        responses=ForecastAnswer,
    )
    def get(self, request: Request) -> Response:
        return Response(ForecastAnswer(forecast_of(request.user, ground_of(request.user))).data)
