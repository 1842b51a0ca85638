"""The log of one cell, read on from where the reader stopped."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from portfolios.api.views import ApiView
from portfolios.models import Event, Position
from trading.api.access import position_for
from trading.api.answers import EventsAnswer
from trading.api.requests import EventQuery, PositionEventQuery


class PositionEvents(ApiView):
    scopes = {"GET": "read"}
    queries = {"GET": EventQuery}

    @extend_schema(
        operation_id="list_position_events", summary="Everything that happened to a cell", responses=EventsAnswer
    )
    def get(self, request: Request, public_id: str) -> Response:
        return events_after(position_for(request, public_id), self.query["after"], self.query["limit"])


class Events(ApiView):
    scopes = {"GET": "read"}
    queries = {"GET": PositionEventQuery}

    @extend_schema(
        operation_id="list_events", summary="What happened to one cell, named in the query", responses=EventsAnswer
    )
    def get(self, request: Request) -> Response:
        position = position_for(request, self.query["position_id"])
        return events_after(position, self.query["after"], self.query["limit"])


def events_after(position: Position, after: int, limit: int) -> Response:
    """Gap-free: a cell's events are numbered under its lock, so what is read once has nothing missing before it."""
    found = list(Event.objects.of(position).filter(seq__gt=after)[: limit + 1])
    events = found[:limit]
    more = events[-1].seq if len(found) > limit else None
    page = {"position_id": position.public_id, "events": events, "next": more}
    return Response(EventsAnswer(page).data)
