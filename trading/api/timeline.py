"""Every evaluation of one cell, oldest first: the stored ones and the quiet ones, computed."""

from datetime import datetime
from typing import NamedTuple

from django.core import signing
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from portfolios.api.problems import Fault, Problem
from portfolios.api.views import ApiView
from trading.api.access import position_for
from trading.api.answers import TimelineAnswer
from trading.api.requests import TimelineQuery
from trading.timeline.pages import Place, Placed, Span, rows_before, rows_from


class Page(NamedTuple):
    """Rows, and the places where the pages on both sides of them begin and end."""

    rows: list[Placed]
    next: Place | None
    previous: Place | None


class PositionTimeline(ApiView):
    """`computed` rows were never written: quotes and the state between events give them back exactly."""

    scopes = {"GET": "read"}
    queries = {"GET": TimelineQuery}

    @extend_schema(
        operation_id="get_timeline", summary="Every evaluation, stored and computed", responses=TimelineAnswer
    )
    def get(self, request: Request, public_id: str) -> Response:
        position = position_for(request, public_id)
        span = Span(position, self.query.get("since"), self.query.get("until"), self.query["only"] == "trades")
        page = self.page(span)
        answer = {
            "position_id": position.public_id,
            "evaluations": [row for _, row in page.rows],
            "next": self.link(page.next, backwards=False),
            "previous": self.link(page.previous, backwards=True),
        }
        return Response(TimelineAnswer(answer).data)

    def page(self, span: Span) -> Page:
        """One row more than asked for tells whether that was all."""
        limit, (place, backwards) = self.query["limit"], self.cursor()
        if place and backwards:
            rows = rows_before(span, place, limit + 1)
            page = rows[-limit:]
            return Page(page, place, page[0][0] if len(rows) > limit else None)
        rows = rows_from(span, place, limit + 1)
        return Page(rows[:limit], rows[limit][0] if len(rows) > limit else None, place)

    def link(self, place: Place | None, *, backwards: bool) -> str | None:
        if place is None:
            return None
        cursor = signing.dumps([place.at.isoformat(), place.given, backwards], salt=self.salt)
        return str(replace_query_param(self.request.build_absolute_uri(), "cursor", cursor))

    def cursor(self) -> tuple[Place | None, bool]:
        if "cursor" not in self.query:
            return None, False
        try:
            at, given, backwards = signing.loads(self.query["cursor"], salt=self.salt)
        except signing.BadSignature:
            fault = Fault("invalid_cursor", "Use the addresses in next and previous as they are.", parameter="cursor")
            raise Problem(400, "invalid_parameters", "This cursor is not one of ours.", faults=[fault]) from None
        return Place(datetime.fromisoformat(at), given), backwards

    @property
    def salt(self) -> str:
        """A cursor is good for the list that gave it."""
        return f"timeline:{self.request.path}:{self.query['only']}:{self.query.get('since')}:{self.query.get('until')}"
