"""Dividends and splits: what companies announced for the symbols you hold, and what your cells get from it."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from dividends.api.answers import (
    DividendAnswer,
    DividendPage,
    EntitlementAnswer,
    EntitlementPage,
    SplitAnswer,
    SplitPage,
)
from dividends.api.requests import AnnouncementQuery, EntitlementQuery, NewDividend, NewSplit
from dividends.models import Dividend, Entitlement, Split
from dividends.selectors import announced_for
from dividends.services.announcements import announce_dividend, announce_split
from portfolios.api.problems import Problem
from portfolios.api.views import ApiView, paged, read_body


class DividendList(ApiView):
    """Market data is everybody's: only staff announce. The same announcement again changes nothing."""

    scopes = {"GET": "read", "POST": "admin"}
    queries = {"GET": AnnouncementQuery}

    @extend_schema(
        operation_id="list_dividends", summary="Dividends of the symbols in your cells", responses=DividendPage
    )
    def get(self, request: Request) -> Response:
        found = narrowed(announced_for(Dividend.objects.all(), request.user), self.query)
        return paged(self, found, lambda page: list(DividendAnswer(page, many=True).data))

    @extend_schema(
        operation_id="announce_dividend",
        summary="Announce a dividend; staff only",
        request=NewDividend,
        responses={201: DividendAnswer, 200: DividendAnswer},
    )
    def post(self, request: Request) -> Response:
        body = read_body(request, NewDividend)
        key = key_in(body)
        status = 200 if Dividend.objects.filter(**key).exists() else 201
        dividend = announce_dividend(**key, dps=body["dps"], pay_date=body["pay_date"], by=name_of(request))
        if dividend.dps != body["dps"] or (body["pay_date"] and dividend.pay_date != body["pay_date"]):
            raise announced_otherwise()
        return Response(DividendAnswer(dividend).data, status=status)


class SplitList(ApiView):
    """Market data is everybody's: only staff announce. The same announcement again changes nothing."""

    scopes = {"GET": "read", "POST": "admin"}
    queries = {"GET": AnnouncementQuery}

    @extend_schema(operation_id="list_splits", summary="Splits of the symbols in your cells", responses=SplitPage)
    def get(self, request: Request) -> Response:
        found = narrowed(announced_for(Split.objects.all(), request.user), self.query)
        return paged(self, found, lambda page: list(SplitAnswer(page, many=True).data))

    @extend_schema(
        operation_id="announce_split",
        summary="Announce a split; staff only",
        request=NewSplit,
        responses={201: SplitAnswer, 200: SplitAnswer},
    )
    def post(self, request: Request) -> Response:
        body = read_body(request, NewSplit)
        key, ratio = key_in(body), {name: body[name] for name in ("numerator", "denominator")}
        status = 200 if Split.objects.filter(**key).exists() else 201
        split = announce_split(**key, **ratio, by=name_of(request))
        if (split.numerator, split.denominator) != tuple(ratio.values()):
            raise announced_otherwise()
        return Response(SplitAnswer(split).data, status=status)


class EntitlementList(ApiView):
    scopes = {"GET": "read"}
    queries = {"GET": EntitlementQuery}

    @extend_schema(
        operation_id="list_entitlements", summary="What your cells got and are owed", responses=EntitlementPage
    )
    def get(self, request: Request) -> Response:
        found = Entitlement.objects.visible_to(request.user).select_related("position", "dividend")
        filters = {"position_id": "position__public_id", "status": "status"}
        wanted = {column: self.query[name] for name, column in filters.items() if name in self.query}
        return paged(self, found.filter(**wanted), lambda page: list(EntitlementAnswer(page, many=True).data))


def narrowed(found: QuerySet, query: dict[str, Any]) -> QuerySet:
    filters = {"ticker": "symbol", "from": "ex_date__gte", "to": "ex_date__lte"}
    return found.filter(**{column: query[name] for name, column in filters.items() if name in query})


def key_in(body: dict[str, Any]) -> dict[str, Any]:
    return {"source": body["source"], "symbol": body["ticker"], "ex_date": body["ex_date"]}


def name_of(request: Request) -> str:
    """As events and announcements name the one who asks."""
    return f"user:{request.user.get_username()}"


def announced_otherwise() -> Problem:
    return Problem(409, "announced_otherwise", "This was announced for the same day with other terms.")
