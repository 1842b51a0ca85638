"""Dividends to come: on this floor because only it knows what day it is in a market."""

from datetime import timedelta

from django.db.models import Q
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from dividends.api.answers import DividendAnswer
from dividends.models import Dividend
from dividends.selectors import announced_for
from portfolios.api.serializers import Answer
from portfolios.api.views import ApiView
from portfolios.models import Position
from trading.api.requests import UpcomingQuery
from trading.market.selectors import market_day


class UpcomingAnswer(Answer):
    results = DividendAnswer(many=True)


class UpcomingDividends(ApiView):
    scopes = {"GET": "read"}
    queries = {"GET": UpcomingQuery}

    @extend_schema(
        operation_id="list_upcoming_dividends",
        summary="Announced ex-dates from market time's tomorrow on, for the symbols in your cells, soonest first",
        responses=UpcomingAnswer,
    )
    def get(self, request: Request) -> Response:
        sources = Position.objects.visible_to(request.user).values_list("source", flat=True).distinct()
        soon = Q(pk__in=[])
        for source in sources:
            today = market_day(source)
            last = today + timedelta(days=self.query["days"])
            soon |= Q(source=source, ex_date__gt=today, ex_date__lte=last)
        found = announced_for(Dividend.objects.filter(soon), request.user).order_by("ex_date", "symbol")
        return Response(UpcomingAnswer({"results": found}).data)
