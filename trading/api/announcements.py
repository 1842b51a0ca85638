"""What was announced, put right or taken back, for staff: on this floor because the books of brokers follow."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from dividends.api.announcements import key_in, name_of
from dividends.api.answers import DividendAnswer, SplitAnswer
from dividends.api.requests import NewDividend, NewSplit, NoMoreToSay, Retraction
from dividends.services.announcements import note_answers
from dividends.services.corrections import cancel_split, correct_split
from portfolios.api.serializers import Answer
from portfolios.api.views import ApiView, read_body
from trading.market.selectors import market_now
from trading.services.corporate_actions import cancel_dividend, correct_dividend


class NoMoreToSayAnswer(Answer):
    ticker = serializers.CharField()
    day = serializers.DateField()
    source = serializers.CharField()  # type: ignore[assignment]


def by(request: Request, source: str) -> dict[str, Any]:
    return {"market_at": market_now(source), "actor": name_of(request)}


class DividendCorrections(ApiView):
    """The same correction again changes nothing."""

    scopes = {"POST": "admin"}

    @extend_schema(
        operation_id="correct_dividend",
        summary="Correct an announced dividend, also one taken back: what was owed or paid follows; staff only",
        request=NewDividend,
        responses=DividendAnswer,
    )
    def post(self, request: Request) -> Response:
        body = read_body(request, NewDividend)
        terms = {"dps": body["dps"], "pay_date": body["pay_date"]}
        return Response(DividendAnswer(correct_dividend(**key_in(body), **terms, **by(request, body["source"]))).data)


class DividendCancellations(ApiView):
    scopes = {"POST": "admin"}

    @extend_schema(
        operation_id="cancel_dividend",
        summary="Take an announced dividend back, and what was owed or paid for it; staff only",
        request=Retraction,
        responses=DividendAnswer,
    )
    def post(self, request: Request) -> Response:
        body = read_body(request, Retraction)
        return Response(DividendAnswer(cancel_dividend(**key_in(body), **by(request, body["source"]))).data)


class SplitCorrections(ApiView):
    scopes = {"POST": "admin"}

    @extend_schema(
        operation_id="correct_split",
        summary="Correct an announced split before any cell was split by it; staff only",
        request=NewSplit,
        responses=SplitAnswer,
    )
    def post(self, request: Request) -> Response:
        body = read_body(request, NewSplit)
        ratio = {name: body[name] for name in ("numerator", "denominator")}
        return Response(SplitAnswer(correct_split(**key_in(body), **ratio, by=name_of(request))).data)


class SplitCancellations(ApiView):
    scopes = {"POST": "admin"}

    @extend_schema(
        operation_id="cancel_split",
        summary="Take an announced split back before any cell was split by it; staff only",
        request=Retraction,
        responses=SplitAnswer,
    )
    def post(self, request: Request) -> Response:
        body = read_body(request, Retraction)
        return Response(SplitAnswer(cancel_split(**key_in(body), by=name_of(request))).data)


class ActionsAnswers(ApiView):
    scopes = {"POST": "admin"}

    @extend_schema(
        operation_id="answer_for_corporate_actions",
        summary="Say that all until this day is announced: a gap overnight is real then, and traded on; staff only",
        request=NoMoreToSay,
        responses=NoMoreToSayAnswer,
    )
    def post(self, request: Request) -> Response:
        body = read_body(request, NoMoreToSay)
        told = {"source": body["source"], "symbols": [body["ticker"]], "day": body["day"]}
        note_answers(**told, by=name_of(request))
        return Response(NoMoreToSayAnswer(body).data)
