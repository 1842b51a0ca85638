"""One portfolio at a glance: what it is worth beside being left alone, and its open cells, nearest trigger first."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portfolios.api.access import portfolio_for
from portfolios.api.amounts import AmountField
from portfolios.api.serializers import Answer
from portfolios.api.views import ApiView
from portfolios.models import Position
from reporting.selectors.cells import Cell, cells_of, visible_positions
from reporting.selectors.overview import nearness, totals_of


class OverviewCellAnswer(Answer):
    """What needs a price is null while none is known; `distance` too where no trigger can fire."""

    position_id = serializers.UUIDField(source="position.public_id")
    ticker = serializers.CharField(source="position.symbol")
    state = serializers.ChoiceField(choices=Position.Status.choices, source="position.state")
    qty = AmountField(source="position.shares")
    cash = AmountField(source="position.cash")
    receivable = AmountField(source="position.receivable")
    price = AmountField(source="standing.price", default=None, allow_null=True)
    value = AmountField(source="standing.value", default=None, allow_null=True)
    stock_share = AmountField(source="standing.stock_share", default=None, allow_null=True)
    distance = AmountField(
        source="standing.distance", default=None, allow_null=True, help_text="To the nearest trigger, of the price"
    )
    waits = serializers.CharField(
        source="wait.reason", default=None, allow_null=True, help_text="What keeps it from deciding anything, else null"
    )
    today = AmountField(source="standing.today", default=None, allow_null=True)
    left_alone = AmountField(source="standing.alone", default=None, allow_null=True)
    against_left_alone = AmountField(source="standing.change", default=None, allow_null=True)


class OverviewAnswer(Answer):
    """Sums of the cells whose price is known; `unpriced` counts the others."""

    portfolio_id = serializers.UUIDField(source="portfolio.public_id")
    name = serializers.CharField(source="portfolio.name")
    value = AmountField(source="totals.value")
    cash = AmountField(source="totals.cash")
    receivable = AmountField(source="totals.owed")
    today = AmountField(source="totals.today", help_text="Since the last session's close, your own money aside")
    left_alone = AmountField(source="totals.alone", help_text="What it would be worth had nothing been traded")
    against_left_alone = AmountField(source="totals.change")
    unpriced = serializers.IntegerField(source="totals.unpriced")
    cells = OverviewCellAnswer(many=True)


class PortfolioOverview(ApiView):
    scopes = {"GET": "read"}

    @extend_schema(
        operation_id="get_portfolio_overview",
        summary="Value, cash and cells of a portfolio, against left alone",
        responses=OverviewAnswer,
    )
    def get(self, request: Request, public_id: str) -> Response:
        portfolio = portfolio_for(request, public_id)
        positions = visible_positions(request.user).filter(portfolio=portfolio).order_by("pk")
        cells: list[Cell] = sorted(cells_of(list(positions)), key=nearness)
        overview: dict[str, Any] = {"portfolio": portfolio, "totals": totals_of(cells), "cells": cells}
        return Response(OverviewAnswer(overview).data)
