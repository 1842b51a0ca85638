"""Prices that were refused for a symbol that a cell holds: what came, and why it decided nothing."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portfolios.api.answers import PageAnswer
from portfolios.api.requests import PageQuery
from portfolios.api.serializers import Answer
from portfolios.api.views import ApiView, paged
from trading.api.access import position_for
from trading.domain.prices import Refusal
from trading.market.selectors import refusals_of
from trading.waits import UNEXPLAINED

REASONS = [*(reason.name.lower() for reason in Refusal if reason), UNEXPLAINED]


class RefusedPriceAnswer(Answer):
    """last, bid and ask as they came, which may be no numbers; empty where none came."""

    ticker = serializers.CharField(source="symbol")
    source = serializers.CharField()  # type: ignore[assignment]
    origin = serializers.CharField(help_text="Who told it, where another source stood in")
    at = serializers.DateTimeField(help_text="Market time, by the source's clock")
    received_at = serializers.DateTimeField()
    last = serializers.CharField()
    bid = serializers.CharField()
    ask = serializers.CharField()
    reason = serializers.ChoiceField(choices=REASONS)
    message = serializers.CharField(source="sentence")


class RefusedPricePage(PageAnswer):
    results = RefusedPriceAnswer(many=True)


class RefusedPrices(ApiView):
    """Kept for 90 days. None of them decided anything or set an anchor."""

    scopes = {"GET": "read"}
    queries = {"GET": PageQuery}

    @extend_schema(
        operation_id="list_refused_prices", summary="Prices refused for a cell's symbol", responses=RefusedPricePage
    )
    def get(self, request: Request, public_id: str) -> Response:
        found = refusals_of(position_for(request, public_id))
        return paged(self, found, lambda page: list(RefusedPriceAnswer(page, many=True).data))
