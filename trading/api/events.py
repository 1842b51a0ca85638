"""The log of one cell, portfolio, account or of the house, read on from where the reader stopped."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from portfolios.api.access import portfolio_for
from portfolios.api.views import ApiView
from portfolios.models import Event, House
from trading.api.access import position_for
from trading.api.accounts import account_for
from trading.api.answers import EventsAnswer
from trading.api.requests import EventQuery, StreamQuery


class PositionEvents(ApiView):
    scopes = {"GET": "read"}
    queries = {"GET": EventQuery}

    @extend_schema(
        operation_id="list_position_events", summary="Everything that happened to a cell", responses=EventsAnswer
    )
    def get(self, request: Request, public_id: str) -> Response:
        return events_after(Event.Stream.POSITION, position_for(request, public_id).public_id, self.query)


class Events(ApiView):
    """A cell's and a portfolio's are for its members, an account's for its owner, the house's for everybody known."""

    scopes = {"GET": "read"}
    queries = {"GET": StreamQuery}

    @extend_schema(
        operation_id="list_events",
        summary="What happened to one cell, portfolio or account, or to the whole house",
        responses=EventsAnswer,
    )
    def get(self, request: Request) -> Response:
        query = self.query
        if "position_id" in query:
            return events_after(Event.Stream.POSITION, position_for(request, query["position_id"]).public_id, query)
        if "portfolio_id" in query:
            return events_after(Event.Stream.PORTFOLIO, portfolio_for(request, query["portfolio_id"]).public_id, query)
        if "account_id" in query:
            account = account_for(request, query["account_id"], own=True)
            return events_after(Event.Stream.ACCOUNT, account.public_id, query)
        house = House.objects.values_list("public_id", flat=True).first()
        return events_after(Event.Stream.GLOBAL, house, query)


def events_after(stream: str, stream_id: UUID | None, query: dict[str, Any]) -> Response:
    """Gap-free: a row's events are numbered under its lock, so what is read once has nothing missing before it."""
    limit = query["limit"]
    rows = Event.objects.filter(stream_id=stream_id) if stream_id else Event.objects.none()
    found = list(rows.filter(seq__gt=query["after"]).order_by("seq")[: limit + 1])
    page = {
        "stream": stream,
        "stream_id": stream_id,
        "position_id": stream_id if stream == Event.Stream.POSITION else None,
        "events": found[:limit],
        "next": found[limit - 1].seq if len(found) > limit else None,
    }
    return Response(EventsAnswer(page).data)
