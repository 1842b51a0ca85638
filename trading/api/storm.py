"""A portfolio through falls and back, by the rule its cells live by; nothing is written."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portfolios.api.access import portfolio_for
from portfolios.api.amounts import AmountField
from portfolios.api.serializers import Answer
from portfolios.api.views import ApiView
from trading.simulation.crew import crew_of
from trading.simulation.storm import Passage, rehearse


class DryAnswer(Answer):
    ticker = serializers.CharField()
    level = AmountField(help_text="Of today's price, as a fraction")


class CourseAnswer(Answer):
    ticker = serializers.CharField(source="name")
    cash_needed = AmountField()
    trades = serializers.IntegerField()


class PassageAnswer(Answer):
    """Worth in dollars, shares as fractions. `against_held`: at the worst week; `gained`: once prices are back."""

    scenario = serializers.CharField(source="scenario.name")
    fall = AmountField(source="scenario.depth")
    weeks = serializers.SerializerMethodField()
    value = AmountField(source="now")
    worst_value = AmountField()
    against_held = AmountField(source="against")
    value_at_end = AmountField()
    gained = AmountField()
    cash_needed = AmountField()
    stock_share_at_worst = AmountField(source="share_at_worst")
    highest_stock_share = AmountField(source="highest_share")
    trades = serializers.IntegerField()
    dry = serializers.SerializerMethodField(help_text="Cells whose cash no longer paid for their smallest order")
    cells = CourseAnswer(many=True, source="courses")

    def get_weeks(self, passage: Passage) -> int:
        return len(passage.value) - 1

    @extend_schema_field(DryAnswer(many=True))
    def get_dry(self, passage: Passage) -> Any:
        return DryAnswer([{"ticker": name, "level": level} for name, level in passage.dry], many=True).data


class StormAnswer(Answer):
    portfolio_id = serializers.UUIDField()
    scenarios = PassageAnswer(many=True)


class PortfolioStorm(ApiView):
    """Eight falls with their way back, a look a week; every cell that has a price, all gates open, no dividends."""

    scopes = {"GET": "read"}

    @extend_schema(operation_id="rehearse_storm", summary="What falls would do to a portfolio", responses=StormAnswer)
    def get(self, request: Request, public_id: str) -> Response:
        portfolio = portfolio_for(request, public_id)
        answer = {"portfolio_id": portfolio.public_id, "scenarios": rehearse(crew_of(portfolio))}
        return Response(StormAnswer(answer).data)
