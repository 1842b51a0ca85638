"""Every evaluation of one cell, oldest first: the stored ones and the quiet ones, computed."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from django.core import signing
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from portfolios.api.problems import Fault, Problem
from portfolios.api.views import ApiView
from portfolios.models import Position
from trading.api.access import position_for
from trading.api.answers import TimelineAnswer
from trading.api.requests import TimelineQuery
from trading.timeline import EvaluationRow, evaluations, trades


class Place(NamedTuple):
    """Where to read on: at a quote's market time, after so many of its rows."""

    at: datetime | None
    given: int


class PositionTimeline(ApiView):
    """`computed` rows were never written: quotes and the state between events give them back exactly."""

    scopes = {"GET": "read"}
    queries = {"GET": TimelineQuery}

    @extend_schema(
        operation_id="get_timeline", summary="Every evaluation, stored and computed", responses=TimelineAnswer
    )
    def get(self, request: Request, public_id: str) -> Response:
        position = position_for(request, public_id)
        place = self.place()
        limit = self.query["limit"]
        rows = list(islice(self.rows(position, place), place.given, place.given + limit + 1))
        answer = {"position_id": position.public_id, "evaluations": rows[:limit], "next": self.following(rows, place)}
        return Response(TimelineAnswer(answer).data)

    def rows(self, position: Position, place: Place) -> Iterator[EvaluationRow]:
        read = trades if self.query["only"] == "trades" else evaluations
        return read(position, place.at, self.query.get("until"))

    def following(self, rows: list[EvaluationRow], place: Place) -> str | None:
        """The address of the next page; several rows of one quote may fall on both sides of it."""
        if len(rows) <= self.query["limit"]:
            return None
        at = rows[-1].at
        given = sum(row.at == at for row in rows[:-1])
        if given == len(rows) - 1 and at == place.at:
            given += place.given
        cursor = signing.dumps([at.isoformat(), given], salt=self.salt)
        return str(replace_query_param(self.request.build_absolute_uri(), "cursor", cursor))

    def place(self) -> Place:
        if "cursor" not in self.query:
            return Place(self.query.get("since"), 0)
        try:
            at, given = signing.loads(self.query["cursor"], salt=self.salt)
        except signing.BadSignature:
            fault = Fault("invalid_cursor", "Use the address in next as it is.", parameter="cursor")
            raise Problem(400, "invalid_parameters", "This cursor is not one of ours.", faults=[fault]) from None
        return Place(datetime.fromisoformat(at), given)

    @property
    def salt(self) -> str:
        return f"timeline:{self.request.path}:{self.query['only']}"
